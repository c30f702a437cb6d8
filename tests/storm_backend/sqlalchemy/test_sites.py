"""Requests and TestCases in which all three ORMs write."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
import transaction
from asgiref.sync import sync_to_async
from django.db import connection
from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse
from django.test import Client, TestCase, override_settings
from django.urls import path

from djintegrate.storm_backend.sqlalchemy import engine
from tests.support.helpers import (
    MIDDLEWARE,
    LeavesNothing,
    Oops,
    Outside,
    django_add,
    django_names,
    marked,
    names_in_both,
    storm_add,
)

from .people import PEOPLE, alchemy_add, alchemy_names, session

pytest_plugins = ["tests.support.fixtures"]


# ##### Requests #####


def view(request: HttpRequest) -> HttpResponse:
    alchemy_add("alchemy")
    storm_add("storm")
    django_add("django")
    if "fail" in request.GET:
        raise Oops
    return HttpResponse(",".join(names_in_both()))


async def async_view(request: HttpRequest) -> HttpResponse:
    return await sync_to_async(view)(request)


urlpatterns = [path("", view), path("async", async_view)]


@marked
@pytest.mark.parametrize("where", ["/", "/async"])
@override_settings(MIDDLEWARE=MIDDLEWARE, ROOT_URLCONF=__name__)
def test_a_request_that_writes_with_all_three(outside: Outside, where: str) -> None:
    client = Client(raise_request_exception=False)
    assert client.get(where + "?fail").status_code == 500
    assert outside.names() == []
    assert client.get(where).content == b"alchemy,django,storm"
    assert outside.names() == ["alchemy", "django", "storm"]


@marked
@override_settings(MIDDLEWARE=[], ROOT_URLCONF=__name__)
def test_atomic_requests_without_the_middleware(outside: Outside) -> None:
    client = Client(raise_request_exception=False)
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        assert client.get("/?fail").status_code == 500
        assert outside.names() == []
        assert client.get("/").content == b"alchemy,django,storm"
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert outside.names() == ["alchemy", "django", "storm"]


class TestInTestCase(LeavesNothing):
    def tearDown(self) -> None:
        transaction.abort()
        session.remove()

    def test_a_commit_is_undone_with_the_test(self) -> None:
        with transaction.manager:
            alchemy_add("alchemy")
            storm_add("storm")
        assert django_names() == ["alchemy", "storm"]

    def test_an_abort_goes_back_to_the_last_commit(self) -> None:
        with transaction.manager:
            alchemy_add("kept")
        with pytest.raises(Oops), transaction.manager:
            alchemy_add("undone")
            assert django_names() == ["kept", "undone"]
            raise Oops
        with transaction.manager:
            assert alchemy_names() == ["kept"]

    def test_an_atomic_block_is_undone(self) -> None:
        with pytest.raises(Oops), atomic():
            alchemy_add("undone")
            session.flush()
            raise Oops
        assert django_names() == []
        transaction.abort()


class TestOneDatabase(TestCase):
    databases = {"default"}

    def test_a_database_that_the_test_does_not_name_is_refused(self) -> None:
        with pytest.raises(AssertionError, match="second"), engine("second").connect() as by_core:
            by_core.execute(sa.select(PEOPLE))
        transaction.abort()
