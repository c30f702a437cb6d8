"""What a provider of OpenID Connect vouches for, once it is verified, in the words of this app.

The backend takes it as it takes a response of python3-openid, and signals carry it: both have `status` and
`identity_url`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .address import Address
from .identity import pair


@dataclass(frozen=True)
class Vouched:
    issuer: str
    subject: str
    display_id: str
    """How the identity is shown to its owner."""
    values: Mapping[str, str | None]
    """What is said of the person, by the names of `details.Details` and of simple registration; but the address."""
    claims: Mapping[str, Any]
    """All that was said, for a site's own rules. Its texts are such as a database keeps.

    "email_verified" is true only from an issuer trusted with that, and only of the "email" beside it.
    """
    address: Address | None = None
    teams: tuple[str, ...] = ()
    trusted_with_teams: bool = False
    physical_multifactor: bool = False
    provider_session: str = ""
    """The provider's own name for its session with the person, which ends with it."""
    status: str = "success"

    @property
    def identity_url(self) -> str:
        return pair(self.issuer, self.subject)
