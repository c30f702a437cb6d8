"""Inside a transaction that was begun, every statement of either ORM is part of it, and atomic() is a savepoint."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import storm.exceptions
import transaction
from django.db import Error, IntegrityError, connection
from django.db import transaction as django_transaction
from django.db.transaction import TransactionManagementError, atomic
from transaction.interfaces import DoomedTransaction

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormVisit
from tests.support.helpers import (
    BEGINNINGS,
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    django_add,
    django_names,
    in_thread,
    is_mariadb,
    joined,
    names_in_both,
    storm_add,
    storm_insert,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

Beginning = Callable[[], AbstractContextManager[None]]


@pytest.mark.parametrize("begun", BEGINNINGS)
class TestEveryWayToBegin:
    def test_both_orms_are_in_it_until_the_commit(self, begun: Beginning, outside: Outside) -> None:
        with begun():
            django_add("django")
            storm_add("storm")
            assert names_in_both() == ["django", "storm"]
            assert outside.names() == []
        assert outside.names() == ["django", "storm"]

    def test_an_abort_undoes_both(self, begun: Beginning, outside: Outside) -> None:
        with pytest.raises(Oops), begun():
            django_add("django")
            storm_insert("storm")
            raise Oops
        assert outside.names() == []

    def test_django_alone_is_in_it(self, begun: Beginning, outside: Outside) -> None:
        with begun():
            django_add("django")
            assert outside.names() == []
        assert outside.names() == ["django"]
        with pytest.raises(Oops), begun():
            django_add("lost")
            raise Oops
        assert outside.names() == ["django"]

    def test_an_atomic_block_commits_nothing(self, begun: Beginning, outside: Outside) -> None:
        with begun():
            with atomic():
                django_add("django")
                storm_add("storm")
            assert outside.names() == []
            assert names_in_both() == ["django", "storm"]
        assert outside.names() == ["django", "storm"]

    def test_a_failing_block_rolls_back_to_its_beginning(self, begun: Beginning, outside: Outside) -> None:
        with begun():
            django_add("django before")
            storm_add("storm before")
            with pytest.raises(Oops), atomic():
                django_add("django inside")
                storm_insert("storm inside")
                raise Oops
            django_add("django after")
            storm_add("storm after")
        assert outside.names() == ["django after", "django before", "storm after", "storm before"]

    def test_select_for_update_may_be_its_first_statement(self, begun: Beginning, outside: Outside) -> None:
        django_add("ann")
        with begun():
            person = Person.objects.select_for_update().get()
            person.name = "anna"
            person.save()
            assert outside.names() == ["ann"]
        assert outside.names() == ["anna"]

    def test_the_next_statement_after_it_is_autocommitted(self, begun: Beginning, outside: Outside) -> None:
        with begun():
            storm_add("inside")
        assert connection.get_autocommit()
        django_add("after")
        assert outside.names() == ["after", "inside"]

    def test_a_thread_may_begin_before_it_ever_used_the_database(self, begun: Beginning, outside: Outside) -> None:
        def work() -> None:
            with begun():
                django_add("django")
                storm_add("storm")
                assert in_thread(django_names) == []
            with pytest.raises(Oops), begun():
                django_add("lost")
                raise Oops

        in_thread(work)
        assert outside.names() == ["django", "storm"]


class TestEnds:
    def test_the_other_data_managers_end_with_it(self, outside: Outside) -> None:
        with transaction.manager:
            spy = joined(Spy())
            django_add("ann")
            spy.watch = {"tpc_vote": outside.names, "tpc_finish": outside.names}
        assert spy.committed
        assert spy.seen == {"tpc_vote": [], "tpc_finish": ["ann"]}

    @pytest.mark.parametrize("step", ["tpc_begin", "commit", "tpc_vote"])
    def test_a_refusing_data_manager_leaves_nothing(self, step: str, outside: Outside) -> None:
        with pytest.raises(Oops, match=step), transaction.manager:
            joined(Spy(fails_at=step))
            django_add("django")
            storm_add("storm")
        assert outside.names() == []
        transaction.abort()
        assert connection.get_autocommit()
        with transaction.manager:
            assert names_in_both() == []
            storm_add("next")
        assert outside.names() == ["next"]

    def test_begin_aborts_what_was_not_committed(self, outside: Outside) -> None:
        transaction.begin()
        spy = joined(Spy())
        django_add("lost")
        storm_add("lost as well")
        transaction.begin()
        assert spy.aborted
        assert names_in_both() == []
        django_add("kept")
        transaction.commit()
        assert outside.names() == ["kept"]

    def test_two_transactions_in_a_row_need_no_statement_outside(self, outside: Outside) -> None:
        for number in range(3):
            transaction.begin()
            storm_add(f"{number}")
            transaction.commit()
        assert outside.names() == ["0", "1", "2"]

    def test_a_doomed_transaction_can_only_be_aborted(self, outside: Outside) -> None:
        transaction.begin()
        django_add("ann")
        transaction.doom()
        storm_insert("bob")
        assert names_in_both() == ["ann", "bob"]
        with pytest.raises(DoomedTransaction):
            transaction.commit()
        transaction.abort()
        assert outside.names() == []

    def test_a_deferred_constraint_that_fails_at_the_commit_leaves_nothing(self, outside: Outside) -> None:
        if is_mariadb():
            pytest.skip("MariaDB checks constraints at once.")
        with pytest.raises(IntegrityError), transaction.manager:
            spy = joined(Spy())
            django_add("ann")
            storm_visit = StormVisit("of nobody")
            storm_visit.person_id = 999
            get_store("main").add(storm_visit)
        assert spy.aborted
        assert outside.names() == []
        transaction.abort()
        with transaction.manager:
            storm_add("next")
        assert outside.names() == ["next"]

    def test_a_before_commit_hook_may_write_with_both_orms(self, outside: Outside) -> None:
        def write() -> None:
            storm_add("storm")
            django_add("django")

        with transaction.manager:
            transaction.get().addBeforeCommitHook(write)
        assert outside.names() == ["django", "storm"]

    @pytest.mark.parametrize("end", ["commit", "abort"])
    def test_django_autocommits_in_a_hook_after_the_end(self, end: str, outside: Outside) -> None:
        transaction.begin()
        django_add("ann")
        transaction.get().addAfterCommitHook(lambda success: django_add("hook"))
        transaction.get().addAfterAbortHook(lambda: django_add("hook"))
        getattr(transaction, end)()
        assert outside.names() == (["ann", "hook"] if end == "commit" else ["hook"])

    def test_connection_commit_and_rollback_are_refused_as_in_a_block(self, outside: Outside) -> None:
        with transaction.manager:
            django_add("ann")
            for end in (connection.commit, connection.rollback, django_transaction.commit):
                with pytest.raises(TransactionManagementError):
                    end()
            with pytest.raises(TransactionManagementError):
                connection.set_autocommit(False)
            assert outside.names() == []
        assert outside.names() == ["ann"]

    def test_an_empty_transaction_does_not_touch_the_database(self) -> None:
        connection.close()
        with transaction.manager:
            pass
        transaction.begin()
        transaction.abort()
        assert connection.connection is None

    def test_closing_the_connection_before_the_first_statement_loses_nothing(self, outside: Outside) -> None:
        connection.ensure_connection()
        raw = connection.connection
        with transaction.manager:
            connection.close()
            django_add("ann")
        assert raw is not connection.connection
        assert outside.names() == ["ann"]

    def test_closing_the_connection_after_a_statement_fails_the_transaction(self, outside: Outside) -> None:
        with pytest.raises((Error, storm.exceptions.Error)), transaction.manager:
            django_add("ann")
            connection.close()
            storm_add("bob")
        transaction.abort()
        assert outside.names() == []
        with transaction.manager:
            storm_add("next")
        assert outside.names() == ["next"]


class TestBlocks:
    def test_nested_blocks_roll_back_one_by_one(self, outside: Outside) -> None:
        with transaction.manager:
            storm_add("1")
            with pytest.raises(ZeroDivisionError), atomic():
                storm_add("2")
                with pytest.raises(Oops), atomic():
                    django_add("3")
                    storm_add("4")
                    raise Oops
                assert names_in_both() == ["1", "2"]
                with atomic():
                    storm_add("5")
                raise ZeroDivisionError
            assert names_in_both() == ["1"]
        assert outside.names() == ["1"]

    def test_a_block_opened_before_the_first_statement_is_a_savepoint_too(self, outside: Outside) -> None:
        with transaction.manager:
            with pytest.raises(Oops), atomic(), atomic():
                storm_add("lost")
                raise Oops
            django_add("kept")
        assert outside.names() == ["kept"]

    def test_a_durable_block_is_refused(self) -> None:
        with pytest.raises(RuntimeError, match="durable"), transaction.manager, atomic(durable=True):
            pass

    def test_set_rollback_inside_of_a_block_rolls_that_block_back(self, outside: Outside) -> None:
        with transaction.manager:
            django_add("before")
            with atomic():
                storm_insert("lost")
                django_transaction.set_rollback(True)
            storm_add("after")
        assert outside.names() == ["after", "before"]

    def test_set_rollback_outside_of_a_block_refuses_the_commit(self, outside: Outside) -> None:
        with pytest.raises(TransactionManagementError), transaction.manager:
            django_add("ann")
            django_transaction.set_rollback(True)
        transaction.abort()
        assert outside.names() == []

    def test_get_or_create_survives_a_row_that_is_there(self, outside: Outside) -> None:
        with transaction.manager:
            storm_insert("ann")
            assert Person.objects.get_or_create(name="ann")[1] is False
            assert Person.objects.get_or_create(name="bob")[1] is True
        assert outside.names() == ["ann", "bob"]


class TestAttempts:
    def test_a_retryable_error_runs_the_block_again_on_a_clean_transaction(self, outside: Outside) -> None:
        runs = 0
        for attempt in transaction.attempts(3):
            with attempt:
                runs += 1
                assert names_in_both() == []
                django_add("django")
                storm_add("storm")
                if runs < 3:
                    raise transaction.interfaces.TransientError
        assert runs == 3
        assert outside.names() == ["django", "storm"]

    def test_another_error_is_raised_at_once(self, outside: Outside) -> None:
        with pytest.raises(Oops):
            for attempt in transaction.attempts(3):
                with attempt:
                    django_add("django")
                    raise Oops
        assert outside.names() == []

    def test_run_retries_as_well(self, outside: Outside) -> None:
        runs: list[int] = []

        def work() -> str:
            runs.append(1)
            django_add("django")
            if len(runs) < 2:
                raise transaction.interfaces.TransientError
            return "done"

        assert transaction.manager.run(work) == "done"
        assert outside.names() == ["django"]
