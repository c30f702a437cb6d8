"""What else belongs to a transaction that a view has ended: the retry of its request, callbacks, followers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import transaction
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.transaction import on_commit
from django.http import HttpResponse
from django.test import RequestFactory

from djintegrate.common import following
from djintegrate.storm_backend.middleware import ZopeTransactionMiddleware
from djintegrate.storm_backend.transactions.thread import current
from tests.support.faults import Site
from tests.support.helpers import (
    MIDDLEWARE,
    TRANSACTIONS,
    Oops,
    Outside,
    Retryable,
    Spy,
    django_add,
    joined,
    storm_add,
    storm_insert,
)
from tests.support.requests import AFTER, BEFORE, COMMITS, serve, write

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("sister_stores")]


class TestARequestThatMayRunAgain:
    @pytest.fixture(autouse=True)
    def attempts(self, settings: Any) -> None:
        settings.STORM_RETRY_ATTEMPTS = 3

    @pytest.mark.parametrize("late", [False, True])
    @pytest.mark.parametrize("commit", COMMITS)
    def test_does_not_once_it_has_committed(self, commit: Callable[[], None], late: bool, outside: Outside) -> None:
        def view() -> None:
            runs.append(1)
            write(f"{len(runs)}")
            commit()
            if late:
                joined(Refusing())
            else:
                raise Retryable

        runs: list[int] = []
        with pytest.raises(Retryable):
            serve(view)
        assert len(runs) == 1
        assert outside.names() == ["1 by Django", "1 by Storm"]

    def test_does_as_long_as_it_has_only_aborted(self, outside: Outside) -> None:
        def view() -> None:
            runs.append(1)
            write("lost")
            transaction.abort()
            write("after")
            if len(runs) < 3:
                raise Retryable

        runs: list[int] = []
        serve(view)
        assert len(runs) == 3
        assert outside.names() == AFTER

    def test_does_when_its_own_commit_asks_for_it(self, outside: Outside) -> None:
        def view() -> None:
            runs.append(1)
            write("kept")
            if len(runs) < 3:
                joined(Refusing())
            transaction.commit()

        runs: list[int] = []
        serve(view)
        assert len(runs) == 3
        assert outside.names() == ["kept by Django", "kept by Storm"]


class Refusing(Spy):
    def tpc_vote(self, txn: Any) -> None:
        raise Retryable


class TestWhatFollowsTheTransaction:
    def test_callbacks_run_after_the_commit_that_they_wait_for_and_in_no_transaction(self, outside: Outside) -> None:
        def callback(name: str) -> None:
            seen.append((name, outside.names(), current().begun, connection.in_atomic_block))
            with transaction.manager:
                storm_add(f"{name} in its own")
            django_add(f"{name} in none")

        def view() -> None:
            write("before")
            on_commit(lambda: callback("first"))
            on_commit(lambda: callback("second"))
            transaction.commit()
            assert len(seen) == 2
            on_commit(lambda: seen.append("late"))
            raise Oops

        seen: list[Any] = []
        with pytest.raises(Oops):
            serve(view)
        own = ["first in its own", "first in none"]
        assert seen == [("first", BEFORE, None, False), ("second", BEFORE + own, None, False)]
        assert outside.names() == [*BEFORE, *own, "second in its own", "second in none"]

    def test_what_a_callback_leaves_open_is_not_part_of_the_rest(
        self, outside: Outside, caplog: pytest.LogCaptureFixture
    ) -> None:
        def view() -> None:
            on_commit(lambda: storm_insert("left open"))
            django_add("first")
            transaction.commit()
            django_add("second")

        serve(view)
        assert outside.names() == ["first", "second"]
        assert "What was written to the store 'main' is lost" in caplog.text

    def test_followers_hear_of_the_one_that_they_are_in(self) -> None:
        def view() -> None:
            for name in ("first", "second"):
                following.after_commit("default", lambda name=name: seen.append(name))  # type: ignore[misc]
                transaction.commit()
                assert following._begun() is transaction.get()
            following.after_commit("default", lambda: seen.append("lost"))
            raise PermissionDenied

        seen: list[str] = []
        with pytest.raises(PermissionDenied):
            serve(view)
        assert seen == ["first", "second"]

    def test_hooks_and_synchronizers_are_through_when_the_next_one_begins(self) -> None:
        class Synchronizer:
            def newTransaction(self, txn: Any) -> None:
                seen.append("new")

            def beforeCompletion(self, txn: Any) -> None:
                seen.append("before")

            def afterCompletion(self, txn: Any) -> None:
                seen.append("after")

        def view() -> None:
            transaction.manager.registerSynch(synchronizer)
            seen.clear()
            transaction.get().addAfterCommitHook(lambda done: seen.append("hook"))
            transaction.commit()
            transaction.get().addAfterAbortHook(lambda: seen.append("hook"))
            transaction.abort()

        seen: list[str] = []
        synchronizer = Synchronizer()
        serve(view)
        transaction.manager.unregisterSynch(synchronizer)
        first, second = ["before", "after", "hook", "new"], ["before", "hook", "after", "new"]
        assert seen == [*first, *second, "before", "after"]


class TestOnAServer:
    @pytest.fixture(autouse=True)
    def site(self, settings: Any) -> None:
        settings.MIDDLEWARE, settings.ROOT_URLCONF = MIDDLEWARE, "tests.support.faults"

    @pytest.mark.parametrize("end", [transaction.commit, transaction.abort])
    def test_nothing_is_left_and_the_log_has_nothing_to_say(
        self, end: Callable[[], None], outside: Outside, caplog: pytest.LogCaptureFixture
    ) -> None:
        def view() -> None:
            write("before")
            end()
            write("after")

        assert Site()(view).status == 200
        assert outside.names() == (AFTER + BEFORE if end is transaction.commit else AFTER)
        assert caplog.text == ""

    def test_a_request_that_was_left_before_its_end_does_not_go_on(self, outside: Outside) -> None:
        # Its task was cancelled while the middleware began it, say.
        ZopeTransactionMiddleware(lambda request: HttpResponse())._begin(RequestFactory().post("/page/"))
        write("lost")
        assert Site()(lambda: write("after")).status == 200
        assert current().request is None
        assert outside.names() == AFTER


def test_another_database_is_in_the_second_transaction_too(outside: Outside) -> None:
    def view() -> None:
        django_add("kept")
        transaction.commit()
        django_add("lost", using="second")
        storm_add("lost as well", store="second")
        raise Oops

    with pytest.raises(Oops):
        serve(view)
    assert (outside.names(), outside.names("second")) == (["kept"], [])


@pytest.mark.parametrize("commit", COMMITS)
def test_a_request_within_a_request_ends_the_outer_ones_transaction_and_both_go_on(
    commit: Callable[[], None], settings: Any, outside: Outside
) -> None:
    def inner() -> None:
        django_add("of the inner one")
        commit()
        write("after")
        raise Oops

    def outer() -> None:
        runs.append(1)
        write("before")
        with pytest.raises(Oops):
            serve(inner)
        django_add("of the outer one")
        raise Retryable

    runs: list[int] = []
    settings.STORM_RETRY_ATTEMPTS = 3
    with pytest.raises(Retryable):
        serve(outer)
    assert len(runs) == 1
    assert outside.names() == [*BEFORE, "of the inner one"]
