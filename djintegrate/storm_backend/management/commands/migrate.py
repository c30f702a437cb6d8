"""Django's migrate, in which a store may be used outside of a transaction: by receivers of its signals, say.

It runs in autocommit. A transaction that nobody has begun is committed before each step, and so does not hold what the
steps after that do, and what Django notes of them. Within a migration the schema editor sees to that.
"""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from djintegrate.storm_backend.transactions import unbegun


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        unbegun.commit()
        super().handle(*args, **options)
        unbegun.commit()

    def migration_progress_callback(self, action: Any, *args: Any, **kwargs: Any) -> None:
        unbegun.commit()
        super().migration_progress_callback(action, *args, **kwargs)
