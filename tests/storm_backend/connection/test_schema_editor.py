"""StormForeignKey in migrations: a column of the type of what it points at, and a constraint that follows changes."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import IntegrityError, connection, models
from django.db.migrations import (
    AddField,
    AddIndex,
    AlterField,
    AlterUniqueTogether,
    CreateModel,
    DeleteModel,
    RemoveField,
    RenameField,
    RenameModel,
)
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter
from django.db.models import CASCADE, DO_NOTHING
from django.db.transaction import atomic
from storm.locals import UUID, Int, Unicode

from djintegrate.storm_backend.connection.schema_editor import TYPES
from djintegrate.storm_backend.references import StormForeignKey
from tests.support.helpers import is_mariadb, is_postgres, is_sqlite

APPS = ["tests.apps.people", "tests.apps.sprints", "django.contrib.auth", "django.contrib.contenttypes"]

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "second"], available_apps=APPS),
    pytest.mark.usefixtures("nothing_left"),
]


class Talk:
    __storm_table__ = "legacy talk"
    id = Int(primary=True)
    code = Unicode()


class Venue:
    __storm_table__ = "legacy_venue"
    key = Unicode(primary=True)


class Seat:
    __storm_table__ = "legacy_seat"
    key = UUID(primary=True)


class Nowhere:
    __storm_table__ = "legacy_nowhere"
    id = Int(primary=True)


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.replace('"', "`") if is_mariadb() else statement)


@pytest.fixture(autouse=True)
def storm_tables() -> Iterator[None]:
    """As a schema of Storm's own would make them: not with the types that Django has."""
    collation = "CHARACTER SET latin1 COLLATE latin1_german1_ci" if is_mariadb() else ""
    number = {"mysql": "integer unsigned", "postgresql": "integer", "sqlite": "integer"}[connection.vendor]
    run(
        f'CREATE TABLE "legacy talk" (id {number} PRIMARY KEY, code varchar(10) {collation} NOT NULL UNIQUE)',
        f'CREATE TABLE "legacy_venue" ("key" varchar(20) {collation} PRIMARY KEY)',
        f'CREATE TABLE "legacy_seat" ("key" {"uuid" if is_postgres() else "char(36)"} PRIMARY KEY)',
        "INSERT INTO \"legacy talk\" VALUES (1, 'one'), (2, 'two')",
        "INSERT INTO \"legacy_venue\" VALUES ('hall')",
    )
    yield
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    for table in sorted(tables, key=lambda name: not name.startswith("legacy_note")):
        if table.startswith("legacy"):
            run(f'DROP TABLE "{table}"')


def key(to: Any = Talk, on_delete: Any = CASCADE, **options: Any) -> StormForeignKey:
    return StormForeignKey(to, on_delete=on_delete, **options)


def note(field: models.Field | None, name: str = "talk") -> CreateModel:
    fields: list[tuple[str, models.Field]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("n", models.IntegerField()),
    ]
    return CreateModel("Note", [*fields, (name, field)] if field is not None else fields)


def migrate(*operations: Operation, state: ProjectState | None = None) -> ProjectState:
    state = state or ProjectState()
    for operation in operations:
        after = state.clone()
        operation.state_forwards("legacy", after)
        with connection.schema_editor() as editor:
            operation.database_forwards("legacy", editor, state, after)
        state = after
    return state


def undo(operation: Operation, before: ProjectState, after: ProjectState) -> None:
    with connection.schema_editor() as editor:
        operation.database_backwards("legacy", editor, after, before)


def relations(table: str = "legacy_note") -> dict[str, tuple[str, str]]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_relations(cursor, table)
    return {column: (other[1], other[0]) for column, other in found.items()}


def columns(table: str = "legacy_note") -> set[str]:
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


def indexed(column: str, table: str = "legacy_note") -> bool:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    return any(each["columns"] == [column] and each["index"] for each in found.values())


