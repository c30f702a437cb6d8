"""A request's transaction on a site with one store is Zope's own, for all who ask for it and listen to it."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import transaction
from django.db import OperationalError, connection, connections
from django.http import HttpResponse
from django.test import RequestFactory
from transaction.interfaces import DoomedTransaction

from djintegrate.storm_backend.middleware import ZopeTransactionMiddleware
from djintegrate.storm_backend.transactions.thread import current
from tests.apps.people.storm_models import StormPerson
from tests.support.fixtures import have_sister_stores
from tests.support.helpers import TRANSACTIONS, Oops, Outside, Spy, django_add, joined, storm_add

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


@pytest.fixture(autouse=True)
def one_store(nothing_left: None) -> None:
    """As on a site with one store: with several, each statement is looked at."""
    have_sister_stores(False)
    # Who listened in earlier tests does no more.
    gc.collect()


def serve(view: Any, path: str = "/some/where/") -> None:
    ZopeTransactionMiddleware(lambda request: view() or HttpResponse())(RequestFactory().post(path))


def test_who_asks_finds_the_one_that_was_begun_with_all_that_was_done(outside: Outside) -> None:
    spy = Spy()

    def view() -> None:
        django_add("before")
        txn = transaction.get()
        assert txn.description == "/some/where/"
        assert current().begun is txn
        joined(spy)
        django_add("after")
        assert transaction.get() is txn

    serve(view)
    assert outside.names() == ["after", "before"]
    assert "tpc_finish" in spy.calls


def test_a_savepoint_can_be_rolled_back(outside: Outside) -> None:
    def view() -> None:
        django_add("before")
        savepoint = transaction.savepoint()
        storm_add("undone")
        savepoint.rollback()

    serve(view)
    assert outside.names() == ["before"]


@pytest.mark.parametrize("when", ["before the first statement", "after it"])
def test_a_doomed_one_commits_nothing(when: str, outside: Outside) -> None:
    def view() -> None:
        if when == "before the first statement":
            transaction.doom()
        django_add("lost")
        transaction.doom()

    serve(view)
    assert outside.names() == []


def test_a_commit_in_the_middle_commits_and_the_rest_is_in_another(outside: Outside) -> None:
    def view() -> None:
        django_add("kept")
        txn = transaction.get()
        transaction.commit()
        assert current().begun is transaction.get() is not txn
        storm_add("lost")
        transaction.abort()

    serve(view)
    assert outside.names() == ["kept"]


def test_begin_in_the_middle_aborts(outside: Outside) -> None:
    def view() -> None:
        django_add("lost")
        transaction.begin()
        django_add("kept")

    serve(view)
    assert outside.names() == ["kept"]


def test_an_error_aborts(outside: Outside) -> None:
    def view() -> None:
        django_add("lost")
        raise Oops

    with pytest.raises(Oops):
        serve(view)
    assert outside.names() == []
    assert current().begun is None


def test_who_joins_while_storm_flushes_for_the_commit_comes_too_late(
    monkeypatch: pytest.MonkeyPatch, outside: Outside
) -> None:
    monkeypatch.setattr(StormPerson, "__storm_flushed__", lambda person: joined(Spy()), raising=False)
    with pytest.raises(ValueError, match="expected txn status"):
        serve(lambda: storm_add("lost") and None)
    assert outside.names() == []


def test_who_asks_while_storm_flushes_finds_the_user_and_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    class User:
        is_authenticated = True

        def get_username(self) -> str:
            return "ada"

    def answer(request: Any) -> HttpResponse:
        request.user = User()
        storm_add("kept")
        return HttpResponse()

    seen: list[tuple[str, str]] = []
    monkeypatch.setattr(
        StormPerson,
        "__storm_flushed__",
        lambda person: seen.append((transaction.get().user, transaction.get().description)),
        raising=False,
    )
    ZopeTransactionMiddleware(answer)(RequestFactory().post("/some/where/"))
    assert seen == [("ada", "/some/where/")]


def test_one_that_is_asked_for_while_it_commits_is_gone_with_it(
    monkeypatch: pytest.MonkeyPatch, outside: Outside
) -> None:
    asked: list[Any] = []
    commit = type(connections["default"])._commit

    def ask_and_commit(self: Any) -> None:
        asked.append(transaction.get())
        commit(self)

    monkeypatch.setattr(type(connections["default"]), "_commit", ask_and_commit)
    serve(lambda: django_add("kept") and None)
    assert len(asked) == 1
    assert transaction.get() is not asked[0]
    assert outside.names() == ["kept"]


def test_a_commit_that_fails_is_zopes_failed_commit(monkeypatch: pytest.MonkeyPatch, outside: Outside) -> None:
    def fail(self: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(type(connections["default"]), "_commit", fail)

    def view() -> None:
        django_add("lost")
        with pytest.raises(OperationalError):
            transaction.commit()
        assert transaction.get().status == "Commit failed"
        raise KeyError

    with pytest.raises(KeyError):
        serve(view)
    monkeypatch.undo()
    assert outside.names() == []
    serve(lambda: django_add("kept") and None)
    assert outside.names() == ["kept"]


def test_callbacks_run_after_it_and_may_open_another(caplog: pytest.LogCaptureFixture, outside: Outside) -> None:
    def callback() -> None:
        assert current().begun is None
        with transaction.manager:
            django_add("by the callback")

    def fail() -> None:
        raise Oops

    def view() -> None:
        django_add("by the view")
        connection.on_commit(fail, robust=True)
        connection.on_commit(callback)

    with caplog.at_level(logging.ERROR):
        serve(view)
    assert outside.names() == ["by the callback", "by the view"]
    assert any("Oops" in str(record.exc_info) for record in caplog.records)


class Listener:
    """A synchronizer, as other packages register them."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def newTransaction(self, txn: Any) -> None:
        self.heard.append("new")

    def beforeCompletion(self, txn: Any) -> None:
        self.heard.append("before")

    def afterCompletion(self, txn: Any) -> None:
        self.heard.append("after")


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    transaction.manager.unregisterSynch(listener)


def test_who_listens_to_transactions_hears_of_every_request(listener: Listener) -> None:
    transaction.manager.registerSynch(listener)
    serve(lambda: django_add("kept") and None)
    assert listener.heard == ["new", "before", "after"]


def test_who_begins_to_listen_in_the_middle_hears_of_it_too(listener: Listener) -> None:
    serve(lambda: transaction.manager.registerSynch(listener))
    assert listener.heard == ["new", "before", "after"]


def test_a_doomed_one_cannot_be_committed_by_hand(outside: Outside) -> None:
    def view() -> None:
        django_add("lost")
        transaction.doom()
        with pytest.raises(DoomedTransaction):
            transaction.commit()

    serve(view)
    assert outside.names() == []
