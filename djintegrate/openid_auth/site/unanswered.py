"""What an answer of either protocol amounts to that says nothing about the person, neither good nor bad."""

from __future__ import annotations

from openid.consumer.consumer import FailureResponse
from openid.consumer.discover import OpenIDServiceEndpoint


class Unanswered(FailureResponse):
    """Nobody has refused: the provider could not be asked, or it says that it cannot answer now.

    `by_browser`: so says what the browser has brought, and whoever sits there may have written it.
    """

    def __init__(self, endpoint: OpenIDServiceEndpoint | None, message: str, by_browser: bool = False) -> None:
        super().__init__(endpoint, message)
        self.by_browser = by_browser
