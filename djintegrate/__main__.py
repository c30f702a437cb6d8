"""`python -m djintegrate doctor`: looks at a site's settings and at all that they name, and says what to do.

It changes nothing. The site is that of --settings, of DJANGO_SETTINGS_MODULE, or of the manage.py in this folder.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from djintegrate.common.examination import Finding, ill

VARIABLE = "DJANGO_SETTINGS_MODULE"
WIDTH = 110


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m djintegrate", description=__doc__)
    parser.add_argument("command", choices=["doctor"])
    parser.add_argument("--settings", help="the dotted path of the settings")
    options = parser.parse_args(arguments)
    sys.path.insert(0, os.getcwd())
    if options.settings:
        os.environ[VARIABLE] = options.settings
    elif VARIABLE not in os.environ and (found := _in_manage_py()):
        os.environ[VARIABLE] = found
    is_well = True
    for finding in examine():
        _tell(finding)
        is_well = is_well and finding.is_well
    print("\nAll is well." if is_well else "\nLook at what is marked with !!.")
    return 0 if is_well else 1


def examine() -> Iterator[Finding]:
    """Everything that there is to say, as it is found out."""
    if VARIABLE not in os.environ:
        yield ill(
            "settings", "None are named, and there is no manage.py here that names them.",
            "Run this where the site's manage.py is, or name them: doctor --settings mysite.settings",
        )  # fmt: skip
        return
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except (ImportError, ImproperlyConfigured, SyntaxError) as error:
        yield ill("settings", f"{os.environ[VARIABLE]}: {error}", "Correct the settings, or their name.")
        return
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("settings", f"{os.environ[VARIABLE]}, with Django {django.get_version()} and Python {version}")
    yield from _checks()
    yield from _migrations()
    yield from _apps()


def _checks() -> Iterator[Finding]:
    from django.core import checks

    found = [message for message in checks.run_checks() if not message.is_silenced()]
    for message in found:
        yield Finding(message.id or "check", message.msg, message.level < checks.WARNING, message.hint or "")
    if not found:
        yield Finding("checks", "The system checks have nothing to say.")


def _migrations() -> Iterator[Finding]:
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.migrations.executor import MigrationExecutor

    for alias in connections:
        try:
            executor = MigrationExecutor(connections[alias])
            plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except Exception as error:
            # Whatever a driver or a setting makes of it; a store says more below.
            yield ill("migrations", f"Not known for {alias!r}: {error}", "Look at what is said of the database.")
            continue
        if plan and alias == DEFAULT_DB_ALIAS:
            names = ", ".join(sorted({migration.app_label for migration, _ in plan}))
            yield ill("migrations", f"{len(plan)} wait, of {names}.", "Run: python manage.py migrate")
        elif not plan:
            yield Finding("migrations", f"All are applied in {alias!r}.")


def _apps() -> Iterator[Finding]:
    from importlib import import_module

    from django.apps import apps

    for config in apps.get_app_configs():
        name = f"{config.name}.examination"
        if config.name.startswith("djintegrate.") and find_spec(name):
            try:
                yield from import_module(name).examine()
            except Exception as error:
                yield ill(config.label, f"{type(error).__name__}: {error}", "Correct this first; then look again.")


def _in_manage_py() -> str | None:
    """The settings that the manage.py in this folder names."""
    try:
        text = Path("manage.py").read_text()
    except OSError:
        return None
    found = re.search(rf"""["']{VARIABLE}["']\s*,\s*["']([\w.]+)["']""", text)
    return found[1] if found else None


def _tell(finding: Finding) -> None:
    mark = "ok" if finding.is_well else "!!"
    indent = " " * 24
    head = f"{mark}  {finding.subject:<18}  "
    print(textwrap.fill(finding.said, WIDTH, initial_indent=head, subsequent_indent=indent), flush=True)
    if finding.remedy and not finding.is_well:
        print(textwrap.fill(finding.remedy, WIDTH, initial_indent=indent, subsequent_indent=indent), flush=True)


if __name__ == "__main__":
    sys.exit(main())
