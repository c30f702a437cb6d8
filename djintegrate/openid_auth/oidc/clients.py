"""What this site is to each provider of OpenID Connect: a client, as OPENID_PROVIDERS says."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwk

from ..conf import config
from ..site.issuers import key

SCOPE = "openid email profile"
ALGORITHMS = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}
"""By the kind of our own key, how we sign."""


@dataclass(frozen=True)
class Client:
    """One entry with an issuer. `key` is what its addresses here have in them."""

    name: str
    issuer: str
    client_id: str
    key: str
    client_secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    auth_method: str = ""
    scope: str = SCOPE
    groups_claim: str = "groups"
    trust_groups: bool = False
    trust_email: bool = False

    @property
    def authenticates_by(self) -> str:
        """How this site shows the provider who it is."""
        if self.auth_method:
            return self.auth_method
        if self.private_key:
            return "private_key_jwt"
        return "client_secret_basic" if self.client_secret else "none"

    @property
    def signing_key(self) -> Any:
        return read_key(self.private_key)

    @property
    def signing_algorithm(self) -> str:
        return ALGORITHMS[self.signing_key.key_type]


def clients() -> list[Client]:
    """In the order of the setting."""
    return [_client(entry) for entry in config.providers if "issuer" in entry]


def of_issuer(issuer: str) -> Client | None:
    return next((client for client in clients() if client.issuer == issuer), None)


def of_key(key: str) -> Client | None:
    return next((client for client in clients() if client.key == key), None)


def _client(entry: dict[str, Any]) -> Client:
    values = {name: value for name, value in entry.items() if name != "icon"}
    return Client(**{**values, "key": key(entry)})


@lru_cache(maxsize=16)
def read_key(pem: str) -> Any:
    """joserfc wants to be told the kind of a key, which PEM says inside."""
    loaded = load_pem_private_key(pem.encode(), None)
    if isinstance(loaded, rsa.RSAPrivateKey):
        return jwk.import_key(pem, "RSA")
    return jwk.import_key(pem, "EC") if isinstance(loaded, ec.EllipticCurvePrivateKey) else jwk.import_key(pem, "OKP")
