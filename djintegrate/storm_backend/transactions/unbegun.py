"""The transaction that nobody has begun: where Django's own machinery runs code in autocommit, it ends with that code.

Storm begins it with its first statement. What Django writes after that, that a migration is applied say, is in it too.
"""

from __future__ import annotations

from typing import Any

from . import thread


def current() -> Any | None:
    """The transaction that is there, and neither begun nor a block of Django's; None if there is no such."""
    here = thread.current()
    txn = here.manager._txn
    if txn is here.begun or any(each.open_blocks() or each.is_manual() for each in here.connections.values()):
        return None
    return txn


def commit(but: Any | None = None) -> None:
    """Commit it, unless it is `but`."""
    txn = current()
    if txn is not None and txn is not but:
        thread.end(txn, commit=True)


def abort(but: Any | None = None) -> None:
    """Abort it, unless it is `but`."""
    txn = current()
    if txn is not None and txn is not but:
        thread.end(txn, commit=False)
