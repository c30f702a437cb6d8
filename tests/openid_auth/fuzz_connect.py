"""The cases of OpenID Connect for `make fuzz-openid`: each takes bytes, and gives the status of the site's answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote_from_bytes, urlsplit

ISSUER = "https://provider.example/op"
ENTRY = {"name": "op", "issuer": ISSUER, "client_id": "site", "client_secret": "x", "trust_groups": True}
DESCRIPTION = {
    "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t",
    "jwks_uri": f"{ISSUER}/k", "userinfo_endpoint": f"{ISSUER}/u", "end_session_endpoint": f"{ISSUER}/e",
}  # fmt: skip
TOKENS = {"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": "a.b.c"}
CLAIMS = {"iss": ISSUER, "aud": "site", "sub": "mallory", "nonce": "NONCE", "azp": "site", "sid": "s"}
PERSON = {"sub": "mallory", "email": "m@example.com", "email_verified": True, "name": "M M", "groups": ["team"]}
EVENT = {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "jti": "j"}
KEYS = {"keys": [{"kty": "RSA", "kid": "right", "use": "sig", "alg": "RS256", "n": "AQAB", "e": "AQAB"}]}
SEEDS = [
    json.dumps(value).encode()
    for value in (DESCRIPTION, TOKENS, CLAIMS, PERSON, {**CLAIMS, **EVENT, "iat": 1, "exp": 2}, KEYS, [], 1e400, "x")
] + [b"code=x&state=y", b"error=access_denied&iss=x", b"eyJhbGciOiJub25lIn0.e30.", b"[[[[", b"\xff\x00"]


def key() -> Any:
    from tests.openid_auth.villain import KEY

    return KEY


def signed(payload: bytes, kind: str) -> str:
    from joserfc import jws

    return jws.serialize_compact({"alg": "RS256", "kid": "right", "typ": kind}, payload, key(), ["RS256"])


def held(*documents: bytes) -> None:
    from openid.fetchers import HTTPResponse

    from tests.openid_auth.test_fuzz import Canned

    Canned.hold(*(HTTPResponse(None, 200, {"content-type": "application/json"}, document) for document in documents))


def whole(**replaced: bytes) -> dict[str, bytes]:
    """What a provider answers, in the order in which it is asked."""
    keys = {"keys": [key().as_dict(private=False)]}
    known = {"description": DESCRIPTION, "tokens": TOKENS, "keys": keys, "userinfo": PERSON}
    return {name: json.dumps(value).encode() for name, value in known.items()} | replaced


def sign_in(claims: bytes | None = None, more: bytes = b"", **replaced: bytes) -> int:
    """A sign-in in which some of what the provider says is replaced."""
    from django.core.cache import cache
    from django.test import Client

    cache.clear()
    client = Client()
    documents = whole(**replaced)
    held(documents["description"])
    begun = client.post("/openid/login/", {"openid_issuer": ISSUER})
    if begun.status_code != 302:
        return int(begun.status_code)
    asked = dict(parse_qsl(urlsplit(begun["Location"]).query))
    if "tokens" not in replaced:
        now = {"iat": int(time.time()), "exp": int(time.time()) + 60}
        genuine = json.dumps({**CLAIMS, **now, "nonce": asked["nonce"]}).encode()
        payload = genuine if claims is None else claims.replace(b"NONCE", asked["nonce"].encode())
        documents["tokens"] = json.dumps({**TOKENS, "id_token": signed(payload, "JWT")}).encode()
    held(documents["tokens"], documents["keys"], documents["userinfo"])
    query = f"code=x&state={asked['state']}" + (f"&{quote_from_bytes(more, safe='=&%')}" if more else "")
    return int(client.get(f"/openid/connect/op/complete/?{query}").status_code)


def replaced(name: str) -> Callable[[bytes], int]:
    return lambda data: sign_in(**{name: data})


def claims(data: bytes) -> int:
    """What the provider signs, whatever it is."""
    return sign_in(claims=data)


def answer(data: bytes) -> int:
    return sign_in(more=data)


def logout(data: bytes) -> int:
    """A logout token that the provider has signed, whatever is in it; and one that it has not."""
    from django.core.cache import cache
    from django.test import Client

    cache.clear()
    documents = whole()
    held(documents["description"], documents["keys"])
    tokens = [signed(data.replace(b'"iat": 1', b'"iat": %d' % time.time()), "logout+jwt"), data.decode("latin-1")]
    found = [Client().post("/openid/connect/op/logout/", {"logout_token": token}).status_code for token in tokens]
    return int(max(found))


KINDS: list[Callable[[bytes], int]] = [
    replaced("description"), replaced("tokens"), replaced("keys"), replaced("userinfo"), claims, answer, logout,
]  # fmt: skip
