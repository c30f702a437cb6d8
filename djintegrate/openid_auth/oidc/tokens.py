"""The two kinds of token that a provider signs: who somebody is, and that somebody's session is over.

A token is compact and signed, by a key of the provider's, by an algorithm with a public key. Nothing of it is believed
before its signature is, but the name of the key.
"""

from __future__ import annotations

import hmac
import math
import time
import warnings
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from openid.fetchers import HTTPFetcher

from ..site.text import is_plain
from .clients import Client
from .discovery import Provider, keys_of
from .transport import Unusable

ALGORITHMS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "EdDSA": "OKP", "Ed25519": "OKP",
}  # fmt: skip
"""Those with a public key, and the kind of key that each takes."""
MAX_TOKEN = 64 * 1024
MAX_KID = 1024
MAX_SUBJECT = 255
RSA_MODULUS = range(2048 // 6, 8192 // 6 + 8)
"""How many letters of base64 a modulus of 2,048 to 8,192 bits has."""
SKEW = 60
MAX_AGE = 10 * 60
"""How old a token may be that is made for this very sign-in, or for this very end of a session."""
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


class Registry(jws.JWSRegistry):
    """With room for a chain of certificates in the header, and for the signature of a long key."""

    max_header_length = 16 * 1024
    max_signature_length = 2048

    def __init__(self, algorithms: list[str]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)


def identity_claims(
    text: Any, client: Client, provider: Provider, fetcher: HTTPFetcher, nonce: str, access_token: str
) -> dict[str, Any]:
    """The claims of an ID token that was made for this sign-in; Unusable if it does not hold."""
    header, claims = _verified(text, provider, fetcher)
    _check_subject(claims.get("sub"))
    _check_recent(claims)
    if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
        raise Unusable("its nonce is not that of this sign-in")
    if "at_hash" in claims and not isinstance(claims["at_hash"], str):
        raise Unusable("its at_hash is no text")
    _check_parties(claims, client, provider)
    # Authlib knows which hash an at_hash is by the old name alone.
    named = {**header, "alg": "EdDSA"} if header.get("alg") == "Ed25519" else header
    checked = CodeIDToken(
        claims, named, params={"client_id": client.client_id, "nonce": nonce, "access_token": access_token}
    )
    try:
        checked.validate(leeway=SKEW)
    except JoseError as error:
        raise Unusable(f"it does not hold: {error}") from error
    return claims


def logout_claims(text: Any, client: Client, provider: Provider, fetcher: HTTPFetcher) -> dict[str, Any]:
    """The claims of a logout token; Unusable if it does not hold."""
    header, claims = _verified(text, provider, fetcher)
    if str(header.get("typ", "")).lower().removeprefix("application/") != "logout+jwt":
        raise Unusable("it is not of the type logout+jwt")
    _check_parties(claims, client, provider)
    _check_recent(claims)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT), dict):
        raise Unusable("it has no event of a logout")
    if "nonce" in claims:
        raise Unusable("it has a nonce, as only an ID token may")
    for name in ("sub", "sid", "jti"):
        if name in claims:
            _check_subject(claims[name])
    if "jti" not in claims or not ("sub" in claims or "sid" in claims):
        raise Unusable("it lacks a jti, or says whose session is over by neither sub nor sid")
    return claims


def _verified(text: Any, provider: Provider, fetcher: HTTPFetcher) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token that one of the provider's keys has signed."""
    if not isinstance(text, str) or len(text) > MAX_TOKEN or text.count(".") != 2 or not text.isascii():
        raise Unusable("it is not a signed token of a size that can be")
    header = _header(text)
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Unusable(f"it is signed by {str(algorithm)[:40]!r}")
    if kid is not None and (not isinstance(kid, str) or len(kid) > MAX_KID):
        raise Unusable("its key has no name that can be")
    wrong = Unusable("the provider has no keys")
    for keys in keys_of(provider, fetcher, kid):
        try:
            return _opened(text, algorithm, [key for key in keys if _fits(key, algorithm)])
        except Unusable as error:
            wrong = error
    raise wrong


def _opened(text: str, algorithm: str, keys: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, if the only key that may have signed them has."""
    if len(keys) != 1:
        raise Unusable(f"{len(keys)} of the provider's keys may have signed it")
    try:
        with warnings.catch_warnings():
            # The old name EdDSA is what providers still write.
            warnings.simplefilter("ignore", SecurityWarning)
            token = jwt.decode(text, jwk.import_key(keys[0]), [algorithm], Registry(algorithms=[algorithm]))
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise Unusable(f"its signature does not hold: {error!r}") from error
    return dict(token.header), dict(token.claims)


def _header(text: str) -> dict[str, Any]:
    try:
        found = jws.extract_compact(text.encode(), None, Registry(algorithms=list(ALGORITHMS))).headers()
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise Unusable(f"it cannot be read: {error!r}") from error
    if not isinstance(found, dict) or "crit" in found:
        raise Unusable("its header cannot be read")
    return found


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    if key.get("kty") != ALGORITHMS[algorithm] or key.get("alg", algorithm) != algorithm:
        return False
    modulus = key.get("n", "")
    return key["kty"] != "RSA" or (isinstance(modulus, str) and len(modulus) in RSA_MODULUS)


def _check_parties(claims: dict[str, Any], client: Client, provider: Provider) -> None:
    if claims.get("iss") != provider.issuer:
        raise Unusable(f"it is of the issuer {str(claims.get('iss'))[:200]!r}")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client.client_id not in audiences or not all(isinstance(each, str) for each in audiences):
        raise Unusable("it is made for another site")
    party = claims.get("azp")
    if (party is None and len(audiences) > 1) or party not in (None, client.client_id):
        raise Unusable("it was given to another site")


def _check_recent(claims: dict[str, Any]) -> None:
    now = time.time()
    issued, expiry = _moment(claims, "iat"), _moment(claims, "exp")
    if not now - MAX_AGE - SKEW < issued < now + SKEW:
        raise Unusable("it is too old, or of the future")
    if expiry < now - SKEW:
        raise Unusable("it has expired")
    if "nbf" in claims and _moment(claims, "nbf") > now + SKEW:
        raise Unusable("it does not hold yet")


def _moment(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unusable(f"its {name} is no moment")
    try:
        moment = float(value)
    except OverflowError:
        moment = math.inf
    if not math.isfinite(moment):
        raise Unusable(f"its {name} is no moment")
    return moment


def _check_subject(subject: Any) -> None:
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise Unusable("its subject is no text of 1 to 255 letters")
    if not subject.isascii() or not is_plain(subject):
        raise Unusable("its subject has letters that no subject has")
