"""What the database itself writes when a table is written, and which functions may write: asked of its catalog.

The catalog is read when it is first needed, and remembered in this process for a minute, or until a statement is seen
to change it. The statements that read it are on no cursor of Django's: nobody's count of queries has them.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from . import effects
from .effects import Effect

# Each gives pairs: a table, and one that may change with it. ANYTHING stands for all tables on either side.
ANYTHING = "*"
_CATALOGUES = {
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
        UNION ALL SELECT c.relname, '*' FROM pg_attrdef AS d JOIN pg_class AS c ON c.oid = d.adrelid
            JOIN pg_depend AS uses ON uses.classid = 'pg_attrdef'::regclass AND uses.objid = d.oid
            JOIN pg_proc AS f ON uses.refclassid = 'pg_proc'::regclass AND f.oid = uses.refobjid
            WHERE f.provolatile = 'v'
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
# PostgreSQL's own functions write nothing, but for those of large objects. An extension declares which of its functions
# write, and is believed; a function of the site's own may be declared in any way. MariaDB's stored functions may all
# write, and SQLite has none.
_WRITERS = {
    "postgresql": """
        SELECT lower(f.proname) FROM pg_proc AS f LEFT JOIN pg_depend AS d
            ON d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e'
        WHERE f.pronamespace <> 'pg_catalog'::regnamespace AND (d.objid IS NULL OR f.provolatile = 'v')
        UNION SELECT proname FROM pg_proc WHERE proname LIKE 'lo\\_%' AND pronamespace = 'pg_catalog'::regnamespace
    """,
    "mysql": "SELECT lower(routine_name) FROM information_schema.routines WHERE routine_type = 'FUNCTION'",
}
# Reading the catalog takes milliseconds; a schema changes once in a release, and mostly by another process.
SECONDS_REMEMBERED = 60


class _Catalogue:
    def __init__(self, changes_with: dict[str, set[str]], read: float, version: object) -> None:
        self.changes_with = changes_with
        self.read = read
        self.version = version
        # Whether a function may write, for each that was called since.
        self.may_write: dict[str, bool] = {}


_known: dict[Any, _Catalogue] = {}


def place(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    """Which database this is: the one key of all that is remembered of a database."""
    return (connection.vendor, *(str(connection.settings_dict[key]) for key in ("HOST", "PORT", "NAME")))


def effect_of(connection: BaseDatabaseWrapper, sql: object) -> Effect:
    """What `sql` may have written, by the functions that it calls as well."""
    effect = effects.effect_of(sql, connection.vendor)
    if not effect.calls or connection.vendor not in _WRITERS or effect.everything:
        return effect
    try:
        may_write = _catalogue(connection).may_write
        if not effect.calls <= may_write.keys():
            # A function that is called for the first time may be new.
            writers = {str(name) for (name,) in _rows(connection, _WRITERS[connection.vendor])}
            may_write.update((name, name in writers) for name in effect.calls)
    except Exception:
        # The transaction has failed, say, and so will the statement.
        return effects.EVERYTHING
    return effects.EVERYTHING if any(may_write[name] for name in effect.calls) else effect


def reached(connection: BaseDatabaseWrapper, tables: Collection[str]) -> set[str] | None:
    """The tables that may be changed by writing `tables`, these included. None: it may be any."""
    changes_with = _catalogue(connection).changes_with
    found: set[str] = set()
    ahead = list(tables)
    while ahead:
        table = ahead.pop()
        if table not in found:
            found.add(table)
            ahead += changes_with.get(table, ())
    return None if ANYTHING in found else found | changes_with.get(ANYTHING, set())


def forget(connection: BaseDatabaseWrapper) -> None:
    """The catalog may have changed."""
    _known.pop(place(connection), None)


def _catalogue(connection: BaseDatabaseWrapper) -> _Catalogue:
    key = place(connection)
    # SQLite says at once whether the schema has changed. The others do not.
    version = _rows(connection, "PRAGMA schema_version") if connection.vendor == "sqlite" else None
    known = _known.get(key)
    if known is None or known.version != version or known.read < time.monotonic() - SECONDS_REMEMBERED:
        changes_with = defaultdict(set)
        for table, other in _rows(connection, _CATALOGUES[connection.vendor]):
            changes_with[str(table).lower()].add(str(other).lower())
        known = _known[key] = _Catalogue(dict(changes_with), time.monotonic(), version)
    return known


def _rows(connection: BaseDatabaseWrapper, sql: str) -> Any:
    with contextlib.closing(connection.connection.cursor()) as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
