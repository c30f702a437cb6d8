"""An outermost atomic(), nothing begun: it joins Zope's transaction, and leaving it ends that."""

from __future__ import annotations

import pytest
import storm.exceptions
import transaction
from django.db import Error, IntegrityError, connection
from django.db import transaction as django_transaction
from django.db.transaction import TransactionManagementError, atomic
from transaction.interfaces import DoomedTransaction

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    django_add,
    django_names,
    is_mariadb,
    joined,
    names_in_both,
    storm_add,
    storm_insert,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("sister_stores")]


class TestSuccess:
    def test_leaving_the_block_commits_what_both_orms_wrote(self, outside: Outside) -> None:
        with atomic():
            django_add("django")
            storm_insert("storm")
            assert names_in_both() == ["django", "storm"]
            assert outside.names() == []
        assert outside.names() == ["django", "storm"]

    def test_storms_pending_changes_are_flushed_first(self, outside: Outside) -> None:
        with atomic():
            storm_add("storm")
            person = storm_insert("changed")
            person.name = "pending change"
        assert outside.names() == ["pending change", "storm"]

    def test_it_commits_the_other_data_managers_with_it(self, outside: Outside) -> None:
        spy = Spy()
        spy.watch = {"tpc_vote": outside.names, "tpc_finish": outside.names}
        with atomic():
            django_add("ann")
            joined(spy)
            assert spy.calls == []
        assert spy.committed
        # The database commits last of those who vote, and before anybody finishes.
        assert spy.seen == {"tpc_vote": [], "tpc_finish": ["ann"]}

    def test_a_data_manager_that_joins_a_block_to_be_rolled_back_is_aborted(self, outside: Outside) -> None:
        spy = Spy()
        with atomic():
            django_add("undone")
            django_transaction.set_rollback(True)
            joined(spy)
        assert spy.aborted
        assert outside.names() == []

    def test_a_savepoint_of_zopes_undoes_what_came_after_it_alone(self, outside: Outside) -> None:
        with atomic():
            django_add("kept")
            savepoint = transaction.savepoint()
            django_add("undone")
            savepoint.rollback()
            django_add("kept too")
        assert outside.names() == ["kept", "kept too"]

    def test_a_data_manager_that_joined_before_the_block_is_committed_with_it(self, outside: Outside) -> None:
        spy = joined(Spy())
        with atomic():
            django_add("ann")
        assert spy.committed
        assert outside.names() == ["ann"]

    def test_a_block_without_a_statement_leaves_zopes_transaction_alone(self) -> None:
        spy = joined(Spy())
        with atomic():
            pass
        assert spy.calls == []
        with pytest.raises(Oops), atomic():
            raise Oops
        assert spy.calls == []
        transaction.abort()

    def test_a_block_that_only_reads_ends_the_transaction_too(self) -> None:
        spy = joined(Spy())
        with atomic():
            django_names()
        assert spy.committed

    def test_the_decorator_is_the_same(self, outside: Outside) -> None:
        @atomic
        def write(fail: bool) -> None:
            storm_add(f"storm {fail}")
            django_add(f"django {fail}")
            if fail:
                raise Oops

        write(False)
        with pytest.raises(Oops):
            write(True)
        assert outside.names() == ["django False", "storm False"]

    def test_blocks_one_after_another_are_transactions_of_their_own(self, outside: Outside) -> None:
        for number in range(3):
            with atomic():
                django_add(f"ann {number}")
                storm_add(f"bob {number}")
            assert len(outside.names()) == 2 * (number + 1)

    def test_a_durable_block_commits(self, outside: Outside) -> None:
        with atomic(durable=True):
            django_add("django")
            storm_add("storm")
        assert outside.names() == ["django", "storm"]

    def test_an_outermost_block_without_savepoint_commits(self, outside: Outside) -> None:
        with atomic(savepoint=False):
            django_add("django")
            storm_add("storm")
        assert outside.names() == ["django", "storm"]

    def test_bulk_operations_and_get_or_create_are_in_it(self, outside: Outside) -> None:
        with pytest.raises(Oops), atomic():
            Person.objects.bulk_create([Person(name="ann"), Person(name="bob")])
            Person.objects.get_or_create(name="cid")
            Person.objects.update_or_create(name="cid", defaults={"name": "carl"})
            storm_insert("storm")
            raise Oops
        assert outside.names() == []


