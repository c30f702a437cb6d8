"""How a row may be written: by statements of every form, by either ORM, and by the drivers' own ways around both.

Many of these statements begin like one that only reads. What becomes of the row in a crash must not depend on that.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db import connections

from djintegrate.storm_backend import get_store

TABLE = "CREATE TABLE IF NOT EXISTS crash_row (number INTEGER PRIMARY KEY)"
ROUTINES: dict[str, list[str]] = {
    "sqlite": [],
    "postgres": [
        "CREATE FUNCTION crash_write(number integer) RETURNS integer VOLATILE LANGUAGE sql"
        " AS 'INSERT INTO crash_row VALUES ($1) RETURNING number'",
        "CREATE PROCEDURE crash_call(number integer) LANGUAGE sql AS 'INSERT INTO crash_row VALUES ($1)'",
    ],
    "mysql": [
        "CREATE TABLE crash_other (number INTEGER PRIMARY KEY)",
        "CREATE FUNCTION crash_write(number INTEGER) RETURNS INTEGER MODIFIES SQL DATA"
        " BEGIN INSERT INTO crash_row VALUES (number); RETURN number; END",
        "CREATE PROCEDURE crash_call(number INTEGER) INSERT INTO crash_row VALUES (number)",
    ],
}
"""What the statements below call."""

INSERT = "INSERT INTO crash_row VALUES ({})"
STATEMENTS: dict[str, dict[str, str]] = {
    "sqlite": {"INSERT": INSERT, "WITH … INSERT": f"WITH new (number) AS (SELECT 1) {INSERT}"},
    "postgres": {
        "INSERT": INSERT,
        "WITH … INSERT": "WITH new (number) AS (SELECT {}) INSERT INTO crash_row SELECT number FROM new",
        "WITH (INSERT) SELECT": f"WITH new AS ({INSERT} RETURNING number) SELECT number FROM new",
        "SELECT f()": "SELECT crash_write({})",
        "SELECT … FROM f()": "SELECT * FROM crash_write({})",
        "CALL": "CALL crash_call({})",
        "DO": f"DO $$ BEGIN {INSERT}; END $$",
        "EXPLAIN ANALYZE": f"EXPLAIN ANALYZE {INSERT}",
        "several in one": f"SELECT 1; {INSERT}",
    },
    "mysql": {
        "INSERT": INSERT,
        "INSERT … SELECT f()": "INSERT INTO crash_other SELECT crash_write({})",
        "SELECT f()": "SELECT crash_write({})",
        "SET … = f()": "SET @crash = crash_write({})",
        "DO f()": "DO crash_write({})",
        "CALL": "CALL crash_call({})",
        "EXECUTE IMMEDIATE": f"EXECUTE IMMEDIATE '{INSERT}'",
        "ANALYZE": f"ANALYZE {INSERT}",
        "several in one": f"SELECT 1; {INSERT}",
    },
}
"""The number goes between the braces."""


@dataclass(frozen=True)
class Form:
    """A way to write a row; `write` is given the store's name and the number."""

    title: str
    orm: str
    write: Callable[[str, int], None]

    def __str__(self) -> str:
        return f"{self.title}, through {self.orm}"


def forms(kind: str, shared: bool) -> list[Form]:
    """Every form that a store can be written by; through Django too, where the store is shared with it."""
    statements = STATEMENTS[kind].items()
    found = [Form(title, "Storm", partial(_execute_by_storm, statement)) for title, statement in statements]
    found.append(Form("the ORM", "Storm", _add_by_storm))
    if not shared:
        return found
    found += [Form(title, "Django", partial(_execute_by_django, statement)) for title, statement in statements]
    found += [Form("the ORM", "Django", _create_by_django), Form("executemany()", "Django", _executemany)]
    if kind == "postgres":
        return [*found, Form("callproc()", "Django", partial(_callproc, "crash_write")), Form("COPY", "Django", _copy)]
    return [*found, Form("callproc()", "Django", partial(_callproc, "crash_call"))]


def insert(shared: bool) -> Form:
    """The usual one: through Django where the store is shared with it."""
    if shared:
        return Form("INSERT", "Django", partial(_execute_by_django, INSERT))
    return Form("INSERT", "Storm", partial(_execute_by_storm, INSERT))


def _execute_by_storm(statement: str, store: str, number: int) -> None:
    get_store(store).execute(statement.format(number), noresult=True)


def _add_by_storm(store: str, number: int) -> None:
    from proofs.crash.models import StormRow

    get_store(store).add(StormRow(number))


def _execute_by_django(statement: str, store: str, number: int) -> None:
    with connections[store].cursor() as cursor:
        cursor.execute(statement.format(number))


def _create_by_django(store: str, number: int) -> None:
    from proofs.crash.models import Row

    Row.objects.using(store).create(number=number)


def _executemany(store: str, number: int) -> None:
    with connections[store].cursor() as cursor:
        cursor.executemany("SELECT crash_write(%s)", [(number,)])


def _callproc(routine: str, store: str, number: int) -> None:
    with connections[store].cursor() as cursor:
        cursor.callproc(routine, (number,))


def _copy(store: str, number: int) -> None:
    """As either driver has it."""
    statement = "COPY crash_row (number) FROM STDIN"
    with connections[store].cursor() as cursor:
        if cursor.db.Database.__name__ == "psycopg2":
            cursor.copy_expert(statement, io.StringIO(f"{number}\n"))
            return
        with cursor.copy(statement) as copy:
            copy.write_row((number,))
