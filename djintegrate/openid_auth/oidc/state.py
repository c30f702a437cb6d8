"""What a session remembers of a sign-in by OpenID Connect that was begun."""

from __future__ import annotations

import hmac
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..site.begun import Begun as Entries


@dataclass(frozen=True)
class Begun:
    """One sign-in on its way: whom it asks, what for, and the two secrets that its answer must know."""

    asked: str
    """The issuer."""
    purpose: str
    user: str
    following: str
    nonce: str
    verifier: str


def remember(session: MutableMapping[str, Any], begun: Begun) -> str:
    """The state that the answer has to bring."""
    return Entries(session).add(asdict(begun))


def take(session: MutableMapping[str, Any], state: str, issuer: str) -> Begun | None:
    """The sign-in with this state, if it went to this issuer. It is now forgotten."""
    entry = Entries(session).take(state)
    names = [field.name for field in fields(Begun)]
    if entry is None or not all(isinstance(entry.get(name), str) for name in names):
        return None
    begun = Begun(**{name: entry[name] for name in names})
    return begun if hmac.compare_digest(begun.asked.encode(), issuer.encode()) else None