class TestFailure:
    def test_an_exception_rolls_back_what_both_orms_wrote(self, outside: Outside) -> None:
        with pytest.raises(Oops), atomic():
            django_add("django")
            storm_insert("storm")
            storm_add("pending")
            raise Oops
        assert outside.names() == []
        assert names_after() == []

    def test_it_aborts_the_other_data_managers_with_it(self) -> None:
        spy = Spy()
        with pytest.raises(Oops), atomic():
            django_add("ann")
            joined(spy)
            raise Oops
        assert spy.aborted

    @pytest.mark.parametrize("sort_key", ["before", "~~~after"])
    @pytest.mark.parametrize("step", ["tpc_begin", "commit", "tpc_vote"])
    def test_a_data_manager_that_refuses_leaves_nothing_in_the_database(
        self, step: str, sort_key: str, outside: Outside
    ) -> None:
        if (step, sort_key) == ("tpc_vote", "~~~after"):
            pytest.skip("Nobody can refuse after a one-phase commit.")
        with pytest.raises(Oops, match=step), atomic():
            django_add("django")
            storm_add("storm")
            spy = joined(Spy(fails_at=step, sort_key=sort_key))
        assert outside.names() == []
        assert spy.aborted
        assert connection.get_autocommit()
        assert names_after() == []
        with atomic():
            django_add("next")
        assert outside.names() == ["next"]

    def test_an_error_in_tpc_finish_is_reported_though_the_database_has_committed(self, outside: Outside) -> None:
        with pytest.raises(Oops, match="tpc_finish"), atomic():
            django_add("django")
            joined(Spy(fails_at="tpc_finish"))
        assert outside.names() == ["django"]
        assert connection.get_autocommit()
        django_add("next")
        assert outside.names() == ["django", "next"]

    def test_a_data_manager_that_cannot_abort_does_not_keep_the_database_from_it(self, outside: Outside) -> None:
        with pytest.raises((Oops, ZeroDivisionError)), atomic():
            joined(Spy(fails_at="abort"))
            django_add("django")
            raise ZeroDivisionError
        assert outside.names() == []

    def test_a_before_commit_hook_that_fails_leaves_nothing(self, outside: Outside) -> None:
        def fail() -> None:
            raise Oops

        with pytest.raises(Oops), atomic():
            django_add("django")
            storm_add("storm")
            transaction.get().addBeforeCommitHook(fail)
        assert outside.names() == []

    def test_a_before_commit_hook_may_write(self, outside: Outside) -> None:
        def write() -> None:
            django_add("django in the hook")
            storm_add("storm in the hook")

        with atomic():
            django_add("django")
            transaction.get().addBeforeCommitHook(write)
        assert outside.names() == ["django", "django in the hook", "storm in the hook"]

    def test_a_doomed_transaction_cannot_be_committed_by_the_block(self, outside: Outside) -> None:
        spy = Spy()
        with pytest.raises(DoomedTransaction), atomic():
            django_add("ann")
            joined(spy)
            transaction.doom()
        assert outside.names() == []
        assert spy.aborted

    def test_a_storm_flush_that_fails_at_the_end_leaves_nothing(self, outside: Outside) -> None:
        django_add("ann")
        with pytest.raises((storm.exceptions.IntegrityError, IntegrityError)), atomic():
            django_add("bob")
            storm_add("ann")
        assert outside.names() == ["ann"]
        assert connection.get_autocommit()

    def test_a_deferred_constraint_that_fails_at_the_commit_leaves_nothing(self, outside: Outside) -> None:
        if is_mariadb():
            pytest.skip("MariaDB checks constraints at once.")
        spy = Spy()
        with pytest.raises(IntegrityError), atomic():
            django_add("ann")
            storm_add("bob")
            Visit.objects.create(note="of nobody", person_id=999)
            joined(spy)
        assert outside.names() == []
        assert spy.aborted
        assert connection.get_autocommit()
        with atomic():
            storm_add("next")
        assert outside.names() == ["next"]

    def test_set_rollback_rolls_back_without_an_exception(self, outside: Outside) -> None:
        spy = Spy()
        with atomic():
            django_add("django")
            storm_insert("storm")
            joined(spy)
            django_transaction.set_rollback(True)
        assert outside.names() == []
        assert spy.aborted

    def test_set_rollback_can_be_taken_back(self, outside: Outside) -> None:
        with atomic():
            django_add("django")
            django_transaction.set_rollback(True)
            django_transaction.set_rollback(False)
            storm_add("storm")
        assert outside.names() == ["django", "storm"]

    def test_what_was_done_on_a_connection_closed_in_the_block_is_lost_with_an_error(self, outside: Outside) -> None:
        spy = Spy()
        with pytest.raises(Error), atomic():
            django_add("ann")
            joined(spy)
            connection.close()
            django_add("bob")
        with atomic():
            storm_add("next")
        assert outside.names() == ["next"]
        assert spy.aborted

    def test_all_that_takes_part_in_such_a_block_is_aborted_at_once(self, outside: Outside) -> None:
        with atomic():
            storm_insert("ann")
            spy = joined(Spy())
            connection.close()
            assert spy.aborted
        # Django leaves such a block without a word, and there is nothing left to commit.
        transaction.commit()
        assert not spy.committed
        assert outside.names() == []
        assert names_after() == []


