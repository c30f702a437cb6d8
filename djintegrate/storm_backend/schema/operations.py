"""What a migration says of a store's schema: that it has to be there by now."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

from djintegrate.common.errors import Misconfigured

from .. import conf
from ..stores.registry import alias_of
from .steps import SchemaError, StoreSchema


class ApplySchema(Operation):
    """`ApplySchema("main")`: brings the schema of this store up to date, as `storm_schema apply` does.

    For a migration with `atomic = False`, before the operations that need Storm's tables. Nothing undoes it.
    """

    reduces_to_sql = False

    def __init__(self, store: str) -> None:
        self.store = store

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing: Storm's tables are no models."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._refuse_plain_store()
        connection = schema_editor.connection
        if getattr(connection, "store_name", None) != self.store:
            return
        if connection.in_atomic_block:
            raise SchemaError(
                f"{self!r} is in a migration of {app_label!r} that is one transaction, and each step of a schema is a "
                "transaction of its own. Write `atomic = False` in the class Migration."
            )
        StoreSchema(self.store).apply(say=lambda line: None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Nothing: Storm's tables stay."""

    def describe(self) -> str:
        return f"Apply the schema of the store {self.store!r}"

    @property
    def migration_name_fragment(self) -> str:
        return f"schema_of_{self.store}"

    def __repr__(self) -> str:
        return f"ApplySchema({self.store!r})"

    def _refuse_plain_store(self) -> None:
        conf.store(self.store)
        if alias_of(self.store) is None:
            raise Misconfigured(
                f"{self!r} names a store that no entry of DATABASES names, so no migration runs in its database. "
                f"Remove it, and run: manage.py storm_schema apply {self.store}"
            )
