"""Mistakes in the settings of jobs are told with the value and the remedy."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from djintegrate.jobs import conf, task
from djintegrate.jobs.checks import check_configuration
from djintegrate.storm_backend.middleware import ZopeTransactionMiddleware

DATABASE = {"BACKEND": "djintegrate.jobs.DatabaseBackend"}


def found() -> dict[str | None, str]:
    return {message.id: f"{message.msg} {message.hint}" for message in check_configuration()}


@pytest.fixture(autouse=True)
def good(settings: Any) -> None:
    settings.TASKS = {"default": DATABASE}
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "djintegrate.jobs.middleware.JobsMiddleware"]


def test_a_good_configuration_has_nothing_to_tell() -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        ("locmem.LocMemCache", "no other process sees"),
        ("dummy.DummyCache", "keeps nothing"),
        ("db.DatabaseCache", "part of the job's own transaction"),
    ],
)
def test_a_cache_that_others_do_not_see_is_an_error(settings: Any, backend: str, reason: str) -> None:
    settings.CACHES = {"jobs": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": "table"}, "default": {}}
    assert reason in found()["jobs.E002"]
    assert "FileBasedCache" in found()["jobs.E002"]


def test_an_unknown_cache_is_an_error_that_names_those_there_are(settings: Any) -> None:
    settings.JOBS_CACHE = "job"
    assert "'default', 'jobs'" in found()["jobs.E002"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOBS_ATTEMPTS", 0),
        ("JOBS_ATTEMPTS", "3"),
        ("JOBS_LEASE_SECONDS", True),
        ("JOBS_CACHE", None),
        ("JOBS_OWNER", "no.such"),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_that_names_it(settings: Any, name: str, value: object) -> None:
    setattr(settings, name, value)
    assert found()["jobs.E001"].startswith(name)
    assert repr(value) in found()["jobs.E001"]


def test_a_name_that_is_not_known_gets_a_question(settings: Any) -> None:
    settings.JOBS_LEASE_SECOND = 30
    assert "Did you mean JOBS_LEASE_SECONDS?" in found()["jobs.W001"]


def test_an_outbox_without_a_queue_is_an_error(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "djintegrate.jobs.OutboxBackend"}}
    from djintegrate.jobs.tasks import task_backends

    [error] = task_backends["default"].check()
    assert error.id == "jobs.E003"
    assert "django_tasks_rq.RQBackend" in str(error.hint)


@pytest.mark.django_db(databases="__all__")
def test_a_queue_that_is_not_installed_is_an_error_though_a_task_is_imported(settings: Any) -> None:
    inner = {"BACKEND": "nosuch.queue.Backend"}
    settings.TASKS = {"default": {"BACKEND": "djintegrate.jobs.OutboxBackend", "OPTIONS": {"backend": inner}}}
    imported = task(of_a_module)
    [error] = [message for message in run_checks() if message.id == "jobs.E003"]
    assert "nosuch.queue.Backend cannot be imported (No module named 'nosuch')" in error.msg
    with pytest.raises(LookupError, match="No module named 'nosuch'"):
        imported.enqueue()


def of_a_module() -> None:
    """The function of a task."""


def test_no_backend_of_this_app_is_a_warning(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    assert "djintegrate.jobs.DatabaseBackend" in found()["jobs.W002"]


def test_the_table_of_the_queue_must_be_installed(settings: Any) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_tasks_db"]
    assert "INSTALLED_APPS" in found()["jobs.E004"]


def test_jobs_without_an_owner_are_a_warning(settings: Any) -> None:
    settings.MIDDLEWARE = settings.MIDDLEWARE[:-1]
    assert "JobsMiddleware" in found()["jobs.W003"] and "Did you mean" not in found()["jobs.W003"]


def test_a_misspelt_middleware_gets_a_question(settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:-1], "djintegrate.jobs.middleware.JobMiddleware"]
    assert "Did you mean 'djintegrate.jobs.middleware.JobsMiddleware'?" in found()["jobs.W003"]


def test_a_misspelt_backend_gets_a_question(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "djintegrate.jobs.DatabaseBackendX"}}
    assert "Did you mean djintegrate.jobs.DatabaseBackend?" in found()["jobs.E003"]


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({**DATABASE, "QUEUE": ["a"]}, "TASKS['default']"),
        (
            {
                "BACKEND": "djintegrate.jobs.OutboxBackend",
                "OPTIONS": {"backend": {"BACKEND": "django_tasks.backends.dummy.DummyBackend", "QUEUE": ["a"]}},
            },
            "TASKS['default']['OPTIONS']['backend']",
        ),
    ],
    ids=["queue", "outbox"],
)
def test_a_misspelt_key_of_an_entry_of_tasks_gets_a_question(settings: Any, entry: Any, place: str) -> None:
    settings.TASKS = {"default": entry}
    assert found()["jobs.W006"] == f"{place} has the key 'QUEUE', which nobody reads. Did you mean QUEUES?"


@pytest.mark.parametrize(("mode", "warns"), [("IMMEDIATE", True), ("exclusive", True), ("DEFERRED", False)])
def test_a_lock_that_each_job_would_keep_is_a_warning(
    settings: Any, monkeypatch: pytest.MonkeyPatch, mode: str, warns: bool
) -> None:
    monkeypatch.setattr("djintegrate.jobs.checks.is_engines", lambda connection: False)
    monkeypatch.setattr(connection, "vendor", "sqlite")
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "transaction_mode", mode)
    assert ("jobs.W007" in found()) is warns


@pytest.mark.parametrize("database", ["engine", "native"])
def test_requests_that_are_no_transaction_are_a_warning(
    settings: Any, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    if database == "native":
        monkeypatch.setattr("djintegrate.common.checks.is_to_be_engines", lambda connection: False)
        assert 'DATABASES["default"]["ATOMIC_REQUESTS"] = True' in found()["jobs.W004"]
        monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
        assert found() == {}
    else:
        name = settings.MIDDLEWARE[0]
        settings.MIDDLEWARE = settings.MIDDLEWARE[1:]
        assert f"Put {name!r} first in MIDDLEWARE" in found()["jobs.W004"]
        settings.MIDDLEWARE = ["tests.jobs.test_checks.Ours", *settings.MIDDLEWARE]
        assert found() == {}


class Ours(ZopeTransactionMiddleware):
    """A site's own."""


