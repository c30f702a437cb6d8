"""Flushes that fail at random, in random nestings of blocks and savepoints, beside a model of a few lines.

The model knows no database. It says what may be seen from outside when all is over: everything of a transaction that
ended well, or nothing of one that raised; never a part, and never nothing without an error. Of the objects, each
that was not saved can be corrected and added again, or says that it is lost.
FLUSH_EXAMPLES says how many programs are tried.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import transaction
from django.db.transaction import atomic
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from storm.exceptions import LostObjectError
from storm.store import Store

from djintegrate.storm_backend import get_store
from tests.apps.people.storm_models import StormPerson
from tests.storm_backend.seams.failures import TOO_LARGE, Fragile, Refused, Stop, Validated, blocked_access
from tests.support.helpers import (
    TRANSACTIONS,
    Outside,
    assert_nothing_left,
    django_add,
    django_names,
    forget_objects,
    start_afresh,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

EXAMPLES = int(os.environ.get("FLUSH_EXAMPLES") or 60)
ERRORS = [ValueError, LookupError, Refused, KeyboardInterrupt, SystemExit, Stop]


class Violation(BaseException):
    """The engine did what it must not do. No program catches this."""


@dataclass
class Frame:
    """The transaction, a block, or what follows a savepoint: what was written in it, and whether it is broken."""

    names: list[str] = field(default_factory=list)
    broken: bool = False


@dataclass
class Step:
    """One thing that a program does; what it raises is caught at once if `caught`."""

    kind: str
    caught: bool
    fails: str = ""
    error: type[BaseException] = ValueError
    steps: list[Step] = field(default_factory=list)

    def __repr__(self) -> str:
        how = [self.kind, self.fails and f"{self.fails} {self.error.__name__}", "caught" if self.caught else ""]
        inner = f" {self.steps}" if self.kind in ("block", "savepoint") else ""
        return f"<{' '.join(filter(None, how))}{inner}>"


leaves = st.builds(
    Step,
    kind=st.sampled_from(["django", "storm", "storm", "storm", "update", "flush", "query", "find", "raise"]),
    caught=st.booleans(),
    fails=st.sampled_from(["", "", "", "before", "after", "validator", "overflow", "blocked"]),
    error=st.sampled_from(ERRORS),
)
steps = st.recursive(
    leaves,
    lambda inner: st.builds(
        Step,
        kind=st.sampled_from(["block", "block", "savepoint"]),
        caught=st.booleans(),
        steps=st.lists(inner, min_size=1, max_size=5),
    ),
    max_leaves=12,
)
programs = st.lists(steps, min_size=2, max_size=8)


class Run:
    """Does the steps of a program, and keeps the model."""

    def __init__(self) -> None:
        self.frames = [Frame()]
        self.people: list[Fragile] = []
        # After a savepoint of Zope's that could not be taken, nobody can commit.
        self.poisoned = False
        self._numbers = itertools.count()

    def do(self, program: list[Step]) -> None:
        for step in program:
            try:
                getattr(self, f"_{step.kind}")(step)
            except Violation:
                raise
            except BaseException:
                if not step.caught:
                    raise

    def _block(self, step: Step) -> None:
        self._enclosed(step, atomic)

    def _savepoint(self, step: Step) -> None:
        self._enclosed(step, _Savepoint)

    def _enclosed(self, step: Step, enclose: Callable[[], Any]) -> None:
        frame, depth = Frame(), len(self.frames)
        entered = left = False
        try:
            with enclose():
                entered = True
                if step.kind == "savepoint":
                    # Entering a block is not refused, as natively; its statements are.
                    self._may_go_on()
                self.frames.append(frame)
                self.do(step.steps)
            left = True
        except BaseException:
            if entered:
                del self.frames[depth:]
            else:
                self.poisoned = self.poisoned or step.kind == "savepoint"
                self._broken_if(step.caught)
            raise
        finally:
            if left:
                self.frames.pop()
        if step.kind == "savepoint":
            # It was not rolled back, so all that followed it is part of what is around it.
            self.frames[-1].names += frame.names
            self.frames[-1].broken |= frame.broken
        elif not frame.broken:
            self.frames[-1].names += frame.names

    def _raise(self, step: Step) -> None:
        raise step.error("on purpose")

    def _django(self, step: Step) -> None:
        name = self._name()
        self._statement(step, lambda: django_add(name))
        self.frames[-1].names.append(name)

    def _query(self, step: Step) -> None:
        self._statement(step, django_names)

    def _find(self, step: Step) -> None:
        self._storm_statement(step, lambda: list(get_store("main").find(StormPerson)))

    def _flush(self, step: Step) -> None:
        try:
            get_store("main").flush()
        except BaseException:
            self._broken_if(step.caught)
            raise

    def _storm(self, step: Step) -> None:
        name = self._name()
        person = (Validated if step.fails == "validator" else Fragile)(name)
        if step.fails == "before":
            person.before = step.error("on purpose")
        elif step.fails == "after":
            person.after = step.error("on purpose")
        elif step.fails == "validator":
            person.change = "invalid"
        elif step.fails == "overflow":
            person.id = TOO_LARGE
        self.people.append(person)
        get_store("main").add(person)
        self.frames[-1].names.append(name)

    def _update(self, step: Step) -> None:
        """A change of an object that is in the database."""
        found: list[Fragile] = []
        self._storm_statement(step, lambda: found.extend(get_store("main").find(Fragile)[:1]))
        for person in found:
            person.before = step.error("on purpose") if step.fails == "before" else None
            person.after = step.error("on purpose") if step.fails == "after" else None
            old, new = person.name, self._name()
            person.name = new
            # Where the old name is not the frame's own, the change is what the frame has done, and is undone with it.
            self.frames[-1].names += [f"-{old}", new]

    def _statement(self, step: Step, act: Callable[[], object]) -> None:
        """A statement of Django's. That access is blocked forbids it nothing, but the flush before it."""
        with blocked_access() if step.fails == "blocked" else contextlib.nullcontext():
            self._storm_statement(step, act)

    def _storm_statement(self, step: Step, act: Callable[[], object]) -> None:
        try:
            act()
        except BaseException:
            self._broken_if(step.caught)
            raise
        self._may_go_on()

    def _broken_if(self, caught: bool) -> None:
        """An error that leaves the block breaks nothing but that block, which is undone."""
        if caught:
            self.frames[-1].broken = True

    def _may_go_on(self) -> None:
        if any(frame.broken for frame in self.frames):
            raise Violation("A statement went on in a block that is broken.")

    def _name(self) -> str:
        return f"person {next(self._numbers)}"


