"""`manage.py dojo_install`: Dojo from npm, at pinned versions, under DOJO_ROOT."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from ... import conf
from ...build import install
from ...build.interrupts import ending_on_sigterm


class Command(BaseCommand):
    help = "Installs Dojo, dgrid and what dojo_build needs under DOJO_ROOT, by npm and a lock file."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--root", type=Path, help="the folder to put them in; DOJO_ROOT by default")
        parser.add_argument("--force", action="store_true", help="install again what is installed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            root = options["root"] or conf.root()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        say = (lambda text: None) if options["verbosity"] == 0 else self.stdout.write
        versions = ", ".join(f"{folder} {version}" for folder, version in install.versions().items())
        if install.installed(root) and not options["force"]:
            say(f"{root} has {versions} already.")
            return
        try:
            with ending_on_sigterm():
                install.install(root.absolute(), lambda text: say(f"  {text}"))
        except install.InstallError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {root} is as it was.") from None
        say(self.style.SUCCESS(f"{root} has {versions}."))
