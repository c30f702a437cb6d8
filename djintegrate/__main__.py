"""`python -m djintegrate doctor`: looks at a site's settings and at all that they name, and says what to do.

It changes nothing. The site is that of --settings, of DJANGO_SETTINGS_MODULE, or of the manage.py in this folder.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from djintegrate.common.examination import Finding, failed, first_line, ill, once, run, tried
from djintegrate.common.sqlite import keep_as_it_is, missing
from djintegrate.common.types import did_you_mean
from djintegrate.setting_up import APPS, VARIABLE, how_to_name_engine, how_to_succeed, set_up

WIDTH = 110
OF_ABSENT_APP = re.compile(r"Model class (djintegrate\.\w+)\.[\w.]+ doesn't declare an explicit app_label")
COMMAND = re.compile(r"manage\.py \w+")
ESSENTIAL = [
    "AUTHENTICATION_BACKENDS", "AUTH_USER_MODEL", "DATABASES", "DATABASE_ROUTERS", "EMAIL_BACKEND", "FORM_RENDERER",
    "INSTALLED_APPS", "MIDDLEWARE", "ROOT_URLCONF", "STATICFILES_DIRS", "STATICFILES_FINDERS", "STORAGES", "TEMPLATES",
]  # fmt: skip
"""Settings of Django's without which a site is another one, and that nobody else's are called nearly like."""


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
    for finding in once(examine()):
        _tell(finding, options.settings)
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
    from django.apps import apps

    unready = list(set_up())
    if not apps.models_ready:
        yield from unready
        return
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("settings", f"{os.environ[VARIABLE]}, with Django {django.get_version()} and Python {version}")
    yield from unready
    from django.db import connections

    for alias in connections:
        yield from tried(f"database {alias}", partial(_keep_as_it_is, alias))
    absent = _absent_apps()
    yield from absent.values()
    broken: list[Finding] = []
    unapplied: set[str] = set()
    parts: list[tuple[str, Callable[[], Iterable[Finding]]]]
    parts = [("settings", _names), ("settings", _paths), ("settings", _urls), ("checks", partial(_checks, broken))]
    parts += [("migrations", partial(_migrations, alias, unapplied)) for alias in connections]
    # Why a check cannot be run is said last: an app may have said it better, with what to do.
    parts += [("apps", partial(_apps, unapplied)), ("checks", lambda: broken)]
    for subject, part in parts:
        for finding in tried(subject, part):
            # Whatever imports the models of an app that is not there fails for that reason.
            model = OF_ABSENT_APP.search(finding.said)
            if not (model and model[1] in absent):
                yield finding


def _keep_as_it_is(alias: str) -> Iterator[Finding]:
    from django.core.exceptions import ImproperlyConfigured
    from django.db import connections

    try:
        connection = connections[alias]
    except ImproperlyConfigured as error:
        yield ill(f"database {alias}", first_line(error), how_to_name_engine(alias, connections.settings[alias]))
    else:
        keep_as_it_is(connection)


def _checks(broken: list[Finding]) -> Iterator[Finding]:
    """Each by itself, so that one which fails leaves the others: why it does is added to `broken`, once."""
    from django.core import checks
    from django.core.checks.registry import registry
    from django.db import connections

    # Some of Django's ask a database, and take one that does not answer for one that can do nothing.
    databases: list[str] | None = [] if any(map(missing, connections.all())) else None
    has_said = False
    for check in registry.get_checks():
        try:
            found = [message for message in check(app_configs=None, databases=databases) if not message.is_silenced()]
        except Exception as error:
            if (finding := failed("checks", error, how_to_succeed(error))) not in broken:
                broken.append(finding)
            continue
        for message in found:
            has_said = True
            yield Finding(message.id or "check", str(message.msg), message.level < checks.WARNING, message.hint or "")
    if not has_said and not broken:
        yield Finding("checks", "The system checks have nothing to say.")


def _names() -> Iterator[Finding]:
    """A setting that is not there, where nobody reads one that is called nearly like it."""
    from django.conf import settings

    absent = [name for name in ESSENTIAL if not settings.is_overridden(name)]
    for name in sorted(filter(settings.is_overridden, dir(settings))):
        if name not in ESSENTIAL and (near := get_close_matches(name, absent, n=1, cutoff=0.9)):
            said = f"{name} is none of Django's settings, and {near[0]} is not set."
            yield ill("settings", said, f"Did you mean {near[0]}?")


def _paths() -> Iterator[Finding]:
    """What no system check says: a path that Django imports only where it serves."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    for path in settings.MIDDLEWARE:
        try:
            import_string(path)
        except Exception as error:
            yield ill("settings", f"{path!r} cannot be imported: {first_line(error)}", "Correct the path.")


