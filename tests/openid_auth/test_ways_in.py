"""The command that says who would be shut out without OpenID 2.0."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from djintegrate.openid_auth.models import UserOpenID

pytestmark = pytest.mark.django_db
STAFF = "https://id.example.com"
OTHER = "https://other.example.com"


def run(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("openid_ways_in", *arguments, stdout=out, no_color=True)
    return out.getvalue().splitlines()


@pytest.fixture(autouse=True)
def people(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [
        "djintegrate.openid_auth.auth.OpenIDBackend",
        "django.contrib.auth.backends.ModelBackend",
    ]
    settings.OPENID_PROVIDERS = [
        {"name": name, "issuer": issuer, "client_id": "x", "client_secret": "y"}
        for name, issuer in (("Staff", STAFF), ("Other", OTHER))
    ]
    for name, password, *identities in (
        ("openid-only", None, "https://login.example/ada"),
        ("both", None, "https://login.example/bruno", f"{STAFF} 7"),
        ("elsewhere", None, "https://login.example/chiara", f"{OTHER} 7"),
        ("removed-issuer", None, "https://login.example/dmitri", "https://gone.example.com 7"),
        ("with-password", "secret", "https://login.example/eve"),
        ("connect-only", None, f"{STAFF} 8"),
        ("password-only", "secret"),
    ):
        user = User.objects.create_user(name, f"{name}@people.example", password)
        for claimed_id in identities:
            UserOpenID.objects.create(user=user, claimed_id=claimed_id, display_id="")
    inactive = User.objects.create_user("inactive", is_active=False)
    UserOpenID.objects.create(user=inactive, claimed_id="https://login.example/zoe")


def names(*arguments: str) -> list[str]:
    return [line.split("\t")[1] for line in run(*arguments)[:-1]]


def test_it_lists_who_has_nothing_else() -> None:
    assert names() == ["openid-only", "removed-issuer"]
    assert run()[-1] == "2 accounts have no way in but OpenID 2.0."


def test_one_issuer_may_be_meant() -> None:
    assert names("--issuer", STAFF) == ["openid-only", "elsewhere", "removed-issuer"]
    with pytest.raises(CommandError, match="no issuer 'https://elsewhere'"):
        run("--issuer", "https://elsewhere")


def test_a_password_may_not_count(settings: Any) -> None:
    assert names("--ignore-passwords") == ["openid-only", "removed-issuer", "with-password"]
    settings.AUTHENTICATION_BACKENDS = ["djintegrate.openid_auth.auth.OpenIDBackend"]
    assert names() == ["openid-only", "removed-issuer", "with-password"]


def test_without_issuers_everybody_with_an_openid_depends_on_it(settings: Any) -> None:
    settings.OPENID_PROVIDERS = []
    assert names() == ["openid-only", "both", "elsewhere", "removed-issuer"]


def test_addresses_alone_are_for_a_mail() -> None:
    assert run("--addresses") == ["openid-only@people.example", "removed-issuer@people.example"]
