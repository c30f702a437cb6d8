"""What the tests of storm_class() share: a transaction around each, its store, and a look at the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import transaction
from storm.store import Store

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.mapping import storm_class
from tests.support.helpers import forget_objects


@pytest.fixture(autouse=True)
def begun(db: None) -> Iterator[None]:
    transaction.begin()
    yield
    transaction.abort()
    forget_objects()


@pytest.fixture
def store() -> Store:
    return get_store("main")


def fresh(store: Store, model: Any, pk: Any) -> Any:
    """The object as the database has it."""
    store.flush()
    store.invalidate()
    return store.get(storm_class(model), pk)
