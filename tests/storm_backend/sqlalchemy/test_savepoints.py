"""Savepoints of any kind are savepoints of all three ORMs, and of SQLAlchemy's objects."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import transaction
from django.db.transaction import TransactionManagementError, atomic
from sqlalchemy import exc, inspect, select
from sqlalchemy.orm import Session

from djintegrate.storm_backend import get_store
from tests.support.helpers import TRANSACTIONS, Oops, Outside, django_add, django_names, names_in_both, storm_add

from .people import AlchemyPerson, alchemy_add, alchemy_names, session

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

ADDERS: dict[str, Callable[[str], object]] = {"django": django_add, "storm": storm_add, "alchemy": alchemy_add}


def in_all(expected: list[str]) -> None:
    """What each of the three sees in this transaction."""
    assert alchemy_names() == expected
    assert names_in_both() == expected
    assert alchemy_names() == expected


# ##### Savepoints #####


@pytest.fixture(params=["atomic", "savepoint", "nested"])
def undone(request: pytest.FixtureRequest) -> Callable[[Callable[[], None]], None]:
    """Does something and takes it back, by a savepoint of each kind."""

    def by_atomic(work: Callable[[], None]) -> None:
        with pytest.raises(Oops), atomic():
            work()
            raise Oops

    def by_savepoint(work: Callable[[], None]) -> None:
        savepoint = transaction.savepoint()
        work()
        savepoint.rollback()

    def by_nested(work: Callable[[], None]) -> None:
        nested = session.begin_nested()
        work()
        nested.rollback()

    return {"atomic": by_atomic, "savepoint": by_savepoint, "nested": by_nested}[request.param]


@pytest.mark.parametrize(
    ("began", "order"),
    [
        ("with a session", "django storm alchemy"),
        ("without", "alchemy storm django"),
        ("without", "storm alchemy django"),
    ],
)
def test_a_savepoint_of_any_kind_is_rolled_back_in_all_three(
    outside: Outside, undone: Callable[[Callable[[], None]], None], began: str, order: str
) -> None:
    def work() -> None:
        for name in order.split():
            ADDERS[name](name + "2")
        in_all(["alchemy2", "before", "django2", "storm2"])

    with transaction.manager:
        (alchemy_add if began == "with a session" else storm_add)("before")
        undone(work)
        in_all(["before"])
        for name, add in ADDERS.items():
            add(name)
    assert outside.names() == ["alchemy", "before", "django", "storm"]


def test_a_savepoint_that_is_rolled_back_undoes_what_was_pending(undone: Callable[[Callable[[], None]], None]) -> None:
    with transaction.manager:
        alchemy_add("before")
        undone(lambda: list(map(alchemy_add, "ab")) and None)
        in_all(["before"])


def test_a_rolled_back_savepoint_gives_objects_their_values_back(undone: Callable[[Callable[[], None]], None]) -> None:
    def work() -> None:
        person.name = "changed"
        other.name = "changed too"
        assert django_names() == ["changed", "changed too"]

    with transaction.manager:
        person, other = alchemy_add("person"), storm_add("other")
        undone(work)
        assert (person.name, other.name) == ("person", "other")


def test_an_object_that_was_deleted_in_a_savepoint_is_back(undone: Callable[[Callable[[], None]], None]) -> None:
    def work() -> None:
        session.delete(person)
        assert django_names() == []

    with transaction.manager:
        person = alchemy_add("person")
        session.flush()
        undone(work)
        assert inspect(person).persistent
        person.name = "still there"
        assert django_names() == ["still there"]


def test_an_object_that_was_inserted_in_a_savepoint_is_as_new(undone: Callable[[Callable[[], None]], None]) -> None:
    made = []

    def work() -> None:
        made.append(alchemy_add("made"))
        session.flush()

    with transaction.manager:
        session.execute(select(AlchemyPerson))
        undone(work)
        assert inspect(made[0]).transient
        session.add(made[0])
        assert django_names() == ["made"]


def test_what_storm_had_pending_before_a_nested_transaction_is_outside_of_it() -> None:
    with transaction.manager:
        session.execute(select(AlchemyPerson))
        storm_add("before")
        nested = session.begin_nested()
        storm_add("inside")
        assert django_names() == ["before", "inside"]
        nested.rollback()
        in_all(["before"])


def test_nested_savepoints_of_all_kinds_in_each_other(outside: Outside) -> None:
    with transaction.manager:
        alchemy_add("1")
        with pytest.raises(Oops), atomic():
            django_add("2")
            nested = session.begin_nested()
            storm_add("3")
            savepoint = transaction.savepoint()
            alchemy_add("4")
            savepoint.rollback()
            in_all(["1", "2", "3"])
            nested.rollback()
            in_all(["1", "2"])
            with session.begin_nested():
                storm_add("5")
            in_all(["1", "2", "5"])
            raise Oops
        in_all(["1"])
        with session.begin_nested(), atomic():
            storm_add("6")
    assert outside.names() == ["1", "6"]


def test_a_nested_transaction_that_fails_leaves_the_rest(outside: Outside) -> None:
    with transaction.manager:
        alchemy_add("taken")
        with pytest.raises(exc.IntegrityError), session.begin_nested():
            django_add("django")
            alchemy_add("taken")
            session.flush()
        in_all(["taken"])
        storm_add("after")
    assert outside.names() == ["after", "taken"]


def test_on_commit_of_a_nested_transaction_is_dropped_with_it() -> None:
    said = []
    with transaction.manager:
        nested = session.begin_nested()
        alchemy_add("x")
        session.flush()
        from django.db.transaction import on_commit

        on_commit(lambda: said.append("inside"))
        nested.rollback()
        on_commit(lambda: said.append("outside"))
    assert said == ["outside"]


def test_a_nested_transaction_is_not_rolled_back_over_an_open_block() -> None:
    with pytest.raises(TransactionManagementError), transaction.manager:
        nested = session.begin_nested()
        alchemy_add("x")
        session.flush()
        with atomic():
            nested.rollback()


def test_savepoints_of_two_sessions_are_taken_in_the_order_in_which_these_began_them() -> None:
    with transaction.manager, Session(session.get_bind()) as other:
        other.execute(select(AlchemyPerson))
        session.execute(select(AlchemyPerson))
        outer, inner = session.begin_nested(), other.begin_nested()
        django_add("undone")
        inner.commit()
        outer.rollback()
        in_all([])


def test_a_savepoint_that_went_with_one_around_it_is_undone_with_one_around_that() -> None:
    with transaction.manager:
        session.execute(select(AlchemyPerson))
        with pytest.raises(Oops), atomic():
            with atomic():
                nested = session.begin_nested()
                django_add("undone")
            raise Oops
        nested.rollback()
        in_all([])


def test_what_storm_has_pending_is_before_it_even_where_flushes_are_blocked(
    undone: Callable[[Callable[[], None]], None], outside: Outside
) -> None:
    store = get_store("main")
    store.block_implicit_flushes()
    with transaction.manager:
        session.begin_nested().commit()
        storm_add("pending")
        undone(lambda: django_add("lost") and alchemy_add("lost as well") and None)
    store.unblock_implicit_flushes()
    assert outside.names() == ["pending"]
