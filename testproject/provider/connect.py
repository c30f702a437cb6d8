"""The provider's half of OpenID Connect, on Authlib's: clients, codes, tokens and the key, kept as files in its folder.

Any site on this machine is a client, whatever its name, whose secret is "sample". A code is a file that is there once;
an access token is a signed text, and is kept nowhere.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.django_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from django.core import signing
from django.http import HttpRequest
from django.urls import reverse
from joserfc import jwk

from .protocol import folder, register
from .register import Person

SECRET = "sample"
SCOPES = ("openid", "email", "profile", "groups")
HERE = ("127.0.0.1", "localhost", "::1")
SECONDS = 10 * 60
SALT = "sample-provider-access-token"


def issuer(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("provider-index")).rstrip("/")


def configuration(request: HttpRequest) -> dict[str, Any]:
    """What the provider says of itself."""
    names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo", "end_session": "end"}
    endpoints = {f"{name}_endpoint": _address(request, path) for name, path in names.items()}
    return {
        "issuer": issuer(request),
        **endpoints,
        "jwks_uri": _address(request, "keys"),
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": list(Client.METHODS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "claims_supported": ["sub", "name", "given_name", "family_name", "preferred_username", "email", "groups"],
    }


def key() -> Any:
    """The key that ID tokens are signed with: made at its first use, and kept."""
    file = folder() / "connect-key.json"
    try:
        return jwk.RSAKey.import_key(json.loads(file.read_text()))
    except FileNotFoundError:
        made = jwk.RSAKey.generate_key(2048, {"kid": secrets.token_hex(8), "use": "sig", "alg": "RS256"})
        folder().mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(made.as_dict(private=True)))
        return made


def server(request: HttpRequest) -> AuthorizationServer:
    made = _Server(None, None)
    made.register_grant(_Grant, [_Challenge(required=True), _IdToken(issuer(request))])
    return made


def person_of(request: HttpRequest) -> tuple[Person, str] | None:
    """Whom the request's access token is about, and the scope that it is for."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        found = signing.loads(token, salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return None
    person = register().read().people.get(found["person"])
    return (person, found["scope"]) if person is not None and kind == "Bearer" else None


def claims_of(person: Person, scope: str) -> dict[str, Any]:
    """What a site is told of a person, by the scope that it asked for."""
    first, _, last = person.fullname.partition(" ")
    said: dict[str, dict[str, Any]] = {
        "openid": {"sub": person.key},
        "email": {"email": person.email, "email_verified": person.verified},
        "profile": {
            "name": person.fullname, "given_name": first, "family_name": last, "preferred_username": person.nickname,
            "locale": person.language, "zoneinfo": person.timezone,
        },
        "groups": {"groups": person.teams},
    }  # fmt: skip
    wanted = scope.split()
    return {name: value for part in SCOPES if part in wanted for name, value in said[part].items()}


def is_here(address: str) -> bool:
    """Whether an address is one of this machine's."""
    return urlsplit(address).scheme in ("http", "https") and urlsplit(address).hostname in HERE


@dataclass
class Client:
    """A site on this machine."""

    METHODS = ("client_secret_basic", "client_secret_post")
    id_token_signed_response_alg = "RS256"

    client_id: str

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(part for part in SCOPES if part in scope.split())

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return is_here(redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret.encode(), SECRET.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self.METHODS

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code:
    """What a code stands for."""

    code: str
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    person: str
    amr: list[str]
    time: float

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(self.time)

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> list[str]:
        return self.amr


class _Server(AuthorizationServer):
    def query_client(self, client_id: str) -> Client:
        return Client(client_id)

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        """Nothing is kept: the token says by itself what it is for."""
        token["access_token"] = signing.dumps({"person": request.user.key, "scope": token["scope"]}, salt=SALT)


class _Grant(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = list(Client.METHODS)

    def save_authorization_code(self, code: str, request: Any) -> None:
        asked = request.payload.data
        methods = ["hwk"] if asked.get("security_key") and request.user.has_security_key else ["pwd"]
        kept = Code(
            code, request.client.client_id, request.payload.redirect_uri,
            request.client.get_allowed_scope(asked["scope"]),
            asked.get("nonce", ""), asked.get("code_challenge", ""), asked.get("code_challenge_method", "S256"),
            request.user.key, methods, time.time(),
        )  # fmt: skip
        file = _code_file(code)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(kept)))

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        try:
            found = Code(**json.loads(_code_file(code).read_text()))
        except (OSError, ValueError):
            return None
        fits = found.client_id == client.client_id and found.time > time.time() - SECONDS
        return found if fits else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        _code_file(authorization_code.code).unlink(missing_ok=True)

    def authenticate_user(self, authorization_code: Code) -> Person | None:
        return register().read().people.get(authorization_code.person)


class _Challenge(CodeChallenge):
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]


class _IdToken(OpenIDCode):
    def __init__(self, issuer: str) -> None:
        super().__init__(require_nonce=False)
        self._issuer = issuer

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return False

    def resolve_client_private_key(self, client: Client) -> Any:
        return key()

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": "RS256", "kid": key().kid}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self._issuer, "aud": client.client_id, "exp": int(time.time()) + SECONDS}

    def generate_user_info(self, user: Person, scope: str) -> dict[str, Any]:
        return claims_of(user, "openid")


def _code_file(code: str) -> Path:
    return folder() / "connect-codes" / f"{''.join(letter for letter in code if letter.isalnum())}.json"


def _address(request: HttpRequest, path: str) -> str:
    return request.build_absolute_uri(reverse(f"provider-connect-{path}"))
