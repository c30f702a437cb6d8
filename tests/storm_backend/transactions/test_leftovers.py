"""What a streaming response leaves open: how loud the log is about it, and what it says to do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import transaction
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import path

from djintegrate.storm_backend import get_store
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import MIDDLEWARE, TRANSACTIONS, Outside, django_add, storm_add, storm_insert

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS
FIRST = "first in MIDDLEWARE"
WITH = "`with transaction.manager:`"


def reads() -> Iterator[str]:
    return (person.name for person in get_store("main").find(StormPerson))


def writes_by_storm() -> Iterator[str]:
    yield storm_insert("lost").name


def writes_by_storm_unflushed() -> Iterator[str]:
    get_store("main").find(StormPerson).count()
    yield storm_add("lost").name


def writes_by_django() -> Iterator[str]:
    yield from reads()
    yield django_add("lost").name


def reads_in_a_transaction() -> Iterator[str]:
    with transaction.manager:
        yield from list(reads())


def exports(request: HttpRequest, body: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(globals()[body]())


urlpatterns = [path("<slug:body>/", exports)]


@pytest.fixture
def told(settings: Any, outside: Outside, caplog: pytest.LogCaptureFixture) -> Callable[..., list[tuple[str, str]]]:
    """What the log says when this body is streamed, as a server asks for it."""
    settings.ROOT_URLCONF = __name__
    caplog.set_level(logging.INFO, "djintegrate.storm_backend")

    def told(body: Callable[[], Iterator[str]], middleware: list[str] = MIDDLEWARE) -> list[tuple[str, str]]:
        settings.MIDDLEWARE = middleware
        django_add("there")
        environ = RequestFactory()._base_environ(PATH_INFO=f"/{body.__name__}/")
        response = WSGIHandler()(environ, lambda *answer: None)
        assert list(response)
        response.close()
        assert outside.names() == ["there"]
        return [
            (record.levelname, record.getMessage()) for record in caplog.records if record.name[:11] == "djintegrate"
        ]

    return told


def test_what_only_reads_is_no_error(told: Callable[..., Any]) -> None:
    ((level, said),) = told(reads)
    assert level == "INFO" and "nothing was written" in said
    assert WITH in said and FIRST not in said


@pytest.mark.parametrize("body", [writes_by_storm, writes_by_storm_unflushed, writes_by_django])
def test_what_writes_is_one_and_the_middleware_is_not_the_reason(body: Any, told: Callable[..., Any]) -> None:
    ((level, said),) = told(body)
    assert level == "ERROR" and "'main'" in said
    assert WITH in said and FIRST not in said


@pytest.mark.parametrize("middleware", [[], ["django.middleware.common.CommonMiddleware", *MIDDLEWARE]])
def test_where_the_middleware_is_not_first_that_is_said_first(middleware: Any, told: Callable[..., Any]) -> None:
    ((level, said),) = told(writes_by_storm, middleware)
    assert level == "ERROR"
    assert said.index(FIRST) < said.index(WITH)


def test_in_a_transaction_of_its_own_nothing_is_said(told: Callable[..., Any]) -> None:
    assert told(reads_in_a_transaction) == []
