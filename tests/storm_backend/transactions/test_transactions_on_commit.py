"""on_commit(): after the commit of whatever transaction it was called in, and never after anything else."""

from __future__ import annotations

import logging

import pytest
import transaction
from django.db import IntegrityError, connection
from django.db import transaction as django_transaction
from django.db.transaction import TransactionManagementError, atomic, on_commit

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Visit
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    django_add,
    is_mariadb,
    joined,
    names_in_both,
    storm_add,
    storm_insert,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("sister_stores")]

# What a transaction is, to on_commit(): one that was begun, an outermost atomic(), or Storm's implicit one.
WAYS = ["begun", "atomic", "implicit"]


class Way:
    """A transaction of the kind `name`, as a context manager."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        if self.name == "begun":
            transaction.begin()
        elif self.name == "atomic":
            self.block = atomic()
            self.block.__enter__()
        else:
            storm_insert("implicit")
            get_store("main").find(StormPerson, name="implicit").remove()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self.name == "atomic":
            self.block.__exit__(kind, error, trace)
        elif error is not None:
            transaction.abort()
        else:
            try:
                transaction.commit()
            except BaseException:
                transaction.abort()
                raise


@pytest.mark.parametrize("way", WAYS)
class TestInEveryTransaction:
    def test_it_runs_once_after_the_commit_in_order(self, way: str, outside: Outside) -> None:
        runs: list[object] = []
        with Way(way):
            django_add("ann")
            on_commit(lambda: runs.append(outside.names()))
            on_commit(lambda: runs.append("second"))
            storm_add("bob")
            assert runs == []
        assert runs == [["ann", "bob"], "second"]

    def test_it_needs_no_statement_before_it(self, way: str) -> None:
        runs: list[int] = []
        with Way(way):
            on_commit(lambda: runs.append(1))
        assert runs == [1]

    def test_an_abort_drops_it(self, way: str) -> None:
        runs: list[int] = []
        with pytest.raises(Oops), Way(way):
            django_add("ann")
            on_commit(lambda: runs.append(1))
            raise Oops
        with Way(way):
            django_add("bob")
        assert runs == []

    @pytest.mark.parametrize("step", ["tpc_begin", "commit", "tpc_vote"])
    def test_a_commit_that_another_data_manager_refuses_drops_it(self, step: str, way: str) -> None:
        runs: list[int] = []
        with pytest.raises(Oops), Way(way):
            django_add("ann")
            on_commit(lambda: runs.append(1))
            joined(Spy(fails_at=step))
        with Way(way):
            django_add("bob")
        assert runs == []

    def test_a_commit_that_the_database_refuses_drops_it(self, way: str) -> None:
        if is_mariadb():
            pytest.skip("MariaDB checks constraints at once.")
        runs: list[int] = []
        with pytest.raises(IntegrityError), Way(way):
            Visit.objects.create(note="of nobody", person_id=999)
            on_commit(lambda: runs.append(1))
        with Way(way):
            django_add("bob")
        assert runs == []

    def test_it_is_dropped_with_its_savepoint_and_only_then(self, way: str) -> None:
        runs: list[str] = []
        with Way(way):
            on_commit(lambda: runs.append("before"))
            with pytest.raises(Oops), atomic():
                on_commit(lambda: runs.append("lost"))
                with atomic():
                    on_commit(lambda: runs.append("lost inside"))
                raise Oops
            with atomic():
                on_commit(lambda: runs.append("kept"))
                with pytest.raises(Oops), atomic():
                    on_commit(lambda: runs.append("lost in the kept"))
                    raise Oops
            on_commit(lambda: runs.append("after"))
        assert runs == ["before", "kept", "after"]

    def test_it_is_dropped_with_zopes_savepoint(self, way: str) -> None:
        runs: list[str] = []
        with Way(way):
            on_commit(lambda: runs.append("before"))
            savepoint = transaction.savepoint()
            on_commit(lambda: runs.append("lost"))
            savepoint.rollback()
            on_commit(lambda: runs.append("after"))
        assert runs == ["before", "after"]

    def test_a_callback_may_use_both_orms(self, way: str, outside: Outside) -> None:
        def callback() -> None:
            assert names_in_both() == ["ann"]
            storm_add("storm")
            transaction.commit()
            django_add("django")

        with Way(way):
            django_add("ann")
            on_commit(callback)
        assert outside.names() == ["ann", "django", "storm"]

    def test_a_callback_may_open_an_atomic_block(self, way: str, outside: Outside) -> None:
        def callback() -> None:
            with atomic(durable=True):
                storm_add("kept")
                django_add("kept as well")
                assert outside.names() == ["ann"]
            with pytest.raises(Oops), atomic():
                storm_insert("lost")
                raise Oops

        with Way(way):
            django_add("ann")
            on_commit(callback)
        assert outside.names() == ["ann", "kept", "kept as well"]

    def test_a_callback_may_begin_a_transaction(self, way: str, outside: Outside) -> None:
        runs: list[str] = []

        def callback() -> None:
            with transaction.manager:
                storm_add("kept")
                django_add("kept as well")
                on_commit(lambda: runs.append("of the callback's own"))
                assert outside.names() == ["ann"]
            runs.append("callback")

        with Way(way):
            django_add("ann")
            on_commit(callback)
        assert outside.names() == ["ann", "kept", "kept as well"]
        assert runs == ["of the callback's own", "callback"]

    def test_a_callback_that_leaves_an_abort_behind_costs_nothing(self, way: str, outside: Outside) -> None:
        def callback() -> None:
            storm_insert("lost")
            transaction.abort()

        with Way(way):
            django_add("ann")
            on_commit(callback)
            on_commit(lambda: django_add("bob"))
        assert outside.names() == ["ann", "bob"]

    def test_a_callback_registered_by_a_callback_runs_at_once(self, way: str) -> None:
        runs: list[str] = []

        def callback() -> None:
            on_commit(lambda: runs.append("inner"))
            runs.append("outer")

        with Way(way):
            on_commit(callback)
            on_commit(lambda: runs.append("next"))
        assert runs == ["inner", "outer", "next"]

    def test_an_error_in_a_robust_callback_is_logged_and_stops_nobody(
        self, way: str, outside: Outside, caplog: pytest.LogCaptureFixture
    ) -> None:
        runs: list[int] = []
        with caplog.at_level(logging.ERROR), Way(way):
            django_add("ann")
            on_commit(fail, robust=True)
            on_commit(lambda: runs.append(1))
        assert runs == [1]
        assert outside.names() == ["ann"]
        assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [Oops]

    def test_a_callback_must_be_callable(self, way: str) -> None:
        with pytest.raises(TypeError, match="callable"), Way(way):
            on_commit("not a function")  # type: ignore[arg-type]


class TestErrors:
    def test_an_error_in_a_callback_comes_out_of_the_outermost_block(self, outside: Outside) -> None:
        spy = Spy()
        with pytest.raises(Oops), atomic():
            django_add("ann")
            storm_add("bob")
            joined(spy)
            on_commit(fail)
        assert outside.names() == ["ann", "bob"]
        assert spy.committed

    def test_an_error_after_zopes_commit_is_logged_as_that_of_a_hook_is(
        self, outside: Outside, caplog: pytest.LogCaptureFixture
    ) -> None:
        runs: list[int] = []
        with caplog.at_level(logging.ERROR), transaction.manager:
            django_add("ann")
            on_commit(fail)
            on_commit(lambda: runs.append(1))
        assert runs == [1]
        assert outside.names() == ["ann"]
        assert any(record.exc_info and record.exc_info[0] is Oops for record in caplog.records)

    def test_a_callback_that_leaves_a_block_broken_does_not_break_the_next_transaction(self, outside: Outside) -> None:
        def callback() -> None:
            with atomic():
                storm_insert("lost")
                django_transaction.set_rollback(True)

        with transaction.manager:
            django_add("ann")
            on_commit(callback)
        with transaction.manager:
            django_add("bob")
        assert outside.names() == ["ann", "bob"]


class TestElsewhere:
    def test_with_nothing_begun_it_runs_at_once(self) -> None:
        runs: list[int] = []
        on_commit(lambda: runs.append(1))
        assert runs == [1]

    def test_in_manual_mode_it_is_refused(self) -> None:
        django_transaction.set_autocommit(False)
        try:
            with pytest.raises(TransactionManagementError, match="manual"):
                on_commit(fail)
        finally:
            connection.rollback()
            django_transaction.set_autocommit(True)

    def test_the_callbacks_of_two_databases_run_after_both_have_committed(self, outside: Outside) -> None:
        seen: list[tuple[list[str], list[str]]] = []

        def look() -> None:
            seen.append((outside.names(), outside.names("second")))

        with transaction.manager:
            django_add("ann")
            django_add("bob", using="second")
            on_commit(look)
            on_commit(look, using="second")
        assert seen == [(["ann"], ["bob"])] * 2

    def test_a_callback_on_a_database_that_was_not_used_runs_after_the_commit(self) -> None:
        runs: list[str] = []
        with transaction.manager:
            django_add("ann")
            on_commit(lambda: runs.append("second"), using="second")
            assert runs == []
        assert runs == ["second"]

    def test_an_after_commit_hook_of_zopes_and_a_callback_both_run(self) -> None:
        runs: list[str] = []
        with transaction.manager:
            transaction.get().addAfterCommitHook(lambda success: runs.append(f"hook {success}"))
            on_commit(lambda: runs.append("callback"))
        assert sorted(runs) == ["callback", "hook True"]

    def test_an_error_in_tpc_finish_of_another_runs_no_callback(self, outside: Outside) -> None:
        # Whether all have committed is not known then.
        runs: list[int] = []
        with pytest.raises(Oops), transaction.manager:
            django_add("ann")
            on_commit(lambda: runs.append(1))
            joined(Spy(fails_at="tpc_finish"))
        transaction.abort()
        assert outside.names() == ["ann"]
        assert runs == []


def fail() -> None:
    raise Oops
