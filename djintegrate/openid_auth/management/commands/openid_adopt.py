"""`manage.py openid_adopt`: moves over from other apps. Nothing comes twice; --dry-run writes nothing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from ...upkeep import adoption

BATCH = 1000
SHOWN = 20


class Command(BaseCommand):
    help = (
        "Copies into this app's tables: django-openid-auth's identities, nonces, associations, verified accounts, and "
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
        if not adoption.old_tables(using):
            raise CommandError(
                f"The database {using!r} has no table of django-openid-auth (django_openid_auth_…), python-social-auth "
                "or django-allauth. "
                "Name the database that has them with --database."
            )
        conflicts = 0
        for count in adoption.adopt(using, size, dry_run):
            self._report(count, dry_run)
            conflicts += len(count.conflicts)
        if conflicts:
            what = "1 was left out for you to decide; the old tables keep it."
            if conflicts > 1:
                what = f"{conflicts} were left out for you to decide; the old tables keep them."
            self.stdout.write(self.style.WARNING(what))
        if dry_run:
            self.stdout.write("Nothing was written: --dry-run.")

    def _report(self, count: adoption.Count, dry_run: bool) -> None:
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
