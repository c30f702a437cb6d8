"""What collectstatic with hashed names takes for the build, beside files of the same sizes without any text."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test.utils import override_settings

ROUNDS = 7
MANIFEST = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}


def times() -> tuple[list[float], list[float]]:
    """In seconds, with the build and without, in turns."""
    release = Path(settings.DOJO_BUILD_ROOT)
    with tempfile.TemporaryDirectory() as folder:
        others = Path(folder, "others")
        _fill(others, release)
        both = [(_seconds(release, folder), _seconds(others, folder)) for _ in range(ROUNDS)]
    return [one for one, _ in both], [other for _, other in both]


def _fill(others: Path, release: Path) -> None:
    """As many files, as large, under the same names but for their ends."""
    numbers = random.Random(0)
    for path in release.rglob("*"):
        if path.is_file():
            other = others / path.relative_to(release).with_name(path.name + ".bin")
            other.parent.mkdir(parents=True, exist_ok=True)
            other.write_bytes(numbers.randbytes(path.stat().st_size))


def _seconds(source: Path, folder: str) -> float:
    with (
        tempfile.TemporaryDirectory(dir=folder) as target,
        override_settings(STATICFILES_DIRS=[source], STATIC_ROOT=target, STORAGES={**settings.STORAGES, **MANIFEST},
                          INSTALLED_APPS=["django.contrib.staticfiles"]),
    ):  # fmt: skip
        finders.get_finder.cache_clear()
        began = time.perf_counter()
        call_command("collectstatic", interactive=False, verbosity=0)
        taken = time.perf_counter() - began
        assert staticfiles_storage.hashed_files
    return taken