def _urls() -> Iterator[Finding]:
    """Whether ROOT_URLCONF names a module that is there. Of one that cannot be imported, the checks tell."""
    from django.conf import settings

    urls = getattr(settings, "ROOT_URLCONF", None)
    if not isinstance(urls, str):
        return
    try:
        import_module(urls)
    except ModuleNotFoundError as error:
        if f"{urls}.".startswith(f"{error.name}."):
            said = f"ROOT_URLCONF is {urls!r}, which cannot be imported: {first_line(error)}"
            yield ill("settings", said, f"Correct ROOT_URLCONF. {did_you_mean(urls, _modules_beside(urls))}".rstrip())
    except Exception:
        return


def _modules_beside(path: str) -> list[str]:
    """The modules beside the one of this path, and beside the settings, of which it may be a slip."""
    found: list[str] = []
    for package in {each.rpartition(".")[0] for each in (path, os.environ[VARIABLE])}:
        with contextlib.suppress(ImportError, AttributeError):
            folders = import_module(package).__path__ if package else [os.getcwd()]
            found += (f"{package}.{module.name}".removeprefix(".") for module in iter_modules(folders))
    return [each for each in found if each.count(".") == path.count(".")]


def _absent_apps() -> dict[str, Finding]:
    """Apps of this suite that the settings use, and that are not installed."""
    from django.apps import apps
    from django.conf import settings
    from django.db import connections

    # Of DATABASES and its ENGINE, the engine tells by itself, by a check.
    engines = {entry["ENGINE"] for entry in connections.settings.values()}
    used = {".".join(path.split(".")[:2]): path for path in _named_paths()}
    if settings.is_overridden("STORM_STORES"):
        used.setdefault("djintegrate.storm_backend", "STORM_STORES")
    absent = {}
    for app, what in used.items():
        # The check of a setting asks after a path that is a slip.
        if app in APPS and app not in engines and not apps.is_installed(app):
            said = f"They use {app} ({what}), which is not in INSTALLED_APPS: nothing of it is checked."
            absent[app] = ill("settings", said, f"Add {app!r} to INSTALLED_APPS.")
    return absent


def _named_paths() -> Iterator[str]:
    """The dotted paths by which Django's settings can name something of an app."""
    from django.conf import settings

    for name in ("MIDDLEWARE", "AUTHENTICATION_BACKENDS", "STATICFILES_FINDERS"):
        yield from getattr(settings, name)
    for name in ("STORAGES", "TASKS", "MAILERS"):
        entries = (getattr(settings, name, None) or {}).values()
        yield from (str(entry.get("BACKEND")) for entry in entries if isinstance(entry, Mapping))
    for name in ("EMAIL_BACKEND", "FORM_RENDERER"):
        # Where MAILERS is set, Django does not want to be asked for EMAIL_BACKEND.
        if settings.is_overridden(name):
            yield str(getattr(settings, name))


