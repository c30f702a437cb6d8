"""Carries what Authlib sends through our own fetcher: its rules about addresses, redirects, time and size hold."""

from __future__ import annotations

import io
import json
from typing import Any

from openid.fetchers import HTTPFetcher, HTTPFetchingError, HTTPResponse
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from ..site.fetcher import FetchRefused, Unresolved


class Unusable(Exception):
    """What came from a provider cannot be used. The text is for the log."""


class Away(Unusable):
    """The provider cannot answer at the moment. Nothing is known of the person, good or bad."""


class Refused(Unusable):
    """The provider does not do what this site asks of it. `error` is its word for it."""

    def __init__(self, error: str, description: str) -> None:
        self.error = error
        super().__init__(f"{error}: {description}")


LATER = frozenset({408, 429})
"""Statuses by which a server puts a client off, beside those from 500 on."""


class FetcherAdapter(BaseAdapter):
    """A transport of requests for one use: nothing is kept open, no proxy and no credentials of the machine's."""

    def __init__(self, fetcher: HTTPFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        fetched = _answered(self._fetcher, request.url, request.body, dict(request.headers))
        response = Response()
        response.status_code = fetched.status
        response.headers = CaseInsensitiveDict(fetched.headers)
        response.url = str(fetched.final_url or request.url)
        response.request = request
        response.raw = io.BytesIO(fetched.body)
        return response

    def close(self) -> None:
        """Nothing is open."""


def fetch_object(fetcher: HTTPFetcher, url: str) -> dict[str, Any]:
    """The JSON object at `url`."""
    fetched = _answered(fetcher, url, None, {"Accept": "application/json"})
    if fetched.status != 200:
        raise Unusable(f"{url[:200]!r} answers with status {fetched.status}")
    return object_in(fetched.body)


def _answered(fetcher: HTTPFetcher, url: str | None, body: Any, headers: dict[str, Any]) -> HTTPResponse:
    try:
        fetched = fetcher.fetch(url, body, headers)
    except FetchRefused as error:
        raise (Away if isinstance(error, Unresolved) else Unusable)(f"{str(url)[:200]!r}: {error}") from error
    except HTTPFetchingError as error:
        raise Away(f"{str(url)[:200]!r} does not answer: {error}") from error
    if fetched.status >= 500 or fetched.status in LATER:
        raise Away(f"{str(url)[:200]!r} answers with status {fetched.status}")
    return fetched


def object_in(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"it is not JSON: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise Unusable("it is not a JSON object")
    return found
