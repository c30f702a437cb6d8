"""`python -m djintegrate doctor`: what is well, what is not, what to do; in processes with settings of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
STORM_STORES = {"main": %(uri)r}
DATABASES = {"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}}
INSTALLED_APPS = ["djintegrate.storm_backend"]
MIDDLEWARE = ["djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"]
SECRET_KEY = "of no site"
USE_TZ = True
"""


def doctor(folder: Path, *arguments: str, settings: str = "") -> subprocess.CompletedProcess[str]:
    if settings:
        (folder / "site_settings.py").write_text(settings)
        (folder / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")\n')
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "-m", "djintegrate", "doctor", *arguments],
        cwd=folder, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip


def test_a_site_that_is_well_is_said_to_be(tmp_path: Path) -> None:
    done = doctor(tmp_path, settings=SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"})
    assert "!!" not in done.stdout
    assert "site_settings, with Django" in done.stdout
    assert "SQLite" in done.stdout and "answers" in done.stdout
    assert done.stdout.endswith("All is well.\n")
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("uri", "said", "remedy"),
    [
        ("sqlite:/no/such/folder/site.sqlite3", "'/no/such/folder' is not there", "Make it."),
        ("oracle://x", "oracle", "STORM_STORES"),
    ],
)
def test_a_store_that_cannot_be_reached_is_said_with_the_remedy(
    tmp_path: Path, uri: str, said: str, remedy: str
) -> None:
    done = doctor(tmp_path, settings=SETTINGS % {"uri": uri})
    text = " ".join(done.stdout.split())
    assert "!!" in text and said in text and remedy in text
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_settings_that_cannot_be_imported_end_in_a_line(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--settings", "no_such.settings")
    assert "no_such" in done.stdout and "Correct the settings, or their name." in done.stdout
    assert done.returncode == 1


def test_without_settings_it_asks_for_them(tmp_path: Path) -> None:
    done = doctor(tmp_path)
    assert "--settings mysite.settings" in " ".join(done.stdout.split())
    assert done.returncode == 1
