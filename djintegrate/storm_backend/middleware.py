"""One request, one transaction: ZopeTransactionMiddleware, for WSGI and ASGI.

Put it first in MIDDLEWARE, so that what the other middleware does is inside as well. It never touches a database
itself; a request that uses none costs next to nothing.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import transaction
from asgiref.sync import sync_to_async
from django.core.handlers.wsgi import LimitedStream
from django.core.signals import got_request_exception
from django.db.transaction import TransactionManagementError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import LazyObject, empty

from . import busy, conf
from .replicas import requests
from .transactions import leftovers, thread

# Seconds before the last attempt; less before the others.
LONGEST_PAUSE = 0.2
BODY_KEPT_IN_MEMORY = 1024 * 1024


def default_commit_veto(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Refuse the commit of a 4xx or 5xx response; a header `X-Tm` has the last word."""
    wish = response.headers.get("X-Tm")
    if wish is not None:
        return wish.lower() != "commit"
    return response.status_code >= 400


class ZopeTransactionMiddleware(MiddlewareMixin):
    """Begins a transaction, runs the request in it, and commits or aborts."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self.commit_safe_methods = conf.commit_safe_methods()
        self.commit_veto = conf.commit_veto()
        self.attempts = conf.retry_attempts()
        # Of the stores that have replicas.
        self.sticky_seconds = requests.sticky_seconds()
        got_request_exception.connect(_note_reported, dispatch_uid=_note_reported)
        if self.sticky_seconds:
            logging.getLogger("django.request").addFilter(_is_final)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if _is_attempted(request):
            # The middleware is there twice. All is left to the outer one.
            return self.get_response(request)
        if self.async_mode:
            return self.__acall__(request)
        again: Attempt | None = self._begin(request)
        while again is not None:
            attempt = again
            try:
                response: HttpResponseBase = self.get_response(attempt.request)
                again = self._finish(attempt, response)
            except BaseException as error:
                again = self._fail(attempt, error)
                if again is None:
                    raise
        return self._said(attempt, response)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        # All synchronous code of one request runs in one thread, in which its transaction is. Requests that share a
        # thread, those of an AsyncClient say, take turns.
        turn = asyncio.Event()  # set when it is over
        while isinstance(again := await sync_to_async(self._begin)(request, turn), asyncio.Event):
            await again.wait()
        _turn.set(turn)
        try:
            while again is not None:
                attempt = again
                try:
                    response: HttpResponseBase = await self.get_response(attempt.request)
                    again = await sync_to_async(self._finish)(attempt, response)
                except BaseException as error:
                    again = await sync_to_async(self._fail)(attempt, error)
                    if again is None:
                        raise
            return self._said(attempt, response)
        finally:
            turn.set()

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        attempt = _note(request, error)
        # Nobody sees the response: it keeps Django from reporting an error that the next attempt may well not have.
        if attempt is not None and attempt.may_run_again(error):
            return HttpResponse(status=503)
        return busy.answer(error)

    def _begin(self, request: HttpRequest, turn: asyncio.Event | None = None) -> Any:
        """The first attempt at the request; or the turn of another request, which has to be over before."""
        here = thread.current()
        if here.begun is None:
            reading = requests.Reading(self.sticky_seconds) if self.sticky_seconds else None
            attempt: Attempt = Attempt(request, self.attempts - 1, reading=reading)
            here.turn = turn
        elif turn is not None and here.turn not in (None, _turn.get()) and not here.turn.is_set():
            # The thread serves another request, and not one in which this one is made.
            return here.turn
        else:
            attempt = NestedAttempt(request)
        attempt.begin()
        return attempt

    def _finish(self, attempt: Attempt, response: HttpResponseBase) -> Attempt | None:
        """End the transaction. The next attempt, if there is to be one."""
        reading = attempt.reading
        if attempt.error is not None or (reading and reading.must_run_again):
            return self._fail(attempt, attempt.error)
        if self._may_commit(attempt.request, response):
            attempt.commit()
            if reading and reading.must_run_again and not reading.wrote:
                # A callback of on_commit() was refused.
                return attempt.next()
        else:
            attempt.abort()
        attempt.close_with(response)
        return None

    def _fail(self, attempt: Attempt, error: BaseException | None) -> Attempt | None:
        """Abort. The next attempt, if there is to be one."""
        # A data manager knows only before the abort whether it would retry.
        again = attempt.may_run_again(error)
        attempt.is_over = True
        try:
            attempt.abort()
        finally:
            attempt.stop_reading()
        return attempt.next() if again else None

    def _said(self, attempt: Attempt, response: HttpResponseBase) -> HttpResponseBase:
        """The response; or that the site is too busy, where other middleware has made something else of that."""
        if attempt.error is None or response.status_code == 503:
            return response
        return busy.answer(attempt.error) or response

    def _may_commit(self, request: HttpRequest, response: HttpResponseBase) -> bool:
        if thread.current().refuses_commit():
            return False
        if request.method in requests.SAFE_METHODS and not self.commit_safe_methods:
            return False
        return self.commit_veto is None or not self.commit_veto(request, response)


class ViewErrorMiddleware(MiddlewareMixin):
    """Last in MIDDLEWARE, it notes a view's exception before other middleware makes a page of it."""

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        _note(request, error)


