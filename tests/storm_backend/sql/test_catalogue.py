"""What the database itself writes when Django writes a table: cascades, triggers, views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import connection
from django.db.transaction import atomic
from storm.locals import Int
from storm.store import Store

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.sql import catalogue
from tests.support.helpers import TRANSACTIONS, in_thread

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

TABLES = ["made_log", "made_other", "made_grandchild", "made_child", "made_parent"]
MADE = [
    "CREATE TABLE made_parent (id integer PRIMARY KEY, value integer)",
    "CREATE TABLE made_child (id integer PRIMARY KEY, value integer, parent integer, "
    "FOREIGN KEY (parent) REFERENCES made_parent (id) ON DELETE CASCADE)",
    "CREATE TABLE made_grandchild (id integer PRIMARY KEY, value integer, "
    "FOREIGN KEY (value) REFERENCES made_child (id) ON DELETE SET NULL)",
    "CREATE TABLE made_other (id integer PRIMARY KEY, value integer, FOREIGN KEY (value) REFERENCES made_parent (id))",
    "CREATE TABLE made_log (id integer PRIMARY KEY, value integer)",
    "CREATE VIEW made_view AS SELECT id, value FROM made_log",
]


class Row:
    id = Int(primary=True)
    value = Int()


class Parent(Row):
    __storm_table__ = "made_parent"


class Child(Row):
    __storm_table__ = "made_child"
    parent = Int()


class Grandchild(Row):
    __storm_table__ = "made_grandchild"


class Other(Row):
    __storm_table__ = "made_other"


class Log(Row):
    __storm_table__ = "made_log"


class View(Row):
    __storm_table__ = "made_view"


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture(autouse=True)
def made(nothing_left: None) -> Iterator[None]:
    run(*MADE)
    with connection.schema_editor():
        """As if a migration had made them, whose end is noticed at once."""
    transaction.begin()
    yield
    transaction.abort()
    run("DROP VIEW made_view", *(f"DROP TABLE {table}" for table in TABLES))
    if connection.vendor == "postgresql":
        run("DROP FUNCTION IF EXISTS made_function()")


# Each update of the log empties all others.
PLAIN_TRIGGER = [
    "CREATE TRIGGER made_trigger AFTER UPDATE ON made_log FOR EACH ROW BEGIN UPDATE made_other SET value = NULL; END"
]
TRIGGER = {
    "sqlite": PLAIN_TRIGGER,
    "mysql": PLAIN_TRIGGER,
    "postgresql": [
        "CREATE FUNCTION made_function() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN UPDATE made_other SET value = NULL; RETURN NEW; END $$",
        "CREATE TRIGGER made_trigger AFTER UPDATE ON made_log FOR EACH ROW EXECUTE FUNCTION made_function()",
    ],
}


def trigger() -> None:
    """The trigger, made by Storm; on MariaDB that commits."""
    for statement in TRIGGER[connection.vendor]:
        get_store("main").execute(statement)
    transaction.commit()
    transaction.begin()


def stored(cls: type[Any], **values: int | None) -> Any:
    """A new row, and Storm's object of it, which is read."""
    names, placeholders = ", ".join(values), ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {cls.__storm_table__} ({names}) VALUES ({placeholders})", list(values.values()))
    found = get_store("main").find(cls, id=values["id"]).one()
    assert found.value == values["value"]
    return found


def is_known(row: Any) -> bool:
    from storm.info import get_obj_info

    return not get_obj_info(row).get("invalidated")


def test_a_cascade_in_the_database_is_followed_as_far_as_it_goes() -> None:
    stored(Parent, id=1, value=1)
    child = stored(Child, id=2, value=2, parent=1)
    grandchild = stored(Grandchild, id=3, value=2)
    run("DELETE FROM made_parent WHERE id = 1")
    assert grandchild.value is None
    with pytest.raises(storm.exceptions.LostObjectError):
        assert child.value


def test_what_has_no_cascade_stays_known() -> None:
    stored(Parent, id=1, value=1)
    other, log = stored(Other, id=2, value=1), stored(Log, id=3, value=3)
    assert is_known(other)
    run("UPDATE made_parent SET value = 2", "DELETE FROM made_child", "DELETE FROM made_grandchild")
    assert is_known(other)
    assert is_known(log)


def test_a_trigger_may_have_written_everything() -> None:
    trigger()
    stored(Parent, id=1, value=1)
    other = stored(Other, id=2, value=1)
    stored(Log, id=3, value=3)
    assert other.value == 1
    run("UPDATE made_log SET value = 4")
    assert other.value is None


@pytest.mark.skipif(connection.vendor == "mysql", reason="MariaDB commits when a trigger is dropped.")
def test_a_trigger_that_storm_has_dropped_in_a_transaction_that_is_undone_is_known_again() -> None:
    trigger()
    get_store("main").execute(
        "DROP TRIGGER made_trigger" + (" ON made_log" if connection.vendor == "postgresql" else "")
    )
    for is_there in (False, True):
        stored(Log, id=3, value=3)
        stored(Parent, id=1, value=1)
        other = stored(Other, id=2, value=1)
        assert is_known(other)
        run("UPDATE made_log SET value = 4")
        assert is_known(other) is not is_there
        transaction.abort()
        transaction.begin()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite says itself that its schema has changed.")
