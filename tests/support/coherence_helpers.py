"""What the tests of coherence share: a transaction around each, and whether Storm asked the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import connection
from storm.tracer import install_tracer, remove_tracer

from tests.apps.people.storm_models import StormPerson


@pytest.fixture(autouse=True)
def begun(nothing_left: None) -> Iterator[None]:
    """A transaction, aborted in the end."""
    transaction.begin()
    yield
    transaction.abort()


class Statements(list[str]):
    """A tracer of Storm's that notes its statements."""

    def connection_raw_execute(self, connection: Any, cursor: Any, statement: str, params: Any) -> None:
        self.append(statement)


@contextmanager
def storm_statements() -> Iterator[Statements]:
    statements = Statements()
    install_tracer(statements)
    try:
        yield statements
    finally:
        remove_tracer(statements)


def known(*objects: Any) -> bool:
    """Whether Storm gives the values without asking the database."""
    with storm_statements() as statements:
        for each in objects:
            try:
                each.name if isinstance(each, StormPerson) else each.note
            except storm.exceptions.LostObjectError:
                return False
    return not statements


def run(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
