"""The settings, their checks, and their reference, which cannot drift from the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_started
from django.test import Client, override_settings

from djintegrate.openid_auth import checks, conf
from djintegrate.openid_auth.conf import config
from tests.openid_auth.site import BACKENDS

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "openid-settings.md").read_text()


def found(**settings: Any) -> list[str]:
    return [str(message.id) for message in messages(**settings)]


def messages(**settings: Any) -> list[CheckMessage]:
    usual = {"AUTHENTICATION_BACKENDS": BACKENDS, "ROOT_URLCONF": "tests.openid_auth.urls"}
    with override_settings(**usual | settings):
        return checks.check_configuration()


def test_a_usual_site_has_nothing_to_complain_about() -> None:
    assert found() == []
    assert found(OPENID_SSO_SERVER_URL="https://login.launchpad.net/", OPENID_LAUNCHPAD_TEAMS_MAPPING={"a": "b"}) == []


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("OPENID_SSO_SERVER_URL", 5, "E001"),
        ("OPENID_LAUNCHPAD_TEAMS_MAPPING", ["a"], "E001"),
        ("OPENID_LAUNCHPAD_TEAMS_MAPPING", {"a": 5}, "E001"),
        ("OPENID_LAUNCHPAD_TEAMS_REQUIRED", "one-team", "E001"),
        ("OPENID_LAUNCHPAD_STAFF_TEAMS", 5, "E001"),
        ("OPENID_RENDER_FAILURE", "no.such.function", "E001"),
        ("OPENID_RENDER_FAILURE", 5, "E001"),
        ("OPENID_FETCH_TIMEOUT", 0, "E001"),
        ("OPENID_FETCH_MAX_BYTES", "1 MB", "E001"),
        ("OPENID_LOGIN_THROTTLE", 5, "E001"),
        ("OPENID_LOGIN_THROTTLE", (0, 60), "E001"),
        ("OPENID_PROVIDERS", [{"name": "x"}], "E001"),
        ("OPENID_VALID_VERIFICATION_SCHEMES", {"x": "scheme"}, "E001"),
        ("OPENID_SSO_SERVER_URL", "login.launchpad.net", "E002"),
        ("OPENID_TEAMS_TRUSTED_ENDPOINTS", ["ftp://x/"], "E002"),
        ("OPENID_EMAIL_WHITELIST_REGEXP_LIST", ["("], "E003"),
        ("OPENID_SREG_REQUIRED_FIELDS", ["shoe size"], "E004"),
        ("OPENID_SREG_EXTRA_FIELDS", ["shoe size"], "E004"),
        ("AUTH_USER_GROUP_MODEL", "nonsense", "E005"),
        ("AUTH_USER_GROUP_MODEL", "no.Model", "E005"),
        ("MIDDLEWARE", [], "W001"),
        ("OPENID_FETCH_ALLOWED_HOSTS", ["http://127.0.0.1:8111/"], "E010"),
        ("OPENID_FETCH_ALLOWED_HOSTS", ["Provider.example"], "E010"),
        ("ALLOWED_EXTERNAL_OPENID_REDIRECT_DOMAINS", ["shop.example:8000"], "E010"),
        ("CACHES", {"default": {"BACKEND": "django_openid_auth.store.Cache"}}, "E011"),
        ("SESSION_SERIALIZER", "django.contrib.sessions.serializers.PickleSerializer", "E012"),
        ("LOGIN_URL", "openid-logn", "W008"),
        ("LOGIN_URL", "/open-id/login/", "W008"),
        ("LOGIN_URL", "openid/login/", "W008"),
        ("LOGIN_REDIRECT_URL", "nope", "W009"),
        ("LOGIN_REDIRECT_URL", "/nope/", "W009"),
        ("LOGIN_REDIRECT_URL", "openid/login/", "W009"),
        ("LOGIN_REDIRECT_URL", "", "W009"),
        ("LOGOUT_REDIRECT_URL", "nope", "W009"),
        ("OPENID_ALLOW_UNSOLICITED", True, "W003"),
    ],
)
def test_what_is_wrong_is_reported(setting: str, value: object, expected: str) -> None:
    assert found(**{setting: value}) == [f"openid_auth.{expected}"]


def test_a_site_without_the_backend_is_told_so() -> None:
    with override_settings(AUTHENTICATION_BACKENDS=BACKENDS[1:]):
        assert [message.id for message in checks.check_configuration()] == ["openid_auth.W002"]


def test_what_is_wrong_is_said_in_one_round() -> None:
    wrong = found(
        OPENID_CREATE_USERS="yes",
        OPENID_TEAMS_TRUSTED_ENDPOINTS=5,
        OPENID_SSO_SERVER_URL="nowhere",
        OPENID_EMAIL_WHITELIST_REGEXP_LIST=["("],
        OPENID_SREG_REQUIRED_FIELDS=5,
        OPENID_SREG_EXTRA_FIELDS=["shoe size"],
        MIDDLEWARE=[],
    )
    ids = ["E001", "E001", "E001", "E002", "E003", "E004", "W001"]
    assert sorted(wrong) == [f"openid_auth.{each}" for each in ids]


@pytest.mark.parametrize(
    ("setting", "value", "hint"),
    [
        ("OPENID_FETCH_ALLOWED_HOSTS", "http://127.0.0.1:8111/", "Write '127.0.0.1:8111'."),
        ("OPENID_FETCH_ALLOWED_HOSTS", "https://Me.example", "Write 'me.example'."),
        ("ALLOWED_EXTERNAL_OPENID_REDIRECT_DOMAINS", "https://shop.example:8000/", "Write 'shop.example'."),
        (
            "AUTHENTICATION_BACKENDS",
            "django_openid_auth.auth.OpenIDBackend",
            "Replace it with 'djintegrate.openid_auth.auth.OpenIDBackend'.",
        ),
        ("SITE_RIGHTS", "django_openid_auth.account_verified", "Replace it with 'openid_auth.account_verified'."),
    ],
)
def test_the_hint_says_what_to_write(setting: str, value: str, hint: str) -> None:
    assert [message.hint for message in messages(**{setting: [value]})] == [hint]


@pytest.mark.parametrize("host", ["127.0.0.1", "me.example:8000", "::1", "[::1]:8000", "fe80::1"])
def test_hosts_as_they_are_compared_are_right(host: str) -> None:
    assert found(OPENID_FETCH_ALLOWED_HOSTS=[host]) == []


@pytest.mark.parametrize(
    "address",
    ["openid-login", "/openid/login/", "/openid/login", "/below/openid/login/?next=/", "https://elsewhere.example/"],
)
def test_a_login_url_that_leads_somewhere_is_right(address: str) -> None:
    assert found(LOGIN_URL=address) == []
    assert found(LOGIN_REDIRECT_URL=address, LOGOUT_REDIRECT_URL=address) == []


def test_the_front_page_is_right_after_a_sign_in_whoever_serves_it() -> None:
    assert found(LOGIN_REDIRECT_URL="/", LOGOUT_REDIRECT_URL=None) == []


def test_urls_that_cannot_be_imported_are_left_to_django_to_tell() -> None:
    assert found(LOGIN_URL="openid-login", ROOT_URLCONF="no.such.urls") == []


def test_teams_that_nobody_is_trusted_with_are_reported() -> None:
    assert found(OPENID_LAUNCHPAD_STAFF_TEAMS=["a"], OPENID_TEAMS_TRUSTED_ENDPOINTS=[]) == ["openid_auth.W004"]


@pytest.mark.django_db
def test_the_checks_are_run_by_django() -> None:
    with override_settings(AUTHENTICATION_BACKENDS=BACKENDS, OPENID_ALLOW_UNSOLICITED=True):
        assert "openid_auth.W003" in [message.id for message in run_checks(databases=["default"])]


def test_a_wrong_value_is_named_with_what_it_should_be() -> None:
    with (
        override_settings(OPENID_FETCH_TIMEOUT="soon"),
        pytest.raises(ImproperlyConfigured, match="OPENID_FETCH_TIMEOUT is 'soon'"),
    ):
        _ = config.fetch_timeout


def test_a_wrong_setting_that_is_read_at_the_start_is_told_by_the_check_or_by_each_request() -> None:
    setting = "OPENID_USER_ADMIN"
    with override_settings(**{setting: "False"}):
        apps.get_app_config("openid_auth").set_up_admin()
        try:
            with pytest.raises(ImproperlyConfigured, match=f"{setting} is 'False', a string"):
                Client().get("/")
        finally:
            assert request_started.disconnect(dispatch_uid="openid_auth.refuse")
    assert found(**{setting: "False"}) == ["openid_auth.E001"]


def test_a_backend_that_cannot_be_imported_is_said_once() -> None:
    """Django tells of it at the first sign-in, whoever's."""
    assert found(AUTHENTICATION_BACKENDS=["no.such.Backend", *BACKENDS]) == ["openid_auth.E013"]
    (message,) = messages(AUTHENTICATION_BACKENDS=["djintegrate.openid_auth.auth.OpenidBackend", BACKENDS[1]])
    assert "has 'djintegrate.openid_auth.auth.OpenidBackend', which cannot be imported" in message.msg
    assert message.hint == "Did you mean djintegrate.openid_auth.auth.OpenIDBackend?"


