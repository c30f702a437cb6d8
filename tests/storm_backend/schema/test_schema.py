"""A store's schema, by the command: patches are applied one by one, and a failing one is told with what it ran."""

from __future__ import annotations

import io
import itertools
import sys
import textwrap
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import transaction
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import Migration, RunSQL
from django.db.migrations.state import ProjectState
from django.test import TestCase

from djintegrate.storm_backend import get_store, get_store_uri
from djintegrate.storm_backend.schema import SchemaError, StoreSchema
from djintegrate.storm_backend.schema.operations import ApplySchema
from djintegrate.storm_backend.schema.testing import prepare_test_database
from djintegrate.storm_backend.stores import SharedStore
from tests.support.helpers import Oops, django_add, django_names, is_mariadb, is_sqlite, with_keys

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [
    pytest.mark.django_db(
        transaction=True,
        databases=["default", "second"],
        available_apps=["djintegrate.storm_backend", "tests.apps.people"],
    ),
    pytest.mark.usefixtures("nothing_left"),
]

PACKAGE = """
CREATES = ["CREATE TABLE gadget (id INTEGER PRIMARY KEY, name VARCHAR(20))"]
DROPS = ["DROP TABLE IF EXISTS gadget", "DROP TABLE IF EXISTS extra"]
DELETES = ["DELETE FROM gadget"]
"""
ADD_EXTRA = """
def apply(store):
    store.execute("CREATE TABLE extra (id INTEGER PRIMARY KEY)")
    store.execute("INSERT INTO extra (id) VALUES (?)", (7,))
"""
RENAME = """
def apply(store):
    store.execute("UPDATE gadget SET name = 'renamed'")
"""
FAILS_LATE = """
def apply(store):
    store.execute("CREATE TABLE extra (id INTEGER PRIMARY KEY)")
    raise ValueError("no more")
"""
NO_SQL = """
def apply(store):
    store.execute("NONSENSE")
"""

WritePackage = Callable[..., str]
Run = Callable[..., str]

names = (f"schema_of_test_{number}" for number in itertools.count())


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WritePackage]:
    """Writes a schema package, with patches by their number, and returns its name; called again it adds to it."""
    name = next(names)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(*, text: str = PACKAGE, **patches: str) -> str:
        (tmp_path / name).mkdir(exist_ok=True)
        for file, content in {"__init__": text, **patches}.items():
            (tmp_path / name / f"{file}.py").write_text(textwrap.dedent(content))
        forget()
        return name

    def forget() -> None:
        for module in [module for module in sys.modules if module.split(".")[0] == name]:
            del sys.modules[module]

    yield write
    forget()


@pytest.fixture(params=["main", "loose", "two_phase"])
def store(request: pytest.FixtureRequest, settings: Any, package: WritePackage) -> Iterator[SharedStore]:
    """A shared store, and plain ones on the same database, with an empty package for a schema."""
    if request.param == "two_phase" and is_sqlite():
        pytest.skip("SQLite has no two-phase commit.")
    name = "main" if request.param == "main" else "loose"
    uri = get_store_uri("main") if name == "loose" else settings.STORM_STORES[name]
    entry = with_keys(uri, SCHEMA=package(), TWO_PHASE=request.param == "two_phase")
    settings.STORM_STORES = {**settings.STORM_STORES, name: entry}
    found = get_store(name)
    found.name = name
    yield found
    transaction.abort()
    with transaction.manager, found._connection._wrapper.in_one_phase():
        for table in ("gadget", "extra", "patch"):
            found.execute(f"DROP TABLE IF EXISTS {table}")
    if name == "loose":
        found.close()


@pytest.fixture
def run(store: SharedStore) -> Run:
    """The command on the store; what it prints."""

    def call(action: str, *options: str) -> str:
        out = io.StringIO()
        call_command("storm_schema", action, store.name, *options, stdout=out)
        return out.getvalue()

    return call


def tables() -> set[str]:
    with connection.cursor() as cursor:
        return {"gadget", "extra", "patch"} & set(connection.introspection.table_names(cursor))


def values(store: SharedStore, column: str, table: str) -> list[Any]:
    with transaction.manager:
        return [row[0] for row in store.execute(f"SELECT {column} FROM {table} ORDER BY {column}")]


