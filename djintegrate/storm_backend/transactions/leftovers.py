"""What a request has left open is aborted when the request ends, and said in the log.

The AppConfig connects these functions to Django's signals. A transaction in which a test calls its client stays.
"""

from __future__ import annotations

import logging
from typing import Any

from . import thread

MIDDLEWARE = "djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"

logger = logging.getLogger("djintegrate.storm_backend")


def note_what_is_open(sender: Any, **kwargs: Any) -> None:
    """A request begins."""
    here = thread.current()
    if getattr(sender, "__module__", None) != "django.test.client":
        _abort(here, None)
    here.around_request = here.manager._txn


def abort_what_is_left(**kwargs: Any) -> None:
    """A request has ended."""
    here = thread.current()
    around, here.around_request = here.around_request, None
    _abort(here, around)


def _abort(here: thread.ThreadTransactions, around: Any) -> None:
    for connection in list(here.connections.values()):
        if connection.data_manager is None and not (connection.in_atomic_block and connection.open_blocks()):
            continue
        data_manager = connection.data_manager
        if data_manager is not None:
            if data_manager.txn is around:
                continue
            logger.error(
                "A transaction on the store %r was neither committed nor aborted by the request that it was open in. "
                "It is aborted now. Put %s first in MIDDLEWARE, or call transaction.commit() or abort() where the work "
                "is done.",
                connection.store_name,
                MIDDLEWARE,
            )
            data_manager.txn.abort()
        # Django has asked this before, and was not heard because of the transaction.
        connection.close_after_request()
    if here.begun is not None and here.begun is not around:
        # Begun, and without a statement on any of these connections.
        here.begun.abort()
