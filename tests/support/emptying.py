"""Empties the databases after a test that has committed: as flush does, in a tenth of the time.

Only tables that have rows are emptied, and what `migrate` makes in all of them, content types and permissions, stays
instead of being made anew. Connections stay open: to make one anew costs PostgreSQL more than most tests do. A
TransactionTestCase that a test file has keeps Django's own way, which is tested there.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.core.management.color import no_style
from django.db import DatabaseError, connections
from django.test import TransactionTestCase

MADE_BY_MIGRATE = ("auth_permission", "django_content_type", "django_migrations")

_flush: Any = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
_should_reload: Any = TransactionTestCase._should_reload_connections  # type: ignore[attr-defined]
_migrated: dict[str, dict[str, tuple[int, int]]] = {}
_existing: dict[tuple[str, frozenset[str]], frozenset[str]] = {}


def empty_quickly() -> None:
    """From now on."""
    TransactionTestCase._fixture_teardown = _fixture_teardown  # type: ignore[attr-defined]
    TransactionTestCase._should_reload_connections = _should_reload_connections  # type: ignore[attr-defined]


def _is_a_fixture(test: Any) -> bool:
    return type(test).__module__ == "pytest_django.fixtures"


def _should_reload_connections(test: Any) -> bool:
    return not _is_a_fixture(test) and bool(_should_reload(test))


def _fixture_teardown(test: Any) -> None:
    if not _is_a_fixture(test):
        _flush(test)
        return
    aliases = list(test._databases_names(include_mirrors=False))
    if all(_empty(connections[alias]) for alias in aliases):
        return
    # The first time, or after a test that has changed what `migrate` makes.
    _flush(test)
    for alias in aliases:
        found = _rows(connections[alias])
        _migrated[alias] = {table: found[table] for table in MADE_BY_MIGRATE}


def _empty(connection: Any) -> bool:
    """Whether the database is now as it was after `migrate`."""
    found = _rows(connection)
    made = {table: found.pop(table) for table in MADE_BY_MIGRATE}
    if _migrated.get(connection.alias) != made:
        return False
    if found:
        connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), list(found), allow_cascade=True))
    return True


def _rows(connection: Any) -> dict[str, tuple[int, int]]:
    """The tables that have rows. Of those made by `migrate` how many, and a sum that tells them from others."""
    declared = frozenset(connection.introspection.django_table_names(include_views=False))
    key = connection.alias, declared
    with suppress(KeyError, DatabaseError):
        return _rows_of(connection, _existing[key])
    # The first time, or a test has dropped a table.
    _existing[key] = declared & set(connection.introspection.table_names(include_views=False))
    return _rows_of(connection, _existing[key])


def _rows_of(connection: Any, tables: frozenset[str]) -> dict[str, tuple[int, int]]:
    quote = connection.ops.quote_name
    made = [f"SELECT '{table}', count(*), coalesce(sum(id), 0) FROM {quote(table)}" for table in MADE_BY_MIGRATE]
    others = [
        f"SELECT '{table}', 1, 0 WHERE EXISTS (SELECT 1 FROM {quote(table)})"
        for table in sorted(tables.difference(MADE_BY_MIGRATE))
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([*made, *others]))
        return {table: (count, total) for table, count, total in cursor.fetchall()}