class Attempt:
    """One run of a request in a transaction of its own."""

    is_over = False

    def __init__(
        self, request: HttpRequest, left: int = 0, body: Any = None, reading: requests.Reading | None = None
    ) -> None:
        """`left` is how often it may still run after this; `body` is what an attempt before this one has kept.

        `reading` is what it reads from, where there are replicas: it may run once more for that reason.
        """
        self.request = request
        self.error: BaseException | None = None
        self._left = left
        self._body = body
        self.reading = reading
        if left or (reading and reading.may_run_again):
            self._body = body or _take_body(request)
            self._pristine = _copy(request)

    def begin(self) -> None:
        self.request._storm_attempt = self
        transaction.begin()
        thread.current().open(self)
        if self.reading:
            self.reading.begin(self.request)

    def is_in(self, txn: Any) -> None:
        txn.description = self.request.path

    def before_commit(self) -> None:
        if self.reading and self.reading.must_run_again:
            raise TransactionManagementError(
                "A replica has failed this request, which runs again on the primary: nothing of this run is committed."
            )

    def has_committed(self) -> None:
        # What it has done so far would be done twice if it ran again.
        self._left = 0
        if self.reading:
            self.reading.stay_on_primary()

    def commit(self) -> None:
        self.leave()
        user = _user_name(self.request)
        if user is not None:
            transaction.get().user = user
        transaction.commit()

    def abort(self) -> None:
        self.leave()
        transaction.abort()

    def leave(self) -> None:
        """No other transaction follows this one."""
        thread.current().request = None

    def close_with(self, response: HttpResponseBase) -> None:
        """Be done; and when the response is closed, close what its request has open, as Django does for its own."""
        del self.request._storm_attempt  # A reference cycle, of all that a request has.
        if self._body is not None:
            response._resource_closers += [self.request.close, self._body.close]
        self.stop_reading()
        if self.reading:
            self.reading.pin(response)

    def stop_reading(self) -> None:
        """What runs after this is none of the request's, and reads from the primary. Safe to call again."""
        if self.reading:
            self.reading.end()

    def may_run_again(self, error: BaseException | None) -> bool:
        if self.reading and self.reading.must_run_again:
            return True
        return self._left > 0 and bool(transaction.get().isRetryableError(error))

    def next(self) -> Attempt:
        """Begin another run of the same request, as it was before this one."""
        left, reading = self._left, self.reading
        self.stop_reading()
        if reading and reading.must_run_again:
            reading = reading.on_primary()
        else:
            left -= 1
            # Whoever holds the lock gets time to finish, and two who met do not meet again at once.
            time.sleep(random.uniform(0, LONGEST_PAUSE / max(self._left, 1)))
        thread.current().reset_stores()
        self.request.close()
        _give_body(self._pristine, self._body)
        attempt = Attempt(self._pristine, left, self._body, reading)
        attempt.begin()
        return attempt


class NestedAttempt(Attempt):
    """A request that is made in a begun transaction, by a test in `with transaction.manager:` say: a savepoint."""

    def begin(self) -> None:
        self.request._storm_attempt = self
        here = thread.current()
        self._around = here.request
        here.open(self)

    def is_in(self, txn: Any) -> None:
        self._savepoint = txn.savepoint(optimistic=True)

    def before_commit(self) -> None:
        if self._around:
            self._around.before_commit()

    def has_committed(self) -> None:
        if self._around:
            self._around.has_committed()

    def commit(self) -> None:
        """Nothing: who has begun the transaction commits it."""
        self.leave()

    def abort(self) -> None:
        self.leave()
        if self._savepoint.valid:
            self._savepoint.rollback()

    def leave(self) -> None:
        thread.current().request = self._around
        leftovers.keep_what_is_open()


def _is_attempted(request: HttpRequest) -> bool:
    """Whether a transaction is open for just this request."""
    attempt = vars(request).get("_storm_attempt")
    return attempt is not None and not attempt.is_over


def _note(request: HttpRequest | None, error: BaseException | None) -> Attempt | None:
    """The request's attempt, which has failed: by this error, unless there was another before."""
    # Other middleware may have handed on a request of its own making, which has no attempt.
    attempt: Attempt | None = getattr(request, "_storm_attempt", None)
    if attempt is not None and attempt.error is None:
        attempt.error = error
    return attempt


def _note_reported(sender: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
    # An error in other middleware reaches ZopeTransactionMiddleware as a response with status 500.
    _note(request, sys.exc_info()[1])


def _is_final(record: logging.LogRecord) -> bool:
    """Not what Django says of an attempt that a replica has failed: of other middleware's, saving a session say."""
    attempt = getattr(getattr(record, "request", None), "_storm_attempt", None)
    return not (attempt and attempt.reading and attempt.reading.must_run_again)


def _copy(request: HttpRequest) -> HttpRequest:
    copied = copy.copy(request)
    copied.META = request.META.copy()
    if hasattr(copied, "environ"):
        copied.environ = copied.META
    return copied


def _take_body(request: HttpRequest) -> Any:
    body = tempfile.SpooledTemporaryFile(max_size=BODY_KEPT_IN_MEMORY)  # noqa: SIM115 (closed with the response)
    shutil.copyfileobj(request, body)
    _give_body(request, body)
    return body


def _give_body(request: HttpRequest, body: Any) -> None:
    # What Django's handlers do. A request closes what it has read to the end, and the body is to be read again: the
    # stream around it can be closed alone.
    body.seek(0, os.SEEK_END)
    size = body.tell()
    body.seek(0)
    request._stream = LimitedStream(body, size)
    request._read_started = False


def _user_name(request: HttpRequest) -> str | None:
    """The user's name, if the user was loaded before: to load one now would cost a query."""
    user = getattr(request, "user", None)
    if user is None or (isinstance(user, LazyObject) and user._wrapped is empty):
        return None
    return str(user.get_username()) if user.is_authenticated else None


# The turn of the request that this code runs for.
_turn: ContextVar[asyncio.Event | None] = ContextVar("turn", default=None)