def _migrations(alias: str, unapplied: set[str]) -> Iterator[Finding]:
    """The apps whose migrations are not applied are added to `unapplied`."""
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.migrations.executor import MigrationExecutor

    connection: Any = connections[alias]
    if said := missing(connection):
        remedy = _where_it_is_said(connection) or _how_to_migrate(alias)
        yield ill("migrations", f"Not known for {alias!r}: {said}", remedy)
        return
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        remedy = f"To keep anything, name a file: {_place_of_file(connection)}."
        said = f"Not known for {alias!r}: it is in memory, where each process has one of its own, at first empty."
        yield ill("migrations", said, remedy)
        return
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Exception as error:
        # Whatever a driver or a setting makes of it; a store says more below.
        remedy = f"Correct DATABASES[{alias!r}], or what a check says above; or start the server."
        said = f"Not known for {alias!r}: {first_line(error)}"
        yield ill("migrations", said, _where_it_is_said(connection) or remedy)
        return
    labels = {migration.app_label for migration, _ in plan}
    if not plan:
        yield Finding("migrations", f"All are applied in {alias!r}.")
    elif alias != DEFAULT_DB_ALIAS and not _is_for_models_of(labels, alias):
        yield Finding("migrations", f"None concerns {alias!r}: the routers keep the models out of it.")
    else:
        unapplied |= labels
        number = f"{len(plan)} are" if len(plan) > 1 else "One is"
        said = f"{number} not applied yet in {alias!r}, of {', '.join(sorted(labels))}."
        remedy = "; or have a router keep the models out of it." if alias != DEFAULT_DB_ALIAS else ""
        yield ill("migrations", said, _how_to_migrate(alias) + remedy)


def _place_of_file(connection: Any) -> str:
    name = getattr(connection, "store_name", None)
    if name is None:
        return f"DATABASES[{connection.alias!r}]['NAME']"
    return f"STORM_STORES[{name!r}], such as sqlite:/srv/site/db.sqlite3"


def _is_for_models_of(labels: Iterable[str], alias: str) -> bool:
    """Whether the routers let a model of one of these apps into a database."""
    from django.apps import apps
    from django.db import router

    return any(router.get_migratable_models(apps.get_app_config(label), alias) for label in labels)


def _how_to_migrate(alias: str) -> str:
    """`migrate`, and what has to be run before it: an app's examination may know, by its `before_migrate`."""
    from django.db import DEFAULT_DB_ALIAS

    first: list[str] = []
    for _, name in _examinations():
        # Of what fails here the app tells below.
        with contextlib.suppress(Exception):
            first += getattr(import_module(name), "before_migrate", lambda alias: [])(alias)
    return run(*first, "migrate" + (f" --database {alias}" if alias != DEFAULT_DB_ALIAS else ""))


def _where_it_is_said(connection: Any) -> str:
    """Where more is said of the database, if it is a store's."""
    from django.apps import apps

    name = getattr(connection, "store_name", None)
    if name and apps.is_installed("djintegrate.storm_backend"):
        return f"See `store {name}` below."
    return ""


def _apps(unapplied: Collection[str]) -> Iterator[Finding]:
    for label, name in _examinations():
        yield from tried(label, partial(_examine_app, label, name, unapplied))


def _examinations() -> Iterator[tuple[str, str]]:
    """The labels of the apps that have something to say, each with its module that says it."""
    from django.apps import apps

    for config in apps.get_app_configs():
        name = f"{config.name}.examination"
        if config.name.startswith("djintegrate.") and find_spec(name):
            yield config.label, name


def _examine_app(label: str, name: str, unapplied: Collection[str]) -> Iterator[Finding]:
    from django.db import DatabaseError

    try:
        yield from import_module(name).examine()
    except DatabaseError:
        # A table, or a column, that comes with a migration.
        if label not in unapplied:
            raise
        yield ill(label, "Not known before its migrations are applied: see `migrations` above.", "")


def _in_manage_py() -> str | None:
    """The settings that the manage.py in this folder names."""
    try:
        text = Path("manage.py").read_text()
    except OSError:
        return None
    found = re.search(rf"""["']{VARIABLE}["']\s*,\s*["']([\w.]+)["']""", text)
    return found[1] if found else None


def _tell(finding: Finding, settings: str | None) -> None:
    mark = "ok" if finding.is_well else "!!"
    indent = " " * 24
    head = f"{mark}  {finding.subject:<18}  "
    # A path is to be copied as it is.
    fill = partial(textwrap.fill, width=WIDTH, break_long_words=False, break_on_hyphens=False, subsequent_indent=indent)
    print(fill(finding.said, initial_indent=head), flush=True)
    if finding.remedy and not finding.is_well:
        # Whoever has to name the settings here has to name them there.
        named = rf"\g<0> --settings {settings}" if settings else r"\g<0>"
        print(fill(COMMAND.sub(named, finding.remedy), initial_indent=indent), flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        # Whoever reads this, `head` say, has seen enough. Python is not to write the rest when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