def test_the_old_app_beside_this_one_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "django_openid_auth").mkdir()
    (tmp_path / "django_openid_auth" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    (message,) = messages(INSTALLED_APPS=[*django_settings.INSTALLED_APPS, "django_openid_auth"])
    assert (message.id, message.hint) == ("openid_auth.E011", "Remove it.")
    assert "INSTALLED_APPS still has 'django_openid_auth'" in message.msg


def test_every_setting_and_its_default_are_in_the_reference() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|", REFERENCE, re.MULTILINE))
    assert set(rows) == {setting.name for setting in conf.DECLARED}
    for setting in conf.DECLARED:
        if setting.name == "OPENID_PROVIDERS":
            assert [entry["name"] for entry in setting.default] == rows[setting.name].split(" and ")
        else:
            assert ast.literal_eval(rows[setting.name].strip("`")) == setting.default, setting.name


def test_every_check_is_in_the_reference() -> None:
    sources = "".join(path.read_text() for path in Path(checks.__file__).parent.rglob("*.py"))
    identifiers = re.compile(r"openid_auth\.[EW]\d{3}")
    assert set(identifiers.findall(REFERENCE)) == set(identifiers.findall(sources))


def test_settings_are_read_in_one_place() -> None:
    for path in Path(checks.__file__).parent.rglob("*.py"):
        if path.name != "conf.py":
            assert not re.search(r"settings\.(OPENID_|AUTH_USER_GROUP|ALLOWED_EXTERNAL)", path.read_text()), path
