"""Errors of either ORM inside of atomic(): what they undo, what goes on, and that nothing is lost without a word."""

from __future__ import annotations

import pytest
import storm.exceptions
import transaction
from django.db import IntegrityError
from django.db.transaction import TransactionManagementError, atomic

from djintegrate.storm_backend import get_store
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    django_add,
    django_names,
    is_postgres,
    joined,
    names_in_both,
    storm_add,
    storm_insert,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("sister_stores")]


class TestInAnOutermostBlock:
    def test_a_django_error_that_is_swallowed_dooms_the_block_for_storm_as_well(self, outside: Outside) -> None:
        django_add("ann")
        with atomic():
            storm_insert("storm")
            with pytest.raises(IntegrityError):
                django_add("ann")
            with pytest.raises(TransactionManagementError):
                storm_insert("never")
            with pytest.raises(TransactionManagementError):
                get_store("main").execute("SELECT 1")
        assert outside.names() == ["ann"]
        with atomic():
            storm_add("next")
        assert outside.names() == ["ann", "next"]

    def test_a_django_error_in_a_block_of_its_own_lets_storm_go_on(self, outside: Outside) -> None:
        django_add("ann")
        with atomic():
            storm_add("before")
            with pytest.raises(IntegrityError), atomic():
                django_add("ann")
            storm_insert("after")
        assert outside.names() == ["after", "ann", "before"]

    def test_a_storm_error_ends_the_block(self, outside: Outside) -> None:
        django_add("ann")
        with pytest.raises(storm.exceptions.IntegrityError), atomic():
            django_add("bob")
            storm_insert("ann")
        assert outside.names() == ["ann"]
        with atomic():
            storm_add("next")
        assert outside.names() == ["ann", "next"]

    def test_a_storm_error_in_a_block_of_its_own_lets_both_go_on(self, outside: Outside) -> None:
        django_add("ann")
        with atomic():
            django_add("bob")
            with pytest.raises(storm.exceptions.IntegrityError), atomic():
                storm_insert("ann")
            storm_insert("storm")
            django_add("django")
        assert outside.names() == ["ann", "bob", "django", "storm"]

    def test_a_swallowed_storm_error_never_loses_the_rest_without_a_word(self, outside: Outside) -> None:
        django_add("ann")
        spy = Spy()
        raised = None
        try:
            with atomic():
                django_add("bob")
                joined(spy)
                with pytest.raises(storm.exceptions.StormError):
                    get_store("main").execute("SELECT no_such_column FROM people_person")
        except Exception as error:
            raised = error
        # PostgreSQL has aborted the transaction, and would answer COMMIT with a silent ROLLBACK.
        assert (raised is not None) is is_postgres()
        assert outside.names() == (["ann"] if raised else ["ann", "bob"])
        assert spy.aborted if raised else spy.committed

    def test_a_flush_that_fails_at_the_end_of_an_inner_block_undoes_that_block_alone(self, outside: Outside) -> None:
        django_add("ann")
        with atomic():
            django_add("outer")
            with pytest.raises((storm.exceptions.IntegrityError, IntegrityError)), atomic():
                django_add("inner")
                storm_add("ann")
            storm_add("storm")
        assert outside.names() == ["ann", "outer", "storm"]

    def test_errors_in_nested_blocks_are_undone_one_by_one(self, outside: Outside) -> None:
        with atomic():
            storm_add("1")
            try:
                with atomic():
                    storm_add("2")
                    try:
                        with atomic():
                            storm_add("3")
                            raise Oops
                    except Oops:
                        assert names_in_both() == ["1", "2"]
                        raise ZeroDivisionError from None
            except ZeroDivisionError:
                assert names_in_both() == ["1"]
            storm_add("4")
        assert outside.names() == ["1", "4"]


class TestInABegunTransaction:
    def test_a_swallowed_django_error_refuses_the_commit(self, outside: Outside) -> None:
        django_add("ann")
        with pytest.raises(TransactionManagementError), transaction.manager:
            storm_add("bob")
            with pytest.raises(IntegrityError):
                django_add("ann")
        transaction.abort()
        assert outside.names() == ["ann"]

    def test_a_swallowed_django_error_in_a_block_lets_storm_go_on(self, outside: Outside) -> None:
        django_add("ann")
        with transaction.manager:
            storm_add("before")
            with pytest.raises(IntegrityError), atomic():
                django_add("ann")
            storm_insert("after")
        assert outside.names() == ["after", "ann", "before"]

    def test_a_swallowed_storm_error_in_a_block_lets_both_go_on(self, outside: Outside) -> None:
        django_add("ann")
        with transaction.manager:
            django_add("before")
            with pytest.raises(storm.exceptions.IntegrityError), atomic():
                storm_insert("ann")
            storm_insert("storm")
            django_add("django")
        assert outside.names() == ["ann", "before", "django", "storm"]

    def test_a_swallowed_storm_error_never_loses_the_rest_without_a_word(self, outside: Outside) -> None:
        raised = None
        try:
            with transaction.manager:
                django_add("ann")
                spy = joined(Spy())
                with pytest.raises(storm.exceptions.StormError):
                    get_store("main").execute("SELECT no_such_column FROM people_person")
        except Exception as error:
            raised = error
        transaction.abort()
        assert outside.names() == ([] if raised else ["ann"])
        assert spy.aborted if raised else spy.committed

    def test_what_cannot_be_flushed_before_a_block_refuses_the_commit(self, outside: Outside) -> None:
        django_add("ann")
        with pytest.raises(TransactionManagementError), transaction.manager:
            django_add("bob")
            storm_add("ann")
            with pytest.raises((storm.exceptions.IntegrityError, IntegrityError)), atomic():
                pytest.fail("The block was opened.")
        transaction.abort()
        assert outside.names() == ["ann"]
        with transaction.manager, atomic():
            storm_add("next")
        assert outside.names() == ["ann", "next"]

    def test_an_error_in_a_block_without_savepoint_dooms_the_transaction(self, outside: Outside) -> None:
        with pytest.raises(TransactionManagementError, match="Abort it"), transaction.manager:
            django_add("ann")
            spy = joined(Spy())
            with pytest.raises(Oops), atomic(savepoint=False):
                raise Oops
            with pytest.raises(TransactionManagementError):
                django_names()
            with pytest.raises(TransactionManagementError):
                get_store("main").find(StormPerson).count()
        transaction.abort()
        assert spy.aborted
        assert outside.names() == []
        with transaction.manager:
            django_add("next")
        assert outside.names() == ["next"]

    def test_an_error_in_one_around_a_savepoint_costs_that_savepoint_alone(self, outside: Outside) -> None:
        with transaction.manager:
            django_add("before")
            with pytest.raises(Oops), atomic():
                storm_add("lost")
                with atomic(savepoint=False):
                    storm_add("lost as well")
                    raise Oops
            storm_add("after")
        assert outside.names() == ["after", "before"]
