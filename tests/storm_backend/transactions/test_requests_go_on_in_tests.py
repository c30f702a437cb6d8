"""A view that ends its request's transaction, called by a test's client: in Django's test classes, and in a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import transaction
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.db.transaction import TransactionManagementError, atomic
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, TestCase, TransactionTestCase, override_settings
from django.urls import path

from djintegrate.common.engine import MIDDLEWARE
from djintegrate.storm_backend.transactions.thread import current
from tests.apps.people.models import Person
from tests.support.fixtures import have_sister_stores
from tests.support.helpers import Oops, Outside, Spy, django_add, joined, marked, names_in_both, storm_add, storm_insert
from tests.support.requests import AFTER, BEFORE, write


def commits(request: HttpRequest, then: str) -> HttpResponse:
    write("before")
    transaction.commit()
    write("after")
    return _end(then)


async def commits_in_async(request: HttpRequest, then: str) -> HttpResponse:
    return await sync_to_async(commits)(request, then)


def aborts(request: HttpRequest, then: str) -> HttpResponse:
    write("lost")
    transaction.abort()
    write("after")
    return _end(then)


def aborts_in_a_block(request: HttpRequest, then: str) -> HttpResponse:
    with pytest.raises(TransactionManagementError), atomic():
        write("lost")
        transaction.abort()
    write("after")
    return _end(then)


def begins(request: HttpRequest, then: str) -> HttpResponse:
    with transaction.manager:
        write("before")
    write("after")
    return _end(then)


def fails_to_commit(request: HttpRequest, then: str) -> HttpResponse:
    write("lost")
    joined(Spy(fails_at="tpc_vote"))
    with pytest.raises(Oops):
        transaction.commit()
    with pytest.raises(TransactionManagementError):
        django_add("refused")
    transaction.abort()
    write("after")
    return _end(then)


def reads(request: HttpRequest, then: str) -> HttpResponse:
    Person.objects.count()
    if then != "returns":
        transaction.commit()
    if then == "commits-and-reads":
        Person.objects.count()
    return HttpResponse()


def _end(then: str) -> HttpResponse:
    if then == "raises":
        raise Oops
    return HttpResponse()


VIEWS = [commits, commits_in_async, aborts, aborts_in_a_block, begins, fails_to_commit]
KEEP_BEFORE = [commits, commits_in_async, begins]
urlpatterns = [path(f"{view.__name__}/<slug:then>/", view) for view in [*VIEWS, reads]]
SITE = override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[MIDDLEWARE])
pytest_plugins = ["tests.support.fixtures"]


class Both:
    def get(self: Any, view: Any, then: str = "returns") -> None:
        response = Client(raise_request_exception=False).get(f"/{view.__name__}/{then}/")
        assert response.status_code == (500 if then == "raises" else 200)
        assert current().begun is None and current().request is None

    def test_what_comes_after_is_committed(self: Any) -> None:
        for view in VIEWS:
            with self.subTest(view=view.__name__), self.undone():
                self.get(view)
                assert names_in_both() == (AFTER + BEFORE if view in KEEP_BEFORE else AFTER)

    def test_what_comes_after_is_undone_if_it_fails(self: Any) -> None:
        for view in VIEWS:
            with self.subTest(view=view.__name__), self.undone():
                self.get(view, "raises")
                assert names_in_both() == (BEFORE if view in KEEP_BEFORE else [])

    @contextmanager
    def undone(self) -> Iterator[None]:
        yield
        transaction.abort()
        Person.objects.all().delete()


@SITE
class TestInATestCase(Both, TestCase):
    def test_another_transaction_costs_nothing_before_its_first_statement(self) -> None:
        # SAVEPOINT, SELECT, RELEASE
        for then, number in (("returns", 3), ("commits", 3), ("commits-and-reads", 6)):
            with self.subTest(then=then), self.assertNumQueries(number):
                self.client.get(f"/reads/{then}/")

    def test_a_rollback_that_was_asked_for_before_the_first_statement_is_not_the_tests(self) -> None:
        transaction.begin()
        connection.set_rollback(True)
        transaction.abort()
        assert names_in_both() == []


@SITE
class TestInATransactionTestCase(Both, TransactionTestCase):
    available_apps = ["djintegrate.storm_backend", "tests.apps.people"]


class TestInABlockOfTheTests:
    pytestmark = [pytest.mark.urls(__name__)]

    @pytest.fixture(autouse=True)
    def site(self, settings: Any) -> Iterator[None]:
        settings.MIDDLEWARE = [MIDDLEWARE]
        yield
        have_sister_stores(True)

    @marked
    @pytest.mark.parametrize("view", VIEWS)
    def test_the_block_commits_what_comes_after(self, view: Any, outside: Outside, caplog: Any) -> None:
        with transaction.manager:
            Client().get(f"/{view.__name__}/returns/")
            assert names_in_both() == (AFTER + BEFORE if view in KEEP_BEFORE else AFTER)
            storm_add("by the test")
            assert outside.names() == (BEFORE if view in KEEP_BEFORE else [])
        kept = AFTER + BEFORE if view in KEEP_BEFORE else AFTER
        assert outside.names() == [*kept, "by the test"]
        assert not [record for record in caplog.records if record.name == "djintegrate.storm_backend"]

    @marked
    @pytest.mark.parametrize("view", VIEWS)
    def test_what_comes_after_is_undone_if_it_fails(self, view: Any, outside: Outside, caplog: Any) -> None:
        with transaction.manager:
            Client(raise_request_exception=False).get(f"/{view.__name__}/raises/")
            storm_add("by the test")
        assert outside.names() == [*(BEFORE if view in KEEP_BEFORE else []), "by the test"]
        assert "neither committed nor aborted" not in caplog.text

    @marked
    def test_the_block_ends_as_ever_after_that(self, outside: Outside) -> None:
        transaction.begin()
        Client().get("/commits/returns/")
        transaction.commit()
        assert current().begun is None
        django_add("by itself")
        assert outside.names() == [*AFTER, *BEFORE, "by itself"]


@marked
@pytest.mark.urls(__name__)
@pytest.mark.parametrize("then", ["returns", "raises"])
def test_asynchronously(then: str, settings: Any, outside: Outside) -> None:
    settings.MIDDLEWARE = [MIDDLEWARE]
    for view in VIEWS:
        async_to_sync(AsyncClient(raise_request_exception=False).get)(f"/{view.__name__}/{then}/")
        kept = [*(AFTER if then == "returns" else []), *(BEFORE if view in KEEP_BEFORE else [])]
        assert outside.names() == kept
        outside.rows("DELETE FROM people_person")
    assert connection.get_autocommit()
    storm_insert("not kept")
    transaction.abort()
