"""The settings of OpenID Connect: what is wrong with them is told, without secrets; and nothing is imported unasked."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from joserfc import jwk

import djintegrate.openid_auth
from djintegrate.openid_auth import checks, connect
from djintegrate.openid_auth.conf import config
from djintegrate.openid_auth.oidc import clients
from djintegrate.openid_auth.people import sessions
from tests.openid_auth.site import BACKENDS
from tests.support.forks import python

APP = Path(djintegrate.openid_auth.__file__).parent
RIGHT = {"name": "Staff", "issuer": "https://id.example.com", "client_id": "x", "client_secret": "s3cr3t-s3cr3t"}
PEM = jwk.RSAKey.generate_key(2048).as_pem(private=True).decode()


@pytest.fixture(autouse=True)
def surroundings(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = BACKENDS
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, sessions.MIDDLEWARE]


def found(settings: Any, *entries: dict[str, Any]) -> list[Any]:
    settings.OPENID_PROVIDERS = list(entries)
    return [message for message in checks.check_configuration() if message.id.startswith("openid_auth.")]


@pytest.mark.parametrize(
    "more",
    [
        {}, {"scope": "openid groups"}, {"private_key": PEM}, {"auth_method": "client_secret_post"},
        {"key": "our-Staff_1"},
        {"trust_groups": True, "trust_email": False, "groups_claim": "roles"}, {"icon": None}, {"icon": "x.svg"},
    ],
)  # fmt: skip
def test_what_is_right_is_silent(settings: Any, more: dict[str, Any]) -> None:
    assert found(settings, {**RIGHT, **more}) == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({**RIGHT, "client_id": 5}, "['client_id'] is 5, a whole number. Make it a client's id."),
        ({**RIGHT, "trust_groups": "False"}, "['trust_groups'] is 'False', a string. Make it True or False."),
        ({**RIGHT, "client_secrets": "x"}, "with the unknown key 'client_secrets'. Did you mean client_secret?"),
        ({**RIGHT, "auth_method": "basic"}, "['auth_method'] is 'basic'. Make it 'client_secret_basic'"),
        ({**RIGHT, "key": "a b"}, "['key'] is 'a b'. Make it letters, digits, hyphens and underscores."),
        ({"issuer": "https://id.example.com", "client_id": "x"}, "without the key 'name'"),
        ({**RIGHT, "client_secret": b"s3cr3t-s3cr3t"}, "['client_secret'] is <class 'bytes'>"),
        ({**RIGHT, "scope": ["openid"]}, "['scope'] is ['openid'], a list. Make it scopes, with spaces between."),
    ],
)
def test_a_value_of_a_wrong_type_is_named_without_secrets(settings: Any, entry: Any, said: str) -> None:
    message, *others = found(settings, entry)
    assert (message.id, others) == ("openid_auth.E001", [])
    assert said in message.msg
    assert "s3cr3t" not in f"{message.msg} {message.hint}"
    with pytest.raises(ImproperlyConfigured) as error:
        _ = config.providers
    assert "s3cr3t" not in str(error.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"client_secret": ""}, "it has neither a client_secret nor a private_key."),
        ({"auth_method": "private_key_jwt"}, "it has no private_key."),
        ({"client_secret": "", "auth_method": "client_secret_basic"}, "it has no client_secret."),
        ({"issuer": "http://id.example.com"}, "where anybody may listen."),
        ({"issuer": "https://id.example.com?a=b"}, "an issuer ends with its path."),
        ({"issuer": "https://id.example.com/#x"}, "an issuer ends with its path."),
        ({"issuer": "id.example.com"}, "which is no address."),
        ({"issuer": "https://id.example.com/a b"}, "which is no address."),
        ({"scope": "email profile"}, "without openid."),
        ({"name": "…"}, "its name has no letter that an address may have."),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----"}, "cannot be read"),
    ],
)
def test_what_cannot_work_is_an_error(settings: Any, more: dict[str, Any], said: str) -> None:
    message, *others = found(settings, {**RIGHT, **more})
    assert said in message.msg, message
    assert (message.level >= 40, message.hint is not None, others) == (True, True, [])
    assert "nonsense" not in message.msg


def test_a_provider_to_try_out_may_do_without_encryption(settings: Any) -> None:
    settings.OPENID_FETCH_ALLOWED_HOSTS = ["127.0.0.1:9000"]
    assert found(settings, {**RIGHT, "issuer": "http://127.0.0.1:9000"}) == []


def test_an_issuer_and_a_key_are_there_once(settings: Any) -> None:
    messages = found(settings, RIGHT, {**RIGHT, "name": "STAFF"})
    assert [message.id for message in messages] == ["openid_auth.E009"] * 2
    assert found(settings, RIGHT, {**RIGHT, "issuer": "https://other.example.com", "key": "other"}) == []


def test_without_the_middleware_no_provider_can_end_a_session(settings: Any) -> None:
    settings.MIDDLEWARE = settings.MIDDLEWARE[:-1]
    assert [message.id for message in found(settings, RIGHT)] == ["openid_auth.W007"]


def test_without_the_extra_it_says_what_to_install(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "NEEDED", ("no_such_module",))
    (message,) = found(settings, RIGHT)
    assert (message.id, message.hint) == ("openid_auth.E006", "Install djintegrate[oidc].")


def test_nothing_of_it_is_imported_without_the_extra() -> None:
    code = """
import sys
for name in ("authlib", "joserfc", "requests"):
    sys.modules[name] = None
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["djintegrate.openid_auth", "django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.sessions", "django.contrib.messages", "django.contrib.admin"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "djintegrate.openid_auth.middleware.OpenIDSessionMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    AUTHENTICATION_BACKENDS=["djintegrate.openid_auth.auth.OpenIDBackend"], ROOT_URLCONF="djintegrate.openid_auth.urls",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies", SECRET_KEY="x", ALLOWED_HOSTS=["*"],
    STATIC_URL="static/",
)
django.setup()
from django.test import Client
import djintegrate.openid_auth.async_views, djintegrate.openid_auth.checks
assert djintegrate.openid_auth.checks.check_configuration() == []
assert Client().get("/login/").status_code == 200
assert Client().get("/connect/sign-out/").status_code == 404
assert not [name for name in sys.modules if name.startswith("djintegrate.openid_auth.oidc")]
"""
    done = python("-W", "ignore", "-c", code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("folder", "other"), [("oidc", "protocol"), ("protocol", "oidc")])
def test_the_two_protocols_do_not_know_each_other(folder: str, other: str) -> None:
    for file in (APP / folder).glob("*.py"):
        modules = [
            node.module or "" for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)
        ]
        assert not [module for module in modules if other in module.split(".")], file


def test_what_is_common_knows_nothing_of_openid_connects_folder() -> None:
    for part in ("people", "site", "upkeep"):
        for file in (APP / part).glob("*.py"):
            assert "oidc" not in file.read_text(), file


def test_a_client_shows_no_secret_of_its() -> None:
    client = clients.Client(**{"key": "staff", **RIGHT, "private_key": PEM})
    assert "s3cr3t" not in repr(client)
    assert "PRIVATE" not in repr(client)
