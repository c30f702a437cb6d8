"""Django's own source, fetched in the version that is installed, and what its tests need.

Everything goes into the cache folder; the running environment is not changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import django

from proofs.conformance.process import CACHE, cache_folder


def fetch() -> Path:
    """The folder of the unpacked sdist of the installed Django."""
    version = django.get_version()
    target = CACHE / f"django-{version}"
    if target.exists():
        return target
    print(f"Fetching the source of Django {version} ...", flush=True)
    downloads = cache_folder("downloads")
    _pip("download", "--no-binary", "django", "--no-deps", "--dest", str(downloads), f"django=={version}")
    archive = next(path for path in downloads.iterdir() if path.name.lower() == f"django-{version}.tar.gz")
    unpacked = CACHE / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    shutil.unpack_archive(archive, unpacked)
    # Renamed last, so that an interrupted fetch is not taken for a whole one.
    next(unpacked.iterdir()).rename(target)
    return target


def install_requirements(source: Path) -> Path:
    """A folder with the packages in tests/requirements/py3.txt, for PYTHONPATH. Says which could not be installed."""
    target = CACHE / f"requirements-{django.get_version()}-python{sys.version_info.major}.{sys.version_info.minor}"
    report = target / "not-installed.txt"
    if not report.exists():
        print("Installing what Django's tests need ...", flush=True)
        shutil.rmtree(target, ignore_errors=True)
        missing = [line for line in _requirements(source) if not _install(line, target)]
        target.mkdir(parents=True, exist_ok=True)
        report.write_text("\n".join(missing))
    if missing_text := report.read_text():
        names = ", ".join(missing_text.splitlines())
        print(f"Could not be installed, so Django skips the tests that need it on both sides: {names}")
    return target


def _requirements(source: Path) -> list[str]:
    lines = (source / "tests" / "requirements" / "py3.txt").read_text().splitlines()
    return [line for line in lines if re.match(r"\w", line)]


def _install(requirement: str, target: Path) -> bool:
    # One by one: one that cannot be built must not keep the others out.
    try:
        _pip("install", "--target", str(target), "--prefer-binary", requirement)
    except subprocess.CalledProcessError as error:
        log = CACHE / "requirements.log"
        with open(log, "a") as file:
            file.write(f"== {requirement}\n{error.stdout}\n")
        print(f"  {requirement}: not installed (see {os.path.relpath(log)})", flush=True)
        return False
    return True


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
