"""What a request has left open is aborted when the request ends, and said in the log: aloud, if anything was written.

The AppConfig connects these functions to Django's signals. A transaction in which a test calls its client stays.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from django.conf import settings

from djintegrate.common.engine import MIDDLEWARE

from . import thread

# What to do, where the request is no transaction, and where it was one, which has ended.
NOWHERE = f"Put {MIDDLEWARE} first in MIDDLEWARE, or call transaction.commit() or abort() where the work is done."
AFTERWARDS = (
    "What comes after the request's own transaction, a callback of on_commit() or a streaming response, say, needs "
    "`with transaction.manager:` around it."
)

logger = logging.getLogger("djintegrate.storm_backend")


class Request(threading.local):
    """The request that this thread serves."""

    # Whether a test's client has made the request.
    is_in_test = False
    # The transaction that was there when the request began.
    around: Any = None


def note_what_is_open(sender: Any, **kwargs: Any) -> None:
    """A request begins."""
    here = thread.current()
    _request.is_in_test = getattr(sender, "__module__", None) == "django.test.client"
    if not _request.is_in_test:
        _abort(here, None)
    _request.around = here.manager._txn


def abort_what_is_left(**kwargs: Any) -> None:
    """A request has ended."""
    around, _request.around = _request.around, None
    _abort(thread.current(), around)


def keep_what_is_open() -> None:
    """A request is over that was in a transaction of somebody else's: in that one, or in one that has followed it."""
    if _request.around is not None:
        _request.around = thread.current().manager._txn


def _abort(here: thread.ThreadTransactions, around: Any) -> None:
    for connection in list(here.connections.values()):
        data_manager = connection.data_manager
        if data_manager is not None and not here.has_begun(data_manager):
            # It is of another thread, which shares the connection and serves the next request.
            continue
        if _request.is_in_test and connection.open_blocks():
            # The block is the test's, around its client.
            continue
        if data_manager is not None and data_manager.txn is not around:
            _tell_of(data_manager)
            _end(data_manager.txn)
        if data_manager is not connection.data_manager or connection.open_blocks():
            # Django has asked this before, and was not heard because of the transaction.
            connection.close_after_request()
        elif connection.goes_round and not _request.is_in_test:
            # Django asks those in DATABASES, and a store may have no entry there.
            connection.close_if_unusable_or_obsolete()
    if here.begun is not None and here.begun is not around:
        # Begun, and without a statement on any of these connections.
        _end(here.begun)


def _tell_of(data_manager: Any) -> None:
    is_first = list(settings.MIDDLEWARE[:1]) == [MIDDLEWARE]
    remedy = AFTERWARDS if is_first else f"{NOWHERE} {AFTERWARDS}"
    if data_manager.has_something_to_lose:
        logger.error(
            "A transaction on the store %r was neither committed nor aborted by the request that it was open in. It is "
            "aborted now. %s",
            data_manager.name,
            remedy,
        )
    else:
        logger.info(
            "A transaction on the store %r, in which nothing was written, is open where its request ends. It is "
            "aborted now. %s",
            data_manager.name,
            remedy,
        )


def _end(txn: Any) -> None:
    # The request does not go on.
    thread.current().request = None
    try:
        txn.abort()
    except Exception:
        # Whoever sends the signal goes on.
        logger.exception("A transaction that a request has left open was aborted with an error.")


_request = Request()
