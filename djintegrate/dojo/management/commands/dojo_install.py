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
    help = "Fetches Dojo, dgrid and what dojo_build needs from npm, and puts them under DOJO_ROOT."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--root", type=Path, help="the folder to put them in; DOJO_ROOT by default")
        parser.add_argument("--cache", type=Path, help="where downloads are kept; DOJO_CACHE by default")
        parser.add_argument("--registry", default="", help="the npm registry; the one that npm uses by default")
        parser.add_argument("--force", action="store_true", help="install again what is installed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            root = options["root"] or conf.root()
            cache = options["cache"] or conf.cache()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        self._is_silent = options["verbosity"] == 0
        versions = ", ".join(f"{package.folder} {package.version}" for package in install.PACKAGES[:4])
        if install.installed(root) and not options["force"]:
            self._tell(f"{root} has {versions} already.")
            return
        try:
            with ending_on_sigterm():
                install.install(root.absolute(), cache.absolute(), self._say, options["registry"])
        except install.InstallError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {root} is as it was.") from None
        self._tell(self.style.SUCCESS(f"{root} has {versions}."))

    def _tell(self, text: str) -> None:
        if not self._is_silent:
            self.stdout.write(text)

    def _say(self, text: str) -> None:
        if self._is_silent:
            return
        # Only a terminal can write over a line; a log gets the last state of each.
        if self.stdout.isatty():
            self.stdout.write(text, ending="")
            self.stdout.flush()
        elif text.startswith("\r"):
            self._last = text[1:]
        elif text == "\n":
            self.stdout.write(self._last)
        else:
            self.stdout.write(text, ending="")

    _last = ""
    _is_silent = False
