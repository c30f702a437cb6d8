"""Turns Django's errors of a statement into Storm's. Never the other way round: Django does that itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import django.db
from django.db.transaction import TransactionManagementError
from storm.database import Database
from storm.exceptions import wrap_exceptions


@contextmanager
def storm_errors(database: Database) -> Iterator[None]:
    """Turn Django's errors into those that Storm's callers expect, made from the driver's."""
    with wrap_exceptions(database):
        try:
            yield
        except django.db.Error as error:
            cause = error.__cause__
            # Otherwise it is nothing that a driver said, but Django, or a wrapper around the statement.
            if isinstance(error, TransactionManagementError) or not isinstance(cause, database._exception_module.Error):
                raise
            raise cause from cause.__cause__