class _Savepoint:
    """transaction.savepoint(), rolled back where what follows raises."""

    def __enter__(self) -> None:
        self._savepoint = transaction.savepoint()

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if error is not None and not isinstance(error, Violation):
            self._savepoint.rollback()


def outcome(names: list[str]) -> list[str]:
    """The names that are left after additions, and after changes that are written as "-old", "new"."""
    left: list[str] = []
    for name in names:
        if name.startswith("-"):
            left.remove(name[1:])
        else:
            left.append(name)
    return sorted(left)


def add_again(people: list[Fragile], outside: Outside) -> None:
    with transaction.manager:
        kept = [person.name for person in people if _is_added(person)]
    assert set(kept) <= set(outside.names()), "What was added, without an error, is not there."


def _is_added(person: Fragile) -> bool:
    try:
        if Store.of(person) is None:
            assert person.name
            person.before = person.after = person.change = None
            del person.id
        get_store("main").add(person)
    except LostObjectError:
        return False
    return True


def check(run: Run, program: list[Step], around: Callable[[], Any], outside: Outside) -> None:
    raised = None
    try:
        with around():
            run.do(program)
    except Violation as error:
        raise AssertionError(str(error)) from error
    except BaseException as error:
        raised = error
    transaction.abort()
    seen = outside.names()
    if raised is not None:
        assert seen == [], f"It raised {raised!r}, and something is committed."
        return
    (frame,) = run.frames
    if frame.broken:
        # Whoever catches an error inside of a block knows of it; natively the block then rolls back without a word.
        assert around is atomic, "A transaction that is broken was committed without an error."
        assert seen == []
        return
    assert not run.poisoned, "A transaction whose savepoint could not be taken was ended without an error."
    assert seen == outcome(frame.names)


@pytest.mark.parametrize("around", [lambda: transaction.manager, atomic], ids=["begun", "in a block"])
def test_all_or_nothing_and_nothing_without_a_word(around: Callable[[], Any], outside: Outside) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize="FLUSH_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck),
        # One failing program says enough, and to look for all of them takes minutes.
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
    )
    @given(programs)
    def tried(program: list[Step]) -> None:
        try:
            run = Run()
            check(run, program, around, outside)
            add_again(run.people, outside)
            assert_nothing_left()
        except BaseException:
            start_afresh()
            raise
        finally:
            transaction.abort()
            forget_objects()
            outside.rows("DELETE FROM people_person")

    tried()
