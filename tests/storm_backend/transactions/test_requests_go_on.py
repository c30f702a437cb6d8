"""A view ends its request's transaction: another begins at once, which the middleware ends as it would the first."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

import pytest
import transaction
from django.db import IntegrityError, connection
from django.db.transaction import TransactionManagementError, atomic
from django.http import HttpResponse
from django.test import RequestFactory
from transaction.interfaces import AlreadyInTransaction, DoomedTransaction, TransactionFailedError

from djintegrate.storm_backend.middleware import ZopeTransactionMiddleware, default_commit_veto
from djintegrate.storm_backend.transactions.thread import current
from tests.support.helpers import (
    BEGINNINGS,
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    django_add,
    joined,
    names_in_both,
    storm_add,
    storm_insert,
)
from tests.support.requests import ABORTS, AFTER, BEFORE, COMMITS, serve, write

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("sister_stores")]


class TestTheViewCommits:
    @pytest.mark.parametrize("commit", COMMITS)
    def test_and_fails(self, commit: Callable[[], None], outside: Outside) -> None:
        def view() -> None:
            write("before")
            commit()
            assert outside.names() == BEFORE
            write("after")
            assert names_in_both() == AFTER + BEFORE
            raise Oops

        with pytest.raises(Oops):
            serve(view)
        assert outside.names() == BEFORE

    @pytest.mark.parametrize("commit", COMMITS)
    def test_and_writes(self, commit: Callable[[], None], outside: Outside) -> None:
        def view() -> None:
            write("before")
            commit()
            write("after")
            assert outside.names() == BEFORE

        serve(view)
        assert outside.names() == AFTER + BEFORE

    def test_and_commits_again(self, outside: Outside) -> None:
        def view() -> None:
            for name in "abc":
                django_add(name)
                transaction.commit()
            django_add("d")
            assert outside.names() == ["a", "b", "c"]

        serve(view)
        assert outside.names() == ["a", "b", "c", "d"]

    def test_what_the_request_is_in_then_is_as_at_its_beginning(self) -> None:
        def view() -> None:
            transaction.commit()
            assert current().begun is transaction.get()
            assert connection.in_atomic_block
            with pytest.raises(RuntimeError, match="durable"), atomic(durable=True):
                pass
            with pytest.raises(Oops), atomic():
                django_add("lost")
                raise Oops
            assert names_in_both() == []

        serve(view)

    def test_what_refuses_the_commit_of_the_first_refuses_that_of_the_second(
        self, settings: Any, outside: Outside
    ) -> None:
        settings.STORM_COMMIT_VETO = f"{default_commit_veto.__module__}.{default_commit_veto.__name__}"
        settings.STORM_COMMIT_SAFE_METHODS = False
        refusals: list[tuple[Callable[[], Any], str]] = [
            (lambda: HttpResponse(status=400), "post"),
            (lambda: None, "get"),
            (transaction.doom, "post"),
            (lambda: connection.set_rollback(True), "post"),
        ]
        for number, (refuse, method) in enumerate(refusals):

            def view() -> Any:
                django_add(f"kept {number}")  # noqa: B023
                transaction.commit()
                django_add("lost")
                storm_add("lost as well")
                return refuse()  # noqa: B023

            serve(view, method)
            assert outside.names() == [f"kept {each}" for each in range(number + 1)]

    def test_a_doomed_one_is_refused_and_stays(self, outside: Outside) -> None:
        def view() -> None:
            write("before")
            transaction.doom()
            with pytest.raises(DoomedTransaction):
                transaction.commit()
            write("after")

        serve(view)
        assert outside.names() == []

    def test_path_and_user_are_noted_on_the_second_too(self) -> None:
        def view(request: Any) -> HttpResponse:
            request.user = Carla()
            transaction.commit()
            txn = transaction.get()
            joined(spy).watch = {"tpc_vote": lambda: (txn.description, txn.user)}
            return HttpResponse()

        spy = Spy()
        ZopeTransactionMiddleware(view)(RequestFactory().post("/page/"))
        assert spy.seen == {"tpc_vote": ("/page/", "carla")}


class Carla:
    is_authenticated = True

    def get_username(self) -> str:
        return "carla"


class TestTheViewAborts:
    @pytest.mark.parametrize("fails", [False, True])
    @pytest.mark.parametrize("abort", ABORTS)
    def test_and_goes_on(self, abort: Callable[[], None], fails: bool, outside: Outside) -> None:
        def view() -> None:
            write("before")
            abort()
            write("after")
            if fails:
                raise Oops

        with pytest.raises(Oops) if fails else nullcontext():
            serve(view)
        assert outside.names() == ([] if fails else AFTER)

    @pytest.mark.parametrize("end", [transaction.abort, transaction.begin])
    def test_within_a_block_which_is_an_error(self, end: Callable[[], None], outside: Outside) -> None:
        def view() -> None:
            write("before")
            with pytest.raises(TransactionManagementError, match="while an atomic"), atomic():
                end()
            write("after")
            raise Oops

        with pytest.raises(Oops):
            serve(view)
        assert outside.names() == []

    def test_within_a_block_and_catches_the_error(self, outside: Outside) -> None:
        def view() -> None:
            write("before")
            with atomic(), atomic():
                with suppress(TransactionManagementError):
                    transaction.abort()
                for use in (lambda: django_add("refused"), lambda: storm_insert("refused")):
                    with pytest.raises(TransactionManagementError):
                        use()
            write("after")
            assert outside.names() == []

        serve(view)
        assert outside.names() == AFTER


class TestTheViewBegins:
    @pytest.mark.parametrize("fails", [False, True])
    @pytest.mark.parametrize("begin", BEGINNINGS)
    def test_in_turns(self, begin: Any, fails: bool, outside: Outside) -> None:
        def view() -> None:
            for name in ("first", "second"):
                with begin():
                    write(name)
                django_add(f"between {name}")
                transaction.commit()
            with suppress(Oops), begin():
                write("lost")
                raise Oops
            assert len(outside.names()) == 6
            write("after")
            if fails:
                raise Oops

        with pytest.raises(Oops) if fails else nullcontext():
            serve(view)
        assert len(outside.names()) == (6 if fails else 8)

    def test_what_was_written_before_is_lost_and_the_log_says_so(
        self, outside: Outside, caplog: pytest.LogCaptureFixture
    ) -> None:
        def view() -> None:
            for name in ("first", "second"):
                django_add(f"lost {name}")
                with transaction.manager:
                    django_add(name)

        with caplog.at_level(logging.WARNING, "djintegrate.storm_backend"):
            serve(view)
        assert outside.names() == ["first", "second"]
        said = [record.getMessage() for record in caplog.records]
        assert len(said) == 2
        assert all("begins before the one that was begun is committed" in message for message in said)

    def test_one_within_another(self, outside: Outside) -> None:
        def view() -> None:
            with transaction.manager:
                django_add("lost")
                with transaction.manager:
                    django_add("inner")
                django_add("outer")
                assert outside.names() == ["inner"]
            assert outside.names() == ["inner", "outer"]
            django_add("after")
            assert outside.names() == ["inner", "outer"]

        serve(view)
        assert outside.names() == ["after", "inner", "outer"]

    def test_one_that_the_middleware_ends(self, outside: Outside) -> None:
        def view() -> None:
            transaction.commit()
            transaction.begin().note("mine")
            assert transaction.get().description == "/page/\nmine"
            write("after")

        serve(view)
        assert outside.names() == AFTER

    def test_in_explicit_mode(self, monkeypatch: pytest.MonkeyPatch, outside: Outside) -> None:
        monkeypatch.setattr(current().manager, "explicit", True)

        def view() -> None:
            django_add("first")
            with pytest.raises(AlreadyInTransaction):
                transaction.begin()
            transaction.commit()
            with transaction.manager:
                django_add("second")
                with pytest.raises(AlreadyInTransaction):
                    transaction.begin()
            assert outside.names() == ["first", "second"]
            django_add("third")

        serve(view)
        assert outside.names() == ["first", "second", "third"]


class TestItsCommitFails:
    def test_and_all_is_refused_until_it_aborts(self, outside: Outside) -> None:
        def view() -> None:
            write("before")
            joined(Spy(fails_at="tpc_vote"))
            with pytest.raises(Oops):
                transaction.commit()
            for use in (lambda: django_add("refused"), lambda: storm_insert("refused"), connection.savepoint):
                with pytest.raises(TransactionManagementError, match=r"Call transaction.abort\(\) first"):
                    use()
            transaction.abort()
            write("after")
            assert outside.names() == []

        serve(view)
        assert outside.names() == AFTER

    def test_and_it_goes_on_as_if_nothing_had_happened(self, outside: Outside) -> None:
        def view() -> None:
            write("before")
            joined(Spy(fails_at="tpc_vote"))
            with suppress(Oops):
                transaction.commit()

        with pytest.raises(TransactionFailedError):
            serve(view)
        assert outside.names() == []

    def test_and_it_begins_another(self, outside: Outside) -> None:
        def view() -> None:
            for name, fails_at in (("lost", "tpc_vote"), ("kept", None)):
                with suppress(Oops), transaction.manager:
                    write(name)
                    joined(Spy(fails_at=fails_at))
            write("after")

        serve(view)
        assert outside.names() == [*AFTER, "kept by Django", "kept by Storm"]

    def test_in_a_savepoint_and_all_is_refused(self, outside: Outside) -> None:
        def view() -> None:
            django_add("there")
            storm_add("there")
            with pytest.raises(IntegrityError):
                transaction.savepoint()
            with pytest.raises(TransactionManagementError, match=r"Call transaction.abort\(\) first"):
                django_add("refused")

        with pytest.raises(TransactionFailedError):
            serve(view)
        assert outside.names() == []