def type_of(table: str, column: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(TYPES[connection.vendor], [table, column])
        return cursor.fetchone()


TO_TALK = {"talk_id": ("legacy talk", "id")}


class TestTheColumn:
    @pytest.mark.parametrize(
        ("field", "table", "column"),
        [
            (lambda: key(), "legacy talk", "id"),
            (lambda: key(to_field="code"), "legacy talk", "code"),
            (lambda: key(Venue), "legacy_venue", "key"),
            (lambda: key(Seat), "legacy_seat", "key"),
        ],
        ids=["int", "to_field", "unicode", "uuid"],
    )
    def test_it_has_the_type_of_the_column_that_it_points_at(self, field: Any, table: str, column: str) -> None:
        migrate(note(field()))
        assert relations() == {"talk_id": (table, column)}
        assert type_of("legacy_note", "talk_id") == type_of(table, column)
        assert indexed("talk_id")

    def test_it_may_be_given_another_type_and_no_constraint(self) -> None:
        migrate(note(key(Nowhere, column_type="smallint", db_constraint=False, db_index=False)))
        assert relations() == {}
        assert type_of("legacy_note", "talk_id")[0].startswith("smallint")
        assert not indexed("talk_id")

    def test_a_column_of_another_name(self) -> None:
        migrate(note(key(db_column="t")))
        assert relations() == {"t": ("legacy talk", "id")}

    def test_the_database_refuses_what_is_not_there(self) -> None:
        model = migrate(note(key())).apps.get_model("legacy", "Note")
        model.objects.create(n=1, talk_id=1)
        with pytest.raises(IntegrityError), atomic():
            model.objects.create(n=1, talk_id=99)

    def test_a_table_that_is_not_there_yet(self) -> None:
        with pytest.raises(
            ImproperlyConfigured, match=r"legacy\.Note\.talk points at .*Nowhere.* no column legacy_nowhere"
        ):
            migrate(note(key(Nowhere)))

    def test_what_the_database_does_itself(self) -> None:
        on_delete = getattr(models, "DB_CASCADE", None)
        if on_delete is None:
            pytest.skip("Django 6.1 has it.")
        state = migrate(note(key(on_delete=on_delete)))
        model = state.apps.get_model("legacy", "Note")
        model.objects.create(n=1, talk_id=1)
        run('DELETE FROM "legacy talk" WHERE id = 1')
        assert not model.objects.exists()
        migrate(AlterField("Note", "talk", key(on_delete=CASCADE)), state=state)
        model.objects.create(n=1, talk_id=2)
        with pytest.raises(IntegrityError), atomic():
            run('DELETE FROM "legacy talk" WHERE id = 2')


class TestChanges:
    def test_adding_and_removing(self) -> None:
        state = migrate(note(None))
        state.apps.get_model("legacy", "Note").objects.create(n=7)
        for field in (key(null=True), key(default=1), key(null=True, unique=True), key(null=True, db_index=False)):
            adding = AddField("Note", "talk", field, preserve_default=False)
            added = migrate(adding, state=state)
            assert relations() == TO_TALK
            assert added.apps.get_model("legacy", "Note").objects.get().n == 7
            undo(adding, state, added)
            assert columns() == {"id", "n"}
        assert relations() == {}

    @pytest.mark.parametrize(
        "options", [{"null": True}, {"unique": True}, {"db_index": False}, {"blank": True}, {"on_delete": DO_NOTHING}]
    )
    def test_an_option_and_back_again(self, options: dict[str, Any]) -> None:
        state = migrate(note(key()))
        model = state.apps.get_model("legacy", "Note")
        model.objects.create(n=7, talk_id=2)
        altering = AlterField("Note", "talk", key(**options))
        after = migrate(altering, state=state)
        assert relations() == TO_TALK
        undo(altering, state, after)
        assert relations() == TO_TALK
        assert model.objects.get().talk_id == 2

    def test_pointing_elsewhere(self) -> None:
        state = migrate(note(key(null=True)))
        altering = AlterField("Note", "talk", key(Venue, null=True))
        after = migrate(altering, state=state)
        assert relations() == {"talk_id": ("legacy_venue", "key")}
        assert type_of("legacy_note", "talk_id") == type_of("legacy_venue", "key")
        if not is_postgres():  # which cannot cast a string to a number by itself, for no field of Django's either
            undo(altering, state, after)
            assert relations() == TO_TALK

    def test_pointing_elsewhere_by_another_name(self) -> None:
        state = migrate(note(key(to_field="code", null=True)))
        state.apps.get_model("legacy", "Note").objects.create(n=7)
        migrate(AlterField("Note", "talk", key(Venue, null=True, db_column="venue")), state=state)
        assert relations() == {"venue": ("legacy_venue", "key")}

    def test_the_constraint_off_and_on(self) -> None:
        state = migrate(note(key()))
        altering = AlterField("Note", "talk", key(db_constraint=False))
        after = migrate(altering, state=state)
        assert relations() == {}
        assert indexed("talk_id")
        undo(altering, state, after)
        assert relations() == TO_TALK

    def test_from_and_to_a_plain_column(self) -> None:
        state = migrate(note(models.BigIntegerField(db_column="talk_id")))
        model = state.apps.get_model("legacy", "Note")
        model.objects.create(n=7, talk=2)
        altering = AlterField("Note", "talk", key())
        after = migrate(altering, state=state)
        assert relations() == TO_TALK
        assert type_of("legacy_note", "talk_id") == type_of("legacy talk", "id")
        undo(altering, state, after)
        assert relations() == {}
        assert model.objects.get().talk == 2

    def test_other_names(self) -> None:
        state = migrate(note(key()))
        state = migrate(RenameField("Note", "talk", "lecture"), state=state)
        assert relations() == {"lecture_id": ("legacy talk", "id")}
        state = migrate(RenameModel("Note", "Notebook"), state=state)
        assert relations("legacy_notebook") == {"lecture_id": ("legacy talk", "id")}
        migrate(DeleteModel("Notebook"), state=state)

    def test_other_fields_and_indexes_leave_it_alone(self) -> None:
        state = migrate(note(key()))
        state.apps.get_model("legacy", "Note").objects.create(n=7, talk_id=2)
        operations = [
            AlterField("Note", "n", models.CharField(max_length=10, null=True)),
            AddField("Note", "m", models.IntegerField(default=3)),
            AlterUniqueTogether("Note", {("talk", "n")}),
            AddIndex("Note", models.Index(fields=["talk", "m"], name="legacy_talk_m")),
            AlterUniqueTogether("Note", set()),
            RemoveField("Note", "n"),
        ]
        state = migrate(*operations, state=state)
        assert relations() == TO_TALK
        assert state.apps.get_model("legacy", "Note").objects.get().talk_id == 2


class TestMigrations:
    def test_historical_models_give_and_take_storm_objects(self) -> None:
        from djintegrate.storm_backend import get_store

        model = migrate(note(key())).apps.get_model("legacy", "Note")
        with atomic():
            talk = get_store("main").get(Talk, 2)
            model.objects.create(n=1, talk=talk)
            assert model.objects.get(talk=talk).talk is talk
            get_store("main").reset()

    def test_a_class_is_named_by_its_path_and_imported_later(self) -> None:
        field = key("no.such.module.Session", to_field="code", column_type="text", db_constraint=False, db_index=False)
        text, imports = MigrationWriter.serialize(field)
        assert "import djintegrate.storm_backend.references" in imports
        assert text.startswith("djintegrate.storm_backend.references.StormForeignKey(")
        for part in ("to='no.such.module.Session'", "on_delete=django.db.models.deletion.CASCADE", "db_index=False"):
            assert part in text
        clone = field.clone()
        assert clone.deconstruct()[1:] == field.deconstruct()[1:]
        assert MigrationWriter.serialize(key())[0] == (
            "djintegrate.storm_backend.references.StormForeignKey"
            f"(on_delete=django.db.models.deletion.CASCADE, to='{__name__}.Talk')"
        )

    def test_makemigrations_finds_nothing_new(self) -> None:
        call_command("makemigrations", "sprints", check=True, dry_run=True, verbosity=0)

    def test_sqlmigrate_shows_the_constraint(self) -> None:
        out = StringIO()
        call_command("sqlmigrate", "sprints", "0002", stdout=out)
        quote = connection.ops.quote_name
        assert f"REFERENCES {quote('sprints_sessionrow')} ({quote('id')})" in out.getvalue()
        assert is_sqlite() or is_mariadb() or "bigint" in out.getvalue()
