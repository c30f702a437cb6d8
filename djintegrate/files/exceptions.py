"""What a transaction of files raises. Errors of the file system and of storages are passed on as they are."""

from __future__ import annotations

from transaction.interfaces import TransientError


class TransactionError(Exception):
    """A change of a file that cannot be part of the transaction."""


class PathLocked(TransactionError, TransientError):
    """Another transaction uses the file, and did not end within FILES_LOCK_TIMEOUT. A later attempt may succeed."""


class Undecided(TransactionError):
    """A transaction could not be ended: its process died, say, and the database cannot say yet if it committed."""