class TestATriggerThatIsMadeWithoutStorm:
    """`made_trigger`, of which the catalog knew nothing when it was read last."""

    @pytest.fixture(autouse=True)
    def known(self) -> None:
        stored(Other, id=2, value=None)
        stored(Log, id=3, value=3)
        run("UPDATE made_log SET value = 4")
        transaction.commit()

    def assert_it_is_known(self) -> None:
        with transaction.manager:
            run("INSERT INTO made_parent VALUES (1, 1)", "UPDATE made_other SET value = 1")
            other = get_store("main").find(Other).one()
            assert other.value == 1
            run("UPDATE made_log SET value = 5")
            assert other.value is None

    def test_in_autocommit(self) -> None:
        run(*TRIGGER[connection.vendor])
        self.assert_it_is_known()

    def test_in_a_block_of_djangos(self, sister_stores: None) -> None:
        with atomic():
            run(*TRIGGER[connection.vendor])
            # Another thread reads the catalog before the commit.
            in_thread(lambda: catalogue.reached(connected(), {"made_log"}))
        self.assert_it_is_known()

    def test_and_one_that_was_dropped_in_a_block_that_is_undone(self) -> None:
        run(*TRIGGER[connection.vendor])
        self.assert_it_is_known()
        if connection.vendor == "mysql":
            # It commits when a trigger is dropped.
            return
        with transaction.manager:
            run("DELETE FROM made_parent")
        with atomic():
            savepoint = transaction.savepoint()
            run("DROP TRIGGER made_trigger ON made_log")
            catalogue.reached(connected(), {"made_log"})
            savepoint.rollback()
            assert catalogue.reached(connected(), {"made_log"}) is None
        self.assert_it_is_known()

    def test_in_a_begun_transaction(self) -> None:
        with transaction.manager:
            run(*TRIGGER[connection.vendor])
        self.assert_it_is_known()

    def test_on_another_connection(self) -> None:
        other = connection.copy()
        with other.cursor() as cursor:
            for statement in TRIGGER[connection.vendor]:
                cursor.execute(statement)
        other.close()
        self.assert_it_is_known()


def connected() -> Any:
    connection.ensure_connection()
    return connection.itself


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Elsewhere a default calls no function that writes.")
def test_a_default_that_calls_a_function_may_have_written_everything() -> None:
    run(
        "CREATE FUNCTION made_function() RETURNS integer LANGUAGE sql AS "
        "$$ UPDATE made_other SET value = value + 1 RETURNING value $$",
        "ALTER TABLE made_log ALTER COLUMN value SET DEFAULT made_function()",
    )
    stored(Parent, id=1, value=1)
    stored(Parent, id=2, value=2)
    other = stored(Other, id=2, value=1)
    run("INSERT INTO made_log (id) VALUES (3)")
    assert other.value == 2
    run("ALTER TABLE made_log ALTER COLUMN value DROP DEFAULT")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL has triggers that wait.")
def test_a_trigger_that_waited_for_its_constraint_may_have_written_everything() -> None:
    run(
        TRIGGER["postgresql"][0],
        "CREATE CONSTRAINT TRIGGER made_trigger AFTER UPDATE ON made_log DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION made_function()",
    )
    stored(Parent, id=1, value=1)
    other = stored(Other, id=2, value=1)
    stored(Log, id=3, value=3)
    run("UPDATE made_log SET value = 4")
    assert other.value == 1
    connection.check_constraints()
    assert other.value is None


def test_a_view_is_read_anew_when_anything_was_written() -> None:
    stored(Log, id=1, value=1)
    view = get_store("main").find(View).one()
    assert view.value == 1
    run("UPDATE made_log SET value = 2")
    assert view.value == 2


def test_a_cascade_that_was_made_meanwhile_is_known() -> None:
    stored(Parent, id=1, value=1)
    other = stored(Other, id=2, value=1)
    run("UPDATE made_parent SET value = 2")
    assert is_known(other)
    transaction.commit()
    with connection.schema_editor() as editor:
        editor.execute("DROP TABLE made_other")
        editor.execute(MADE[3].replace("(id))", "(id) ON DELETE CASCADE)"))
    transaction.begin()
    get_store("main").reset()
    other = stored(Other, id=2, value=1)
    run("DELETE FROM made_parent")
    with pytest.raises(storm.exceptions.LostObjectError):
        assert other.value
    assert Store.of(other) is get_store("main")


def test_the_catalog_is_read_past_the_count_of_queries(django_assert_num_queries: Any) -> None:
    stored(Parent, id=1, value=1)
    stored(Log, id=1, value=1)
    with django_assert_num_queries(1):
        run("UPDATE made_parent SET value = 2")
