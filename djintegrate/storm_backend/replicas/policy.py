"""Who reads from replicas: a context variable, so that what runs at the same time does not mix. Asks no database.

Around a request the middleware sets it, as `requests` says: a GET may read from a replica. `store_policy()` sets it for
what is within. Which replica serves, the store's `pair.Pair` chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Protocol, TypeVar

from asgiref.sync import iscoroutinefunction

POLICIES = ("primary", "replica")

F = TypeVar("F", bound=Callable[..., Any])


class Pair(Protocol):
    """The connections of one store: `pair.Pair`."""

    store_name: str
    primary: Any

    def choose(self) -> int | None: ...

    def may_keep(self, number: int | None) -> bool: ...

    def replica(self, number: int) -> Any: ...


@dataclass(eq=False)
class Run:
    """One run of a request, or of a program's store_policy() block: what it chose, and what happened in it."""

    # Whether replicas are out of question, since one of them has failed the run before this.
    only_primary: bool = False
    # Whether it may last, as a worker does that reads from replicas: it chooses anew from time to time.
    may_last: bool = False
    # The number of the replica that it reads from, by the store's name; None where no replica may serve.
    chosen: dict[str, int | None] = field(default_factory=dict)
    # Whether something was written on a primary.
    wrote: bool = False
    # Whether a replica has refused a statement, which the primary would take.
    was_refused: bool = False
    # Whether a replica was lost, or has cancelled a statement because of what it replays.
    was_let_down: bool = False

    @property
    def has_failed(self) -> bool:
        return self.was_refused or self.was_let_down


@dataclass(frozen=True, eq=False)
class Policy:
    """What the code within it reads from."""

    run: Run
    reads_replicas: bool
    # The stores of which the browser reads the primary: it wrote there a short while ago.
    pinned: frozenset[str] = frozenset()
    # A connection that stands for its alias, whatever the rest says.
    connection: Any = None
    # What holds around it.
    outer: Policy | None = None

    def connection_of(self, pair: Pair) -> Any:
        """The connection that the pair stands for."""
        if self.connection is not None and self.connection.pair is pair:
            return self.connection
        name = pair.store_name
        if not self.reads_replicas or self.run.only_primary or name in self.pinned:
            return pair.primary
        chosen = self.run.chosen
        if name not in chosen or (self.run.may_last and not pair.may_keep(chosen[name])):
            chosen[name] = pair.choose()
        number = chosen[name]
        return pair.primary if number is None else pair.replica(number)


_current: ContextVar[Policy | None] = ContextVar("store_policy", default=None)

current = _current.get
"""The policy that holds here. None: everything is the primary's."""


def enter(policy: Policy) -> None:
    """Let `policy` hold from here on, until leave()."""
    _current.set(replace(policy, outer=_current.get()))


def leave() -> None:
    """Let that hold again which did before enter()."""
    # No token of the variable's: each thread that an asynchronous request uses has a context of its own, which knows
    # none of another.
    policy = _current.get()
    if policy is not None:
        _current.set(policy.outer)


@contextmanager
def standing_for_its_alias(connection: Any) -> Iterator[None]:
    """Within, `connections[alias]` is this connection of the alias's pair."""
    policy = _current.get()
    enter(Policy(Run(), False, connection=connection) if policy is None else replace(policy, connection=connection))
    try:
        yield
    finally:
        leave()


def note_write() -> None:
    """A primary is written."""
    policy = _current.get()
    if policy is not None:
        policy.run.wrote = True


class store_policy:
    """`@store_policy("replica")`, `with store_policy("primary"):`, and `async with`: what the code within reads from.

    "replica" is for what may be a little old whoever asks, a feed say. A replica that is too far behind, or cannot be
    reached, is no replica: then it is the primary.
    """

    def __init__(self, reads_from: str) -> None:
        if reads_from not in POLICIES:
            raise ValueError(f'store_policy({reads_from!r}): make it "primary" or "replica".')
        self.reads_from = reads_from

    # Nothing is kept in this object: one may be used by many threads, and within itself.

    def __enter__(self) -> None:
        around = _current.get()
        enter(Policy(Run(may_last=True) if around is None else around.run, self.reads_from == "replica"))

    def __exit__(self, *error: object) -> None:
        leave()

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__(*error)

    def __call__(self, function: F) -> F:
        if iscoroutinefunction(function):

            @wraps(function)
            async def within(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)
        else:

            @wraps(function)
            def within(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return function(*args, **kwargs)

        return within  # type: ignore[return-value]
