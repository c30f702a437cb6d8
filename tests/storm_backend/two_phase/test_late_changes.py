"""Storm objects that somebody changes when their store is prepared: refused, and not left to the next transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import transaction
from django.db.transaction import TransactionManagementError

from djintegrate.storm_backend import get_store
from tests.support.helpers import TRANSACTIONS, Outside, Spy, joined, storm_add, storm_insert
from tests.support.two_phase import names_in_both
from tests.support.two_phase import two_phase as two_phase

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("two_phase")]


def set_name(person: Any) -> None:
    person.name = "late"


def add_another(person: Any) -> None:
    storm_add("late")


def remove(person: Any) -> None:
    get_store("main").remove(person)


@pytest.mark.parametrize("change", [set_name, add_another, remove])
@pytest.mark.parametrize("is_caught", [False, True])
def test_a_change_is_refused(change: Callable[[Any], None], is_caught: bool, outside: Outside) -> None:
    with transaction.manager:
        person = storm_insert("ann")

    def change_late() -> None:
        with pytest.raises(TransactionManagementError, match="the store 'main' is prepared"):
            change(person)
        if not is_caught:
            change(person)

    def work() -> None:
        with transaction.manager:
            person.name = "anna"
            storm_add("bob", "second")
            # It votes after all stores, so that each of them has to prepare.
            joined(Spy(sort_key="~~~")).watch["tpc_vote"] = change_late

    if is_caught:
        work()
    else:
        with pytest.raises(TransactionManagementError):
            work()
    name, others = ("anna", ["bob"]) if is_caught else ("ann", [])
    assert names_in_both(outside) == ([name], others)
    with transaction.manager:
        assert person.name == name
        storm_add("next")
    assert names_in_both(outside) == ([name, "next"], others)
