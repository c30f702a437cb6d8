"""manage.py storm_indoubt: lists what a crash has left of two-phase transactions, and ends it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from djintegrate.storm_backend.stores.registry import connections_of_all_stores
from djintegrate.storm_backend.two_phase.recovery import CannotEnd, Doubt, Survey, Verdict, survey

SOME_LEFT = 1
FAILED = 2


class Command(BaseCommand):
    help = (
        "Lists the two-phase transactions of this site that are prepared, and says which are to be committed. Exits "
        "with 0 if none is in doubt, with 1 if some are, with 2 if a store cannot be reached or something fails."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--all", action="store_true", help="End all of them as they should be.")
        action.add_argument("--commit", metavar="XID", help="Commit this one.")
        action.add_argument("--rollback", metavar="XID", help="Roll this one back.")
        parser.add_argument(
            "--older-than", type=float, default=60, metavar="SECONDS",
            help="Leave alone what began later: its process may be at it. Default: 60.",
        )  # fmt: skip
        parser.add_argument(
            "--all-stores", action="store_true",
            help="Tell of each store as it is asked. All of them always are: any may have the record of a commit.",
        )  # fmt: skip
        parser.add_argument(
            "--force", action="store_true", help="Even against what is recorded, or with a store that is lost."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["force"] and not (options["commit"] or options["rollback"]):
            raise CommandError("--force goes with --commit or --rollback: say which transaction.", returncode=FAILED)
        say = self._say if options["all_stores"] else lambda line: None
        try:
            with survey(connections_of_all_stores(), say) as found:
                self._handle(found, **options)
        except (CannotEnd, ImproperlyConfigured) as error:
            raise CommandError(str(error), returncode=FAILED) from error

    def _handle(self, found: Survey, older_than: float, force: bool, **options: Any) -> None:
        doubts = found.doubts()
        old = [doubt for doubt in doubts if doubt.age >= older_than]
        if name := options["commit"] or options["rollback"]:
            self._end(found, _find(name, doubts, old), name == options["commit"], force)
            return
        for place in (place for place in found.places if place.is_read_only):
            self.stdout.write(f"The store {place.name!r} is read-only, and is skipped: nothing can be ended in it.")
        if options["all"]:
            self._end_all(found, old)
            try:
                found.forget(older_than)
            except DatabaseError as error:
                # Transactions that commit just now may hold the rows.
                self.stderr.write(f"What is recorded, and not needed any more, stays until the next time: {error}")
        else:
            self._list(found, doubts, old)
        # A file that is not there matters where it could hold a decision.
        lost = [place for place in found.unreachable if doubts or not place.is_missing]
        if lost:
            raise CommandError(
                "\n".join(f"The store {place.name!r} cannot be reached: {place.error}" for place in lost),
                returncode=FAILED,
            )
        if old and not options["all"]:
            raise SystemExit(SOME_LEFT)

    def _list(self, found: Survey, doubts: Sequence[Doubt], old: Sequence[Doubt]) -> None:
        rows = [("XID", "AGE", "PREPARED IN", "SHOULD BE", "WHY")]
        for doubt in doubts:
            judged = (doubt.verdict.value, doubt.why) if doubt in old else ("left alone", "It may be at its commit.")
            rows.append((doubt.transaction, _age(doubt.age), ", ".join(doubt.stores), *judged))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows if doubts else ():
            self.stdout.write("  ".join(map(str.ljust, row, widths)).rstrip())
        if found.others:
            self.stdout.write(
                f"{_count(len(found.others), 'prepared transaction')} of other sites, or of stores that this site does "
                f"not have, left alone: {', '.join(sorted(found.others))}"
            )
        said = f"{_count(len(old), 'transaction')} in doubt. End all as they should be: manage.py storm_indoubt --all"
        self.stdout.write(said if old else "Nothing is in doubt.")

    def _end_all(self, found: Survey, old: Sequence[Doubt]) -> None:
        failed = []
        for doubt in old:
            try:
                if doubt.verdict is Verdict.UNKNOWN:
                    raise CannotEnd(doubt.why)
                self._say_ended(doubt, found.end(doubt, commit=doubt.verdict is Verdict.COMMIT))
            except CannotEnd as error:
                failed.append(doubt)
                self.stderr.write(f"{doubt.transaction}  left in doubt: {error}")
        if failed:
            raise CommandError(f"{_count(len(failed), 'transaction')} left in doubt.", returncode=FAILED)
        self.stdout.write(f"{_count(len(old), 'transaction')} ended.")

    def _end(self, found: Survey, doubt: Doubt, commit: bool, force: bool) -> None:
        wish = Verdict.COMMIT if commit else Verdict.ROLLBACK
        if doubt.verdict is not wish and not force:
            raise CannotEnd(
                f"{doubt.transaction} should be {doubt.verdict.value}: {doubt.why} If you know better, say --force; "
                "the stores then may differ."
            )
        self._say_ended(doubt, found.end(doubt, commit, by_force=force))

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _say_ended(self, doubt: Doubt, committed: bool) -> None:
        verdict = Verdict.COMMIT if committed else Verdict.ROLLBACK
        self.stdout.write(f"{doubt.transaction}  {verdict.value} in {', '.join(doubt.stores)}")
        self.stdout.flush()


def _find(name: str, doubts: Sequence[Doubt], old: Sequence[Doubt]) -> Doubt:
    doubt = next((doubt for doubt in doubts if doubt.transaction == name), None)
    if doubt is None:
        raise CannotEnd(f"No transaction {name!r} of this site is prepared. storm_indoubt lists those that are.")
    if doubt not in old:
        raise CannotEnd(f"{name} began {_age(doubt.age)} ago: it may be at its commit. Wait, or lower --older-than.")
    return doubt


def _age(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
