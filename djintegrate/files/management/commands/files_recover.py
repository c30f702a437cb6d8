"""manage.py files_recover: does, or undoes, what processes that died have left of their files."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from django.utils.translation import gettext as _

from ... import upkeep


class Command(BaseCommand):
    help = "Complete or undo the files of transactions whose process has died. Safe at any time, beside a running site."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only list the journals that nobody works on.")

    def handle(self, *args: Any, dry_run: bool, verbosity: int, **options: Any) -> None:
        if dry_run:
            for name, changes in upkeep.waiting():
                self.stdout.write(f"{name}: {', '.join(changes) or 'no changes'}")
            return
        left = 0
        for outcome in upkeep.recover():
            left += bool(outcome.left)
            if verbosity:
                self.stdout.write(str(outcome), self.style.WARNING if outcome.left else None)
        try:
            upkeep.sweep()
        except Error as error:
            raise CommandError(f"The rows of transactions that are through could not be deleted: {error}") from error
        if left:
            raise CommandError(_("%d transactions are left as they are. Run this again.") % left)
