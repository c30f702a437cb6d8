"""Whatever is not plainly a read counts as a write: who decides on two phases, and who is warned of, goes by that.

One store is TWO_PHASE, the other commits in one phase: its commit has to record the decision. Without the record a
crash between the two commits leaves one store with a row that the other has not.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
import transaction
from django.core.management import call_command
from django.db import Error, connections

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.management.commands import storm_indoubt
from proofs.crash.killing import in_child
from tests.settings import DB
from tests.support.helpers import (
    ALIASES,
    TRANSACTIONS,
    Outside,
    Spy,
    django_add,
    is_postgres,
    joined,
    start_afresh,
)
from tests.support.two_phase import two_phase as two_phase

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

INSERT = "INSERT INTO people_person (name) VALUES ('ann')"
LATE = "~~~"

PREPARATIONS = {
    "postgres": [
        f"CREATE FUNCTION seams_add() RETURNS integer LANGUAGE sql AS $$ {INSERT} RETURNING 1 $$",
        f"CREATE PROCEDURE seams_adds() LANGUAGE sql AS $$ {INSERT} $$",
    ],
    "mysql": [
        f"CREATE FUNCTION seams_add() RETURNS INTEGER MODIFIES SQL DATA BEGIN {INSERT}; RETURN 1; END",
        f"CREATE PROCEDURE seams_adds() MODIFIES SQL DATA BEGIN {INSERT}; END",
    ],
    "sqlite": [],
}
STATEMENTS = {
    "postgres": [
        f"WITH added AS ({INSERT} RETURNING id) SELECT id FROM added",
        "WITH new AS (SELECT 'ann' AS name) INSERT INTO people_person (name) SELECT name FROM new",
        "SELECT seams_add()",
        "(SELECT seams_add())",
        "SELECT id FROM people_person UNION SELECT seams_add()",
        "VALUES (seams_add())",
        "CALL seams_adds()",
        f"EXPLAIN ANALYZE {INSERT}",
        f"EXPLAIN (ANALYZE, COSTS OFF) {INSERT}",
        "EXPLAIN ANALYZE SELECT seams_add()",
        f"SELECT 1; {INSERT}",
        f"SET LOCAL work_mem = '4MB'; {INSERT}; SELECT 1",
        f"DO $$ BEGIN {INSERT}; END $$",
        f"/* SELECT */ {INSERT}",
        f"-- SELECT\n{INSERT}",
        "/* a */ SELECT /* b */ seams_add()",
        "SELECT set_config('application_name', seams_add()::text, true)",
    ],
    "mysql": [
        "SELECT seams_add()",
        "(SELECT seams_add())",
        "SELECT 1 UNION SELECT seams_add()",
        "SET @seams = seams_add()",
        "DO seams_add()",
        "CALL seams_adds()",
        f"ANALYZE FORMAT=JSON {INSERT}",
        f"EXECUTE IMMEDIATE '{INSERT.replace(chr(39), chr(39) * 2)}'",
        f"BEGIN NOT ATOMIC {INSERT}; END",
        f"/* SELECT */ {INSERT}",
        f"-- SELECT\n{INSERT}",
        "WITH new AS (SELECT seams_add() AS name) SELECT * FROM new",
    ],
    "sqlite": [
        "WITH new AS (SELECT 'ann' AS name) INSERT INTO people_person (name) SELECT name FROM new",
        f"/* SELECT */ {INSERT}",
        f"-- SELECT\n{INSERT}",
        f"  \n\t{INSERT} RETURNING id",
    ],
}
EVERY = STATEMENTS[DB]
DRIVERS = {"sqlite": ["executemany"], "mysql": ["executemany", "callproc"]}.get(DB, ["executemany", "callproc", "copy"])
CRASHES = {
    "postgres": [EVERY[0], "SELECT seams_add()", f"EXPLAIN ANALYZE {INSERT}", "CALL seams_adds()"],
    "mysql": ["SELECT seams_add()", "CALL seams_adds()"],
}.get(DB, [])
every_statement = pytest.mark.parametrize("statement", EVERY, ids=lambda text: " ".join(text.split()))


@pytest.fixture(autouse=True)
def routines(transactional_db: None) -> Iterator[None]:
    """A function and a procedure that add a person."""
    look = Outside()
    _drop_routines(look)
    for statement in PREPARATIONS[DB]:
        look.rows(statement, "second")
    yield
    _drop_routines(look)
    look.close()


def _drop_routines(look: Outside) -> None:
    if PREPARATIONS[DB]:
        look.rows("DROP FUNCTION IF EXISTS seams_add", "second")
        look.rows("DROP PROCEDURE IF EXISTS seams_adds", "second")


@pytest.fixture
def beside(two_phase: None, settings: Any) -> None:
    """Only `main` is TWO_PHASE: `second` commits in one."""
    start_afresh()
    entry = settings.STORM_STORES["second"]
    settings.STORM_STORES = {**settings.STORM_STORES, "second": {**entry, "TWO_PHASE": False}}


def by_django(statement: str) -> None:
    with connections["second"].cursor() as cursor:
        cursor.execute(statement)


def by_storm(statement: str) -> None:
    get_store("second").execute(statement, noresult=True)


by_either = pytest.mark.parametrize("execute", [by_django, by_storm], ids=["by Django", "by Storm"])


def by_driver(way: str) -> None:
    """A way to write that is a method of the driver's cursor."""
    with connections["second"].cursor() as cursor:
        if way == "executemany":
            cursor.executemany("INSERT INTO people_person (name) VALUES (%s)", [["ann"]])
        elif way == "callproc":
            cursor.callproc("seams_add" if is_postgres() else "seams_adds")
        elif hasattr(cursor.cursor, "copy_expert"):
            cursor.copy_expert("COPY people_person (name) FROM STDIN", StringIO("ann\n"))
        else:
            with cursor.copy("COPY people_person (name) FROM STDIN") as copy:
                copy.write("ann\n")