class TestTheSignIn:
    @pytest.fixture(autouse=True)
    def pages(self, settings: Any) -> None:
        settings.ROOT_URLCONF = "tests.jobs.urls"

    @pytest.mark.parametrize("address", ["/accounts/login/", "nosuch", "app:nosuch"])
    def test_one_that_is_no_page_is_a_warning(self, settings: Any, address: str) -> None:
        settings.LOGIN_URL = address
        assert repr(address) in found()["jobs.W005"] and '"admin:login"' in found()["jobs.W005"]

    @pytest.mark.parametrize("address", ["/sign-in/", "login", "admin:login", "https://login.example.com/"])
    def test_a_page_of_this_site_or_of_another_is_none(self, settings: Any, address: str) -> None:
        settings.LOGIN_URL = address
        assert found() == {}

    def test_a_site_without_the_pages_of_jobs_needs_none(self, settings: Any) -> None:
        settings.ROOT_URLCONF = "tests.support.urls"
        assert found() == {}


@pytest.mark.parametrize("name", ["EMAIL_BACKEND", "JOBS_EMAIL_BACKEND"])
@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("djintegrate.jobs.mail.EMailBackend", "djintegrate.jobs.mail.EmailBackend"),
        ("django.core.mail.backends.smpt.EmailBackend", "django.core.mail.backends.smtp.EmailBackend"),
        ("nowhere", "Correct "),
    ],
)
def test_a_mail_backend_that_cannot_be_imported_is_an_error(
    settings: Any, monkeypatch: pytest.MonkeyPatch, name: str, path: str, meant: str
) -> None:
    monkeypatch.setattr(conf, "mailers", lambda: None)
    setattr(settings, name, path)
    assert found()["jobs.E006"].startswith(f"{name} is {path!r}, which cannot be imported")
    assert meant in found()["jobs.E006"]


def test_so_is_that_of_an_entry_of_mailers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mailers = {"default": {"BACKEND": "djintegrate.jobs.mail.EMailBackend"}}
    monkeypatch.setattr(conf, "mailers", lambda: mailers)
    assert found()["jobs.E006"].startswith("MAILERS['default']['BACKEND'] is 'djintegrate.jobs.mail.EMailBackend'")


def test_a_mail_backend_that_calls_itself_is_an_error(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "mailers", lambda: None)
    settings.JOBS_EMAIL_BACKEND = "djintegrate.jobs.mail.EmailBackend"
    assert "sends nothing itself" in found()["jobs.E005"]


@pytest.mark.parametrize(("named", "is_right"), [("smtp", True), ("default", False), ("nosuch", False)])
def test_with_mailers_another_entry_really_sends(
    settings: Any, monkeypatch: pytest.MonkeyPatch, named: str, is_right: bool
) -> None:
    mailers = {"default": {"BACKEND": "djintegrate.jobs.mail.EmailBackend"}, "smtp": {}}
    monkeypatch.setattr(conf, "mailers", lambda: mailers)
    settings.JOBS_EMAIL_BACKEND = named
    assert ("jobs.E005" not in found()) is is_right
    assert is_right or "another entry: 'smtp'" in found()["jobs.E005"]