class TestNested:
    def test_an_inner_failure_keeps_the_outer_block(self, outside: Outside) -> None:
        with atomic():
            django_add("outer django")
            storm_add("outer storm")
            with pytest.raises(Oops), atomic():
                django_add("inner django")
                storm_add("inner storm")
                raise Oops
            assert names_in_both() == ["outer django", "outer storm"]
        assert outside.names() == ["outer django", "outer storm"]

    def test_an_outer_failure_undoes_the_inner_block(self, outside: Outside) -> None:
        with pytest.raises(Oops), atomic():
            with atomic():
                django_add("inner django")
                storm_add("inner storm")
            raise Oops
        assert outside.names() == []

    def test_an_inner_block_is_no_commit_of_zopes(self) -> None:
        spy = Spy()
        with atomic():
            with atomic():
                django_add("ann")
                joined(spy)
            assert spy.calls == []
        assert spy.committed

    def test_an_inner_block_without_savepoint_dooms_the_outer_one(self, outside: Outside) -> None:
        spy = Spy()
        with atomic():
            storm_insert("outer")
            joined(spy)
            with pytest.raises(Oops), atomic(savepoint=False):
                raise Oops
            with pytest.raises(TransactionManagementError):
                django_names()
            with pytest.raises(TransactionManagementError):
                get_store("main").find(StormPerson).count()
            storm_add("pending and never written")
        assert outside.names() == []
        assert spy.aborted
        assert connection.get_autocommit()

    def test_a_durable_block_cannot_be_nested(self, outside: Outside) -> None:
        with pytest.raises(RuntimeError, match="durable"), atomic():
            django_add("ann")
            with atomic(durable=True):
                pass
        assert outside.names() == []

    def test_savepoints_made_by_hand_roll_both_orms_back(self, outside: Outside) -> None:
        with atomic():
            django_add("before")
            sid = django_transaction.savepoint()
            django_add("django")
            storm_add("storm")
            django_transaction.savepoint_rollback(sid)
            assert names_in_both() == ["before"]
            kept = django_transaction.savepoint()
            storm_add("kept")
            django_transaction.savepoint_commit(kept)
        assert outside.names() == ["before", "kept"]


def test_select_for_update_needs_a_transaction_and_finds_one_in_the_block() -> None:
    django_add("ann")
    people = Person.objects.select_for_update()
    if connection.features.has_select_for_update:
        with pytest.raises(TransactionManagementError, match="outside of a transaction"):
            people.get()
    with atomic():
        assert people.get().name == "ann"


def names_after() -> list[str]:
    with transaction.manager:
        return names_in_both()
