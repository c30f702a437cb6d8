"""From an identifier to the providers that may vouch for it: Yadis, then the links of an HTML page.

Every fetch goes through our fetcher. Whatever the documents hold, the outcome is endpoints or DiscoveryFailure.
"""

from __future__ import annotations

import logging
from urllib.parse import urljoin, urlsplit

from django.utils.translation import gettext as _
from openid.consumer.discover import (
    OPENID_1_1_TYPE,
    OPENID_2_0_TYPE,
    DiscoveryFailure,
    OpenIDServiceEndpoint,
    getOPOrUserServices,
    normalizeURL,
)
from openid.fetchers import HTTPFetcher, HTTPFetchingError, HTTPResponse
from openid.yadis.constants import YADIS_ACCEPT_HEADER, YADIS_CONTENT_TYPE, YADIS_HEADER_NAME
from openid.yadis.etxrd import XRDSError
from openid.yadis.xri import identifierScheme

from ..site.fetcher import MAX_URL, FetchRefused, Unresolved, parse
from ..site.text import is_plain
from .html import head_tags
from .xrds import endpoints_of

logger = logging.getLogger("djintegrate.openid_auth")

Discovered = tuple[str, list[OpenIDServiceEndpoint]]

MAX_ENDPOINTS = 20


def discover(identifier: str, fetcher: HTTPFetcher) -> Discovered:
    """The identifier that is claimed, once redirects are followed, and its endpoints, the preferred ones first."""
    try:
        claimed_id, endpoints = _discover(identifier, fetcher)
    except (DiscoveryFailure, FetchRefused) as error:
        logger.warning("Discovery of %.200r failed: %s", identifier, error)
        raise NotFound(identifier, is_away=isinstance(error, Unresolved)) from error
    except HTTPFetchingError as error:
        logger.warning("Discovery of %.200r failed: %s", identifier, error)
        raise Unreachable(identifier, is_away=True) from error
    except Exception as error:
        # The library expects well-formed documents; what it raises over others has no common class.
        logger.warning("Discovery of %.200r failed over what it found there: %r", identifier, error)
        raise NotFound(identifier) from error
    usable = [endpoint for endpoint in endpoints if _is_usable(endpoint, claimed_id)]
    if not usable:
        raise NotFound(identifier)
    return claimed_id, usable[:MAX_ENDPOINTS]


class NotFound(DiscoveryFailure):
    """What is at the identifier names no provider. `is_away`: so the page says, but nobody knows what is there."""

    def __init__(self, identifier: str, is_away: bool = False) -> None:
        self.identifier = identifier
        self.is_away = is_away
        super().__init__(self._say(identifier), None)

    def _say(self, identifier: str) -> str:
        return _("No OpenID provider could be found at %(identifier)s.") % {"identifier": identifier}


class Unreachable(NotFound):
    """Nothing is known, since nobody answered: the identifier may be right."""

    def _say(self, identifier: str) -> str:
        return _("%(identifier)s does not answer at the moment.") % {"identifier": identifier}


def _discover(identifier: str, fetcher: HTTPFetcher) -> Discovered:
    if identifierScheme(identifier) == "XRI":
        # The registry of i-names is gone; whoever has its host name now could vouch for all of them.
        raise DiscoveryFailure("i-names are not supported", None)
    parts = urlsplit(identifier)
    url = normalizeURL(identifier if parts.scheme and parts.netloc else f"http://{identifier}")
    page = _fetch(url, fetcher, {"Accept": YADIS_ACCEPT_HEADER})
    # Redirects are the identifier's own; where its XRDS document lies is not.
    claimed_id = normalizeURL(page.final_url)
    document = _xrds(page, fetcher)
    endpoints = []
    if document is not None:
        try:
            endpoints = endpoints_of(claimed_id, document)
        except XRDSError as error:
            logger.info("The XRDS document of %.200r is not used: %s", identifier, error.reason or error)
    return claimed_id, getOPOrUserServices(endpoints or _from_html(claimed_id, page.body))


def _xrds(page: HTTPResponse, fetcher: HTTPFetcher) -> bytes | None:
    if page.headers.get("content-type", "").partition(";")[0].strip().lower() == YADIS_CONTENT_TYPE:
        return page.body
    location = page.headers.get(YADIS_HEADER_NAME.lower()) or _meta_location(page.body)
    if not location:
        return None
    address = urljoin(page.final_url, location)
    if page.final_url.startswith("https:") and not address.lower().startswith("https:"):
        raise FetchRefused(f"its XRDS document would come without encryption, from {address[:200]!r}")
    return _fetch(address, fetcher, {}).body


def _meta_location(page: bytes) -> str | None:
    for tag, attributes in head_tags(page):
        if tag == "meta" and attributes.get("http-equiv", "").lower() == YADIS_HEADER_NAME.lower():
            return attributes.get("content")
    return None


def _from_html(claimed_id: str, page: bytes) -> list[OpenIDServiceEndpoint]:
    links: dict[str, str] = {}
    for tag, attributes in head_tags(page):
        if tag == "link" and "href" in attributes:
            for relation in attributes.get("rel", "").lower().split():
                links.setdefault(relation, attributes["href"])
    endpoints = []
    for type_uri, provider, local_id in (
        (OPENID_2_0_TYPE, "openid2.provider", "openid2.local_id"),
        (OPENID_1_1_TYPE, "openid.server", "openid.delegate"),
    ):
        if provider in links:
            endpoint = OpenIDServiceEndpoint()
            endpoint.claimed_id = claimed_id
            endpoint.local_id = links.get(local_id) or None
            endpoint.server_url = links[provider]
            endpoint.type_uris = [type_uri]
            endpoints.append(endpoint)
    return endpoints


def _fetch(url: str, fetcher: HTTPFetcher, headers: dict[str, str]) -> HTTPResponse:
    response = fetcher.fetch(url, headers=headers)
    if response.status >= 500:
        raise HTTPFetchingError(f"It answers with status {response.status}.")
    if response.status not in (200, 206):
        raise DiscoveryFailure(f"It answers with status {response.status}.", response)
    return response


def _is_usable(endpoint: OpenIDServiceEndpoint, claimed_id: str) -> bool:
    """Whether a browser may be sent to the endpoint: it must be a web address, and not a script or anything else.

    An identity that is read over https is not worth less at its provider: nobody may listen there either.
    """
    try:
        target = parse(endpoint.server_url)
    except (FetchRefused, TypeError, ValueError):
        return False
    if claimed_id.startswith("https:") and target.scheme != "https":
        return False
    local_id = endpoint.local_id or ""
    return "#" not in endpoint.server_url and len(local_id) <= MAX_URL and is_plain(local_id)
