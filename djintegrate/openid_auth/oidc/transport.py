"""Carries what Authlib sends through our own fetcher: its rules about addresses, redirects, time and size hold."""

from __future__ import annotations

import io
import json
from typing import Any

from openid.fetchers import HTTPFetcher
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict


class Unusable(Exception):
    """What came from a provider cannot be used. The text is for the log."""


class FetcherAdapter(BaseAdapter):
    """A transport of requests for one use: nothing is kept open, no proxy and no credentials of the machine's."""

    def __init__(self, fetcher: HTTPFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        fetched = self._fetcher.fetch(request.url, request.body, dict(request.headers))
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
    fetched = fetcher.fetch(url, headers={"Accept": "application/json"})
    if fetched.status != 200:
        raise Unusable(f"{url[:200]!r} answers with status {fetched.status}")
    return object_in(fetched.body)


def object_in(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"it is not JSON: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise Unusable("it is not a JSON object")
    return found
