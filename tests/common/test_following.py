"""What a follower of a transaction hears, with the native backend and with the engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import transaction
from django.db import connections
from django.db import transaction as django_transaction
from django.db.transaction import TransactionManagementError, atomic

from djintegrate.common import following
from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.support.following import World, native_alias
from tests.support.helpers import TRANSACTIONS, Oops, Outside, Spy, joined, storm_add

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


@pytest.fixture
def native(outside: Outside) -> Iterator[World]:
    with native_alias() as alias:
        yield World(alias)
        assert_own_methods(alias)


@pytest.fixture(params=["native", "engine"])
def world(request: pytest.FixtureRequest, outside: Outside) -> Iterator[World]:
    if request.param == "engine":
        yield World("default")
        assert_own_methods("default")
    else:
        yield request.getfixturevalue("native")


def assert_own_methods(alias: str) -> None:
    assert {"savepoint", "savepoint_rollback", "commit", "rollback", "close"}.isdisjoint(vars(connections[alias]))


# Both


def test_without_a_transaction_a_change_happens_at_once(world: World) -> None:
    assert following.current(world.alias) is None
    world.add("now")
    assert world.kept == ["now"]


def test_a_commit_of_a_block_is_told_after_it(world: World, outside: Outside) -> None:
    with atomic(world.alias):
        world.add("one")
        world.add("two")
        assert world.kept == []
    assert world.kept == outside.names() == ["one", "two"]
    assert world.told == ["before_commit", "committed"]


def test_what_is_written_before_the_commit_is_committed(world: World, outside: Outside) -> None:
    world.writes = "row"
    with atomic(world.alias):
        world.add("file", row=False)
    assert outside.names() == ["row"]


def test_an_error_before_the_commit_aborts(world: World, outside: Outside) -> None:
    world.fails = True
    with pytest.raises(ValueError, match="before_commit"), atomic(world.alias):
        world.add("one")
    assert outside.names() == []
    assert (world.kept, world.undone) == ([], ["one"])
    assert connections[world.alias].get_autocommit()


def test_an_abort_is_told(world: World, outside: Outside) -> None:
    with pytest.raises(Oops), atomic(world.alias):
        world.add("one")
        raise Oops
    assert (world.told, world.undone, outside.names()) == (["aborted"], ["one"], [])


def test_an_inner_block_that_fails_undoes_what_is_in_it_at_once(world: World, outside: Outside) -> None:
    with atomic(world.alias):
        world.add("kept")
        with pytest.raises(Oops), atomic(world.alias):
            world.add("lost")
            with atomic(world.alias):
                world.add("lost as well")
            raise Oops
        assert world.undone == ["lost", "lost as well"]
        world.add("later")
    assert world.kept == outside.names() == ["kept", "later"]


def test_a_savepoint_from_before_the_first_change_undoes_it(world: World) -> None:
    with atomic(world.alias):
        with pytest.raises(Oops), atomic(world.alias):
            world.add("lost")
            raise Oops
        assert world.undone == ["lost"]
        world.add("kept")
    assert world.kept == ["kept"]


def test_a_savepoint_that_was_taken_by_hand_counts(world: World, outside: Outside) -> None:
    with atomic(world.alias):
        before = django_transaction.savepoint(world.alias)
        world.add("lost")
        middle = django_transaction.savepoint(world.alias)
        world.add("lost first")
        django_transaction.savepoint_rollback(middle, world.alias)
        assert world.undone == ["lost first"]
        django_transaction.savepoint_rollback(before, world.alias)
        assert world.undone == ["lost first", "lost"]
        world.add("kept")
    assert world.kept == outside.names() == ["kept"]


def test_a_dropped_callback_does_not_end_the_following(world: World) -> None:
    """Django drops on_commit() callbacks from within a savepoint, and there the first change was."""
    called: list[str] = []
    with atomic(world.alias):
        with pytest.raises(Oops), atomic(world.alias):
            world.add("lost")
            django_transaction.on_commit(lambda: called.append("dropped"), using=world.alias)
            raise Oops
        world.add("kept")
        django_transaction.on_commit(lambda: called.append("called"), using=world.alias)
    assert (world.kept, called) == (["kept"], ["called"])


def test_the_end_is_heard_if_nothing_is_left_of_the_changes(world: World) -> None:
    with atomic(world.alias), pytest.raises(Oops), atomic(world.alias):
        world.add("lost")
        raise Oops
    assert world.told == ["before_commit", "committed"]


def test_who_follows_hears_before_the_callbacks_of_others(world: World) -> None:
    seen: list[list[str]] = []
    with atomic(world.alias):
        django_transaction.on_commit(lambda: seen.append(list(world.kept)), using=world.alias)
        world.add("one")
    assert seen == [["one"]]


def test_a_block_without_a_savepoint_dooms_the_outer_one(world: World, outside: Outside) -> None:
    with atomic(world.alias):
        world.add("one")
        with contextlib.suppress(Oops), atomic(world.alias, savepoint=False):
            world.add("two")
            raise Oops
        with pytest.raises(TransactionManagementError):
            world.add("refused")
    assert (world.kept, world.undone, outside.names()) == ([], ["one", "two"], [])


def test_set_rollback_aborts(world: World) -> None:
    with atomic(world.alias):
        world.add("one")
        django_transaction.set_rollback(True, using=world.alias)
    assert world.undone == ["one"]


def test_a_connection_that_is_closed_inside_of_a_block_aborts(world: World, outside: Outside) -> None:
    with contextlib.suppress(TransactionManagementError), atomic(world.alias):
        world.add("one")
        connections[world.alias].close()
        assert world.undone == ["one"]
    assert outside.names() == []
    world.add("two")
    assert world.kept == ["two"]


def test_a_follower_that_comes_before_the_commit_is_asked_as_well(world: World) -> None:
    class Late(following.Follower):
        def before_commit(self) -> None:
            world.add("late", row=False)

    with atomic(world.alias):
        followed = following.current(world.alias)
        assert followed is not None
        followed.follower(Late, Late)
    assert world.told == ["before_commit", "committed"]
    assert world.kept == ["late"]


def test_an_error_of_one_follower_does_not_keep_the_others_from_hearing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise Oops("of a follower")

    with atomic(world.alias):
        following.after_commit(world.alias, fail)
        following.after_commit(world.alias, lambda: world.told.append("callback"))
        world.add("one")
    assert world.told == ["before_commit", "callback", "committed"]
    assert "of a follower" in caplog.text


def test_functions_wait_for_the_commit_in_order_and_go_with_their_savepoint(world: World) -> None:
    following.after_commit(world.alias, lambda: world.told.append("now"))
    assert world.told == ["now"]
    with atomic(world.alias):
        following.after_commit(world.alias, lambda: world.told.append("1"))
        with pytest.raises(Oops), atomic(world.alias):
            following.after_commit(world.alias, lambda: world.told.append("dropped"))
            raise Oops
        following.after_commit(world.alias, lambda: world.told.append("2"))
        assert world.told == ["now"]
    assert world.told == ["now", "1", "2"]


def test_a_change_after_the_commit_belongs_to_no_transaction(world: World) -> None:
    with atomic(world.alias):
        following.after_commit(world.alias, lambda: world.add("after"))
    assert world.kept == ["after"]


def test_a_failed_commit_is_in_doubt_and_told_when_nothing_is_open(world: World, monkeypatch: Any) -> None:
    from django.db import OperationalError

    def fail(self: Any) -> None:
        raise OperationalError("at the commit")

    seen: list[bool] = []
    monkeypatch.setattr(type(connections[world.alias]), "_commit", fail)
    with pytest.raises(OperationalError, match="at the commit"), atomic(world.alias):
        world.add("one")
        followed = following.current(world.alias)
        assert followed is not None
        look = Looker(seen)
        followed.follower("look", lambda: look)
    monkeypatch.undo()
    assert (world.kept, world.undone, world.doubted, seen) == ([], [], ["one"], [False])


class Looker(following.Follower):
    """Sees whether the rows of the transaction are still there when it is told of a commit that has failed."""

    def __init__(self, seen: list[bool]) -> None:
        self.seen = seen

    def in_doubt(self) -> None:
        look = Outside()
        try:
            # A writer that is still open would lock SQLite.
            look.rows("INSERT INTO people_person (name) VALUES ('look')")
            look.rows("DELETE FROM people_person WHERE name = 'look'")
        finally:
            look.close()
        self.seen.append(False)


# Zope's


def test_a_begun_transaction_is_the_engines(outside: Outside) -> None:
    world = World("default")
    world.writes = "row"
    with transaction.manager:
        world.add("one")
        with pytest.raises(Oops), atomic():
            world.add("lost")
            raise Oops
        assert world.undone == ["lost"]
        world.add("two")
    assert (world.kept, outside.names()) == (["one", "two"], ["one", "row", "two"])
    assert world.told == ["before_commit", "committed"]


def test_a_begun_transaction_is_that_of_a_native_alias_as_well(native: World) -> None:
    with transaction.manager:
        with contextlib.suppress(Oops), atomic("native"):
            native.add("one")
            raise Oops
        assert (native.kept, native.undone) == ([], [])
    assert native.kept == ["one"]
    transaction.begin()
    native.add("two", row=False)
    transaction.abort()
    assert native.undone == ["two"]


def test_an_implicit_transaction_is_not_that_of_a_native_alias(native: World) -> None:
    following.current("native")
    transaction.get()
    assert following.current("native") is None
    transaction.abort()


def test_what_storm_has_joined_is_the_engines(outside: Outside) -> None:
    world = World("default")
    storm_add("storm")
    get_store("main").flush()
    world.add("django")
    assert world.kept == []
    transaction.abort()
    assert (world.undone, outside.names()) == (["django"], [])


@pytest.mark.parametrize("alias", ["default", "native"])
def test_zopes_savepoints_count(native: World, alias: str) -> None:
    world = World(alias)
    with transaction.manager:
        early = transaction.savepoint(optimistic=True)
        world.add("lost", row=False)
        early.rollback()
        assert world.undone == ["lost"]
        world.add("one", row=False)
        savepoint = transaction.savepoint()
        world.add("two", row=False)
        savepoint.rollback()
        assert world.undone == ["lost", "two"]
        world.add("three", row=False)
    assert world.kept == ["one", "three"]


@pytest.mark.parametrize(("step", "told"), [("tpc_begin", "aborted"), ("tpc_vote", "in_doubt")])
@pytest.mark.parametrize("alias", ["default", "native"])
def test_a_commit_that_others_refuse_is_told_when_all_have_aborted(
    native: World, outside: Outside, alias: str, step: str, told: str
) -> None:
    world = World(alias)
    order: list[str] = []
    with pytest.raises(Oops), transaction.manager:
        world.add("one", row=alias == "default")
        spy = joined(Spy(fails_at=step, sort_key="~~~"))
        spy.watch["tpc_abort"] = lambda: order.extend(world.told)
    assert "committed" not in world.told
    assert world.told[-1] == told
    assert told == "aborted" or told not in order
    # What commits in one phase has done so by then: only the database knows.
    assert outside.names() == (["one"] if (alias, step) == ("default", "tpc_vote") else [])


def test_a_doomed_transaction_aborts() -> None:
    world = World("default")
    with pytest.raises(transaction.interfaces.DoomedTransaction), transaction.manager:
        world.add("one")
        transaction.doom()
        world.add("two")
    transaction.abort()
    assert world.undone == ["one", "two"]


def test_a_block_that_zopes_transaction_joins_later_is_one_of_its_parts(outside: Outside) -> None:
    world = World("default")
    connections["default"].counts_writes = False
    with atomic():
        Person.objects.create(name="first")
        world.add("one")
        spy = joined(Spy())
    assert spy.calls[:4] == ["tpc_begin", "commit", "tpc_vote", "tpc_finish"]
    assert (world.kept, outside.names()) == (["one"], ["first", "one"])
