"""Django's flush, which empties a database that may be in the middle of a transaction: a TransactionTestCase calls it.

A transaction in which a test has met an error takes no more statements, and flush begins with a query.
"""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush

from djintegrate.storm_backend.connection.testing import abort_what_is_open
from djintegrate.storm_backend.transactions import unbegun


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        abort_what_is_open()
        super().handle(**options)
        # Receivers of post_migrate may have used a store.
        unbegun.commit()