def decisions(outside: Outside, alias: str = "second") -> int:
    """How many decisions the store has recorded."""
    try:
        return len(outside.rows("SELECT xid FROM storm_backend_decision WHERE committed = 1", alias))
    except Error:
        # There is no such table yet.
        return 0


def crash_between_the_commits(write: Callable[[], object]) -> None:
    """A process that dies when the one-phase store has committed, and the other is prepared."""

    class Death(Spy):
        def tpc_vote(self, txn: Any) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    def work(report: Callable[[str], None]) -> None:
        with transaction.manager:
            django_add("ann")
            write()
            joined(Death(sort_key=LATE))

    # The process must not have this one's connections.
    start_afresh()
    _, killed = in_child(work)
    assert killed


def assert_same_outcome(outside: Outside) -> None:
    call_command(storm_indoubt.Command(), all=True, older_than=0, verbosity=0)
    assert outside.names() == outside.names("second")


@pytest.mark.usefixtures("beside")
class TestBesideATwoPhaseStore:
    @by_either
    @every_statement
    def test_a_write_in_other_words_records_the_decision(
        self, execute: Callable[[str], None], statement: str, outside: Outside
    ) -> None:
        before = decisions(outside)
        with transaction.manager:
            django_add("ann")
            execute(statement)
        assert outside.names("second") == ["ann"]
        assert decisions(outside) == before + 1

    @pytest.mark.parametrize("way", DRIVERS)
    def test_so_does_one_by_a_method_of_the_driver(self, way: str, outside: Outside) -> None:
        before = decisions(outside)
        with transaction.manager:
            django_add("ann")
            by_driver(way)
        assert outside.names("second") == ["ann"]
        assert decisions(outside) == before + 1

    @by_either
    @pytest.mark.parametrize("statement", CRASHES)
    def test_after_a_crash_between_the_commits_both_have_the_row_or_none(
        self, execute: Callable[[str], None], statement: str, outside: Outside
    ) -> None:
        crash_between_the_commits(lambda: execute(statement))
        assert_same_outcome(outside)

    @pytest.mark.parametrize("way", DRIVERS)
    def test_so_after_one_by_a_method_of_the_driver(self, way: str, outside: Outside) -> None:
        crash_between_the_commits(lambda: by_driver(way))
        assert_same_outcome(outside)

    @by_either
    @pytest.mark.parametrize(
        "statement", ["SELECT name FROM people_person", "SELECT count(*), max(name) FROM people_person"]
    )
    def test_a_plain_read_records_nothing(
        self, execute: Callable[[str], None], statement: str, outside: Outside
    ) -> None:
        with transaction.manager:
            django_add("ann")
            execute(statement)
        assert outside.names() == ["ann"]
        assert decisions(outside) == decisions(outside, "default") == 0


class TestTheWarning:
    @by_either
    @every_statement
    def test_names_two_one_phase_stores_however_the_second_was_written(
        self,
        execute: Callable[[str], None],
        statement: str,
        outside: Outside,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with transaction.manager:
            django_add("ann")
            execute(statement)
        assert outside.names("second") == ["ann"]
        assert warned(caplog) == [True]

    @pytest.mark.parametrize("way", DRIVERS)
    def test_names_them_after_a_method_of_the_driver(
        self, way: str, outside: Outside, caplog: pytest.LogCaptureFixture
    ) -> None:
        with transaction.manager:
            django_add("ann")
            by_driver(way)
        assert outside.names("second") == ["ann"]
        assert warned(caplog) == [True]

    @by_either
    def test_is_not_given_where_the_second_is_only_read(
        self, execute: Callable[[str], None], caplog: pytest.LogCaptureFixture
    ) -> None:
        with transaction.manager:
            django_add("ann")
            execute("SELECT name FROM people_person")
        assert warned(caplog) == []


def test_a_store_without_an_alias_counts_as_well(
    plain: None, outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction.manager:
        django_add("ann")
        get_store("plain").execute(
            "WITH new AS (SELECT 'ann' AS name) INSERT INTO people_person (name) SELECT name FROM new", noresult=True
        )
    assert warned(caplog) == [True]


def warned(caplog: pytest.LogCaptureFixture) -> list[bool]:
    """Whether each warning of the engine's names the store of the default alias."""
    assert ALIASES["main"] == "default"
    return [
        "'main'" in record.getMessage()
        for record in caplog.records
        if record.name.startswith("djintegrate") and record.levelname == "WARNING"
    ]
