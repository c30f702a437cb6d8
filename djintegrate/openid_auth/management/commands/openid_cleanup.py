"""`manage.py openid_cleanup`: removes expired nonces, associations and sessions. Run it once a day."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import router

from ...models import Nonce
from ...upkeep.cleanup import BATCH, remove_expired_associations, remove_expired_nonces, remove_old_sessions
from ...upkeep.tables import counted, ensure_here


class Command(BaseCommand):
    help = "Removes expired OpenID nonces and associations."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch-size", type=int, default=BATCH, help=f"rows removed at once; {BATCH} by default")
        parser.add_argument("--database", help="the alias of the database; by default the one that the router names")

    def handle(self, *args: Any, **options: Any) -> None:
        size, database = options["batch_size"], options["database"]
        if size < 1:
            raise CommandError(f"--batch-size is {size}. Make it 1 or more.")
        ensure_here(database or router.db_for_write(Nonce))
        nonces = remove_expired_nonces(size, database)
        associations = remove_expired_associations(size, database)
        sessions = remove_old_sessions(size, database)
        self.stdout.write(
            f"Removed {counted(nonces, 'expired nonce')} and {counted(associations, 'expired association')}."
        )
        if sessions:
            self.stdout.write(f"Removed what was known of {counted(sessions, 'old session')}.")
