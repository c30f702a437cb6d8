"""What came back to the completion address, before and after it is verified."""

from __future__ import annotations

from dataclasses import dataclass

from openid.association import Association
from openid.consumer.consumer import SuccessResponse
from openid.consumer.discover import OpenIDServiceEndpoint
from openid.message import Message

from ..site.text import is_plain
from .state import Begun

MAX_FIELDS = 200
"""Of an answer with every extension that a site can ask for there are some sixty."""


class VerifiedResponse(SuccessResponse):
    """python3-openid's response of success. Says also whether it is from the provider of OPENID_SSO_SERVER_URL."""

    def __init__(
        self, endpoint: OpenIDServiceEndpoint, message: Message, signed_fields: list[str], from_sso: bool = False
    ) -> None:
        super().__init__(endpoint, message, signed_fields)
        self.from_sso = from_sso


@dataclass(frozen=True)
class Answer:
    """An answer as it came, with what this site knows: the sign-in it is to, and the association it is signed with."""

    values: dict[str, str]
    current_url: str
    begun: Begun | None
    association: Association | None = None
    may_ask: str | None = None
    """The endpoint that may be asked whether it signed the answer."""

    @property
    def endpoint(self) -> OpenIDServiceEndpoint | None:
        return self.begun.endpoint if self.begun else None

    @property
    def server_url(self) -> str | None:
        """The provider that it says it is from, which nothing has verified yet."""
        if "openid.ns" not in self.values and self.begun:
            return self.begun.endpoint.server_url
        return self.values.get("openid.op_endpoint")

    @property
    def handle(self) -> str | None:
        return self.values.get("openid.assoc_handle")

    @property
    def is_readable(self) -> bool:
        return len(self.values) <= MAX_FIELDS and all(is_plain(text) for pair in self.values.items() for text in pair)
