"""Which tables the database itself writes when one is written: foreign keys that cascade, triggers, views.

Read from the database's catalog when first needed, and remembered in this process for a minute, or until somebody is
seen to change it. The statement that reads it is on no cursor of Django's: nobody's count of queries has it.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..connection.wrapper import StormEngine

# Each gives pairs: a table, and one that may change with it. ANYTHING stands for all tables on either side.
ANYTHING = "*"
_CATALOGS = {
    "sqlite": """
        SELECT f."table", m.name FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f
        WHERE m.type = 'table' AND (f.on_delete NOT IN ('NO ACTION', 'RESTRICT')
            OR f.on_update NOT IN ('NO ACTION', 'RESTRICT'))
        UNION ALL SELECT tbl_name, '*' FROM sqlite_master WHERE type IN ('trigger', 'view')
        UNION ALL SELECT '*', name FROM sqlite_master WHERE type = 'view'
    """,
    "postgresql": """
        SELECT parent.relname, child.relname FROM pg_constraint AS f
            JOIN pg_class AS parent ON parent.oid = f.confrelid JOIN pg_class AS child ON child.oid = f.conrelid
            WHERE f.contype = 'f' AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
        UNION ALL SELECT a.relname, b.relname FROM pg_inherits AS i
            JOIN pg_class AS a ON a.oid IN (i.inhparent, i.inhrelid)
            JOIN pg_class AS b ON b.oid IN (i.inhparent, i.inhrelid)
        UNION ALL SELECT c.relname, '*' FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
            WHERE NOT t.tgisinternal
        UNION ALL SELECT c.relname, '*' FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class
            WHERE c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
        UNION ALL SELECT '*', c.relname FROM pg_class AS c WHERE c.relkind = 'v'
            AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
    """,
    "mysql": """
        SELECT referenced_table_name, table_name FROM information_schema.referential_constraints
            WHERE constraint_schema = database()
            AND (delete_rule NOT IN ('NO ACTION', 'RESTRICT') OR update_rule NOT IN ('NO ACTION', 'RESTRICT'))
        UNION ALL SELECT event_object_table, '*' FROM information_schema.triggers WHERE trigger_schema = database()
        UNION ALL SELECT table_name, '*' FROM information_schema.views WHERE table_schema = database()
        UNION ALL SELECT '*', table_name FROM information_schema.views WHERE table_schema = database()
    """,
}
# Reading it takes milliseconds; a schema changes once in a release, and mostly by another process.
SECONDS_REMEMBERED = 60


class _Catalog(NamedTuple):
    changes_with: dict[str, set[str]]
    read: float
    version: object


_known: dict[Any, _Catalog] = {}


def reached(connection: StormEngine, tables: Collection[str]) -> set[str] | None:
    """The tables that may be changed by writing `tables`, these included. None: it may be any."""
    key, version = _key(connection), _version(connection)
    catalog = _known.get(key)
    if catalog is None or catalog.version != version or catalog.read < time.monotonic() - SECONDS_REMEMBERED:
        catalog = _known[key] = _Catalog(_read(connection), time.monotonic(), version)
    changes_with = catalog.changes_with
    found: set[str] = set()
    ahead = list(tables)
    while ahead:
        table = ahead.pop()
        if table not in found:
            found.add(table)
            ahead += changes_with.get(table, ())
    return None if ANYTHING in found else found | changes_with.get(ANYTHING, set())


def forget(connection: StormEngine) -> None:
    """The catalog may have changed."""
    _known.pop(_key(connection), None)


def _key(connection: StormEngine) -> Any:
    settings = connection.settings_dict
    return connection.vendor, settings["NAME"], settings["HOST"], settings["PORT"]


def _version(connection: StormEngine) -> object:
    # SQLite says at once whether the schema has changed. The others do not.
    return _rows(connection, "PRAGMA schema_version") if connection.vendor == "sqlite" else None


def _read(connection: StormEngine) -> dict[str, set[str]]:
    changes_with = defaultdict(set)
    for table, other in _rows(connection, _CATALOGS[connection.vendor]):
        changes_with[str(table).lower()].add(str(other).lower())
    return dict(changes_with)


def _rows(connection: StormEngine, sql: str) -> Any:
    with contextlib.closing(connection.connection.cursor()) as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
