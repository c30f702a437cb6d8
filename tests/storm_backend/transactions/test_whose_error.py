"""Whose IntegrityError it is depends on who sends the statement."""

from __future__ import annotations

import pytest
import transaction
from django.db import IntegrityError
from django.db.transaction import atomic
from storm.exceptions import IntegrityError as StormIntegrityError

from djintegrate.storm_backend import get_store
from tests.support.helpers import TRANSACTIONS, django_add, storm_add

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
