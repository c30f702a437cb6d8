"""commit(), abort() and begin() of Zope's while an atomic() block is open: an error, nothing lost silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import transaction
from django.db import connection
from django.db.transaction import TransactionManagementError, atomic, on_commit

from djintegrate.storm_backend import get_store
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    django_add,
    django_names,
    joined,
    names_in_both,
    start_afresh,
    storm_add,
    storm_insert,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("sister_stores")]

ENDS = {"commit": transaction.commit, "abort": transaction.abort, "begin": transaction.begin}
# These leave all as it was. An abort is an error as well, but cannot be kept from aborting.
HARMLESS = ["commit", "begin"]


@contextmanager
def outermost() -> Iterator[None]:
    with atomic():
        yield


@contextmanager
def in_begun() -> Iterator[None]:
    with transaction.manager, atomic():
        yield


@contextmanager
def nested() -> Iterator[None]:
    with atomic(), atomic():
        yield


Block = Callable[[], AbstractContextManager[None]]
BLOCKS: list[Block] = [outermost, in_begun, nested]


@pytest.mark.parametrize("block", BLOCKS)
class TestCommitAndBegin:
    @pytest.mark.parametrize("end", HARMLESS)
    def test_it_is_refused_and_the_block_goes_on(self, block: Block, end: str, outside: Outside) -> None:
        with block():
            django_add("before")
            storm_add("pending")
            spy = joined(Spy())
            with pytest.raises(TransactionManagementError, match="atomic"):
                ENDS[end]()
            assert spy.calls == []
            assert outside.names() == []
            assert names_in_both() == ["before", "pending"]
            django_add("after")
        assert outside.names() == ["after", "before", "pending"]
        assert spy.committed

    @pytest.mark.parametrize("end", HARMLESS)
    def test_a_refusal_that_nobody_caught_rolls_all_back(self, block: Block, end: str, outside: Outside) -> None:
        with pytest.raises(TransactionManagementError), block():
            django_add("django")
            storm_insert("storm")
            ENDS[end]()
        assert outside.names() == []
        with transaction.manager:
            assert names_in_both() == []
            storm_add("next")
        assert outside.names() == ["next"]

    def test_the_stores_own_commit_is_refused_too(self, block: Block, outside: Outside) -> None:
        with block():
            storm_insert("ann")
            with pytest.raises(TransactionManagementError):
                get_store("main").commit()
        assert outside.names() == ["ann"]

    def test_the_end_of_a_begun_transaction_inside_is_refused(self, block: Block, outside: Outside) -> None:
        with pytest.raises(TransactionManagementError), block():
            django_add("ann")
            with transaction.manager:
                django_add("bob")
        assert outside.names() == []

    def test_a_refused_commit_keeps_the_callbacks(self, block: Block) -> None:
        runs: list[int] = []
        with block():
            on_commit(lambda: runs.append(1))
            with pytest.raises(TransactionManagementError):
                transaction.commit()
            assert runs == []
        assert runs == [1]


@pytest.mark.parametrize("end", ["abort", "begin"])
@pytest.mark.parametrize("block", BLOCKS)
class TestAbortAndBegin:
    def test_it_is_an_error_and_rolls_back(self, block: Block, end: str, outside: Outside) -> None:
        with pytest.raises(TransactionManagementError, match="atomic"), block():
            django_add("django")
            storm_insert("storm")
            spy = joined(Spy())
            ENDS[end]()
        assert outside.names() == []
        assert spy.aborted

    def test_the_connection_and_the_manager_are_usable_afterwards(
        self, block: Block, end: str, outside: Outside
    ) -> None:
        with pytest.raises(TransactionManagementError), block():
            django_add("lost")
            ENDS[end]()
        transaction.abort()
        assert connection.get_autocommit()
        django_add("autocommit")
        assert outside.names() == ["autocommit"]
        with atomic():
            storm_add("atomic")
        with transaction.manager:
            storm_add("manager")
        assert outside.names() == ["atomic", "autocommit", "manager"]


@pytest.mark.parametrize("block", BLOCKS)
class TestAbort:
    def test_whoever_swallows_the_error_cannot_go_on_in_the_block(self, block: Block, outside: Outside) -> None:
        runs: list[int] = []
        try:
            with block():
                django_add("before")
                on_commit(lambda: runs.append(1))
                with pytest.raises(TransactionManagementError):
                    transaction.abort()
                with pytest.raises(TransactionManagementError):
                    django_names()
                with pytest.raises(TransactionManagementError):
                    get_store("main").find(StormPerson).count()
                with pytest.raises(TransactionManagementError), atomic():
                    django_add("inner")
        finally:
            transaction.abort()
        assert outside.names() == []
        assert runs == []
        with atomic():
            storm_add("next")
        assert outside.names() == ["next"]


@pytest.mark.parametrize("end", ENDS)
class TestEmptyBlocks:
    def test_before_the_first_statement_it_is_refused_too(self, end: str, outside: Outside) -> None:
        with pytest.raises(TransactionManagementError), atomic():
            ENDS[end]()
        transaction.abort()
        with atomic():
            django_add("next")
        assert outside.names() == ["next"]

    def test_a_begun_transaction_without_a_statement_refuses_it_too(self, end: str, outside: Outside) -> None:
        with pytest.raises(TransactionManagementError), transaction.manager, atomic():
            ENDS[end]()
        transaction.abort()
        with transaction.manager:
            django_add("next")
        assert outside.names() == ["next"]

    def test_whoever_swallows_it_in_an_empty_block_loses_nothing_silently(self, end: str, outside: Outside) -> None:
        wrote = False
        try:
            with atomic():
                with pytest.raises(TransactionManagementError):
                    ENDS[end]()
                django_add("after")
                storm_add("after as well")
                wrote = True
        except Exception:
            wrote = False
        transaction.abort()
        assert outside.names() == (["after", "after as well"] if wrote else [])

    def test_the_store_of_another_alias_is_guarded_too(self, end: str, outside: Outside) -> None:
        with pytest.raises(TransactionManagementError, match="second"), atomic(using="second"):
            django_add("second", using="second")
            storm_insert("main")
            ENDS[end]()
        transaction.abort()
        assert outside.names() == outside.names("second") == []


def test_a_block_that_is_left_after_the_transaction_around_it_commits_nothing(outside: Outside) -> None:
    transaction.begin()
    block = atomic()
    block.__enter__()
    django_add("ann")
    with pytest.raises(TransactionManagementError):
        transaction.abort()
    block.__exit__(None, None, None)
    assert outside.names() == []


def test_an_exception_of_the_users_own_is_not_hidden_by_the_refusal(outside: Outside) -> None:
    with pytest.raises(Oops), atomic():
        django_add("ann")
        with pytest.raises(TransactionManagementError):
            transaction.abort()
        raise Oops
    assert outside.names() == []


def test_a_begun_transaction_inside_of_an_atomic_block_is_refused_before_it_does_anything(outside: Outside) -> None:
    with atomic(), pytest.raises(TransactionManagementError), transaction.manager:
        pytest.fail("The transaction was begun.")
    start_afresh()
    assert outside.names() == []


def test_a_helper_that_begins_its_own_transaction_takes_nothing_of_what_is_around_its_block(outside: Outside) -> None:
    with transaction.manager:
        django_add("header")
        with pytest.raises(TransactionManagementError), atomic():
            storm_add("item")
            with transaction.manager:
                pytest.fail("The transaction was begun.")
        django_add("footer")
    assert outside.names() == ["footer", "header"]
