"""What was read becomes answers: each call with its caller, its parameters and its transaction.

Whatever a client sends, and whatever a function raises, has an answer, or none where none is wanted.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousFileOperation, SuspiciousOperation, ValidationError
from django.http import Http404

from . import conf
from .authentication import Callers
from .errors import Forbidden, InternalError, InvalidParams, InvalidRequest, JSONRPCError, MethodNotFound, NotFound
from .methods import Method, name_places
from .parameters.converters import Caller
from .protocol.messages import Call, Envelope, Malformed, call_of, error_answer, result_answer
from .protocol.writing import encode, encode_with_marks
from .transactions import RequestTransaction, Savepoint, runs_again

logger = logging.getLogger("djintegrate.jsonrpc")


class Refused(Exception):
    """A call of a batch has failed; what it did is undone when this leaves its savepoint."""

    def __init__(self, answer: str) -> None:
        self.answer = answer


class Calls:
    """The calls of one request, to the methods of one site."""

    def __init__(self, methods: Mapping[str, Method], request: Any) -> None:
        self._methods = methods
        self._request = request
        self._callers = Callers(request)
        # What the middleware around the request wants to see, to run it again.
        self._retried: Exception | None = None

    def answer(self, message: Any) -> str:
        """The text of the answer, or of the array of answers; empty where nobody wants one."""
        try:
            return self._answer(message)
        finally:
            self._callers.leave()

    def _answer(self, message: Any) -> str:
        if not isinstance(message, list):
            return self._single(message)
        if not message:
            return self._wrong_batch("the batch is empty")
        if len(message) > conf.max_batch():
            return self._wrong_batch(f"the batch has {len(message)} calls, and may have {conf.max_batch()}")
        return self._batch(message)

    def refuse(self, error: JSONRPCError, envelope: Envelope | None = None) -> str:
        """The answer to what was never a call. It too aborts the request's transaction."""
        with RequestTransaction() as work:
            work.doom()
        return error_text(envelope or Envelope(), error)

    def _wrong_batch(self, why: str) -> str:
        return self.refuse(InvalidRequest(message=f"Invalid Request: {why}"))

    def _single(self, entry: Any) -> str:
        try:
            with RequestTransaction() as work:
                try:
                    return self._run(entry, work)
                except Refused as refused:
                    work.doom()
                    return refused.answer
        except Exception as error:
            return self._lost([entry], error)[0]

    def _batch(self, entries: list[Any]) -> str:
        try:
            with RequestTransaction() as work:
                answers = [self._in_savepoint(entry, work) for entry in entries]
                # No savepoint undoes transaction.doom(), say: then nothing was done by the calls before, either.
                work.settle()
        except Exception as error:
            answers = self._lost(entries, error)
        wanted = [answer for answer in answers if answer]
        return f"[{', '.join(wanted)}]" if wanted else ""

    def _in_savepoint(self, entry: Any, work: RequestTransaction) -> str:
        try:
            with work.savepoint() as savepoint:
                return self._run(entry, savepoint)
        except Refused as refused:
            return refused.answer

    def _lost(self, entries: list[Any], error: Exception) -> list[str]:
        """The answers where the common transaction could not be begun or committed: nothing was done."""
        if error is self._retried:
            raise error
        logger.error("A transaction of JSON-RPC calls failed", exc_info=error)
        answers = []
        for entry in entries:
            try:
                envelope = call_of(entry).envelope
            except Malformed as malformed:
                answers.append(error_text(malformed.envelope, malformed.error))
            else:
                answers.append(error_text(envelope, internal(error)) if envelope.wants_answer else "")
        return answers

    def _run(self, entry: Any, work: RequestTransaction | Savepoint) -> str:
        """The answer, or nothing to a notification. Refused, with the answer, where it is an error."""
        try:
            call = entry if isinstance(entry, Call) else call_of(entry)
        except Malformed as malformed:
            raise Refused(error_text(malformed.envelope, malformed.error)) from None
        try:
            result = self._result(call)
            work.settle()
        except Exception as error:
            if runs_again(self._request, error):
                self._retried = error
                raise
            raise Refused(self._failed(call, error)) from None
        return result_answer(call.envelope, result) if call.envelope.wants_answer else ""

    def _result(self, call: Call) -> str:
        method = self._methods.get(call.method)
        if method is None:
            raise MethodNotFound(message=f"Method not found: {call.method[:100]}")
        places = name_places(call, method)
        params = self._callers.let_in(method, call.params)
        arguments, named = method.signature.bind(params, Caller(self._request, call.is_get, places))
        # Within the transaction: a query that has not run yet runs here.
        return encode(method.run(self._request, arguments, named))

    def _failed(self, call: Call, error: Exception) -> str:
        told = told_error(error)
        known = call.method in self._methods
        if isinstance(error, SuspiciousOperation):
            # Where Django, which answers a page of it with 400, says it.
            suspicions = logging.getLogger(f"django.security.{type(error).__name__}")
            suspicions.error("The JSON-RPC method %s: %s", call.method if known else "?", error, exc_info=error)
        elif isinstance(told, InternalError) and not isinstance(error, JSONRPCError):
            logger.error("The JSON-RPC method %s failed", call.method if known else "?", exc_info=error)
        elif not call.envelope.wants_answer:
            logger.warning("A notification of %s failed: %r", call.method if known else "an unknown method", str(told))
        return error_text(call.envelope, told) if call.envelope.wants_answer else ""


def told_error(error: Exception) -> JSONRPCError:
    """What the client hears of an error: only what was meant for it."""
    if isinstance(error, JSONRPCError):
        return error
    if isinstance(error, PermissionDenied):
        return Forbidden()
    if isinstance(error, Http404):
        return NotFound()
    if isinstance(error, ValidationError):
        data = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
        said = " ".join(message for messages in data.values() for message in messages)
        return InvalidParams(message=f"Invalid params: {said}", data=data)
    # Their own words may name folders of the server's.
    if isinstance(error, SuspiciousFileOperation):
        return InvalidParams(message="Invalid params: a file cannot have such a name", data=_inside(error))
    if isinstance(error, SuspiciousOperation):
        return InvalidRequest(message="Invalid Request: it was refused as suspicious", data=_inside(error))
    return internal(error)


def internal(error: Exception) -> InternalError:
    return InternalError(data=_inside(error))


def _inside(error: Exception) -> dict[str, str] | None:
    """What only those hear who develop the site."""
    if not settings.DEBUG:
        return None
    said = "".join(traceback.format_exception_only(type(error), error)).strip()
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return {"exception": said, "traceback": "".join(lines)}


def error_text(envelope: Envelope, error: JSONRPCError) -> str:
    try:
        data = None if error.data is None else encode(error.data)
    except Exception:
        logger.exception("The data of a JSON-RPC error cannot all be sent as JSON")
        data = encode_with_marks(error.data)
    return error_answer(envelope, error, data)
