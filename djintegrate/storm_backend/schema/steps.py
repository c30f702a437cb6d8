"""The steps that a schema takes, a transaction for each: create it, apply its patches, rehearse them, drop it.

They are taken when somebody asks for it, by the command storm_schema or for a test database, and ask nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import transaction
from storm.schema.patch import BadPatchError, Patch, PatchApplier, UnknownPatchError
from storm.schema.schema import SchemaMissingError, UnappliedPatchesError

from .. import conf
from ..sql import verbs
from ..stores import SharedStore, get_store
from ..transactions import thread
from .package import load

Say = Callable[[str], object]


class SchemaError(Exception):
    """The schema could not be changed; the message says what failed, and what remains."""


@dataclass(frozen=True)
class Status:
    """The patches of a store by what is known of them. `created` is False if the store has no schema at all."""

    created: bool
    applied: tuple[int, ...] = ()
    pending: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()

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

    @property
    def commits_ddl_at_once(self) -> bool:
        """Whether no transaction holds a CREATE, ALTER or DROP: MariaDB commits before and after each."""
        return not self._wrapper.features.can_rollback_ddl

    def status(self) -> Status:
        with self._step(keep=False):
            try:
                self._schema.check(self._store)
            except SchemaMissingError:
                return Status(created=False, pending=tuple(self._patches.get_patch_versions()))
            except (UnappliedPatchesError, UnknownPatchError):
                pass
            applied = set(self._store.find(Patch).values(Patch.version))
        known = self._patches.get_patch_versions()
        return Status(
            created=True,
            applied=tuple(version for version in known if version in applied),
            pending=tuple(version for version in known if version not in applied),
            unknown=tuple(sorted(applied.difference(known))),
        )

    def create(self) -> None:
        """Make everything anew, and mark all patches as applied."""
        if self.status().created:
            raise SchemaError(
                f"The store {self.name!r} has its schema already. To bring it up to date, run: "
                f"manage.py storm_schema apply {self.name}"
            )
        ran: list[str] = []
        try:
            with self._step(ran):
                self._schema.create(self._store)
        except Exception as error:
            raise SchemaError(
                f"The schema of the store {self.name!r} could not be created: {_told(error)}\n"
                + self._rest(ran, self._take_back_creation, "Nothing was created.")
            ) from error

    def apply(self, say: Say) -> None:
        """Bring the database up to date, creating the schema if there is none; `say` is told of each step done."""
        status = self.known_status()
        if not status.created:
            self.create()
            say("Created the schema, with all patches.")
            return
        done: list[int] = []
        for version in status.pending:
            self._apply(version, done)
            done.append(version)
            say(f"Applied patch {version}.")

    def rehearse(self, say: Say) -> None:
        """Do as `apply` would, tell the statements, and keep nothing of it."""
        status = self.known_status()
        ran: list[str] = []
        try:
            with self._step(ran, keep=False):
                if not status.created:
                    self._rehearse_creation(ran)
                    say(f"Would create the schema, with all patches:{_shown(ran)}")
                    return
                for version in status.pending:
                    ran.clear()
                    self._applier().apply(version)
                    self._store.flush()
                    say(f"Would apply patch {version}:{_shown(ran)}")
        except Exception as error:
            why = ""
            if self.commits_ddl_at_once:
                why = "\nThe CREATE, ALTER and DROP statements before it were not run, for MariaDB would commit them."
            raise SchemaError(f"The dry run ends here:{_shown(ran)}\nfailed: {_told(error)}{why}") from error

    def drop(self) -> None:
        """Drop everything, the record of the patches included."""
        ran: list[str] = []
        try:
            with self._step(ran):
                self._schema.drop(self._store)
        except Exception as error:
            raise SchemaError(
                f"The schema of the store {self.name!r} could not be dropped: {_told(error)}\n"
                + self._rest(ran, lambda: self.commits_ddl_at_once and len(ran) > 1, "Everything is as it was.")
            ) from error

    def known_status(self) -> Status:
        """The status, if the code knows all patches that the database has."""
        status = self.status()
        if status.unknown:
            raise SchemaError(
                f"The store {self.name!r} has patches that the code does not know: {_numbers(status.unknown)}. Its "
                "database was used with newer code, or with another branch. Nothing was applied."
            )
        return status

    def _apply(self, version: int, done: Sequence[int]) -> None:
        ran: list[str] = []
        try:
            with self._step(ran):
                self._applier().apply(version)
        except Exception as error:
            before = f"Applied before it, and kept: {_numbers(done)}." if done else "No patch was applied before it."
            raise SchemaError(
                f"Patch {version} of the store {self.name!r} failed: {_told(error)}\n{before} It is still pending.\n"
                + self._rest(ran, lambda: self._take_back_mark(version), f"Nothing of patch {version} remains.")
            ) from error

    def _applier(self) -> PatchApplier:
        return PatchApplier(self._store, self._patches, _Nobody())

    def _rehearse_creation(self, ran: list[str]) -> None:
        if self.commits_ddl_at_once:
            ran += [self._schema._create_patch, *self._schema._creates]
        else:
            self._schema.create(self._store)
            self._store.flush()

    def _take_back_creation(self) -> bool:
        """Whether something was committed. While there is a table of patches, the schema counts as created."""
        created = self.status().created
        if created:
            with self._step():
                self._store.execute(self._schema._drop_patch, noresult=True)
        return created

    def _take_back_mark(self, version: int) -> bool:
        """Whether something was committed: then so was the mark, for that is the first statement of a patch."""
        marked = version in self.status().applied
        if marked:
            with self._step():
                self._store.find(Patch, version=version).remove()
        return marked

    def _rest(self, ran: list[str], take_back: Callable[[], bool], nothing: str) -> str:
        try:
            remains = take_back()
        except Exception as error:
            return f"What remains of it could not be seen ({_told(error)}). It ran:{_shown(ran)}"
        if not remains:
            return nothing
        why = "MariaDB commits at each CREATE, ALTER, DROP and the like: part" if self.commits_ddl_at_once else "Part"
        return (
            f"{why} of it was committed before it failed, and remains. These statements were run, the last of them "
            f"may have failed:{_shown(ran)}\nUndo what is left of them before you try again."
        )

    @contextmanager
    def _step(self, ran: list[str] | None = None, keep: bool = True) -> Iterator[None]:
        if thread.current().begun is not None:
            raise SchemaError(
                "A transaction is begun in this thread, and each step of a schema is a transaction of its own. Commit "
                "or abort it first."
            )
        transaction.begin()
        try:
            with self._wrapper.in_one_phase(), self._watched(ran, run_all=keep or not self.commits_ddl_at_once):
                yield
                if keep:
                    transaction.commit()
        finally:
            transaction.abort()

    @contextmanager
    def _watched(self, ran: list[str] | None, run_all: bool) -> Iterator[None]:
        connection = self._store._connection

        def is_to_run(statement: str, params: Any) -> bool:
            if ran is not None:
                values = list(connection.to_database(params)) if params else ""
                ran.append(f"{statement.strip()} {values}".rstrip())
            # Of the statements that are not known, a dry run rather leaves one out than commits it.
            return run_all or verbs.verb_of(statement) in verbs.WITHIN_A_TRANSACTION

        connection.is_to_run = is_to_run
        try:
            yield
        finally:
            connection.is_to_run = None


class _Nobody:
    """Storm's committer, where the step commits."""

    def commit(self) -> None:
        pass

    def rollback(self) -> None:
        pass


def _shown(statements: Sequence[str]) -> str:
    return "".join(f"\n    {statement}" for statement in statements)


def _numbers(versions: Sequence[int]) -> str:
    return ", ".join(map(str, versions))


def _told(error: BaseException) -> str:
    # Storm raises its own error from within the handler of the patch's.
    if isinstance(error, BadPatchError):
        return str(error)
    return f"{type(error).__name__}: {error}"