class TestCreate:
    def test_makes_the_tables_and_marks_every_patch(self, store: SharedStore, run: Run, package: WritePackage) -> None:
        package(patch_1=ADD_EXTRA, patch_2=NO_SQL)
        assert run("create") == "Created the schema, with all patches.\n"
        assert tables() == {"gadget", "patch"}
        assert values(store, "version", "patch") == [1, 2]

    def test_a_second_time_is_refused(self, run: Run) -> None:
        run("create")
        with pytest.raises(CommandError, match=r"has its schema already.*storm_schema apply"):
            run("create")

    def test_a_failing_one_leaves_nothing_or_says_what_it_ran(self, run: Run, package: WritePackage) -> None:
        package(text=PACKAGE.replace("20))", "20))', 'NONSENSE").replace('"CREATE', "'CREATE").replace('SE"]', "SE']"))
        with pytest.raises(CommandError) as caught:
            run("create")
        if is_mariadb():
            assert tables() == {"gadget"}
            assert "MariaDB commits at each CREATE" in str(caught.value)
            assert "CREATE TABLE gadget" in str(caught.value)
        else:
            assert tables() == set()
            assert "Nothing of it remains" in str(caught.value)
        assert "(no schema" in run("status")


class TestStatus:
    def test_of_a_store_without_a_schema(self, run: Run, package: WritePackage) -> None:
        name = package(patch_1=RENAME)
        out = run("status")
        assert f"schema {name}:" in out
        assert "(no schema" in out
        assert " [ ] 1\n" in out
        assert tables() == set()

    def test_tells_applied_pending_and_unknown_patches_in_the_order_of_their_numbers(
        self, store: SharedStore, run: Run, package: WritePackage
    ) -> None:
        package(patch_2=RENAME)
        run("create")
        package(patch_10=RENAME)
        with transaction.manager:
            store.execute("INSERT INTO patch (version) VALUES (11)")
        assert run("status").splitlines()[1:] == [
            " [X] 2",
            " [ ] 10",
            " [?] 11  applied, but unknown to the code",
        ]

    def test_with_check_fails_unless_all_is_applied(self, run: Run, package: WritePackage) -> None:
        with pytest.raises(CommandError, match="not up to date"):
            run("status", "--check")
        run("create")
        run("status", "--check")
        package(patch_1=RENAME)
        with pytest.raises(CommandError, match="not up to date"):
            run("status", "--check")


class TestApply:
    def test_creates_what_is_not_there(self, run: Run) -> None:
        assert run("apply") == "Created the schema, with all patches.\n"
        assert tables() == {"gadget", "patch"}

    def test_runs_what_is_pending_and_tells_each(self, store: SharedStore, run: Run, package: WritePackage) -> None:
        run("create")
        with transaction.manager:
            store.execute("INSERT INTO gadget (id, name) VALUES (1, 'old')")
        package(patch_1=ADD_EXTRA, patch_2=RENAME)
        assert run("apply") == "Applied patch 1.\nApplied patch 2.\n"
        assert values(store, "id", "extra") == [7]
        assert values(store, "name", "gadget") == ["renamed"]
        assert run("apply") == "Nothing to apply.\n"

    def test_is_silent_with_verbosity_0(self, run: Run) -> None:
        assert run("apply", "--verbosity", "0") == ""

    def test_refuses_patches_that_the_code_does_not_know(
        self, store: SharedStore, run: Run, package: WritePackage
    ) -> None:
        run("create")
        with transaction.manager:
            store.execute("INSERT INTO patch (version) VALUES (5)")
        package(patch_1=ADD_EXTRA)
        with pytest.raises(CommandError, match="patches that the code does not know: 5"):
            run("apply")
        assert tables() == {"gadget", "patch"}

    @pytest.mark.parametrize(("patch", "told"), [(FAILS_LATE, "ValueError: no more"), (NO_SQL, "NONSENSE")])
    def test_names_the_patch_that_fails_and_keeps_those_before_it(
        self, store: SharedStore, run: Run, package: WritePackage, patch: str, told: str
    ) -> None:
        run("create")
        package(patch_1=RENAME, patch_2=RENAME, patch_3=patch, patch_4=RENAME)
        with pytest.raises(CommandError) as caught:
            run("apply")
        message = str(caught.value)
        assert message.startswith(f"Patch 3 failed in the store '{store.name}': ")
        assert told in message
        assert values(store, "version", "patch") == [1, 2]
        if is_mariadb() and patch is FAILS_LATE:
            assert "extra" in tables()
            assert "CREATE TABLE extra" in message
        else:
            assert "extra" not in tables()
        assert ("MariaDB commits at each CREATE" if is_mariadb() else "Nothing of it remains") in message

    def test_a_patch_that_commits_in_the_middle_and_fails_is_pending(
        self, store: SharedStore, run: Run, package: WritePackage
    ) -> None:
        run("create")
        package(patch_1=FAILS_LATE.replace("raise", "store.commit()\n    raise"))
        with pytest.raises(CommandError, match="MariaDB commits" if is_mariadb() else r"unless it called commit\(\)"):
            run("apply")
        assert tables() == {"gadget", "patch", "extra"}
        assert values(store, "version", "patch") == []

    def test_a_patch_that_another_process_is_applying_fails_and_stays_marked_by_that_one(
        self, store: SharedStore, run: Run, package: WritePackage
    ) -> None:
        run("create")
        package(patch_1=RENAME, patch_2=RENAME)

        def the_other_is_faster(line: str) -> None:
            with transaction.manager:
                store.execute("INSERT INTO patch (version) VALUES (2)")

        with pytest.raises(SchemaError, match="Patch 2 failed"):
            StoreSchema(store.name).apply(say=the_other_is_faster)
        assert values(store, "version", "patch") == [1, 2]

    def test_a_patch_that_commits_in_the_middle_is_applied_whole(
        self, store: SharedStore, run: Run, package: WritePackage
    ) -> None:
        run("create")
        package(patch_1=ADD_EXTRA.replace('store.execute("INSERT', 'store.commit()\n    store.execute("INSERT'))
        run("apply")
        assert values(store, "version", "patch") == [1]
        assert values(store, "id", "extra") == [7]

    def test_a_patch_that_cannot_be_imported_is_named(self, run: Run, package: WritePackage) -> None:
        run("create")
        package(patch_1="import no_such_module_at_all")
        with pytest.raises(CommandError, match=r"Patch 1 .*no_such_module_at_all"):
            run("apply")

    def test_a_patch_without_apply_is_named(self, run: Run, package: WritePackage) -> None:
        run("create")
        package(patch_1="")
        with pytest.raises(CommandError, match=r"Patch 1 .*has no attribute 'apply'"):
            run("apply")

    def test_django_writes_in_the_same_transaction(self, run: Run, package: WritePackage) -> None:
        run("create")
        package(
            patch_1="""
            from tests.apps.people.models import Person
            def apply(store):
                Person.objects.create(name="by a patch")
                raise ValueError
            """
        )
        with pytest.raises(CommandError):
            run("apply")
        assert "by a patch" not in django_names()

    def test_in_a_begun_transaction_it_is_refused_and_nothing_is_lost(self, run: Run) -> None:
        with transaction.manager:
            django_add("ann")
            with pytest.raises(CommandError, match="A transaction is begun"):
                run("apply")
        assert django_names() == ["ann"]


