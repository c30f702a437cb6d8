"""`manage.py dojo_build`: one JavaScript file with what the project's forms use, and the themes' stylesheets."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.storage import HashedFilesMixin, staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from ... import checks, conf, grid
from ...build import build, discovery, install
from ...build.build import Order, Size
from ...build.interrupts import ending_on_sigterm


class Command(BaseCommand):
    help = "Builds the JavaScript and CSS that the project's forms use, with Dojo's own build system on Node."
    requires_system_checks = [checks.TAG]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--profile", type=Path, help="a build profile of your own, instead of the one made here")
        parser.add_argument("--list", action="store_true", help="only say which modules the project's forms need")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = discovery.discover()
            order = Order(
                conf.root().absolute(), conf.build_root().absolute(), sorted(found.modules), found.paths,
                conf.locales(), [*grid.STYLESHEETS, *conf.build_stylesheets()], options["profile"],
                # Those of unhashed names would be collected, and hashed, as if they were files of their own.
                compressed=not isinstance(staticfiles_storage, HashedFilesMixin),
                look=discovery.LOOK if found.has_look else None,
                undecided=list(conf.dj_config().get("has", {})),
            )  # fmt: skip
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        say = (lambda text: None) if options["verbosity"] == 0 else self.stdout.write
        for line in found.unread:
            self.stderr.write(self.style.WARNING(f"{line}. Add what it needs to DOJO_BUILD_MODULES."))
        if options["list"]:
            self.stdout.write("\n".join(order.modules))
            return
        lacking = found.lacking(order.root) if install.installed(order.root) and not order.profile else []
        if lacking:
            raise CommandError("\n".join([*lacking, f"Nothing in {order.release} was changed."]))
        try:
            with ending_on_sigterm():
                sizes = build.build(order, lambda text: say(f"  {text}"))
        except build.BuildError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. Nothing in {order.release} was changed.") from None
        say(table(sizes))
        say(self.style.SUCCESS(f"Built {order.release}."))


def table(sizes: Sequence[Size]) -> str:
    rows = [["", "files", "bytes", "→ files", "bytes", "gzip", "brotli"]]
    for size in sizes:
        numbers = (size.files_before, size.bytes_before, size.files, size.bytes, size.gzip, size.brotli)
        rows.append([size.what, *(f"{number:,}" if number else "" for number in numbers)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for name, *cells in rows:
        aligned = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *aligned]))
    return "\n".join(lines)
