"""The site whose processes are killed: one database behind two aliases, one folder of files. Nothing here connects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from tools.servers import Server

ENGINE, NATIVE = "default", "native"


def configure(server: Server, folder: Path) -> None:
    media = folder / "media"
    settings.configure(
        STORM_STORES={"main": server.uri()},
        DATABASES={
            ENGINE: {"ENGINE": "djintegrate.storm_backend", "NAME": "main"},
            NATIVE: server.django(),
        },
        STORAGES={alias: _storage(alias, media) for alias in (ENGINE, NATIVE)},
        FILES_JOURNAL=folder / "journal",
        FILES_LOCK_TIMEOUT=20,
        INSTALLED_APPS=["djintegrate.storm_backend", "djintegrate.files", "proofs.files_crash"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        LOGGING_CONFIG=None,
    )
    for name in ("documents", "papers"):
        (media / name).mkdir(parents=True)
    django.setup()


def make_tables(report: Any) -> None:
    call_command("migrate", database=ENGINE, run_syncdb=True, verbosity=0)
    if connections[NATIVE].vendor == "sqlite":
        with connections[NATIVE].cursor() as cursor:
            # So that a process which only reads does not have to wait for one that was killed.
            cursor.execute("PRAGMA journal_mode = WAL")


def _storage(alias: str, media: Path) -> dict[str, Any]:
    inner = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(media)}}
    return {"BACKEND": "djintegrate.files.TransactionalStorage", "OPTIONS": {"storage": inner, "using": alias}}
