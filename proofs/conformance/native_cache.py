"""Keeps the results of whole native runs, for `--engine-only`. Never holds a result of the engine."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import django
import storm
from django.conf import settings
from django.db.utils import ConnectionHandler

from proofs.conformance.process import cache_folder
from proofs.conformance.results import Result, Run
from tools.servers import Server


def file_for(suite: str, database: str, server: Server) -> Path:
    """Where the run of these versions of everything is kept."""
    library = f"django{django.get_version()}" if suite == "django" else f"storm{storm.version}"
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return cache_folder("native") / f"{library}-{python}-{database}{_version(server)}.json"


def load(file: Path, labels: Sequence[str] = ()) -> Run | None:
    """The run kept in `file`, or the part of it that has these labels."""
    if not file.exists():
        return None
    stored = json.loads(file.read_text(encoding="utf-8"))
    results = {
        test: Result(**result) for test, result in stored["results"].items() if not labels or _has_label(test, labels)
    }
    return Run(results, None if labels else stored["seconds"])


def save(file: Path, run: Run) -> None:
    file.write_text(json.dumps(asdict(run)), encoding="utf-8")


def _has_label(test: str, labels: Sequence[str]) -> bool:
    # The failure of a class or module as a whole is named `setUpClass (module.Class)`.
    name = test.rpartition("(")[2].rstrip(")")
    return any(name == label or name.startswith(f"{label}.") for label in labels)


def _version(server: Server) -> str:
    if server.kind == "sqlite":
        return sqlite3.sqlite_version
    if not settings.configured:
        settings.configure(USE_TZ=False)
        django.setup()
    connection = ConnectionHandler({"default": server.django("test")})["default"]
    try:
        return ".".join(map(str, connection.get_database_version()))
    finally:
        connection.close()
