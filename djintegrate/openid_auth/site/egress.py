"""Which fetcher a request uses: the site's own, where there is one, else ours with a deadline for the whole request."""

from __future__ import annotations

from typing import Any

from openid.fetchers import HTTPFetcher, HTTPFetchingError, HTTPResponse

from ..conf import config
from ..protocol.library import default_fetcher
from .deadline import Deadline
from .fetcher import Fetcher, FetchRefused


def make_fetcher() -> HTTPFetcher:
    """That of OPENID_FETCHER, or of python3-openid's setDefaultFetcher(), for which our rules do not hold; or ours."""
    deadline = Deadline(config.fetch_timeout)
    own = config.fetcher() if config.fetcher is not None else default_fetcher()
    return Fetcher(deadline) if own is None else _Punctual(own, deadline)


class _Punctual(HTTPFetcher):
    """A fetcher of the site's own, which is not asked any more once the time is over."""

    def __init__(self, fetcher: HTTPFetcher, deadline: Deadline) -> None:
        self._fetcher = fetcher
        self._deadline = deadline

    def fetch(self, url: str, body: Any = None, headers: Any = None) -> Any:
        try:
            self._deadline.left()
        except TimeoutError as error:
            raise HTTPFetchingError(error) from error
        answer = self._fetcher.fetch(url, body, headers)
        content = answer.body.encode() if isinstance(answer.body, str) else answer.body
        if len(content) > config.fetch_max_bytes:
            raise FetchRefused(f"{url} is longer than {config.fetch_max_bytes} bytes")
        names = {str(name).lower(): value for name, value in (answer.headers or {}).items()}
        return HTTPResponse(answer.final_url or url, answer.status, names, content)
