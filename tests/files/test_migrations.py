"""What the migrations do to decisions that are there."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from djintegrate.files.core import decisions
from tests.support.files import FILES

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES


def test_a_decision_that_was_made_before_its_number_is_known_after_it() -> None:
    name = "f" * 32
    MigrationExecutor(connection).migrate([("files", "0001_initial")])
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO files_decision (id, journal) VALUES (%s, %s)", [name, "0" * 32])
    MigrationExecutor(connection).migrate([("files", "0002_decision_number")])
    with decisions.verdict("default", name, "0" * 32) as committed:
        assert committed
    with decisions.verdict("default", "e" * 32, "0" * 32) as committed:
        assert not committed
    assert decisions.sweep("default", "0" * 32, set) == 1


@pytest.mark.parametrize("name", ["0" * 32, "f" * 32])
def test_a_number_has_room_in_its_column(name: str) -> None:
    decisions.record("default", name, "0" * 32)
    assert decisions.exists("default", name)
    assert decisions.sweep("default", "0" * 32, set) == 1
