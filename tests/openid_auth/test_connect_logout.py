"""Logout tokens: a provider's word that a session is over, and what poses as one. Nothing of it is a 500."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from djintegrate.openid_auth.models import Nonce, OpenIDSession
from djintegrate.openid_auth.people import sessions
from djintegrate.openid_auth.upkeep.cleanup import remove_expired_nonces
from tests.openid_auth.site import Visitor
from tests.openid_auth.test_connect_tokens import encoded, signed_by_secret
from tests.openid_auth.villain import CLIENT, GONE, KEY, LOGOUT, OTHER_KEY, Villain, signed

pytestmark = pytest.mark.django_db
HOUR = 60 * 60
NOW = time.time()


@pytest.fixture(autouse=True)
def site(settings: Any, villain: Villain) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, sessions.MIDDLEWARE]


@pytest.fixture
def here(villain: Villain) -> Visitor:
    visitor = Visitor()
    assert villain.sign_in(visitor, sid="session-1").status_code == 302
    assert visitor.who != "nobody"
    return visitor


def tell(token: Any, key: str = "op", prefix: str = "/openid/") -> Any:
    return Client(enforce_csrf_checks=True).post(f"{prefix}connect/{key}/logout/", {"logout_token": token})


@pytest.mark.parametrize("urls", ["tests.openid_auth.urls", "tests.openid_auth.async_urls"])
def test_a_persons_sessions_end_and_nobody_elses(villain: Villain, here: Visitor, settings: Any, urls: str) -> None:
    settings.ROOT_URLCONF = urls
    other = Visitor()
    villain.says({"sub": "ada"})
    villain.sign_in(other, sub="ada")
    response = tell(villain.logout_token())
    assert (response.status_code, response["Cache-Control"].count("no-store")) == (200, 1)
    assert here.who == "nobody"
    assert other.who != "nobody"


def test_only_the_session_that_is_named_ends(villain: Villain, here: Visitor) -> None:
    second = Visitor()
    villain.sign_in(second, sid="session-2")
    assert tell(villain.logout_token(sid="session-2")).status_code == 200
    assert here.who != "nobody"
    assert second.who == "nobody"
    assert tell(villain.logout_token(sub=GONE, sid="session-1")).status_code == 200
    assert here.who == "nobody"


def test_a_session_of_one_person_is_not_named_by_another(villain: Villain, here: Visitor) -> None:
    assert tell(villain.logout_token(sub="ada", sid="session-1")).status_code == 200
    assert here.who != "nobody"


def test_each_token_counts_once(villain: Villain, here: Visitor) -> None:
    token = villain.logout_token()
    assert tell(token).status_code == 200
    villain.sign_in(here)
    assert tell(token).status_code == 400
    assert here.who != "nobody"
    Nonce.objects.update(timestamp=int(time.time()) - 24 * HOUR)
    # The token's, and those of the two sign-ins.
    assert remove_expired_nonces() == 3


WRONG = {
    "another issuer": {"iss": "https://login.example"}, "no issuer": {"iss": GONE},
    "another site": {"aud": "another-site"}, "no audience": {"aud": GONE}, "audiences": {"aud": [CLIENT, "other"]},
    "no events": {"events": GONE}, "another event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "an event of another kind": {"events": {LOGOUT: True}}, "events as a list": {"events": [LOGOUT]},
    "a nonce": {"nonce": "n"}, "an empty nonce": {"nonce": None}, "neither sub nor sid": {"sub": GONE},
    "no jti": {"jti": GONE}, "a jti of another kind": {"jti": ["x"]}, "a long jti": {"jti": "x" * 10_000},
    "expired": {"exp": NOW - HOUR}, "no expiry": {"exp": GONE}, "old": {"iat": NOW - HOUR}, "new": {"iat": NOW + HOUR},
    "no iat": {"iat": GONE}, "endless": {"iat": float("inf")}, "a sub of another kind": {"sub": {"a": 1}},
    "a sid of another kind": {"sid": 5}, "an empty sid": {"sid": ""}, "a sid with a NUL": {"sid": "a\x00"},
    "no type": {"typ": GONE}, "that of an ID token": {"typ": "JWT"}, "that of an access token": {"typ": "at+jwt"},
}  # fmt: skip


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_one_that_does_not_hold_ends_nothing(villain: Villain, here: Visitor, changes: dict[str, Any]) -> None:
    response = tell(villain.logout_token(**changes))
    assert (response.status_code, response.json()) == (400, {"error": "invalid_request"})
    assert here.who != "nobody"


@pytest.mark.parametrize("way", ["another key", "another algorithm", "none", "a secret", "an ID token"])
def test_nor_does_one_that_is_not_signed_as_it_should_be(villain: Villain, here: Visitor, way: str) -> None:
    token = villain.logout_token()
    if way == "another key":
        token = villain.logout_token(OTHER_KEY)
    elif way == "another algorithm":
        token = villain.logout_token(KEY.__class__.import_key(KEY.as_pem(private=True)), "RS512")
    elif way == "none":
        token = f"{encoded({'alg': 'none', 'kid': 'right', 'typ': 'logout+jwt'})}.{token.split('.')[1]}."
    elif way == "a secret":
        token = signed_by_secret({"iss": villain.issuer, "aud": CLIENT, "events": {LOGOUT: {}}}, b"secret")
    else:
        token = signed(villain.claims({"nonce": "n"}))
    assert tell(token).status_code == 400
    assert here.who != "nobody"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 100_000, "\x00", "..", "é.é.é"])
def test_what_is_no_token_is_refused(here: Visitor, token: str) -> None:
    assert tell(token).status_code == 400
    assert tell(token, "nobody").status_code == 400
    assert Client().get("/openid/connect/op/logout/").status_code == 405
    assert Client().post("/openid/connect/op/logout/").status_code == 400
    assert OpenIDSession.objects.count() == 1


def test_strangers_do_not_make_the_site_ask_for_keys_again_and_again(villain: Villain, here: Visitor) -> None:
    villain.process.hits()
    for number in range(5):
        assert tell(signed({"iss": villain.issuer}, OTHER_KEY, kid=f"unknown-{number}")).status_code == 400
    assert sum(path.endswith("/keys") for path in villain.process.hits()) == 1


def test_who_sends_nonsense_is_soon_not_listened_to_and_a_provider_always_is(
    villain: Villain, here: Visitor, settings: Any
) -> None:
    settings.OPENID_LOGIN_THROTTLE = (3, 10**6)
    for _ in range(5):
        assert tell(villain.logout_token(sid="session-7")).status_code == 200
    for _ in range(3):
        assert tell("nonsense").status_code == 400
    villain.process.hits()
    assert tell(signed({"iss": villain.issuer}, OTHER_KEY, kid="unknown")).status_code == 400
    assert villain.process.hits() == []
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    token = villain.logout_token()
    assert elsewhere.post("/openid/connect/op/logout/", {"logout_token": token}).status_code == 200
    assert here.who == "nobody"


def test_a_site_that_cannot_end_sessions_says_so(villain: Villain, here: Visitor, settings: Any) -> None:
    settings.MIDDLEWARE = settings.MIDDLEWARE[:-1]
    assert tell(villain.logout_token()).status_code == 400
