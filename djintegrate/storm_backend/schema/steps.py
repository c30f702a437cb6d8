"""The steps that a schema takes, a transaction for each: create it, apply its patches, rehearse them, drop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import transaction
from django.core.management.base import CommandError
from storm.exceptions import Error
from storm.schema.patch import BadPatchError, Patch

from .. import conf
from ..sql import verbs
from ..stores import SharedStore, get_store
from ..transactions import thread
from .package import load

Say = Callable[[str], object]
UNDONE = "Nothing of it remains, unless it called commit()."


class SchemaError(CommandError):
    """The schema could not be changed; the message says what failed, and what remains."""


class Status(NamedTuple):
    """The patches of a store by what is known of them. `created` is False if the store has no schema at all."""

    created: bool
    applied: tuple[int, ...]
    pending: tuple[int, ...]
    unknown: tuple[int, ...]

    @property
    def up_to_date(self) -> bool:
        return self.created and not self.pending and not self.unknown


class StoreSchema:
    """The schema of the store called `name`, in its database."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.package = conf.store(name).schema
        self._schema, self._patches = load(conf.store(name))
        # Storm would commit now and then; here each step is a transaction.
        self._schema.autocommit(False)
        self._store: SharedStore = get_store(name)
        self._wrapper = self._store.django_connection
        # MariaDB commits before and after each CREATE, ALTER and DROP.
        self._commits_at_once = not self._wrapper.features.can_rollback_ddl

    def status(self) -> Status:
        known = self._patches.get_patch_versions()
        with self._step([], keep=False):
            created = Patch.__storm_table__ in self._wrapper.introspection.table_names()
            applied = set(self._store.find(Patch).values(Patch.version)) if created else set()
        return Status(
            created,
            applied=tuple(version for version in known if version in applied),
            pending=tuple(version for version in known if version not in applied),
            unknown=tuple(sorted(applied.difference(known))),
        )

    def create(self, say: Say) -> None:
        """Make everything anew, and mark all patches as applied; `say` is told."""
        if self.status().created:
            raise SchemaError(
                f"The store {self.name!r} has its schema already. To bring it up to date, run: "
                f"manage.py storm_schema apply {self.name}"
            )
        # While there is a table of patches, the schema counts as created.
        unmark = self._schema._drop_patch if self._commits_at_once else ""
        self._change("Creating the schema", partial(self._schema.create, self._store), unmark)
        say("Created the schema, with all patches.")

    def apply(self, say: Say) -> None:
        """Bring the database up to date, creating the schema if there is none; `say` is told of each step done."""
        status = self._known_status()
        if not status.created:
            self.create(say)
        elif status.up_to_date:
            say("Nothing to apply.")
        else:
            for version in status.pending:
                unmark = f"DELETE FROM patch WHERE version = {version}"
                self._change(f"Patch {version}", partial(self._schema.advance, self._store, version), unmark)
                say(f"Applied patch {version}.")

    def rehearse(self, say: Say) -> None:
        """Do as `apply` would, tell the statements, and keep nothing of it."""
        status = self._known_status()
        if status.up_to_date:
            say("Nothing to apply.")
            return
        ran: list[str] = []
        try:
            with self._step(ran, keep=False):
                if not status.created:
                    if self._commits_at_once:
                        ran += [self._schema._create_patch, *self._schema._creates]
                    else:
                        self._schema.create(self._store)
                        self._store.flush()
                    say(f"Would create the schema, with all patches:{_shown(ran)}")
                    return
                for version in status.pending:
                    ran.clear()
                    self._schema.advance(self._store, version)
                    self._store.flush()
                    say(f"Would apply patch {version}:{_shown(ran)}")
        except Exception as error:
            left_out = "\nThe CREATE, ALTER and DROP statements before it were not run, for MariaDB would commit them."
            why = left_out if self._commits_at_once else ""
            raise SchemaError(f"The dry run ends here:{_shown(ran)}\nfailed: {_told(error)}{why}") from error

    def drop(self) -> None:
        """Drop everything, the record of the patches included."""
        undone = "Nothing was dropped."
        self._change("Dropping the schema", partial(self._schema.drop, self._store), undone=undone)

    def _known_status(self) -> Status:
        """The status, if the code knows all patches that the database has."""
        status = self.status()
        if status.unknown:
            raise SchemaError(
                f"The store {self.name!r} has patches that the code does not know: "
                f"{', '.join(map(str, status.unknown))}. Its database was used with newer code, or with another "
                "branch. Nothing was applied."
            )
        return status

    def _change(self, what: str, work: Callable[[], object], unmark: str = "", undone: str = UNDONE) -> None:
        """Do `work` in a transaction. `unmark` takes back the mark that is its first statement, if it fails later.

        `undone` is what to say where all of it is undone by that.
        """
        ran: list[str] = []
        try:
            with self._step(ran):
                work()
        except Exception as error:
            # Where the mark itself fails, another process is at the same work, and the mark is that one's.
            if unmark and not (len(ran) == 1 and isinstance(error, Error)):
                with self._step([]):
                    self._store.execute(unmark, noresult=True)
            rest = undone
            if self._commits_at_once:
                rest = (
                    "MariaDB commits at each CREATE, ALTER, DROP and the like, so what ran up to the last of these "
                    f"remains: undo it before you try again. It ran, the last perhaps without effect:{_shown(ran)}"
                )
            raise SchemaError(f"{what} failed in the store {self.name!r}: {_told(error)}\n{rest}") from error

    @contextmanager
    def _step(self, ran: list[str], keep: bool = True) -> Iterator[None]:
        """A transaction, which is committed unless `keep` is false; `ran` gets the statements that Storm runs."""
        if thread.current().begun is not None:
            raise SchemaError(
                "A transaction is begun in this thread, and each step of a schema is a transaction of its own. Commit "
                "or abort it first."
            )
        connection = self._store._connection

        def is_to_run(statement: str, params: Any) -> bool:
            values = list(connection.to_database(params)) if params else ""
            ran.append(f"{statement.strip()} {values}".rstrip())
            # Of the statements that are not known, a dry run rather leaves one out than commits it.
            return keep or not self._commits_at_once or verbs.verb_of(statement) in verbs.WITHIN_A_TRANSACTION

        transaction.begin()
        connection.is_to_run = is_to_run
        try:
            with self._wrapper.in_one_phase():
                yield
                if keep:
                    transaction.commit()
        finally:
            connection.is_to_run = None
            transaction.abort()


def _shown(statements: Sequence[str]) -> str:
    return "".join(f"\n    {statement}" for statement in statements)


def _told(error: BaseException) -> str:
    # Storm raises its own error from within the handler of the patch's.
    return str(error) if isinstance(error, BadPatchError) else f"{type(error).__name__}: {error}"
