"""Runs Django's own test suite on a native backend or on the engine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from proofs.conformance import django_source
from proofs.conformance.process import ROOT, Side, cache_folder, run_recorded
from proofs.conformance.results import Run
from tools.servers import Server

DATABASE_NAMES = {"default": "main", "other": "other"}


def run(
    name: str, side: Side, server: Server, folder: Path, hiding: Sequence[str], jobs: int, labels: Sequence[str] = ()
) -> Run:
    """Runs the whole suite, or a few `labels` of it."""
    source = django_source.fetch()
    requirements = django_source.install_requirements(source)
    (folder / f"settings_{name}.py").write_text(settings(side, server))
    environment = {
        "PYTHONPATH": os.pathsep.join(map(str, [*hiding, folder, _packages(), requirements])),
        "PATH": os.pathsep.join([str(requirements / "bin"), os.environ.get("PATH", os.defpath)]),
    }
    command = [sys.executable, "runtests.py", f"--settings=settings_{name}", f"--parallel={jobs}", "--noinput"]
    command = [*_without_root_access(), *command, *labels]
    return run_recorded(name, command, source / "tests", environment, folder)


def settings(side: Side, server: Server) -> str:
    """The text of the settings module, after Django's own tests/test_sqlite.py."""
    lines = []
    if side == "native":
        databases = {alias: server.django(name) for alias, name in DATABASE_NAMES.items()}
    else:
        stores = {name: server.uri(name) for name in DATABASE_NAMES.values()}
        lines.append(f"STORM_STORES = {stores!r}")
        databases = {
            alias: {"ENGINE": "djintegrate.storm_backend", "NAME": name} for alias, name in DATABASE_NAMES.items()
        }
    lines += [
        f"DATABASES = {databases!r}",
        'TEST_RUNNER = "proofs.conformance.recorder.RecordingRunner"',
        'SECRET_KEY = "django_tests_secret_key"',
        'PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]',
        'DEFAULT_AUTO_FIELD = "django.db.models.AutoField"',
        "USE_TZ = False",
    ]
    return "\n".join(lines) + "\n"


def _packages() -> Path:
    """A folder with the packages that the suite's process imports, and without `testproject`.

    Some of Django's tests make a project of that name, which must be free.
    """
    folder = cache_folder("packages")
    for package in ("proofs", "djintegrate"):
        link = folder / package
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / package)
    return folder


def _without_root_access() -> list[str]:
    """A command prefix that has file permissions hold for root too: some of Django's tests are about them."""
    if os.geteuid() != 0 or not (setpriv := shutil.which("setpriv")):
        return []
    return [setpriv, "--bounding-set=-dac_override,-dac_read_search", "--"]
