"""A table is known by its name in every form: with a schema, a dot, quotes and upper case, in Django and in Storm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import transaction
from django.db import connection, models
from django.db.models import Model
from django.test.utils import isolate_apps
from storm.expr import SQLRaw
from storm.locals import Int, Unicode

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Visit
from tests.apps.people.storm_models import StormVisit
from tests.settings import DB
from tests.support.coherence_helpers import begun as begun
from tests.support.coherence_helpers import known, storm_statements
from tests.support.helpers import TRANSACTIONS, Outside

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

HERE = "{database}"
# What is quoted in SQL, what Django's db_table says, and Storm's __storm_table__.
NAMES = {
    "postgres": [
        # Storm quotes only what it has to, so that upper case is lower case; and takes what is quoted as an expression.
        ('"seamsrows"', "seamsrows", "SeamsRows"),
        ('"SeamsRows"', "SeamsRows", '"SeamsRows"'),
        ('"seams"."items"', '"seams"."items"', "seams.items"),
        ('"seams"."items"', 'seams"."items', "seams.items"),
        ('"seams"."items"', '"seams"."items"', "Seams.Items"),
        ('"Seams"."Items"', '"Seams"."Items"', '"Seams"."Items"'),
        ('"Seams"."Items"', 'Seams"."Items', '"Seams"."Items"'),
        ('"public"."seams_rows"', '"public"."seams_rows"', "seams_rows"),
        ('"seams_rows"', "seams_rows", "public.seams_rows"),
        ('"seams_a""b"', 'seams_a""b', 'seams_a"b'),
        ('"seams rows"', "seams rows", "seams rows"),
        ('"seams-rows"', "seams-rows", "seams-rows"),
        ('"order"', "order", "order"),
    ],
    "sqlite": [
        ('"SeamsRows"', "SeamsRows", "SeamsRows"),
        ('"SeamsRows"', "seamsrows", "SEAMSROWS"),
        ('"seams.rows"', "seams.rows", "seams.rows"),
        ('"Seams.Rows"', "Seams.Rows", "Seams.Rows"),
        ('"main"."seams_rows"', '"main"."seams_rows"', "seams_rows"),
        ('"main"."seams_rows"', 'main"."seams_rows', "seams_rows"),
        ('"seams_a""b"', 'seams_a""b', 'seams_a"b'),
        ('"seams rows"', "seams rows", "seams rows"),
        ('"order"', "order", "order"),
    ],
    "mysql": [
        ("`SeamsRows`", "SeamsRows", "SeamsRows"),
        ("`seams.rows`", "seams.rows", "seams.rows"),
        (f"`{HERE}`.`seams_rows`", f"`{HERE}`.`seams_rows`", "seams_rows"),
        (f"`{HERE}`.`seams_rows`", f"{HERE}`.`seams_rows", "seams_rows"),
        ('`seams_a"b`', 'seams_a"b', 'seams_a"b'),
        ("`seams rows`", "seams rows", "seams rows"),
        ("`order`", "order", "order"),
    ],
}[DB]
KEY = {"postgres": "SERIAL PRIMARY KEY", "sqlite": "INTEGER PRIMARY KEY", "mysql": "INTEGER AUTO_INCREMENT PRIMARY KEY"}


class Row:
    """A table under one of its names: the Django model, the Storm class, and its name in SQL."""

    def __init__(self, sql: str, django: str, storm: str) -> None:
        self.sql = sql
        meta = type("Meta", (), {"db_table": django, "app_label": "people", "managed": False})
        self.model: type[Model] = type(
            "SeamsRow", (models.Model,), {"__module__": __name__, "Meta": meta, "name": models.TextField()}
        )
        table = SQLRaw(storm) if storm.startswith('"') else storm
        attributes = {"__storm_table__": table, "id": Int(primary=True), "name": Unicode()}
        self.cls: Any = type("StormSeamsRow", (), attributes)


@pytest.fixture(params=NAMES, ids=" ".join)
def row(request: pytest.FixtureRequest, transactional_db: None, begun: None) -> Iterator[Row]:
    database = connection.settings_dict["NAME"]
    sql, django, storm = (name.replace(HERE, database) for name in request.param)
    look = Outside()
    if DB == "postgres":
        look.rows('CREATE SCHEMA IF NOT EXISTS "seams"')
        look.rows('CREATE SCHEMA IF NOT EXISTS "Seams"')
    look.rows(f"CREATE TABLE {sql} (id {KEY[DB]}, name VARCHAR(100))")
    with isolate_apps("tests.apps.people"):
        yield Row(sql, django, storm)
    transaction.abort()
    get_store("main").reset()
    look.rows(f"DROP TABLE {sql}")
    look.close()


def by_save(row: Row) -> None:
    found: Any = row.model._default_manager.get()
    found.name = "new"
    found.save()


def by_update(row: Row) -> None:
    row.model._default_manager.update(name="new")


def by_sql(row: Row) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row.sql} SET name = 'new'")


def by_sql_in_lower_case(row: Row) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"update {row.sql} set name = 'new'")


@pytest.mark.parametrize("write", [by_save, by_update, by_sql, by_sql_in_lower_case], ids=lambda write: write.__name__)
def test_what_django_writes_storm_reads_anew(row: Row, write: Callable[[Row], None]) -> None:
    store = get_store("main")
    mine = store.add(row.cls())
    mine.name = "old"
    other = store.add(StormVisit("of another table"))
    store.flush()
    assert mine.name == "old"
    assert known(other)
    write(row)
    with storm_statements() as statements:
        assert mine.name == "new"
    assert len(statements) == 1


def test_and_nothing_of_another_table(row: Row) -> None:
    store = get_store("main")
    mine = store.add(row.cls())
    mine.name = "old"
    visit = store.add(StormVisit("of another table"))
    store.flush()
    assert known(visit)
    by_update(row)
    assert known(visit)


def test_what_django_writes_elsewhere_leaves_it_known(row: Row) -> None:
    store = get_store("main")
    mine = store.add(row.cls())
    mine.name = "old"
    visit = store.add(StormVisit("of another table"))
    store.flush()
    assert (mine.name, visit.note) == ("old", "of another table")
    Visit.objects.update(note="new")
    with storm_statements() as statements:
        assert mine.name == "old"
    assert statements == []
    assert visit.note == "new"
