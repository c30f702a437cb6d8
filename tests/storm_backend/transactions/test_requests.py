"""A request's transaction on a site with one store: what its view may do to it, and what may fail on its way."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import transaction
from django.db import OperationalError, connection, connections
from django.db.transaction import TransactionManagementError, atomic, rollback, set_autocommit
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory
from transaction.interfaces import AlreadyInTransaction, TransactionFailedError

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.middleware import ZopeTransactionMiddleware
from djintegrate.storm_backend.sql import errors as retry
from djintegrate.storm_backend.transactions.thread import current
from tests.apps.people.storm_models import StormPerson
from tests.support.fixtures import have_sister_stores
from tests.support.helpers import TRANSACTIONS, Oops, Outside, Spy, django_add, is_sqlite, storm_add, storm_insert

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

Serve = Callable[[Callable[[], Any]], HttpResponseBase]


@pytest.fixture
def serve(nothing_left: None) -> Serve:
    have_sister_stores(False)
    # Who listened in earlier tests does no more.
    gc.collect()

    def serve(view: Callable[[], Any]) -> HttpResponseBase:
        middleware = ZopeTransactionMiddleware(lambda request: view() or HttpResponse())
        response: HttpResponseBase = middleware(RequestFactory().post("/"))
        return response

    return serve


class TestACommitInTheViewThatFails:
    def test_in_the_flush(self, serve: Serve, outside: Outside) -> None:
        django_add("there")

        def view() -> None:
            storm_insert("lost")
            storm_add("there")
            with pytest.raises(connection.Database.IntegrityError):
                transaction.commit()
            assert transaction.get().status == "Commit failed"

        with pytest.raises(TransactionFailedError):
            serve(view)
        assert outside.names() == ["there"]

    def test_because_of_an_error_before(self, serve: Serve, outside: Outside) -> None:
        def view() -> None:
            django_add("lost")
            connection.set_rollback(True)
            with pytest.raises(TransactionManagementError):
                transaction.commit()

        with pytest.raises(TransactionFailedError):
            serve(view)
        assert outside.names() == []

    def test_the_view_may_abort_it_and_go_on(self, serve: Serve, outside: Outside) -> None:
        def view() -> None:
            django_add("lost")
            connection.set_rollback(True)
            with pytest.raises(TransactionManagementError):
                transaction.commit()
            transaction.abort()
            django_add("kept")

        serve(view)
        assert outside.names() == ["kept"]

    def test_while_a_block_is_open_leaves_everything_as_it_was(self, serve: Serve, outside: Outside) -> None:
        def view() -> None:
            django_add("before")
            with atomic():
                storm_add("inside")
                with pytest.raises(TransactionManagementError):
                    transaction.commit()
            django_add("after")

        serve(view)
        assert outside.names() == ["after", "before", "inside"]


class TestWhoAsksWhileItCommits:
    @pytest.fixture
    def in_the_commit(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
        """Has something done when the database is about to commit."""
        engine = type(connections["default"])
        commit = engine._commit

        def install(act: Callable[[], None]) -> None:
            def act_and_commit(self: Any) -> None:
                monkeypatch.setattr(engine, "_commit", commit)
                act()
                commit(self)

            monkeypatch.setattr(engine, "_commit", act_and_commit)

        return install

    @pytest.mark.parametrize("late", [lambda: transaction.get().join(Spy()), transaction.doom])
    def test_comes_too_late_to_take_part(
        self, late: Callable[[], None], in_the_commit: Any, serve: Serve, outside: Outside
    ) -> None:
        def act() -> None:
            with pytest.raises(ValueError):
                late()

        in_the_commit(act)
        serve(lambda: django_add("kept") and None)
        assert outside.names() == ["kept"]

    def test_may_add_a_hook_that_runs_after_it(self, in_the_commit: Any, serve: Serve, outside: Outside) -> None:
        seen: list[Any] = []
        in_the_commit(lambda: transaction.get().addAfterCommitHook(lambda done: seen.append((done, outside.names()))))
        serve(lambda: django_add("kept") and None)
        assert seen == [(True, ["kept"])]
        assert current().manager._txn is None


@pytest.mark.parametrize("step", ["the flush", "the commit", "after the commit"])
def test_an_error_in_any_step_is_told_and_the_next_request_works(
    step: str, serve: Serve, monkeypatch: pytest.MonkeyPatch, outside: Outside
) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError

    where: dict[str, tuple[Any, str]] = {
        "the flush": (StormPerson, "__storm_pre_flush__"),
        "the commit": (type(connections["default"]), "_commit"),
        "after the commit": (type(get_store("main")), "committed"),
    }

    def view() -> None:
        storm_add("first")
        monkeypatch.setattr(*where[step], fail, raising=False)

    with pytest.raises(OperationalError):
        serve(view)
    monkeypatch.undo()
    kept = ["first"] if step == "after the commit" else []
    assert outside.names() == kept
    serve(lambda: storm_add("next") and None)
    assert outside.names() == [*kept, "next"]


@pytest.mark.parametrize("step", ["the flush", "the commit"])
def test_a_step_that_may_be_tried_again_is(
    step: str, serve: Serve, settings: Any, monkeypatch: pytest.MonkeyPatch, outside: Outside
) -> None:
    settings.STORM_RETRY_ATTEMPTS = 3
    monkeypatch.setattr(retry, "is_retryable", lambda vendor, error: isinstance(error, OperationalError))
    engine = type(connections["default"])
    commit = engine._commit
    runs: list[int] = []

    def fail_twice(*args: Any) -> None:
        if len(runs) < 3:
            raise OperationalError
        if step == "the commit":
            commit(*args)

    def view() -> None:
        runs.append(1)
        django_add("by Django")
        storm_add("by Storm")
        if step == "the commit":
            monkeypatch.setattr(engine, "_commit", fail_twice)
        else:
            monkeypatch.setattr(StormPerson, "__storm_pre_flush__", fail_twice, raising=False)

    serve(view)
    assert len(runs) == 3
    assert outside.names() == ["by Django", "by Storm"]


def test_a_second_alias_on_the_store_commits_too(serve: Serve, unguarded: None, outside: Outside) -> None:
    # An error of the system check, which one may have silenced.
    connections.settings["again"] = dict(connections.settings["default"])

    def view() -> None:
        if not is_sqlite():
            # It locks the whole database.
            django_add("by the one")
        connections["again"].counts_writes = False
        django_add("by the other", using="again")
        if is_sqlite():
            list(connection.cursor().execute("SELECT 1"))

    try:
        serve(view)
        assert outside.names() == ["by the other"] if is_sqlite() else ["by the one", "by the other"]
        serve(lambda: django_add("next") and None)
        assert "next" in outside.names()
    finally:
        connections["again"].close()
        del current().connections["again"], connections["again"], connections.settings["again"]


def test_what_the_view_held_on_to_needs_no_garbage_collector(serve: Serve) -> None:
    alive: list[int] = []

    class Held:
        def __init__(self) -> None:
            alive.append(1)

        def __del__(self) -> None:
            alive.pop()

    def view(name: str) -> None:
        held = Held()
        storm_add(name)
        connection.on_commit(lambda: setattr(held, "seen", True))

    serve(lambda: view("first"))
    gc.collect()
    gc.disable()
    try:
        serve(lambda: view("second"))
        assert alive == []
    finally:
        gc.enable()


def test_in_explicit_mode_too(serve: Serve, monkeypatch: pytest.MonkeyPatch, outside: Outside) -> None:
    monkeypatch.setattr(current().manager, "explicit", True)

    def view() -> None:
        django_add("kept")
        with pytest.raises(AlreadyInTransaction):
            transaction.begin()

    serve(view)
    assert outside.names() == ["kept"]
    assert current().manager._txn is None


def test_what_a_response_streams_comes_after_it(serve: Serve, outside: Outside) -> None:
    def body() -> Iterator[bytes]:
        storm_insert("lost")
        yield b"streamed"
        transaction.abort()

    def view() -> HttpResponseBase:
        django_add("kept")
        return StreamingHttpResponse(body())

    response: Any = serve(view)
    assert outside.names() == ["kept"]
    assert list(response) == [b"streamed"]
    assert outside.names() == ["kept"]


def test_a_request_inside_of_it_that_fails_undoes_its_own_alone(serve: Serve, outside: Outside) -> None:
    def fail(request: HttpRequest) -> HttpResponse:
        storm_insert("lost")
        raise Oops

    def view() -> None:
        django_add("before")
        with pytest.raises(Oops):
            ZopeTransactionMiddleware(fail)(RequestFactory().post("/"))
        storm_add("after")

    serve(view)
    assert outside.names() == ["after", "before"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_connection_in_manual_mode_is_in_it(fails: bool, serve: Serve, outside: Outside) -> None:
    set_autocommit(False)

    def view() -> None:
        django_add("by Django")
        storm_add("by Storm")
        if fails:
            raise Oops

    try:
        with pytest.raises(Oops) if fails else nullcontext():
            serve(view)
        assert outside.names() == ([] if fails else ["by Django", "by Storm"])
    finally:
        rollback()
        set_autocommit(True)


def test_callbacks_given_after_a_commit_in_the_view_run_after_the_next_one(serve: Serve, outside: Outside) -> None:
    def view() -> None:
        django_add("first")
        transaction.commit()
        storm_add("second")
        connection.on_commit(lambda: seen.append(outside.names()))
        transaction.commit()
        storm_add("third")

    seen: list[list[str]] = []
    serve(view)
    assert seen == [["first", "second"]]
    assert outside.names() == ["first", "second", "third"]
