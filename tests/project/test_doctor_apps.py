"""What the doctor says of apps that the settings use, and of their storages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.test_doctor import SETTINGS, said_by

SITE = """
SECRET_KEY = "of no site"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": %(folder)r + "/site.sqlite3"}}
"""
FILES = """
DATABASES["default"]["ATOMIC_REQUESTS"] = True
INSTALLED_APPS = ["djintegrate.files"]
FILES_JOURNAL = %(folder)r + "/journal"
STORAGES = {"default": %(storage)s}
"""
OURS = "djintegrate.files.TransactionalStorage"


@pytest.mark.parametrize(
    ("app", "settings"),
    [
        ("files", f"STORAGES = {{'default': {{'BACKEND': '{OURS}'}}}}"),
        ("jobs", "TASKS = {'default': {'BACKEND': 'djintegrate.jobs.DatabaseBackend'}}"),
        ("jobs", "EMAIL_BACKEND = 'djintegrate.jobs.mail.EmailBackend'"),
        ("dojo", "FORM_RENDERER = 'djintegrate.dojo.forms.DijitRenderer'"),
        ("dojo", "STATICFILES_FINDERS = ['djintegrate.dojo.finders.DojoFinder']"),
    ],
)
def test_an_app_that_a_setting_names_and_that_is_not_installed_is_said(tmp_path: Path, app: str, settings: str) -> None:
    (tmp_path / "site.sqlite3").touch()
    text = said_by(tmp_path, SITE % {"folder": str(tmp_path)} + settings + "\n")
    assert f"Add 'djintegrate.{app}' to INSTALLED_APPS." in text


def test_of_an_app_that_is_misspelt_in_a_setting_nobody_says_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "site.sqlite3").touch()
    wrong = "MIDDLEWARE = ['djintegrate.job.middleware.JobsMiddleware']\n"
    text = said_by(tmp_path, SITE % {"folder": str(tmp_path)} + wrong)
    assert "'djintegrate.job.middleware.JobsMiddleware' cannot be imported" in text
    assert "INSTALLED_APPS" not in text


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        ({"BACKEND": OURS, "OPTIONS": {"location": "/tmp/x"}}, '"OPTIONS": {"location": …}'),
        ({"BACKEND": f"{OURS}s"}, f"Did you mean {OURS}?"),
    ],
)
def test_a_storage_that_cannot_be_made_is_said_with_what_to_write(tmp_path: Path, storage: object, said: str) -> None:
    (tmp_path / "site.sqlite3").touch()
    values = {"folder": str(tmp_path), "storage": repr(storage)}
    text = said_by(tmp_path, SITE % values + FILES % values)
    assert "!! files.E003 The storage 'default' cannot be made" in text and said in text


JOBS = """
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_tasks", "djintegrate.jobs"]
TASKS = {"default": {"BACKEND": "djintegrate.jobs.DatabaseBackend"}}
"""


def test_where_tables_are_not_there_yet_the_migrations_say_so_alone(tmp_path: Path) -> None:
    (tmp_path / "site.sqlite3").touch()
    text = said_by(tmp_path, SITE % {"folder": str(tmp_path)} + JOBS)
    assert "!! jobs Not known before its migrations are applied: see `migrations` above." in text
    assert "no such table" not in text


def test_a_store_that_cannot_be_used_is_not_to_have_requests_of_djangos(tmp_path: Path) -> None:
    """Its connection could not be made, but whose it would be the settings say."""
    settings = SETTINGS % {"uri": "postgers://nobody@127.0.0.1/site"} + JOBS
    settings += "INSTALLED_APPS += ['djintegrate.storm_backend']\n"
    text = said_by(tmp_path, settings)
    assert "Did you mean postgres?" in text
    assert "ATOMIC_REQUESTS" not in text
