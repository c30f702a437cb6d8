"""System checks: what is wrong with the settings, with the value and the remedy. They never touch the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import InvalidCacheBackendError
from django.core.checks import CheckMessage, Error, Warning
from django.core.checks.registry import registry
from django.db import connections, router
from django.urls import reverse
from django.utils.module_loading import import_string

from djintegrate.common.checks import (
    leads_nowhere,
    requests_without_transaction,
    slip_of,
    unknown_names,
    wrong_values,
)
from djintegrate.common.engine import is_engines
from djintegrate.common.types import did_you_mean

from . import conf
from .backends import DatabaseBackend, OutboxBackend
from .models import Job
from .tasks import InvalidTaskBackend, backends_of

MIDDLEWARE = "djintegrate.jobs.middleware.JobsMiddleware"
EMAIL_BACKEND = "djintegrate.jobs.mail.EmailBackend"
BACKENDS = ("djintegrate.jobs.DatabaseBackend", "djintegrate.jobs.OutboxBackend")
KEYS = ("BACKEND", "QUEUES", "OPTIONS")
DJANGOS_OWN = ("smtp", "console", "filebased", "locmem", "dummy")
SUGGESTION = (
    'Redis, memcached, or on one machine a folder: CACHES = {"default": {"BACKEND": '
    '"django.core.cache.backends.filebased.FileBasedCache", "LOCATION": BASE_DIR / "var" / "cache"}}'
)
UNFIT_CACHES = {
    "django.core.cache.backends.locmem.LocMemCache": "which no other process sees",
    "django.core.cache.backends.dummy.DummyCache": "which keeps nothing",
    "django.core.cache.backends.db.DatabaseCache": "which is part of the job's own transaction",
}


def check_configuration(**kwargs: Any) -> list[CheckMessage]:
    wrong = list(wrong_values(conf.DECLARED, "jobs.E001"))
    found = wrong or [*_backends(), *_mail(), *_middleware(), *_sign_in()]
    return [*unknown_names(conf.DECLARED, "jobs.W001"), *found]


def _backends() -> Iterator[CheckMessage]:
    try:
        ours = [*backends_of(DatabaseBackend), *backends_of(OutboxBackend)]
    except InvalidTaskBackend as error:
        yield Error(str(error), hint=backend_meant() or "Correct TASKS.", id="jobs.E003")
        return
    if not ours:
        yield Warning(
            "djintegrate.jobs is installed, and no entry of TASKS is one of its backends.",
            hint='TASKS = {"default": {"BACKEND": "djintegrate.jobs.DatabaseBackend"}}',
            id="jobs.W002",
        )
        return
    if backends_of(DatabaseBackend) and not apps.is_installed("django_tasks_db"):
        yield Error(
            "TASKS has djintegrate.jobs.DatabaseBackend, and django_tasks_db is not in INSTALLED_APPS.",
            hint="Add 'django_tasks_db' to INSTALLED_APPS, and run `manage.py migrate`.",
            id="jobs.E004",
        )
    if not any(getattr(check, "__name__", "") == "check_tasks" for check in registry.get_checks()):
        # On Django 5.2 nobody asks the backends, unless django_tasks is in INSTALLED_APPS.
        for backend in ours:
            yield from backend.check()
    yield from requests_without_transaction(
        router.db_for_write(Job), "the jobs and mails of one that fails are begun and sent all the same.", "jobs.W004"
    )
    yield from _cache()
    yield from _keys(ours)
    yield from _locks()


def backend_meant() -> str:
    """The question after the backend of ours that an entry of TASKS is a slip of; nothing where none is."""
    paths = [entry.get("BACKEND") for entry in getattr(settings, "TASKS", {}).values() if isinstance(entry, dict)]
    return next(filter(None, (slip_of(path, BACKENDS) for path in paths)), "")


def _keys(ours: list[Any]) -> Iterator[CheckMessage]:
    """Nobody reads a key that is not known: the entry works as if it were not there."""
    for backend in ours:
        where, entry = f"TASKS[{backend.alias!r}]", settings.TASKS[backend.alias]
        inner = backend.options.get("backend") if isinstance(backend, OutboxBackend) else None
        entries = {where: entry, f"{where}['OPTIONS']['backend']": inner if isinstance(inner, dict) else {}}
        for place, keys in entries.items():
            for key in set(keys).difference(KEYS):
                yield Warning(
                    f"{place} has the key {key!r}, which nobody reads.",
                    hint=did_you_mean(key, KEYS) or f"Its keys are {', '.join(KEYS)}.",
                    id="jobs.W006",
                )


def _locks() -> Iterator[CheckMessage]:
    """A transaction that locks all of SQLite when it begins is short in a request, and as long as the job in a task."""
    if not (backends_of(DatabaseBackend) and apps.is_installed("django_tasks_db")):
        return
    connection: Any = connections[router.db_for_write(apps.get_model("django_tasks_database", "DBTaskResult"))]
    mode = connection.settings_dict["OPTIONS"].get("transaction_mode") if connection.vendor == "sqlite" else None
    if str(mode).upper() in ("IMMEDIATE", "EXCLUSIVE") and not is_engines(connection):
        yield Warning(
            f"DATABASES[{connection.alias!r}]['OPTIONS']['transaction_mode'] is {mode!r}: each job keeps the lock for "
            "writing from its beginning to its end, and whoever else begins a transaction waits, or fails.",
            hint="Remove transaction_mode, or keep jobs short: `with jobs.step():` gives the lock back in between. "
            'If all are short: SILENCED_SYSTEM_CHECKS = ["jobs.W007"]',
            id="jobs.W007",
        )


def _cache() -> Iterator[CheckMessage]:
    alias = conf.cache()
    try:
        kind = type(caches[alias])
    except InvalidCacheBackendError:
        known = ", ".join(map(repr, settings.CACHES))
        yield Error(
            f"JOBS_CACHE is {alias!r}, which is not an entry of CACHES.",
            hint=f"Make it one of {known}.",
            id="jobs.E002",
        )
        return
    for path, reason in UNFIT_CACHES.items():
        if issubclass(kind, import_string(path)):
            yield Error(
                f"JOBS_CACHE is {alias!r}, a {kind.__name__}, {reason}: nobody would see a job's progress.",
                hint=f"Use {SUGGESTION}",
                id="jobs.E002",
            )


def _mail() -> Iterator[CheckMessage]:
    named = conf.email_backend()
    mailers = conf.mailers()
    if mailers is None:
        yield from _importable("EMAIL_BACKEND", settings.EMAIL_BACKEND)
        yield from _importable("JOBS_EMAIL_BACKEND", named)
        if named == EMAIL_BACKEND:
            yield Error(
                f"JOBS_EMAIL_BACKEND is {named!r}, which sends nothing itself: each mail would be a job for ever.",
                hint='Name the backend that really sends: "django.core.mail.backends.smtp.EmailBackend".',
                id="jobs.E005",
            )
        return
    for alias, entry in mailers.items():
        yield from _importable(f"MAILERS[{alias!r}]['BACKEND']", entry.get("BACKEND"))
    ours = [alias for alias, entry in mailers.items() if entry.get("BACKEND") == EMAIL_BACKEND]
    if ours and named not in set(mailers).difference(ours):
        others = (
            ", ".join(repr(alias) for alias in mailers if alias not in ours) or "one that really sends, to be added"
        )
        yield Error(
            f"JOBS_EMAIL_BACKEND is {named!r}, and MAILERS has no such entry that really sends.",
            hint=f"With MAILERS, make it the name of another entry: {others}.",
            id="jobs.E005",
        )


def _importable(setting: str, path: Any) -> Iterator[CheckMessage]:
    """Else each mail would fail: where it is written, or in the worker."""
    if not isinstance(path, str):
        return
    try:
        import_string(path)
    except Exception as error:  # whatever the module does when it is imported
        known = (EMAIL_BACKEND, *(f"django.core.mail.backends.{each}.EmailBackend" for each in DJANGOS_OWN))
        yield Error(
            f"{setting} is {path!r}, which cannot be imported ({type(error).__name__}: {error}).",
            hint=did_you_mean(path, known) or f"Correct {setting}.",
            id="jobs.E006",
        )


def _sign_in() -> Iterator[CheckMessage]:
    """The pages of jobs send whoever is not signed in to LOGIN_URL."""
    if _has_pages() and leads_nowhere("LOGIN_URL"):
        yield Warning(
            f"LOGIN_URL is {str(settings.LOGIN_URL)!r}, which is no page of this site. Whoever opens the page of a job "
            "without being signed in is sent there.",
            hint='Name the page on which people sign in; with the admin\'s alone: LOGIN_URL = "admin:login"',
            id="jobs.W005",
        )


def _has_pages() -> bool:
    """Whether the pages of jobs are among the site's."""
    try:
        reverse("jobs:list")
    except Exception:  # Of addresses that cannot be loaded, Django's own check speaks.
        return False
    return True


def _middleware() -> Iterator[CheckMessage]:
    if conf.owner() is None and MIDDLEWARE not in settings.MIDDLEWARE:
        slips = [path for path in settings.MIDDLEWARE if slip_of(path, [MIDDLEWARE])]
        remedy = f"MIDDLEWARE has {slips[0]!r}. Did you mean {MIDDLEWARE!r}?" if slips else f"Add {MIDDLEWARE!r}."
        yield Warning(
            "Jobs have no owner: JobsMiddleware is not in MIDDLEWARE, and JOBS_OWNER is not set.",
            hint=f"{remedy} For views its place does not matter. Jobs without an owner are seen by staff alone.",
            id="jobs.W003",
        )
