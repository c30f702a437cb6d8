"""Hooks and synchronizers that come after the end of a transaction find a connection that works, in autocommit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import transaction
from django.db import connection, connections
from django.db.transaction import atomic
from transaction.interfaces import ISynchronizer
from zope.interface import implementer

from djintegrate.storm_backend import get_store
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    by_begin,
    by_manager,
    django_add,
    django_names,
    joined,
    storm_insert,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("sister_stores")]


@contextlib.contextmanager
def by_storm() -> Iterator[None]:
    """Nothing is begun: a statement of Storm's opens the transaction."""
    try:
        yield
    except BaseException:
        transaction.abort()
        raise
    transaction.commit()


AROUND: list[Callable[[], AbstractContextManager[Any]]] = [by_manager, by_begin, by_storm, atomic]
around_each = pytest.mark.parametrize("around", AROUND, ids=lambda around: around.__name__)


class Hook:
    """Reads and writes through Django, and notes what it found. An error is noted too: Zope only logs it."""

    def __init__(self, write: Callable[[str], object] = django_add, using: str = "default") -> None:
        self.autocommit: list[bool] = []
        self.in_block: list[bool] = []
        self.names: list[list[str]] = []
        self.errors: list[BaseException] = []
        self._write, self._using = write, using
        self._is_running = False

    def __call__(self, *args: Any) -> None:
        if self._is_running:
            # A synchronizer hears of the hook's own block as well.
            return
        self._is_running = True
        number = len(self.names) + 1
        try:
            self.autocommit.append(connections[self._using].get_autocommit())
            self.in_block.append(connections[self._using].in_atomic_block)
            self.names.append(django_names(self._using))
            self._write(f"hook {number}")
        except BaseException as error:
            self.errors.append(error)
        finally:
            self._is_running = False


def write_in_block(name: str) -> None:
    with atomic():
        django_add(name)


