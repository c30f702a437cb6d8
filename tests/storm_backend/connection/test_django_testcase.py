"""Django's own TestCase: its blocks stay out of Zope's reach, and its end undoes everything, for Storm as well."""

from __future__ import annotations

import pytest
import storm.exceptions
import transaction
from django.db import IntegrityError, connection
from django.db.transaction import TransactionManagementError, atomic

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.support.helpers import (
    LeavesNothing,
    Oops,
    Outside,
    Spy,
    django_add,
    django_names,
    joined,
    names_in_both,
    storm_add,
    storm_insert,
    storm_names,
)


class EndsOfZopesTransactionTests(LeavesNothing):
    def setUp(self) -> None:
        # What an earlier test left would show here.
        assert names_in_both() == names_in_both("second") == []
        transaction.abort()
        assert connection.data_manager is None
        self.look = Outside()
        self.addCleanup(self.look.close)

    def test_a_commit_keeps_what_was_done_for_the_rest_of_the_test(self) -> None:
        with transaction.manager:
            django_add("django")
            storm_add("storm")
            spy = joined(Spy())
        assert spy.committed
        assert names_in_both() == ["django", "storm"]
        transaction.abort()
        assert names_in_both() == ["django", "storm"]
        assert self.look.names() == []

    def test_an_abort_rolls_back_to_where_the_transaction_began(self) -> None:
        django_add("before")
        transaction.begin()
        django_add("django")
        person = storm_insert("storm")
        spy = joined(Spy())
        transaction.abort()
        assert spy.aborted
        assert names_in_both() == ["before"]
        with pytest.raises(storm.exceptions.LostObjectError):
            assert person.name

    def test_where_nothing_is_committed_no_store_can_be_ahead_of_another(self) -> None:
        with self.assertNoLogs("djintegrate.storm_backend"), transaction.manager:
            storm_add("here")
            storm_add("there", "second")
            django_add("django")

    def test_commits_and_aborts_follow_each_other(self) -> None:
        for number in range(3):
            with transaction.manager:
                storm_add(f"kept {number}")
            with pytest.raises(Oops), transaction.manager:
                django_add("lost")
                storm_insert("lost as well")
                raise Oops
            django_add(f"django {number}")
        assert len(names_in_both()) == 6

    def test_the_stores_own_commit_and_rollback_work(self) -> None:
        storm_add("kept")
        get_store("main").commit()
        storm_add("lost")
        get_store("main").rollback()
        assert names_in_both() == ["kept"]

    def test_an_outermost_block_joins_zopes_transaction(self) -> None:
        spy = Spy()
        with atomic():
            django_add("django")
            storm_add("storm")
            joined(spy)
            assert spy.calls == []
        assert spy.committed
        aborted = Spy()
        with pytest.raises(Oops), atomic():
            storm_insert("lost")
            joined(aborted)
            raise Oops
        assert aborted.aborted
        assert names_in_both() == ["django", "storm"]

    def test_a_block_in_a_begun_transaction_is_a_savepoint(self) -> None:
        with transaction.manager:
            person = storm_insert("ann")
            with atomic():
                person.name = "anna"
            with pytest.raises(Oops), atomic():
                person.name = "lost"
                storm_add("lost")
                raise Oops
            assert person.name == "anna"
            spy = joined(Spy())
        assert spy.committed
        assert names_in_both() == ["anna"]

    def test_a_refusing_data_manager_rolls_back_to_where_the_transaction_began(self) -> None:
        django_add("before")
        with pytest.raises(Oops), transaction.manager:
            django_add("lost")
            storm_add("lost as well")
            joined(Spy(fails_at="tpc_vote"))
        transaction.abort()
        assert names_in_both() == ["before"]

    def test_a_savepoint_of_zopes_rolls_back(self) -> None:
        with transaction.manager:
            storm_add("before")
            savepoint = transaction.savepoint()
            django_add("lost")
            storm_insert("lost as well")
            savepoint.rollback()
            storm_add("after")
        assert names_in_both() == ["after", "before"]

    def test_zopes_ends_are_refused_in_an_open_block(self) -> None:
        with atomic():
            storm_add("kept")
            with pytest.raises(TransactionManagementError):
                transaction.commit()
            django_add("kept as well")
        with pytest.raises(TransactionManagementError), atomic():
            django_add("lost")
            transaction.abort()
        assert names_in_both() == ["kept", "kept as well"]

    def test_a_durable_block_is_accepted_at_the_top_only(self) -> None:
        with atomic(durable=True):
            storm_add("kept")
        with pytest.raises(RuntimeError, match="durable"), atomic(), atomic(durable=True):
            pass
        assert names_in_both() == ["kept"]

    def test_a_durable_block_is_accepted_in_a_begun_transaction_unlike_in_production(self) -> None:
        # Django itself lets durable blocks pass in a TestCase; test_transactions_begun has what a site sees.
        with transaction.manager, atomic(durable=True):
            storm_add("kept")
        assert names_in_both() == ["kept"]

    def test_both_databases_are_in_one_transaction(self) -> None:
        with transaction.manager:
            django_add("django")
            storm_add("storm", "second")
        with pytest.raises(Oops), transaction.manager:
            storm_insert("lost")
            django_add("lost", using="second")
            raise Oops
        assert (names_in_both(), names_in_both("second")) == (["django"], ["storm"])

    def test_a_doomed_transaction_is_aborted(self) -> None:
        transaction.begin()
        storm_insert("lost")
        transaction.doom()
        with pytest.raises(transaction.interfaces.DoomedTransaction):
            transaction.commit()
        transaction.abort()
        assert names_in_both() == []

    def test_select_for_update_works_in_a_begun_transaction(self) -> None:
        django_add("ann")
        with transaction.manager:
            assert Person.objects.select_for_update().get().name == "ann"


