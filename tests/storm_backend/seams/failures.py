"""Ways in which a flush of Storm's fails, and the errors that it then raises, for the tests beside this file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import storm.exceptions
import storm.tracer
from django.db import Error
from storm.locals import Unicode

from djintegrate.storm_backend import get_store
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import storm_add

TOO_LARGE = 2**70


class Stop(BaseException):
    """As a worker's time limit, or a greenlet's end: nothing that `except Exception` catches."""


class Refused(Exception):
    """Raised by a validator, or by a tracer."""


class Fragile(StormPerson):
    """A person whose hooks raise what they are told to raise."""

    before: BaseException | None = None
    after: BaseException | None = None
    change: str | None = None

    def __storm_pre_flush__(self) -> None:
        if self.change is not None:
            self.name = self.change
        if self.before is not None:
            raise self.before

    def __storm_flushed__(self) -> None:
        if self.after is not None:
            raise self.after


def _validate(obj: Any, attribute: str, value: str) -> str:
    if value == "invalid":
        raise Refused(value)
    return value


class Validated(Fragile):
    __storm_table__ = "people_person"

    name = Unicode(validator=_validate)


class _RefusingTracer:
    def connection_raw_execute(self, connection: Any, raw_cursor: Any, statement: str, params: Any) -> None:
        if statement.startswith("INSERT"):
            raise Refused(statement)


def before_flush(error: BaseException) -> Callable[[], object]:
    return lambda: _add(Fragile, before=error)


def after_flush(error: BaseException) -> Callable[[], object]:
    return lambda: _add(Fragile, after=error)


def invalid() -> object:
    return _add(Validated, change="invalid")


def nul() -> object:
    return storm_add("with a\0NUL")


def overflow() -> object:
    person = storm_add("fragile")
    person.id = TOO_LARGE
    return person


def _add(cls: type[Fragile], **how: Any) -> Fragile:
    person = cls("fragile")
    for name, value in how.items():
        setattr(person, name, value)
    added: Fragile = get_store("main").add(person)
    return added


@contextmanager
def blocked_access() -> Iterator[None]:
    store = get_store("main")
    store.block_access()
    try:
        yield
    finally:
        store.unblock_access()


@contextmanager
def refusing_tracer() -> Iterator[None]:
    tracer = _RefusingTracer()
    storm.tracer.install_tracer(tracer)
    try:
        yield
    finally:
        storm.tracer.remove_tracer(tracer)


@contextmanager
def nothing_else() -> Iterator[None]:
    yield


class Failure:
    """Something pending that cannot be flushed: how it comes to be, what holds while it fails, and what is raised."""

    def __init__(
        self,
        name: str,
        prepare: Callable[[], object],
        *errors: type[BaseException],
        during: Any = nothing_else,
        vendors: tuple[str, ...] = (),
    ) -> None:
        self.name, self.prepare, self.errors, self.during, self.vendors = name, prepare, errors, during, vendors

    def __repr__(self) -> str:
        return self.name


FAILURES = [
    Failure("ValueError before", lambda: before_flush(ValueError("on purpose"))(), ValueError),
    Failure("ValueError after", lambda: after_flush(ValueError("on purpose"))(), ValueError),
    Failure("KeyboardInterrupt before", lambda: before_flush(KeyboardInterrupt())(), KeyboardInterrupt),
    Failure("BaseException after", lambda: after_flush(Stop())(), Stop),
    Failure("a validator", invalid, Refused),
    Failure(
        "a NUL in text", nul, ValueError, storm.exceptions.Error, Error, vendors=("postgresql",)
    ),  # The other two keep such text.
    Failure("a number too large", overflow, OverflowError, storm.exceptions.Error, Error),
    Failure(
        "blocked access",
        lambda: storm_add("fragile"),
        storm.exceptions.ConnectionBlockedError,
        during=blocked_access,
    ),
    Failure("a tracer", lambda: storm_add("fragile"), Refused, during=refusing_tracer),
]
"""An error of the database, a key that is taken, is in `test_transactions_errors`."""
