"""ID tokens that do not hold, and keys that sign nothing: none signs anybody in, and none is a 500."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from joserfc import jwk

from djintegrate.openid_auth.models import UserOpenID
from djintegrate.openid_auth.oidc import tokens
from tests.openid_auth.site import Visitor, refused
from tests.openid_auth.villain import CLIENT, GONE, KEY, OTHER_KEY, Villain, public, signed

pytestmark = pytest.mark.django_db
HOUR = 60 * 60
MEGABYTE = 1024 * 1024


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def signed_by_secret(claims: dict[str, Any], secret: bytes) -> str:
    text = f"{encoded({'alg': 'HS256', 'kid': 'right', 'typ': 'JWT'})}.{encoded(claims)}"
    signature = hmac.new(secret, text.encode(), "sha256").digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_an_honest_answer_of_it_is_accepted(villain: Villain) -> None:
    visitor = Visitor()
    assert villain.sign_in(visitor).status_code == 302
    assert UserOpenID.objects.get().claimed_id == f"{villain.issuer} mallory"


NOW = time.time()
WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://login.example"},
    "the issuer with a slash": {"iss": "{issuer}/"},
    "no issuer": {"iss": GONE},
    "issuers": {"iss": ["{issuer}"]},
    "another audience": {"aud": "another-site"},
    "no audience": {"aud": GONE},
    "an empty audience": {"aud": []},
    "audiences without us": {"aud": ["another-site", "third-site"]},
    "audiences and no party": {"aud": [CLIENT, "another-site"]},
    "an audience of another kind": {"aud": {CLIENT: True}},
    "audiences of other kinds": {"aud": [CLIENT, {}], "azp": CLIENT},
    "another party": {"azp": "another-site"},
    "another party of several": {"aud": [CLIENT, "another-site"], "azp": "another-site"},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": GONE},
    "a nonce of another kind": {"nonce": ["{nonce}"]},
    "a nonce that is no ASCII": {"nonce": "ünïcode"},
    "expired": {"exp": NOW - HOUR},
    "expired long ago": {"exp": -1},
    "no expiry": {"exp": GONE},
    "an expiry of another kind": {"exp": "tomorrow"},
    "an expiry that is true": {"exp": True},
    "no moment of issue": {"iat": GONE},
    "an old one": {"iat": NOW - HOUR},
    "one of the future": {"iat": NOW + HOUR},
    "endless": {"iat": float("inf")},
    "not a number": {"iat": float("nan")},
    "a number beyond all floats": {"iat": 10**400},
    "not yet": {"nbf": NOW + HOUR},
    "a wrong hash of the access token": {"at_hash": "AAAA"},
    "a hash of another kind": {"at_hash": 5},
    "no subject": {"sub": GONE},
    "an empty subject": {"sub": ""},
    "a subject of another kind": {"sub": 7},
    "a long subject": {"sub": "x" * 256},
    "a subject with a line": {"sub": "a\nWARNING forged"},
    "a subject with a NUL": {"sub": "a\x00b"},
    "a subject beyond ASCII": {"sub": "\u0430da"},
}


@pytest.mark.parametrize("claims", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_token_with_wrong_claims_signs_nobody_in(villain: Villain, claims: dict[str, Any], caplog: Any) -> None:
    visitor = Visitor()
    asked = villain.begin(visitor)
    said = json.dumps({name: value for name, value in claims.items() if value is not GONE})
    filled = json.loads(said.replace("{issuer}", villain.issuer).replace("{nonce}", asked["nonce"]))
    villain.gives(signed(villain.claims(asked, **{**claims, **filled})))
    assert refused(villain.come_back(visitor, asked))
    assert "\nWARNING" not in "".join(record.getMessage() for record in caplog.records)


class TestSignatures:
    def answered(self, villain: Villain, make: Any) -> Any:
        visitor = Visitor()
        asked = villain.begin(visitor)
        villain.gives(make(villain.claims(asked)))
        return villain.come_back(visitor, asked)

    def test_by_a_key_of_somebody_elses(self, villain: Villain) -> None:
        assert refused(self.answered(villain, lambda claims: signed(claims, OTHER_KEY)))

    def test_by_a_key_that_the_token_brings(self, villain: Villain) -> None:
        mine = jwk.RSAKey.generate_key(2048)
        for header in ({"jwk": mine.as_dict(private=False)}, {"jku": f"{villain.issuer}/mine"}):
            assert refused(self.answered(villain, lambda claims, h=header: signed(claims, mine, **h)))

    def test_by_none(self, villain: Villain) -> None:
        for name in ("none", "None", "NONE", ""):
            unsigned = lambda claims, n=name: f"{encoded({'alg': n, 'kid': 'right'})}.{encoded(claims)}."  # noqa: E731
            assert refused(self.answered(villain, unsigned))

    def test_by_the_public_key_as_a_secret(self, villain: Villain) -> None:
        for secret in (KEY.as_pem(private=False), json.dumps(KEY.as_dict(private=False)).encode(), b"secret"):
            assert refused(self.answered(villain, lambda claims, s=secret: signed_by_secret(claims, s)))

    def test_by_a_secret_among_the_keys(self, villain: Villain) -> None:
        secret = jwk.OctKey.generate_key(256, {"kid": "right"})
        villain.has_keys({"keys": [secret.as_dict(private=True)]})
        assert refused(self.answered(villain, lambda claims: signed(claims, secret, "HS256")))

    def test_by_an_algorithm_that_is_not_the_keys(self, villain: Villain) -> None:
        plain = jwk.RSAKey.import_key(KEY.as_pem(private=True), {"kid": "right"})
        assert refused(self.answered(villain, lambda claims: signed(claims, plain, "PS256")))

    def test_by_a_key_for_encryption(self, villain: Villain) -> None:
        villain.has_keys(public(KEY, use="enc"))
        assert refused(self.answered(villain, signed))

    def test_by_a_short_key(self, villain: Villain) -> None:
        short = jwk.RSAKey.generate_key(1024, {"kid": "right"})
        villain.has_keys(public(short))
        assert refused(self.answered(villain, lambda claims: signed(claims, short)))

    def test_what_is_signed_and_then_changed(self, villain: Villain) -> None:
        def changed(claims: dict[str, Any]) -> str:
            head, _, rest = signed(claims).partition(".")
            return f"{head}.{encoded({**claims, 'sub': 'ada'})}.{rest.partition('.')[2]}"

        assert refused(self.answered(villain, changed))

    @pytest.mark.parametrize(
        "token",
        [
            None, 5, "", "x", "a.b", "a.b.c", "..", "a.b.c.d.e", "é.b.c", "." * 1000, "A" * MEGABYTE,
            encoded({"alg": "RS256", "kid": "right"}) + ".W10." + "A" * 342,
            encoded([]) + ".e30.AAAA", encoded({"alg": ["RS256"]}) + ".e30.AAAA",
            encoded({"alg": "RS256", "kid": {"a": 1}}) + ".e30.AAAA",
            encoded({"alg": "RS256", "kid": "right", "crit": ["exp"], "exp": 1}) + ".e30.AAAA",
            encoded({"alg": "RS256", "kid": "right", "b64": False}) + ".e30.AAAA",
        ],
    )  # fmt: skip
    def test_what_is_no_token(self, villain: Villain, token: Any) -> None:
        assert refused(self.answered(villain, lambda claims: token))

    def test_without_a_kid_the_only_key_is_taken(self, villain: Villain) -> None:
        assert self.answered(villain, lambda claims: signed(claims, kid=GONE)).status_code == 302

    def test_without_a_kid_one_of_several_is_not_guessed(self, villain: Villain) -> None:
        villain.has_keys(public(KEY, jwk.RSAKey.generate_key(2048, {"kid": "left", "alg": "RS256"})))
        assert refused(self.answered(villain, lambda claims: signed(claims, kid=GONE)))

    @pytest.mark.parametrize("curve", ["P-256", "Ed25519"])
    def test_other_kinds_of_keys_do_as_well_and_only_for_what_they_signed(self, villain: Villain, curve: str) -> None:
        kind, algorithm = (jwk.ECKey, "ES256") if curve == "P-256" else (jwk.OKPKey, "EdDSA")
        key, wrong = (kind.generate_key(curve, {"kid": "right"}) for _ in range(2))
        villain.has_keys(public(key))
        assert refused(self.answered(villain, lambda claims: signed(claims, wrong, algorithm)))
        assert self.answered(villain, lambda claims: signed(claims, key, algorithm)).status_code == 302

    @pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
    def test_by_ed25519_under_either_name_with_a_hash_of_the_access_token(
        self, villain: Villain, algorithm: str
    ) -> None:
        key = jwk.OKPKey.generate_key("Ed25519", {"kid": "right"})
        villain.has_keys(public(key))
        half = hashlib.sha512(b"opaque").digest()[:32]
        right = base64.urlsafe_b64encode(half).decode().rstrip("=")
        for at_hash, status in (("A" + right[1:] if right[0] != "A" else "B" + right[1:], 403), (right, 302)):
            with_hash = lambda claims, h=at_hash: signed({**claims, "at_hash": h}, key, algorithm)  # noqa: E731
            assert self.answered(villain, with_hash).status_code == status


class TestKeys:
    @pytest.mark.parametrize(
        "keys",
        [
            {}, {"keys": {}}, {"keys": None}, [], {"keys": [5, None, "x", []]},
            {"keys": [{"kty": "RSA", "kid": "right"}]},
            {"keys": [{"kty": "RSA", "kid": "right", "alg": "RS256", "n": "A" * 500, "e": "AQAB"}]},
            {"keys": [{"kty": "RSA", "kid": "right", "alg": "RS256", "n": ["x"], "e": 3}]},
            {"keys": [{"kty": "RSA", "kid": ["right"], "alg": 5, "n": "!!!!", "e": ""}]},
            {"keys": [{"kty": "RSA", "kid": "right"}] * 101}, "[" * MEGABYTE, "{", b"\xff\xfe", "1" * 100_000,
        ],
    )  # fmt: skip
    def test_keys_that_are_none(self, villain: Villain, keys: Any) -> None:
        villain.has_keys(keys)
        assert refused(villain.sign_in())

    def test_a_key_of_a_megabyte_is_not_even_tried(self, villain: Villain) -> None:
        villain.has_keys({"keys": [{"kty": "RSA", "kid": "right", "n": "A" * (MEGABYTE - 500), "e": "AQAB"}]})
        began = time.process_time()
        assert refused(villain.sign_in())
        assert time.process_time() - began < 1

    def test_a_new_key_is_looked_for_once_and_not_for_each_token(self, villain: Villain) -> None:
        assert villain.sign_in().status_code == 302
        new = jwk.RSAKey.generate_key(2048, {"kid": "new"})
        villain.has_keys(public(KEY, new))
        visitor = Visitor()
        asked = villain.begin(visitor)
        villain.gives(signed(villain.claims(asked), new, kid="new"))
        assert villain.come_back(visitor, asked).status_code == 302
        villain.process.hits()
        for number in range(3):
            asked = villain.begin(visitor)
            villain.gives(signed(villain.claims(asked), new, kid=f"unknown-{number}"))
            assert villain.come_back(visitor, asked).status_code == 403
        assert sum(path.endswith("/keys") for path in villain.process.hits()) == 0

    @pytest.mark.parametrize("named", [True, False])
    def test_one_that_takes_the_place_of_another_under_its_name_or_without_one(
        self, villain: Villain, named: bool
    ) -> None:
        """Once at once, and from then on as long as the brake holds by the keys that were read last."""
        kid: dict[str, Any] = {} if named else {"kid": GONE}

        def come_by(key: Any) -> int:
            visitor = Visitor()
            asked = villain.begin(visitor)
            villain.gives(signed(villain.claims(asked), key, **kid))
            status: int = villain.come_back(visitor, asked).status_code
            return status

        assert come_by(KEY) == 302
        others = public(OTHER_KEY)
        for key in others["keys"] if not named else []:
            del key["kid"]
        villain.has_keys(others)
        villain.process.hits()
        assert [come_by(OTHER_KEY), come_by(KEY), come_by(KEY), come_by(OTHER_KEY)] == [302, 403, 403, 302]
        assert sum(path.endswith("/keys") for path in villain.process.hits()) == 1

    def test_one_of_two_that_stays_alone(self, villain: Villain) -> None:
        villain.has_keys(public(KEY, jwk.RSAKey.generate_key(2048, {"kid": "left", "alg": "RS256"})))
        assert villain.sign_in().status_code == 302
        villain.has_keys(public(KEY))
        visitor = Visitor()
        asked = villain.begin(visitor)
        villain.gives(signed(villain.claims(asked), kid=GONE))
        assert villain.come_back(visitor, asked).status_code == 302

    def test_a_key_that_was_taken_back_is_of_no_use_once_that_is_known(self, villain: Villain) -> None:
        assert villain.sign_in().status_code == 302
        new = jwk.RSAKey.generate_key(2048, {"kid": "new"})
        villain.has_keys(public(new))
        visitor = Visitor()
        asked = villain.begin(visitor)
        villain.gives(signed(villain.claims(asked), new, kid="new"))
        assert villain.come_back(visitor, asked).status_code == 302
        assert villain.sign_in().status_code == 403


def test_the_limits_are_those_of_the_docs() -> None:
    assert (tokens.SKEW, tokens.MAX_AGE, tokens.MAX_TOKEN) == (60, 600, 65536)
