"""`manage.py openid_ways_in`: who would be shut out if OpenID 2.0 went today. Changes nothing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from ...site.issuers import Issuer
from ...site.pages import issuers
from ...upkeep.tables import counted, ensure_here
from ...upkeep.ways_in import dependent_on_openid_2


class Command(BaseCommand):
    help = "Lists the accounts whose only way in is OpenID 2.0: no identity of OpenID Connect, and no password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--issuer", action="append", help="one of those in OPENID_PROVIDERS; by default all")
        parser.add_argument("--ignore-passwords", action="store_true", help="a password is no second way in")
        parser.add_argument("--addresses", action="store_true", help="print e-mail addresses alone, one a line")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, choices=list(connections), help="has the tables")

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_here(options["database"])
        configured = issuers()
        wanted = options["issuer"] or configured
        if strangers := [issuer for issuer in wanted if issuer not in configured]:
            raise CommandError(
                f"OPENID_PROVIDERS has no issuer {strangers[0]!r}. It has {', '.join(configured) or 'none'}."
            )
        count = 0
        named = [Issuer(issuer) for issuer in wanted]
        for user in dependent_on_openid_2(named, not options["ignore_passwords"], options["database"]):
            count += 1
            address = getattr(user, user.get_email_field_name(), "")
            if not options["addresses"]:
                self.stdout.write(f"{user.pk}\t{user.get_username()}\t{address}")
            elif address:
                self.stdout.write(address)
        if not options["addresses"]:
            summary = f"{counted(count, 'account has', 'accounts have')} no way in but OpenID 2.0."
            self.stdout.write(self.style.WARNING(summary) if count else self.style.SUCCESS(summary))
