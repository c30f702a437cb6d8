"""Files that are created, moved and deleted by the transaction, or not at all."""

from __future__ import annotations

from .exceptions import PathLocked, TransactionError, Undecided
from .storage import TransactionalStorage
from .verbs import Transaction, transaction

__all__ = ["PathLocked", "Transaction", "TransactionError", "TransactionalStorage", "Undecided", "transaction"]
