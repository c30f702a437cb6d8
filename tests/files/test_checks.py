"""The system checks of the files app: each mistake has an id, its value and a remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import DefaultStorage, FileSystemStorage, storages
from django.db.models import FileField

from djintegrate.files import TransactionalStorage, examination, upkeep
from djintegrate.files.checks import check_configuration
from tests.apps.documents.models import Document

OURS = "djintegrate.files.TransactionalStorage"
DJANGOS = "django.core.files.storage.FileSystemStorage"


def found() -> dict[str, str]:
    return {message.id: message.msg for message in check_configuration()}


def test_the_tests_own_settings_are_right() -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FILES_JOURNAL", "", "FILES_JOURNAL is ''"),
        ("FILES_JOURNAL", 3, "FILES_JOURNAL is 3, a whole number"),
        ("FILES_LOCK_TIMEOUT", "10", "FILES_LOCK_TIMEOUT is '10', a string"),
        ("FILES_LOCK_TIMEOUT", -1, "FILES_LOCK_TIMEOUT is -1"),
        ("FILES_DELETE_REPLACED", "False", "FILES_DELETE_REPLACED is 'False', a string"),
        ("FILES_FSYNC", 1, "FILES_FSYNC is 1, a whole number"),
    ],
)
def test_a_value_that_does_not_fit_is_an_error(settings: Any, name: str, value: Any, said: str) -> None:
    setattr(settings, name, value)
    assert said in found()["files.E001"]


def test_requests_that_are_no_transaction_are_a_warning(settings: Any) -> None:
    settings.MIDDLEWARE = settings.MIDDLEWARE[1:]
    assert "'default'" in found()["files.W004"] and "files of one that fails stay" in found()["files.W004"]


def test_without_a_journal_the_site_does_not_start(settings: Any) -> None:
    del settings.FILES_JOURNAL
    assert "FILES_JOURNAL" in found()["files.E001"]


def test_a_slip_of_the_pen_is_a_warning(settings: Any) -> None:
    settings.FILES_LOCK_TIME_OUT = 3
    assert "Did you mean FILES_LOCK_TIMEOUT?" in found()["files.W001"]


def test_a_folder_that_cannot_be_written_is_an_error(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.FILES_JOURNAL = tmp_path / "file" / "journal"
    assert "where this process cannot write" in found()["files.E002"]


@pytest.mark.parametrize("name", ["MEDIA_ROOT", "STATIC_ROOT"])
def test_a_folder_that_is_served_is_a_warning(settings: Any, tmp_path: Path, name: str) -> None:
    setattr(settings, name, str(tmp_path))
    settings.FILES_JOURNAL = tmp_path / "journal"
    assert f"below {name}" in found()["files.W002"]


@pytest.mark.parametrize(
    ("options", "check", "said"),
    [
        ({"storage": {"BACKEND": "no.such.Storage"}}, "files.E003", "ModuleNotFoundError"),
        ({"storage": {"BACKENDS": "x"}}, "files.E003", "Give it BACKEND"),
        ({"storages": {}}, "files.E003", "unexpected keyword argument 'storages'"),
        ({"storage": DJANGOS}, "files.E003", f"around {DJANGOS!r}, which is no storage"),
        ({"storage": {"BACKEND": OURS}}, "files.E004", "around a TransactionalStorage"),
        ({"using": "defualt"}, "files.E005", "'defualt', which is not in DATABASES"),
    ],
)
def test_a_storage_that_is_wrong_is_an_error(settings: Any, options: Any, check: str, said: str) -> None:
    settings.STORAGES = {**settings.STORAGES, "wrong": {"BACKEND": OURS, "OPTIONS": options}}
    assert said in found()[check]


def test_rows_in_another_database_than_the_files_transactions_are_a_warning(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [Router()]
    assert "tests" not in storages.backends
    assert "documents.Document are in the database 'second'" in found()["files.W003"]


class Router:
    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "second" if model is Document else None


def test_a_fields_own_storage_is_looked_at(monkeypatch: Any) -> None:
    field = Document._meta.get_field("file")
    monkeypatch.setattr(field, "storage", TransactionalStorage(using="nowhere"))
    assert "The storage of documents.Document.file" in found()["files.E005"]


@pytest.mark.parametrize(
    ("entry", "said", "remedy"),
    [
        (
            {"BACKEND": OURS, "OPTIONS": {"location": "/tmp/x"}},
            "unexpected keyword argument 'location'",
            f'"OPTIONS": {{"storage": {{"BACKEND": "{DJANGOS}", "OPTIONS": {{"location": …}}}}}}',
        ),
        ({"BACKEND": OURS, "OPTIONS": {"storag": {}}}, "'storag'", "Did you mean storage?"),
        (
            {"BACKEND": OURS, "OPTIONS": {"storage": FileSystemStorage}},
            "TypeError",
            '"storage": {"BACKEND": "django.core.',
        ),
        ({"BACKEND": f"{OURS}s"}, f"'{OURS}s'", f"Did you mean {OURS}?"),
        ({"BACKEND": OURS.replace("files", "file")}, "djintegrate.file", f"Did you mean {OURS}?"),
    ],
)
def test_a_wrong_default_storage_is_one_error_with_what_to_write_though_a_field_uses_it(
    settings: Any, monkeypatch: Any, entry: Any, said: str, remedy: str
) -> None:
    monkeypatch.setattr(Document._meta.get_field("file"), "storage", DefaultStorage())
    settings.STORAGES = {**settings.STORAGES, "default": entry}
    [error] = check_configuration()
    assert error.id == "files.E003" and "The storage 'default' cannot be made" in error.msg and said in error.msg
    assert error.hint is not None and remedy in error.hint


def test_a_storage_of_fields_that_cannot_be_made_is_one_error_with_a_field(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(Document._meta.get_field("file"), "storage", DefaultStorage())
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "no.such.Storage"}}
    [error] = check_configuration()
    assert error.id == "files.E003" and error.msg.startswith("The storage of ") and "no.such.Storage" in error.msg


def test_the_deeper_path_of_the_storage_is_looked_at_as_well(settings: Any) -> None:
    deeper = "djintegrate.files.storage.TransactionalStorage"
    settings.STORAGES = {**settings.STORAGES, "wrong": {"BACKEND": deeper, "OPTIONS": {"using": "defualt"}}}
    assert "'defualt'" in found()["files.E005"]


def test_fields_none_of_which_has_a_storage_of_the_transaction_are_a_warning(settings: Any, monkeypatch: Any) -> None:
    own = {"BACKEND": DJANGOS}
    fields = [field for model in apps.get_models() for field in model._meta.local_fields]
    for field in fields:
        if isinstance(field, FileField):
            monkeypatch.setattr(field, "storage", FileSystemStorage())
    settings.STORAGES = dict.fromkeys(settings.STORAGES, own)
    assert "documents.Document.file and" in found()["files.W005"]
    monkeypatch.setattr(Document._meta.get_field("file"), "storage", TransactionalStorage())
    assert "files.W005" not in found()


def test_a_journal_that_depends_on_the_working_directory_is_a_warning(
    settings: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    settings.FILES_JOURNAL = "var/journal"
    assert "'var/journal', relative to the directory" in found()["files.W006"]
    settings.FILES_JOURNAL = tmp_path / "var/journal"
    assert "files.W006" not in found()


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (0, "nothing is left to be completed or undone."),
        (1, "One transaction, whose process has died, waits to be completed or undone."),
        (2, "2 transactions, whose processes have died, wait to be completed or undone."),
    ],
)
def test_the_doctor_counts_in_words_what_a_crash_has_left(monkeypatch: Any, left: int, said: str) -> None:
    monkeypatch.setattr(upkeep, "waiting", lambda: iter([("a", [])] * left))
    [finding] = examination.examine()
    assert finding.said.endswith(said) and finding.is_well == (not left)
