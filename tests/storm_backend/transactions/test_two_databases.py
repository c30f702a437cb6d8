"""Two databases in one transaction, blocks nested over both, and the warning when both are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import storm.exceptions
import transaction
from django.db import IntegrityError
from django.db.transaction import TransactionManagementError, atomic

from tests.apps.people.models import Person, Visit
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    django_add,
    django_names,
    is_mariadb,
    joined,
    storm_add,
    storm_insert,
    storm_names,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

Write = Callable[[str, str], object]


class TestTwoDatabases:
    def test_one_transaction_is_over_both(self, outside: Outside) -> None:
        with transaction.manager:
            django_add("django")
            storm_add("storm", "second")
            storm_add("storm")
            django_add("django", using="second")
            assert outside.names() == outside.names("second") == []
        assert outside.names() == outside.names("second") == ["django", "storm"]

    def test_an_abort_is_over_both(self, outside: Outside) -> None:
        with pytest.raises(Oops), transaction.manager:
            django_add("django")
            storm_insert("storm", "second")
            raise Oops
        assert outside.names() == outside.names("second") == []

    def test_an_error_in_the_flush_of_one_leaves_nothing_in_the_other(self, outside: Outside) -> None:
        django_add("ann", using="second")
        with pytest.raises(storm.exceptions.IntegrityError), transaction.manager:
            django_add("bob")
            storm_add("ann", "second")
        transaction.abort()
        assert (outside.names(), outside.names("second")) == ([], ["ann"])

    def test_a_swallowed_error_on_one_refuses_the_commit_of_both(self, outside: Outside) -> None:
        django_add("ann", using="second")
        with pytest.raises(TransactionManagementError, match="second"), transaction.manager:
            django_add("bob")
            with pytest.raises(IntegrityError):
                django_add("ann", using="second")
        transaction.abort()
        assert (outside.names(), outside.names("second")) == ([], ["ann"])

    def test_an_inner_block_on_another_database_is_a_transaction_of_its_own_as_natively(self, outside: Outside) -> None:
        with pytest.raises(Oops), atomic():
            django_add("outer")
            with atomic(using="second"):
                django_add("inner", using="second")
            assert outside.names("second") == ["inner"]
            raise Oops
        assert outside.names() == []
        assert outside.names("second") == ["inner"]

    def test_an_inner_block_on_another_database_that_fails_keeps_the_outer_one(self, outside: Outside) -> None:
        with atomic():
            django_add("outer")
            with pytest.raises(Oops), atomic(using="second"):
                django_add("inner", using="second")
                storm_insert("inner storm", "second")
                raise Oops
            storm_add("outer storm")
        assert outside.names() == ["outer", "outer storm"]
        assert outside.names("second") == []

    def test_two_blocks_side_by_side_both_commit(self, outside: Outside) -> None:
        spy = Spy()
        with atomic(), atomic(using="second"):
            django_add("first")
            django_add("second", using="second")
            joined(spy)
        assert (outside.names(), outside.names("second")) == (["first"], ["second"])
        assert spy.committed

    def test_two_blocks_side_by_side_both_fail(self, outside: Outside) -> None:
        spy = Spy()
        with pytest.raises(Oops), atomic(), atomic(using="second"):
            storm_insert("first")
            storm_insert("second", "second")
            joined(spy)
            raise Oops
        assert outside.names() == outside.names("second") == []
        assert spy.aborted

    def test_an_inner_block_that_is_refused_at_its_commit_keeps_the_outer_one(self, outside: Outside) -> None:
        if is_mariadb():
            pytest.skip("MariaDB checks constraints at once.")
        with atomic():
            django_add("outer")
            with pytest.raises(IntegrityError), atomic(using="second"):
                Visit.objects.using("second").create(note="of nobody", person_id=999)
        assert outside.names() == ["outer"]

    def test_blocks_nested_over_both_in_a_begun_transaction_are_savepoints(self, outside: Outside) -> None:
        with transaction.manager:
            django_add("before")
            django_add("before", using="second")
            with pytest.raises(Oops), atomic():
                storm_add("lost")
                with atomic(using="second"):
                    storm_add("kept", "second")
                raise Oops
        assert outside.names() == ["before"]
        assert outside.names("second") == ["before", "kept"]

    def test_the_statements_of_the_other_database_outside_of_its_block_are_autocommitted(
        self, outside: Outside
    ) -> None:
        with pytest.raises(Oops), atomic():
            django_add("lost")
            django_add("autocommitted", using="second")
            assert outside.names("second") == ["autocommitted"]
            raise Oops
        assert outside.names() == []
        assert outside.names("second") == ["autocommitted"]

    def test_storm_on_the_other_database_joins_the_transaction_of_the_block(self, outside: Outside) -> None:
        with pytest.raises(Oops), atomic():
            django_add("lost")
            storm_insert("lost", "second")
            raise Oops
        assert outside.names() == outside.names("second") == []
        with atomic():
            django_add("kept")
            storm_add("kept", "second")
        assert outside.names() == outside.names("second") == ["kept"]


class TestTheWarningOfSeveralOnePhaseStores:
    @pytest.mark.parametrize("first", [django_add, storm_add])
    @pytest.mark.parametrize("second", [django_add, storm_add])
    def test_it_names_the_stores_that_were_written(
        self, first: Write, second: Write, caplog: pytest.LogCaptureFixture
    ) -> None:
        with transaction.manager:
            first("ann")
            second("bob", "second")
        assert [record.name for record in caplog.records] == ["djintegrate.storm_backend"]
        assert "'main', 'second'" in caplog.text

    def test_it_counts_the_plain_store(self, plain: None, caplog: pytest.LogCaptureFixture) -> None:
        with transaction.manager:
            django_add("ann")
            storm_add("bob", "plain")
        assert "'main', 'plain'" in caplog.text
        assert len(caplog.records) == 1

    @pytest.mark.parametrize("read", [lambda: django_names("second"), lambda: storm_names("second")])
    def test_there_is_none_when_one_is_only_read(
        self, read: Callable[[], object], caplog: pytest.LogCaptureFixture
    ) -> None:
        with transaction.manager:
            read()
            django_add("ann")
            storm_add("bob")
            with atomic(using="second"):
                read()
        assert not caplog.records

    def test_there_is_none_when_the_plain_store_is_only_read(
        self, plain: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        with transaction.manager:
            storm_names("plain")
            django_add("ann")
        assert not caplog.records

    def test_there_is_none_for_one_store_written_by_both_orms(self, caplog: pytest.LogCaptureFixture) -> None:
        with transaction.manager:
            django_add("ann")
            storm_add("bob")
        assert not caplog.records

    def test_there_is_none_when_it_is_aborted(self, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(Oops), transaction.manager:
            django_add("ann")
            django_add("bob", using="second")
            raise Oops
        assert not caplog.records

    def test_a_lock_is_no_write(self, caplog: pytest.LogCaptureFixture) -> None:
        with transaction.manager:
            list(Person.objects.using("second").select_for_update())
            django_add("ann")
        assert not caplog.records

    def test_it_is_given_once_for_each_transaction(self, caplog: pytest.LogCaptureFixture) -> None:
        for number in range(2):
            with transaction.manager:
                django_add(f"ann {number}")
                django_add(f"bob {number}", using="second")
                storm_add(f"cid {number}", "second")
        assert len(caplog.records) == 2
