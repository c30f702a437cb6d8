"""The middleware twice in MIDDLEWARE, which a check refuses: all is left to the outer one, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from djintegrate.storm_backend.middleware import ZopeTransactionMiddleware
from djintegrate.storm_backend.transactions.thread import current
from tests.storm_backend.middleware import test_middleware as once
from tests.support import views
from tests.support.helpers import MIDDLEWARE, TRANSACTIONS, Oops, Outside, storm_add

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.urls("tests.support.urls"), pytest.mark.usefixtures("sister_stores")]

send = once.send


@pytest.fixture(autouse=True)
def site(settings: Any, nothing_left: None) -> Iterator[None]:
    settings.MIDDLEWARE = [*MIDDLEWARE, *MIDDLEWARE]
    views.seen.clear()
    yield
    views.seen.clear()


class TestOutcomesAreTheSame(once.TestOutcomes):
    """Everything that is so with the middleware once."""


def test_a_retry_is_the_outer_ones(settings: Any, outside: Outside) -> None:
    settings.STORM_RETRY_ATTEMPTS = 3
    assert Client().post("/retried/3/").content == b"done"
    assert len(views.seen) == 3
    assert outside.names() == ["django", "storm"]


def test_a_request_that_has_failed_and_comes_again_has_a_transaction_again(outside: Outside) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        assert current().begun is not None
        storm_add("storm")
        if not hasattr(request, "comes_again"):
            raise Oops
        return HttpResponse()

    request = RequestFactory().post("/")
    middleware = ZopeTransactionMiddleware(view)
    with pytest.raises(Oops):
        middleware(request)
    request.comes_again = True  # type: ignore[attr-defined]
    assert middleware(request).status_code == 200
    assert outside.names() == ["storm"]
    assert current().begun is None
