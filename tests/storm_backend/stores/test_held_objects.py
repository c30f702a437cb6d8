"""Storm objects that are held beyond their transaction: whoever changes one has the store take part in the next."""

from __future__ import annotations

import contextlib
import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import storm.exceptions
import transaction
from storm.store import Store, block_access

from djintegrate.storm_backend import get_store, invalidate
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.support.helpers import TRANSACTIONS, Oops, Outside, storm_add, storm_insert

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


@pytest.fixture
def visit() -> Any:
    """An object of an ended transaction, whose person is held as well."""
    with transaction.manager:
        visit = get_store("main").add(StormVisit("note", StormPerson("ann")))
    assert visit.person.name == "ann"
    transaction.abort()
    return visit


def as_it_is(person: StormPerson) -> StormPerson:
    return person


def got_by_its_key(person: StormPerson) -> Any:
    return get_store("main").get(StormPerson, person.id)


def found_in_the_cache(person: StormPerson) -> Any:
    return next(each for each in get_store("main").find(StormPerson).cached() if each is person)


def reloaded(person: StormPerson) -> StormPerson:
    get_store("main").reload(person)
    return person


def told_to_reload(person: StormPerson) -> StormPerson:
    get_store("main").autoreload(person)
    return person


def invalidated(person: StormPerson) -> StormPerson:
    invalidate("main")
    return person


HOW: list[Callable[[StormPerson], Any]] = [
    as_it_is,
    got_by_its_key,
    found_in_the_cache,
    reloaded,
    told_to_reload,
    invalidated,
]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("before", [True, False])
def test_a_change_is_part_of_the_transaction_in_which_it_is_made(
    visit: Any, how: Callable[[StormPerson], Any], before: bool, outside: Outside
) -> None:
    held = visit.person
    transaction.abort()
    for name, error in [("must not be kept", Oops), ("kept", None)]:
        person = how(held) if before else None
        with contextlib.suppress(Oops), transaction.manager:
            person = person or how(held)
            person.name = name
            if error is not None:
                raise error
        with transaction.manager:
            storm_add(f"after {name}")
    assert outside.names() == ["after kept", "after must not be kept", "kept"]


def test_a_change_of_what_a_reference_leads_to_is_too(visit: Any, outside: Outside) -> None:
    with contextlib.suppress(Oops), transaction.manager:
        visit.person.name = "must not be kept"
        raise Oops
    with transaction.manager:
        visit.note = "changed"
    assert outside.names() == ["ann"]
    assert list(outside.rows("SELECT note FROM people_visit")) == [("changed",)]


def test_a_change_that_is_refused_leaves_nothing_behind(outside: Outside) -> None:
    with transaction.manager:
        person = storm_insert("ann")
    with block_access(get_store("main")), pytest.raises(storm.exceptions.ConnectionBlockedError):
        person.name = "refused"
    with transaction.manager:
        assert person.name == "ann"
        get_store("main").flush()
    assert outside.names() == ["ann"]


@pytest.mark.parametrize("make", [storm_insert, storm_add])
@pytest.mark.parametrize("protocol", [pickle.DEFAULT_PROTOCOL, pickle.HIGHEST_PROTOCOL])
def test_none_can_be_pickled_or_copied_and_the_error_says_what_to_do(make: Callable[[str], Any], protocol: int) -> None:
    with transaction.manager:
        person = make("ann")
        for each in (person, [person], get_store("main")):
            with pytest.raises(TypeError, match=r"cannot be pickled\. Put the object's key into the cache"):
                pickle.dumps(each, protocol)
            with pytest.raises(TypeError, match="cannot be copied"):
                copy.deepcopy(each)


def test_a_shallow_copy_is_another_name_of_the_same_row(outside: Outside) -> None:
    with transaction.manager:
        person = storm_insert("ann")
        copied = copy.copy(person)
        copied.name = "of the copy"
        assert person.name == "of the copy"
        assert Store.of(copied) is get_store("main")
    assert outside.names() == ["of the copy"]