class TestSeveralStores:
    def test_each_is_dealt_with_and_those_that_fail_are_told_of(self, store: SharedStore) -> None:
        out = io.StringIO()
        with pytest.raises(CommandError, match=r"1 of 2 stores failed, the others are done:\nnowhere: "):
            call_command("storm_schema", "apply", "nowhere", store.name, stdout=out)
        assert "[1/2] nowhere: failed.\n" in out.getvalue()
        assert f"[2/2] {store.name}: Created the schema" in out.getvalue()
        assert "gadget" in tables()

    def test_drop_is_for_one(self, store: SharedStore, run: Run) -> None:
        run("create")
        with pytest.raises(CommandError, match="one store at a time"):
            call_command("storm_schema", "drop", store.name, "second", interactive=False)
        assert "gadget" in tables()


class TestInAMigration:
    def test_it_makes_the_tables_before_those_that_point_at_them(self, store: SharedStore) -> None:
        pointing = RunSQL("CREATE TABLE extra (id INTEGER PRIMARY KEY, FOREIGN KEY (id) REFERENCES gadget (id))")
        migration = type("Migration", (Migration,), {"atomic": False, "operations": [ApplySchema("main"), pointing]})
        if store.name != "main":
            pytest.skip("The store has no migrations.")
        for _ in range(2):
            with connection.schema_editor(atomic=False) as editor:
                migration("0001_initial", "shop").apply(ProjectState(), editor)
            assert tables() == {"gadget", "extra", "patch"}
            with transaction.manager:
                store.execute("DROP TABLE extra")


class TestDryRun:
    def test_shows_every_statement_and_keeps_nothing(self, store: SharedStore, run: Run, package: WritePackage) -> None:
        run("create")
        package(patch_1=RENAME, patch_2=ADD_EXTRA.replace("INSERT INTO extra", "INSERT INTO gadget"))
        out = run("apply", "--dry-run")
        lines = [line.strip() for line in out.splitlines()]
        assert lines[0] == "Would apply patch 1:"
        assert "UPDATE gadget SET name = 'renamed'" in lines
        assert lines.index("Would apply patch 2:") < lines.index("CREATE TABLE extra (id INTEGER PRIMARY KEY)")
        assert any(line.startswith("INSERT INTO gadget (id) VALUES") and line.endswith("[7]") for line in lines)
        assert tables() == {"gadget", "patch"}
        assert values(store, "id", "gadget") == values(store, "version", "patch") == []

    @pytest.mark.parametrize("action", ["create", "drop", "status"])
    def test_is_refused_where_there_is_none(self, run: Run, action: str) -> None:
        run("create")
        with pytest.raises(CommandError, match="--dry-run is for `apply`, not for"):
            run(action, "--dry-run", "--noinput")
        assert tables() == {"gadget", "patch"}

    def test_of_a_creation(self, run: Run) -> None:
        out = run("apply", "--dry-run")
        assert "Would create the schema" in out
        assert "CREATE TABLE gadget" in out
        assert tables() == set()

    def test_tells_which_statement_would_fail(self, run: Run, package: WritePackage) -> None:
        run("create")
        package(patch_1=RENAME, patch_2=ADD_EXTRA)
        if is_mariadb():
            # The INSERT does not find the table, which is not made.
            with pytest.raises(CommandError, match=r"The dry run ends here(.|\n)*were not run, for MariaDB would"):
                run("apply", "--dry-run")
            assert tables() == {"gadget", "patch"}
        package(patch_2=RENAME.replace("gadget", "nowhere"))
        with pytest.raises(CommandError, match=r"The dry run ends here:(.|\n)*UPDATE nowhere(.|\n)*failed: "):
            run("apply", "--dry-run")


