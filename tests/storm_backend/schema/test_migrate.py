"""A store that is used where `migrate` runs code in autocommit: what that writes is kept, and all that follows."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import transaction
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.signals import post_migrate, pre_migrate

from djintegrate.storm_backend.management.commands import flush, migrate
from djintegrate.storm_backend.transactions.thread import current
from tests.apps.people.models import Person
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    django_add,
    is_postgres,
    is_sqlite,
    names_in_both,
    storm_add,
    storm_names,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

HEAD = """
from django.db import connection, migrations, models
from django.utils.module_loading import import_string
from tests.storm_backend.schema.test_migrate import django, fails, reads, reads_elsewhere, storm

class Migration(migrations.Migration):
    dependencies = [%s]
    atomic = %s
    operations = [%s]
"""
RUN = "migrations.RunPython(%s)"


def reads(apps: Any, editor: Any) -> None:
    storm_names()


def reads_elsewhere(apps: Any, editor: Any) -> None:
    storm_names("second")


def storm(apps: Any, editor: Any) -> None:
    storm_add("storm")


def django(apps: Any, editor: Any) -> None:
    django_add("django")


def fails(apps: Any, editor: Any) -> None:
    django_add("failed")
    Person(pk=Person.objects.get(name="failed").pk, name="again").save(force_insert=True)


Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Makes the next migration, of these operations."""
    package = tmp_path / "migrations_of_test"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    settings.MIGRATION_MODULES = {"people": package.name}
    names: list[str] = []

    def write(*operations: str, atomic: bool = True) -> None:
        before = f'("people", "{names[-1]}")' if names else ""
        names.append(f"000{len(names) + 1}_step")
        text = textwrap.dedent(HEAD) % (before, atomic, ", ".join(operations))
        (package / f"{names[-1]}.py").write_text(text)
        importlib.invalidate_caches()

    recorder = MigrationRecorder(connection)
    had_table = recorder.has_table()
    yield write
    transaction.abort()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS people_thing")
    if recorder.has_table():
        recorder.migration_qs.filter(app="people").delete()
    if recorder.has_table() and not had_table:
        with connection.schema_editor() as editor:
            editor.delete_model(recorder.Migration)
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[name]


def run(*arguments: str) -> None:
    call_command(migrate.Command(), "people", *arguments, verbosity=0)
    assert current().manager._txn is None


def applied(outside: Outside) -> list[str]:
    rows = outside.rows("SELECT name FROM django_migrations WHERE app = 'people' ORDER BY name")
    return [name for (name,) in rows]


@pytest.mark.parametrize("operation", ["reads", "reads_elsewhere"])
def test_after_a_read_in_a_migration_that_is_no_transaction_all_is_applied(
    operation: str, write: Write, outside: Outside
) -> None:
    write(RUN % operation, atomic=False)
    write(RUN % "django")
    run()
    assert applied(outside) == ["0001_step", "0002_step"]
    assert outside.names() == ["django"]


def test_what_both_orms_write_there_is_committed(write: Write, outside: Outside) -> None:
    write(RUN % "storm", RUN % "django", atomic=False)
    run()
    assert outside.names() == ["django", "storm"] and applied(outside) == ["0001_step"]


def test_the_operation_after_it_is_in_no_transaction(write: Write, outside: Outside) -> None:
    # PostgreSQL refuses to do it in a transaction.
    add = 'import_string("django.contrib.postgres.operations.AddIndexConcurrently")'
    add = add if is_postgres() else "migrations.AddIndex"
    index = f'{add}("thing", models.Index(fields=["id"], name="of_test"))'
    model = 'migrations.CreateModel("Thing", [("id", models.IntegerField(primary_key=True))])'
    write(RUN % "storm", model, RUN % "reads", index, RUN % "reads", atomic=False)
    run()
    assert outside.names() == ["storm"] and applied(outside) == ["0001_step"]


def test_foreign_keys_are_enforced_afterwards(write: Write) -> None:
    if not is_sqlite():
        pytest.skip("SQLite alone turns them off for a migration.")
    write(RUN % "reads", atomic=False)
    run()
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_migration_that_is_undone_does_as_well(write: Write, outside: Outside) -> None:
    write("migrations.RunPython(migrations.RunPython.noop, storm)", atomic=False)
    write("migrations.RunPython(migrations.RunPython.noop, reads)", atomic=False)
    write("migrations.RunPython(migrations.RunPython.noop, django)")
    run()
    assert len(applied(outside)) == 3
    run("zero")
    assert applied(outside) == [] and outside.names() == ["django", "storm"]


def test_one_that_fails_is_not_applied_and_those_before_it_are(write: Write, outside: Outside) -> None:
    write(RUN % "storm", atomic=False)
    write(RUN % "reads", RUN % "fails", atomic=False)
    with pytest.raises(IntegrityError):
        run()
    assert applied(outside) == ["0001_step"] and outside.names()[-1] == "storm"
    assert current().manager._txn is None


@pytest.mark.parametrize("signal", [pre_migrate, post_migrate])
def test_receivers_may_use_a_store(signal: Any, write: Write, outside: Outside) -> None:
    def receiver(**kwargs: Any) -> None:
        storm_add("received")

    write(RUN % "django")
    signal.connect(receiver)
    try:
        run()
    finally:
        signal.disconnect(receiver)
    assert applied(outside) == ["0001_step"] and set(outside.names()) == {"django", "received"}


def test_receivers_of_a_flush_may_as_well(outside: Outside) -> None:
    def receiver(**kwargs: Any) -> None:
        storm_add("received")

    post_migrate.connect(receiver)
    try:
        call_command(flush.Command(), interactive=False, verbosity=0)
    finally:
        post_migrate.disconnect(receiver)
    assert set(outside.names()) == {"received"}


def test_what_was_open_before_is_committed_first(write: Write, outside: Outside) -> None:
    write(RUN % "django")
    storm_add("before")
    run()
    assert applied(outside) == ["0001_step"] and outside.names() == ["before", "django"]


def test_a_schema_editor_leaves_open_what_was_open_before_it(outside: Outside) -> None:
    if is_sqlite():
        pytest.skip("SQLite has no schema editor in a transaction.")
    storm_add("open")
    with connection.schema_editor(atomic=False):
        storm_names()
    assert outside.names() == []
    transaction.abort()


def test_a_transaction_that_was_begun_stays_whole(write: Write, outside: Outside) -> None:
    if not is_postgres():
        pytest.skip("Only PostgreSQL changes the schema in a transaction.")
    write(RUN % "storm", atomic=False)
    with pytest.raises(Oops), transaction.manager:
        call_command(migrate.Command(), "people", verbosity=0)
        assert outside.names() == [] and names_in_both() == ["storm"]
        raise Oops
    assert outside.names() == []
