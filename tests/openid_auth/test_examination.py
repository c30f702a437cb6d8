"""What the doctor is told of the sign-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group

from djintegrate.common.examination import Finding
from djintegrate.openid_auth.examination import examine
from tests.openid_auth import profiles
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import host_of, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    set_up(settings)
    settings.OPENID_PROVIDERS = []


def ill() -> list[Finding]:
    return [finding for finding in examine() if not finding.is_well]


def test_providers_of_both_protocols_that_are_there_are_well(settings: Any, provider: Provider) -> None:
    settings.OPENID_FETCH_ALLOWED_HOSTS = [host_of(provider.url)]
    issuer = provider.url.rstrip("/")
    settings.OPENID_PROVIDERS = [
        {"name": "OpenID", "url": provider.url},
        {"name": "Connect", "issuer": issuer, "client_id": "x", "client_secret": "sample"},
    ]
    assert [(finding.is_well, finding.said) for finding in examine()] == [
        (True, f"{provider.url} names {provider.endpoint}."),
        (True, f"{issuer} describes itself."),
    ]


def test_one_that_may_not_be_asked_is_said_with_the_setting_and_without_log_lines(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.OPENID_PROVIDERS = [
        {"name": "OpenID", "url": "http://127.0.0.1:8111/"},
        {"name": "Connect", "issuer": "http://127.0.0.1:8112", "client_id": "x", "client_secret": "y"},
    ]
    first, second = ill()
    assert "OPENID_FETCH_ALLOWED_HOSTS may name '127.0.0.1:8111'" in first.said
    assert "OPENID_FETCH_ALLOWED_HOSTS may name '127.0.0.1:8112'" in second.said
    assert not caplog.records


def test_migrations_that_depend_on_the_old_app_are_said(settings: Any) -> None:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "tests.openid_auth.profiles"]
    (finding,) = ill()
    assert "profiles.0001_initial depends on django_openid_auth" in finding.said
    assert "djintegrate.openid_auth.old_tables" in finding.remedy


def test_a_migration_that_old_tables_does_not_have_is_said(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django wrote it where nobody keeps it: into the old app's own folder."""
    first = Path(profiles.__file__).parent / "migrations" / "0001_initial.py"
    (tmp_path / "own_migrations").mkdir()
    (tmp_path / "own_migrations" / "__init__.py").touch()
    (tmp_path / "own_migrations" / "0001_initial.py").write_text(
        first.read_text().replace('("django_openid_auth", "0001_initial")', '("django_openid_auth", "0002_alter_id")')
    )
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"profiles": "own_migrations"}
    settings.INSTALLED_APPS = [
        *settings.INSTALLED_APPS, "djintegrate.openid_auth.old_tables", "tests.openid_auth.profiles",
    ]  # fmt: skip
    (finding,) = ill()
    assert "depends on django_openid_auth.0002_alter_id, which old_tables does not have" in finding.said
    assert "Write '0001_initial' into the dependency" in finding.remedy


def test_a_team_whose_group_there_is_not_is_said(settings: Any) -> None:
    for name in ("schedulers", "speakers"):
        Group.objects.create(name=name)
    settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"one": "speakers", "two": "sheduler", "three": "sheduler"}
    (finding,) = ill()
    assert "the group 'sheduler' for the team 'two'" in finding.said
    assert finding.remedy.endswith("Did you mean schedulers?")
    settings.OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO = True
    assert ill() == []


def test_it_never_raises(settings: Any) -> None:
    settings.OPENID_PROVIDERS = 5
    settings.ROOT_URLCONF = "no.such.urls"
    assert ["OPENID_PROVIDERS is 5" in finding.said for finding in ill()] == [True]
