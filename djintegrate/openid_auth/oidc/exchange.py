"""The authorization code flow: the address that the browser goes to, and what its answer is exchanged for.

Only the network is asked here, never the database. PKCE, state and nonce are always used.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from openid.fetchers import HTTPFetcher
from requests import HTTPError

from ..conf import config
from ..people.vouched import Vouched
from .clients import Client
from .discovery import Provider
from .people import PHISHING_RESISTANT_HARDWARE, vouched
from .state import Begun
from .tokens import identity_claims
from .transport import FetcherAdapter, Refused, Unusable, object_in

MAX_CODE = 4096


def begun(client: Client, purpose: str, user: str, following: str) -> Begun:
    """A new sign-in, with secrets of its own."""
    return Begun(client.issuer, purpose, user, following, secrets.token_urlsafe(32), secrets.token_urlsafe(32))


def address_of(client: Client, provider: Provider, sign_in: Begun, state: str, return_to: str, prompt: str = "") -> str:
    """Where the browser is sent. With the prompt "none" the provider is not to ask the person anything."""
    more = {"prompt": prompt} if prompt else {}
    if config.physical_multifactor_required:
        more["acr_values"] = PHISHING_RESISTANT_HARDWARE
    address: str = _session(client, return_to).create_authorization_url(
        provider.address("authorization_endpoint"),
        state=state,
        code_verifier=sign_in.verifier,
        nonce=sign_in.nonce,
        **more,
    )[0]
    return address


def person(
    client: Client, provider: Provider, sign_in: Begun, code: str, return_to: str, fetcher: HTTPFetcher
) -> Vouched:
    """Who the provider says has signed in; Unusable if what it says does not hold."""
    if not 0 < len(code) <= MAX_CODE:
        raise Unusable("it has no code that can be")
    session = _session(client, return_to, fetcher)
    tokens = _tokens(session, client, provider, sign_in, code)
    if not isinstance(tokens.get("access_token"), str) or str(tokens.get("token_type")).lower() != "bearer":
        raise Unusable("there is no bearer token in it")
    claims = identity_claims(tokens.get("id_token"), client, provider, fetcher, sign_in.nonce, tokens["access_token"])
    return vouched(claims, _more(session, provider, claims["sub"]), client)


def _tokens(session: OAuth2Session, client: Client, provider: Provider, sign_in: Begun, code: str) -> Mapping[str, Any]:
    try:
        tokens: Mapping[str, Any] = session.fetch_token(
            provider.address("token_endpoint"),
            code=code,
            code_verifier=sign_in.verifier,
            grant_type="authorization_code",
            allow_redirects=False,
        )
    except AuthlibBaseError as error:
        raise Refused(str(error.error)[:100], _without_secret(str(error.description)[:300], client)) from error
    except HTTPError as error:
        raise Refused("it is no answer of OAuth", str(error)[:300]) from error
    return tokens


def _without_secret(text: str, client: Client) -> str:
    """A provider may quote what it was sent."""
    return text.replace(client.client_secret, "********") if client.client_secret else text


def _more(session: OAuth2Session, provider: Provider, subject: str) -> Mapping[str, Any]:
    """What the provider's userinfo says of the same person."""
    address = provider.address("userinfo_endpoint")
    if not address:
        return {}
    response = session.get(address, allow_redirects=False)
    if response.status_code != 200:
        raise Unusable(f"its userinfo answers with status {response.status_code}")
    said = object_in(response.content)
    if said.get("sub") != subject:
        raise Unusable("its userinfo speaks of somebody else")
    # What the two parties of a token are is for the token alone to say.
    return {name: value for name, value in said.items() if name not in ("iss", "aud", "azp", "nonce", "amr", "acr")}


def _basic(auth: Any, method: str, uri: str, headers: Any, body: Any) -> tuple[str, Any, Any]:
    """An auth method of Authlib's. Its own does not encode the two as a form does (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(auth.client_id)}:{quote_plus(auth.client_secret)}"
    headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return uri, headers, body


def _session(client: Client, return_to: str, fetcher: HTTPFetcher | None = None) -> OAuth2Session:
    method = client.authenticates_by
    session = OAuth2Session(
        client.client_id,
        client.signing_key if method == "private_key_jwt" else client.client_secret,
        token_endpoint_auth_method=method,
        scope=client.scope,
        redirect_uri=return_to,
        code_challenge_method="S256",
        leeway=0,
    )
    session.register_client_auth_method(("client_secret_basic", _basic))
    if method == "private_key_jwt":
        session.register_client_auth_method(PrivateKeyJWT(alg=client.signing_algorithm))
    # Nothing of this machine's goes along: no proxy, no .netrc, and none of the headers that requests adds.
    session.trust_env = False
    session.headers.clear()
    session.adapters.clear()
    if fetcher is not None:
        session.mount("https://", FetcherAdapter(fetcher))
        session.mount("http://", FetcherAdapter(fetcher))
    return session