class TestDrop:
    def test_asks_and_does_nothing_unless_told_yes(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        run("create")
        monkeypatch.setattr("builtins.input", lambda prompt: "no")
        assert run("drop") == "Nothing was dropped.\n"
        assert tables() == {"gadget", "patch"}
        monkeypatch.setattr("builtins.input", lambda prompt: "yes")
        assert run("drop") == "Dropped the schema.\n"
        assert tables() == set()

    def test_does_not_ask_with_noinput(self, run: Run) -> None:
        run("create")
        run("drop", "--noinput")
        assert tables() == set()
        assert "(no schema" in run("status")

    def test_a_failing_one_leaves_all_or_says_what_it_ran(self, run: Run, package: WritePackage) -> None:
        run("create")
        package(text=PACKAGE.replace("DROP TABLE IF EXISTS extra", "NONSENSE"))
        with pytest.raises(CommandError) as caught:
            run("drop", "--noinput")
        if is_mariadb():
            assert tables() == {"patch"}
            assert "DROP TABLE IF EXISTS gadget" in str(caught.value)
        else:
            assert tables() == {"gadget", "patch"}
            assert str(caught.value).endswith("\nNothing was dropped.")


class TestThePackage:
    def test_may_have_lists_for_each_kind_of_database(self, run: Run, package: WritePackage) -> None:
        kinds = ("sqlite", "postgres", "mysql")
        creates = {kind: [f"CREATE TABLE gadget (made_for_{kind} INTEGER PRIMARY KEY)"] for kind in kinds}
        package(text=f"{PACKAGE}\nCREATES = {creates!r}")
        run("create")
        kind = {"postgresql": "postgres"}.get(connection.vendor, connection.vendor)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT made_for_{kind} FROM gadget")

    def test_an_unknown_store_is_told(self) -> None:
        with pytest.raises(CommandError, match="names no store 'nowhere'"):
            call_command("storm_schema", "status", "nowhere")

    def test_a_store_without_one_is_told(self) -> None:
        with pytest.raises(CommandError, match=r"'SCHEMA'.* is not set"):
            call_command("storm_schema", "status", "second")


class TestInTests:
    @pytest.fixture(autouse=True)
    def schema_of_main(self, settings: Any, package: WritePackage) -> Iterator[None]:
        main = settings.STORM_STORES["main"]
        settings.STORM_STORES = {**settings.STORM_STORES, "main": with_keys(main, SCHEMA=package())}
        yield
        call_command("storm_schema", "drop", "main", interactive=False, verbosity=0)

    def test_a_kept_test_database_gets_the_tables_and_the_pending_patches(self, package: WritePackage) -> None:
        # That the runner calls it is shown in test_commands.
        prepare_test_database(None, connection)
        assert tables() == {"gadget", "patch"}
        package(patch_1=ADD_EXTRA)
        prepare_test_database(None, connection)
        assert tables() == {"gadget", "patch", "extra"}

    def test_the_tables_are_emptied_with_djangos(self) -> None:
        call_command("storm_schema", "create", "main", verbosity=0)
        with transaction.manager:
            get_store("main").execute("INSERT INTO gadget (id) VALUES (1)")
        django_add("ann")
        call_command("flush", interactive=False, verbosity=0)
        assert values(get_store("main"), "id", "gadget") == django_names() == []

    def test_in_a_testcase_it_is_undone_where_the_database_can(self) -> None:
        class Creates(TestCase):
            def runTest(self) -> None:
                call_command("storm_schema", "create", "main", verbosity=0)
                assert tables() == {"gadget", "patch"}
                raise Oops

        if is_mariadb():
            pytest.skip("MariaDB commits at a CREATE TABLE")
        result = unittest.TestResult()
        unittest.TestSuite([Creates()]).run(result)
        assert "Oops" in result.errors[0][1]
        assert tables() == set()