def write_raw(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO people_person (name) VALUES (%s)", [name])


every_write = pytest.mark.parametrize(
    "write", [django_add, write_in_block, write_raw], ids=lambda write: write.__name__
)


def write_both() -> None:
    storm_insert("storm")
    django_add("django")


def on_after_commit(hook: Hook) -> None:
    transaction.get().addAfterCommitHook(hook)


def on_after_abort(hook: Hook) -> None:
    transaction.get().addAfterAbortHook(hook)


@implementer(ISynchronizer)
class Synchronizer:
    """Calls a hook after the end of each transaction."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook

    def beforeCompletion(self, txn: Any) -> None:
        pass

    def afterCompletion(self, txn: Any) -> None:
        self._hook(txn)

    def newTransaction(self, txn: Any) -> None:
        pass


@contextlib.contextmanager
def synchronized(hook: Hook) -> Iterator[None]:
    synchronizer = Synchronizer(hook)
    transaction.manager.registerSynch(synchronizer)
    try:
        yield
    finally:
        transaction.manager.unregisterSynch(synchronizer)


def assert_went_well(hook: Hook, *names: str) -> None:
    assert hook.errors == []
    assert hook.autocommit == [True]
    assert hook.in_block == [False]
    assert hook.names == [sorted(names)]


def assert_later_writes_are_kept(outside: Outside, *names: str) -> None:
    assert connection.get_autocommit()
    assert outside.names() == sorted(names)
    django_add("later")
    assert outside.names() == sorted([*names, "later"])
    with atomic():
        django_add("later in a block")
    with transaction.manager:
        storm_insert("later by Storm")
    assert outside.names() == sorted([*names, "later", "later in a block", "later by Storm"])


@around_each
@every_write
class TestAfterACommit:
    def test_a_hook_writes_in_autocommit(
        self, around: Callable[[], AbstractContextManager[Any]], write: Callable[[str], object], outside: Outside
    ) -> None:
        hook = Hook(write)
        with around():
            write_both()
            on_after_commit(hook)
        assert_went_well(hook, "django", "storm")
        assert_later_writes_are_kept(outside, "django", "storm", "hook 1")

    def test_a_synchronizer_writes_in_autocommit(
        self, around: Callable[[], AbstractContextManager[Any]], write: Callable[[str], object], outside: Outside
    ) -> None:
        hook = Hook(write)
        with synchronized(hook), around():
            write_both()
        assert_went_well(hook, "django", "storm")
        assert_later_writes_are_kept(outside, "django", "storm", "hook 1")

    def test_a_hook_of_a_transaction_without_a_statement_writes_in_autocommit(
        self, around: Callable[[], AbstractContextManager[Any]], write: Callable[[str], object], outside: Outside
    ) -> None:
        if around is atomic:
            pytest.skip("A block without a statement joins nothing, so nothing is committed.")
        hook = Hook(write)
        with around():
            on_after_commit(hook)
        assert_went_well(hook)
        assert_later_writes_are_kept(outside, "hook 1")

    def test_a_synchronizer_of_a_transaction_without_a_statement_writes_in_autocommit(
        self, around: Callable[[], AbstractContextManager[Any]], write: Callable[[str], object], outside: Outside
    ) -> None:
        if around is atomic:
            pytest.skip("A block without a statement joins nothing, so nothing is committed.")
        hook = Hook(write)
        with synchronized(hook), around():
            transaction.get()
        assert_went_well(hook)
        assert_later_writes_are_kept(outside, "hook 1")


@around_each
@every_write
class TestAfterAnAbort:
    def test_a_hook_writes_in_autocommit(
        self, around: Callable[[], AbstractContextManager[Any]], write: Callable[[str], object], outside: Outside
    ) -> None:
        hook = Hook(write)
        with pytest.raises(Oops), around():
            write_both()
            on_after_abort(hook)
            raise Oops
        assert_went_well(hook)
        assert_later_writes_are_kept(outside, "hook 1")

    def test_a_synchronizer_writes_in_autocommit(
        self, around: Callable[[], AbstractContextManager[Any]], write: Callable[[str], object], outside: Outside
    ) -> None:
        hook = Hook(write)
        with synchronized(hook), pytest.raises(Oops), around():
            write_both()
            raise Oops
        assert_went_well(hook)
        assert_later_writes_are_kept(outside, "hook 1")

    def test_a_hook_of_a_transaction_without_a_statement_writes_in_autocommit(
        self, around: Callable[[], AbstractContextManager[Any]], write: Callable[[str], object], outside: Outside
    ) -> None:
        if around is atomic:
            pytest.skip("A block without a statement joins nothing, so nothing is aborted.")
        hook = Hook(write)
        with pytest.raises(Oops), around():
            on_after_abort(hook)
            raise Oops
        assert_went_well(hook)
        assert_later_writes_are_kept(outside, "hook 1")


@around_each
class TestAfterACommitThatFailed:
    def test_a_hook_is_called_and_what_the_thread_writes_later_is_kept(
        self, around: Callable[[], AbstractContextManager[Any]], outside: Outside
    ) -> None:
        called: list[bool] = []
        with pytest.raises(Oops), around():
            write_both()
            joined(Spy("tpc_vote"))
            transaction.get().addAfterCommitHook(called.append)
        transaction.abort()
        assert called == [False]
        assert_later_writes_are_kept(outside)


class TestBeforeTheEnd:
    """The control: these are inside of the transaction."""

    def test_a_hook_before_the_commit_writes_into_the_transaction(self, outside: Outside) -> None:
        hook = Hook()
        with pytest.raises(Oops), transaction.manager:
            write_both()
            transaction.get().addBeforeCommitHook(hook)
            joined(Spy("tpc_vote", sort_key="a"))
        transaction.abort()
        assert hook.errors == []
        assert hook.names == [["django", "storm"]]
        assert_later_writes_are_kept(outside)

    def test_a_hook_before_the_commit_is_committed_with_it(self, outside: Outside) -> None:
        hook = Hook()
        with transaction.manager:
            write_both()
            transaction.get().addBeforeCommitHook(hook)
        assert_later_writes_are_kept(outside, "django", "storm", "hook 1")


class TestAnotherStore:
    def test_a_hook_writes_to_a_store_that_had_no_part_in_the_transaction(self, outside: Outside) -> None:
        hook = Hook(lambda name: django_add(name, "second"), using="second")
        with transaction.manager:
            write_both()
            on_after_commit(hook)
        assert_went_well(hook)
        assert connections["second"].get_autocommit()
        django_add("later", "second")
        assert outside.names("second") == ["hook 1", "later"]

    def test_a_hook_writes_to_a_store_that_had(self, outside: Outside) -> None:
        hook = Hook(lambda name: django_add(name, "second"), using="second")
        with transaction.manager:
            write_both()
            storm_insert("storm", "second")
            on_after_commit(hook)
        assert_went_well(hook, "storm")
        assert connections["second"].get_autocommit()
        django_add("later", "second")
        assert outside.names("second") == ["hook 1", "later", "storm"]


def test_several_hooks_one_after_another_each_find_autocommit(outside: Outside) -> None:
    hook = Hook()
    with transaction.manager:
        write_both()
        for _ in range(3):
            on_after_commit(hook)
    assert hook.errors == []
    assert hook.autocommit == [True] * 3
    assert_later_writes_are_kept(outside, "django", "storm", "hook 1", "hook 2", "hook 3")


def test_a_hook_that_begins_a_transaction_of_its_own_commits_it(outside: Outside) -> None:
    errors: list[BaseException] = []

    def hook(success: bool) -> None:
        try:
            with transaction.manager:
                django_add("hook by Django")
                get_store("main").execute("INSERT INTO people_person (name) VALUES ('hook by Storm')", noresult=True)
        except BaseException as error:
            errors.append(error)

    with transaction.manager:
        write_both()
        transaction.get().addAfterCommitHook(hook)
    assert errors == []
    assert_later_writes_are_kept(outside, "django", "storm", "hook by Django", "hook by Storm")
