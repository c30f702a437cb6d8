"""`manage.py openid_adopt`: moves over from other apps. Nothing comes twice; --dry-run writes nothing.

Ends with 1 as long as an identity is left out over which somebody has to decide: a script is to stop there.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from ...upkeep import adoption
from ...upkeep.tables import counted

BATCH = 1000
SHOWN = 20


class Command(BaseCommand):
    help = (
        "Copies into this app's tables: django-openid-auth's identities, nonces, associations, permissions, and "
        "the OpenID identities of python-social-auth and django-allauth."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be copied, and copy nothing")
        parser.add_argument("--batch-size", type=int, default=BATCH, help=f"rows copied at once; {BATCH} by default")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, choices=list(connections), help="has both tables")

    def handle(self, *args: Any, **options: Any) -> None:
        using, size, dry_run = options["database"], options["batch_size"], options["dry_run"]
        if size < 1:
            raise CommandError(f"--batch-size is {size}. Make it 1 or more.")
        if not adoption.is_anything_there(using):
            # A deployment that calls this each time is to go on once the old tables are dropped.
            self.stdout.write(
                f"There is nothing to adopt: the database {using!r} has no table of django-openid-auth "
                "(django_openid_auth_…), python-social-auth or django-allauth. If another one has them, name it with "
                "--database."
            )
            return
        counts = []
        for count in adoption.adopt(using, size, dry_run):
            self._report(count, using, dry_run)
            counts.append(count)
        if dry_run:
            self.stdout.write("Nothing was written: --dry-run.")
        undecided = sum(count.of_others + count.of_nobody for count in counts)
        if unusable := sum(len(count.conflicts) for count in counts) - undecided:
            self.stdout.write(f"{counted(unusable, 'was', 'were')} left out; there is nothing to decide.")
        if undecided:
            what, them = ("identity was", "it") if undecided == 1 else ("identities were", "them")
            raise CommandError(f"{undecided} {what} left out for you to decide; the old tables keep {them}.")

    def _report(self, count: adoption.Count, using: str, dry_run: bool) -> None:
        verb = "to copy" if dry_run else "copied"
        self.stdout.write(
            f"{count.name}: {count.copied} {verb}, {count.present} here already, {count.expired} expired, "
            f"{len(count.conflicts)} in conflict" + (f", {count.removed} removed here since" if count.removed else "")
        )
        if count.without_key:
            verb = "would get" if dry_run else "got"
            self.stdout.write(f"  {len(count.without_key)} of them {verb} another key: theirs is taken here")
        for conflict in count.conflicts[:SHOWN]:
            self.stdout.write(self.style.WARNING(f"  {conflict}"))
        if len(count.conflicts) > SHOWN:
            self.stdout.write(self.style.WARNING(f"  and {len(count.conflicts) - SHOWN} more"))
        if count.of_nobody and count.name == adoption.old_models().identity._meta.db_table:
            self.stdout.write(
                f"  SQLite's migrate fails over such a row. To remove those of users who do not exist:\n"
                f"  DELETE FROM {count.name} WHERE {adoption.without_owner(using)};"
            )
