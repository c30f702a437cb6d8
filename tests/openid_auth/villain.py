"""A provider of OpenID Connect that says and signs whatever a test wants, over real HTTP: the process of `hostile`."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.core.cache import cache
from joserfc import jwk, jwt
from joserfc.jws import JWSRegistry

from tests.openid_auth.hostile import Hostile
from tests.openid_auth.site import Visitor, set_up

CLIENT = "the-site"
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
KEY = jwk.RSAKey.generate_key(2048, {"kid": "right", "use": "sig", "alg": "RS256"}, private=True)
OTHER_KEY = jwk.RSAKey.generate_key(2048, {"kid": "right", "use": "sig", "alg": "RS256"}, private=True)
GONE = object()
"""The value of a claim that is left out."""


def public(*keys: Any, **changes: Any) -> dict[str, Any]:
    return {"keys": [{**key.as_dict(private=False), **changes} for key in keys]}


def signed(claims: dict[str, Any], key: Any = KEY, algorithm: str = "RS256", **header: Any) -> str:
    named = {"alg": algorithm, "kid": "right", **header}
    token: str = jwt.encode(
        {name: value for name, value in named.items() if value is not GONE},
        {name: value for name, value in claims.items() if value is not GONE},
        key,
        algorithms=[algorithm],
        registry=JWSRegistry(algorithms=[algorithm], strict_check_header=False),
    )
    return token


@dataclass
class Villain:
    """The issuer is a path of the process's, so that a test may have several."""

    process: Hostile
    name: str = "op"
    client_id: str = CLIENT
    described: dict[str, Any] = field(default_factory=dict)
    next: str = ""
    """Where the visitors want to go afterwards."""

    def __post_init__(self) -> None:
        self.describe()
        self.has_keys(public(KEY))
        self.says({"sub": "mallory"})

    @property
    def issuer(self) -> str:
        return f"{self.process.url}{self.name}"

    def entry(self, **more: Any) -> dict[str, Any]:
        """What a site's setting says of it."""
        known = {"name": self.name, "issuer": self.issuer, "client_id": self.client_id, "client_secret": "secret"}
        return {**known, "trust_groups": True, "trust_email": True, **more}

    def describe(self, **changes: Any) -> None:
        known = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end",
        }
        found = {name: value for name, value in {**known, **changes}.items() if value is not GONE}
        self.serves(".well-known/openid-configuration", found)

    def serves(self, path: str, document: Any, **more: Any) -> None:
        body = document if isinstance(document, str | bytes) else json.dumps(document)
        self.process.serve(f"{self.name}/{path}", body, **{"Content_Type": "application/json", **more})

    def has_keys(self, keys: Any) -> None:
        self.serves("keys", keys)

    def says(self, userinfo: Any) -> None:
        self.serves("userinfo", userinfo)

    def gives(self, id_token: Any, **changes: Any) -> None:
        """What the token endpoint answers."""
        answer = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 60, "id_token": id_token, **changes}
        self.serves("token", {name: value for name, value in answer.items() if value is not GONE})

    def begin(self, visitor: Visitor) -> dict[str, str]:
        """What the site asks for in the address that it sends the browser to."""
        response = visitor.client.post(f"{visitor.prefix}login/", {"openid_issuer": self.issuer, "next": self.next})
        assert response.status_code == 302, response.content.decode()
        return dict(parse_qsl(urlsplit(response["Location"]).query))

    def claims(self, asked: dict[str, str], **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        about = {"iss": self.issuer, "sub": "mallory", "aud": self.client_id, "nonce": asked["nonce"]}
        return {**about, "iat": now, "exp": now + 60, **changes}

    def come_back(self, visitor: Visitor, asked: dict[str, str], **changes: str) -> Any:
        """The site's response to the answer that the browser brings."""
        answer = {"code": "a-code", "state": asked["state"], **changes}
        return visitor.client.get(f"{urlsplit(asked['redirect_uri']).path}?{urlencode(answer)}")

    def sign_in(self, visitor: Visitor | None = None, **claims: Any) -> Any:
        """A whole sign-in with an ID token of these claims."""
        visitor = visitor or Visitor()
        asked = self.begin(visitor)
        self.gives(signed(self.claims(asked, **claims)))
        return self.come_back(visitor, asked)

    def logout_token(self, key: Any = KEY, algorithm: str = "RS256", typ: Any = "logout+jwt", **changes: Any) -> str:
        now = int(time.time())
        about = {"iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 60, "jti": str(time.monotonic())}
        claims = {**about, "sub": "mallory", "events": {LOGOUT: {}}, **changes}
        return signed(claims, key, algorithm, typ=typ)


@pytest.fixture
def villain(settings: Any, hostile: Hostile) -> Villain:
    """The one issuer of a site that trusts it with groups and addresses."""
    cache.clear()
    set_up(settings, hostile.host)
    villain = Villain(hostile)
    settings.OPENID_PROVIDERS = [villain.entry()]
    return villain
