"""A savepoint for one statement that a constraint may refuse, where there is a transaction that it could spoil."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from django.db import models, router, transaction


def undone_alone(model: type[models.Model]) -> AbstractContextManager[object]:
    """Outside of a transaction the statement is a transaction of its own, and needs no savepoint."""
    connection = transaction.get_connection(router.db_for_write(model))
    return transaction.atomic(connection.alias) if connection.in_atomic_block else nullcontext()
