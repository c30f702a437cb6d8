"""The column of a `references.StormForeignKey` in the database: its type, and its constraint.

The type is that of the column it points at, which is looked up. Never makes or changes a table of Storm's. And the
schema editor of a migration that is no transaction, in which an operation may use a store.
"""

from __future__ import annotations

import sys
from typing import Any

from django.apps import apps

from djintegrate.common.errors import Misconfigured

from .. import conf
from ..sql import catalogue
from ..transactions import unbegun

TYPES = {
    "sqlite": "SELECT type, NULL FROM pragma_table_info(%s) WHERE name = %s",
    "postgresql": (
        "SELECT format_type(atttypid, atttypmod), NULL FROM pg_attribute "
        "WHERE attrelid = to_regclass(quote_ident(%s)) AND attname = %s AND NOT attisdropped"
    ),
    # A foreign key wants the very same type here, signs and collations included.
    "mysql": (
        "SELECT column_type, collation_name FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND table_name = %s AND column_name = %s"
    ),
}


def type_of_target(field: Any, connection: Any) -> dict[str, Any]:
    """The type, and the collation if it has one, of the column that `field` points at."""
    table, column = field.target.table, field.target.column.name
    with connection.cursor() as cursor:
        cursor.execute(TYPES[connection.vendor], [table, column])
        row = cursor.fetchone()
    if row is None:
        raise Misconfigured(
            f"{field} points at {field.to}, and the database {connection.alias!r} has no column {table}.{column}. "
            f"{_how_to_make_table(table, connection)} Or give the field a column_type, and db_constraint=False."
        )
    return {"type": row[0], "collation": row[1]} if row[1] else {"type": row[0]}


def _how_to_make_table(table: str, connection: Any) -> str:
    for model in apps.get_models():
        if model._meta.managed and model._meta.db_table == table:
            return (
                f"The model {model._meta.label} makes that table: move CreateModel({model.__name__!r}) before this "
                "operation, or let this migration depend on the one that has it."
            )
    name = getattr(connection, "store_name", None)
    if name is None or conf.store(name).schema is None:
        return "Make Storm's table before this migration runs: in another migration, say, that this one depends on."
    operation = f"djintegrate.storm_backend.schema.operations.ApplySchema({name!r})"
    return f"Write {operation} before this operation in the migration, and atomic = False."


def constraint_sql(field: Any, connection: Any) -> str:
    """What follows the column's type."""
    quote = connection.ops.quote_name
    parts = [f"REFERENCES {quote(field.target.table)} ({quote(field.target.column.name)})"]
    operation = getattr(field.on_delete, "operation", None)
    if operation is not None:
        # Django 6.1's DB_CASCADE and so on.
        parts.append(connection.ops.fk_on_delete_sql(operation).strip())
    if connection.vendor != "mysql":
        # As Django has its own: looked at when the transaction is committed.
        parts.append("DEFERRABLE INITIALLY DEFERRED")
    return " ".join(parts)


class ReferenceSchemaEditor:
    """Mixed in before the schema editor of a native backend: keeps these constraints where columns change.

    Where a migration is no transaction, and Storm has begun one in an operation, it ends with that operation. Else the
    operations after it, and that the migration was applied, would be in a transaction that nobody commits.
    """

    connection: Any
    _is_atomic = False
    # What was open before the schema editor, and is not its to end.
    _before: Any = None

    @property
    def atomic_migration(self) -> bool:
        """Django's name. A migration asks for it before each operation."""
        self._end_unbegun()
        return self._is_atomic

    @atomic_migration.setter
    def atomic_migration(self, is_atomic: bool) -> None:
        self._is_atomic = is_atomic

    def __enter__(self) -> Any:
        self._before = unbegun.current()
        return super().__enter__()  # type: ignore[misc]

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> Any:
        try:
            self._end_unbegun(succeeded=kind is None)
        except BaseException:
            super().__exit__(*sys.exc_info())  # type: ignore[misc]
            raise
        else:
            return super().__exit__(kind, error, traceback)  # type: ignore[misc]
        finally:
            # What cascades, and which triggers there are, may be different from now on.
            catalogue.forget(self.connection)

    def remove_field(self, model: Any, field: Any) -> None:
        if _has_constraint(field):
            if self.connection.vendor == "sqlite":
                self._remake_table(model, delete_field=field)  # type: ignore[attr-defined]
                return
            self._drop_constraints(model, field)
        super().remove_field(model, field)  # type: ignore[misc]

    def _alter_field(self, model: Any, old_field: Any, new_field: Any, *args: Any, **kwargs: Any) -> None:
        old, new = self._constraint_of(old_field), self._constraint_of(new_field)
        if self.connection.vendor == "sqlite" and old != new:
            # Where the column gets another name as well, Django would do no more than that.
            self._remake_table(model, alter_fields=[(old_field, new_field)])  # type: ignore[attr-defined]
            return
        changes = self.connection.vendor != "sqlite" and self._field_should_be_altered(  # type: ignore[attr-defined]
            old_field, new_field, ignore={"db_comment"}
        )
        if changes and old:
            self._drop_constraints(model, old_field)
        super()._alter_field(model, old_field, new_field, *args, **kwargs)  # type: ignore[misc]
        if changes and new:
            quote = self.connection.ops.quote_name
            self.execute(  # type: ignore[attr-defined]
                f"ALTER TABLE {quote(model._meta.db_table)} ADD FOREIGN KEY ({quote(new_field.column)}) {new}"
            )

    def _end_unbegun(self, succeeded: bool = True) -> None:
        if not self._is_atomic:
            (unbegun.commit if succeeded else unbegun.abort)(but=self._before)

    def _constraint_of(self, field: Any) -> str | None:
        return constraint_sql(field, self.connection) if _has_constraint(field) else None

    def _drop_constraints(self, model: Any, field: Any) -> None:
        for name in self._constraint_names(model, [field.column], foreign_key=True):  # type: ignore[attr-defined]
            self.execute(self._delete_fk_sql(model, name))  # type: ignore[attr-defined]


def _has_constraint(field: Any) -> bool:
    return bool(getattr(field, "has_storm_constraint", False))
