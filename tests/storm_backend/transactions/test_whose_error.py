"""Whose IntegrityError it is depends on who sends the statement; what follows a commit in a view is as the docs say."""

from __future__ import annotations

from typing import Any

import pytest
import transaction
from django.db import IntegrityError
from django.db.transaction import atomic
from storm.exceptions import IntegrityError as StormIntegrityError

from djintegrate.storm_backend import get_store
from tests.support.faults import Site
from tests.support.helpers import MIDDLEWARE, TRANSACTIONS, Outside, django_add, storm_add

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


def add_another_ann() -> None:
    django_add("ann")
    storm_add("ann")


def test_what_a_commit_flushes_raises_storms() -> None:
    with pytest.raises(StormIntegrityError), transaction.manager:
        add_another_ann()


def test_what_the_end_of_a_block_flushes_raises_djangos() -> None:
    with pytest.raises(IntegrityError), atomic():
        add_another_ann()


def test_what_is_flushed_by_hand_raises_storms() -> None:
    with pytest.raises(StormIntegrityError), atomic():
        add_another_ann()
        get_store("main").flush()


def test_neither_is_the_other() -> None:
    assert not issubclass(IntegrityError, StormIntegrityError) and not issubclass(StormIntegrityError, IntegrityError)


@pytest.mark.parametrize("begins", [True, False])
def test_what_follows_a_commit_in_a_view_is_undone_if_the_view_has_begun_again(
    settings: Any, outside: Outside, begins: bool
) -> None:
    settings.MIDDLEWARE = MIDDLEWARE
    settings.ROOT_URLCONF = "tests.support.faults"

    def view() -> None:
        storm_add("before")
        get_store("main").commit()
        if begins:
            transaction.begin()
        django_add("after")
        storm_add("pending")
        raise ZeroDivisionError

    assert Site()(view).status == 500
    assert outside.names() == (["before"] if begins else ["after", "before"])