class MessesTests(LeavesNothing):
    """Each test leaves something that no other may see."""

    def setUp(self) -> None:
        try:
            assert django_names() == django_names("second") == []
            assert storm_names() == storm_names("second") == []
        finally:
            # One failure is enough.
            transaction.abort()

    def test_a_flushed_object_of_storms(self) -> None:
        storm_insert("left")

    def test_a_pending_object_of_storms(self) -> None:
        storm_add("left")

    def test_a_pending_object_after_a_commit(self) -> None:
        storm_add("left")
        transaction.commit()
        storm_add("left as well")

    def test_a_transaction_that_was_begun(self) -> None:
        transaction.begin()
        django_add("left")
        storm_add("left as well")

    def test_a_transaction_that_was_begun_without_a_statement(self) -> None:
        transaction.begin()

    def test_a_transaction_that_was_doomed(self) -> None:
        transaction.begin()
        storm_insert("left")
        transaction.doom()

    def test_a_savepoint(self) -> None:
        storm_insert("left")
        self.savepoint = transaction.savepoint()
        storm_add("left as well")

    def test_a_failed_commit(self) -> None:
        storm_insert("left")
        joined(Spy(fails_at="tpc_vote"))
        with pytest.raises(Oops):
            transaction.commit()

    def test_a_failed_flush(self) -> None:
        storm_insert("left")
        storm_add("left")
        with pytest.raises(storm.exceptions.IntegrityError):
            get_store("main").flush()

    def test_both_databases(self) -> None:
        storm_insert("left")
        storm_insert("left", "second")
        django_add("left as well", using="second")

    def test_a_swallowed_django_error(self) -> None:
        django_add("left")
        with pytest.raises(IntegrityError):
            django_add("left")

    def test_a_committed_transaction(self) -> None:
        with transaction.manager:
            django_add("left")
            storm_add("left as well")
        with atomic():
            storm_add("left in the end")


class ErrorsTests(LeavesNothing):
    def setUp(self) -> None:
        django_add("ann")

    def test_a_django_error_in_a_block_lets_storm_go_on(self) -> None:
        with pytest.raises(IntegrityError), atomic():
            django_add("ann")
        storm_insert("bob")
        assert names_in_both() == ["ann", "bob"]

    def test_a_storm_error_in_a_block_lets_both_go_on(self) -> None:
        with pytest.raises(storm.exceptions.IntegrityError), atomic():
            storm_insert("lost")
            storm_insert("ann")
        storm_insert("bob")
        django_add("cid")
        assert names_in_both() == ["ann", "bob", "cid"]

    def test_a_storm_error_is_healed_by_an_abort(self) -> None:
        with pytest.raises(storm.exceptions.IntegrityError):
            storm_insert("ann")
        transaction.abort()
        storm_insert("bob")
        assert names_in_both() == ["ann", "bob"]

    def test_a_django_error_in_a_begun_transaction_is_healed_by_its_abort(self) -> None:
        with pytest.raises(IntegrityError), transaction.manager:
            storm_insert("lost")
            django_add("ann")
        storm_insert("bob")
        assert names_in_both() == ["ann", "bob"]

    def test_a_swallowed_django_error_refuses_the_commit(self) -> None:
        with pytest.raises(TransactionManagementError), transaction.manager:
            storm_add("lost")
            with pytest.raises(IntegrityError):
                django_add("ann")
        transaction.abort()
        assert names_in_both() == ["ann"]

    def test_a_swallowed_django_error_breaks_the_test_as_natively(self) -> None:
        with pytest.raises(IntegrityError):
            django_add("ann")
        with pytest.raises(TransactionManagementError):
            django_names()
        with pytest.raises(TransactionManagementError):
            storm_names()

    def test_an_error_in_a_block_without_savepoint_breaks_the_test_as_natively(self) -> None:
        with pytest.raises(Oops), atomic(savepoint=False):
            raise Oops
        with pytest.raises(TransactionManagementError):
            django_names()
