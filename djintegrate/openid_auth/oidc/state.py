"""What a session remembers of a sign-in by OpenID Connect that was begun."""

from __future__ import annotations

import hmac
import time
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..fields import digest_of
from ..site.begun import Begun as Entries
from ..store import use_once


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
    time: int = field(default_factory=lambda: int(time.time()))


TEXTS = [each.name for each in fields(Begun) if each.name != "time"]


def remember(session: MutableMapping[str, Any], begun: Begun) -> str:
    """The state that the answer has to bring."""
    return Entries(session).add(asdict(begun))


def find(session: MutableMapping[str, Any], state: str, issuer: str) -> Begun | None:
    """The sign-in with this state, if it went to this issuer."""
    entry = Entries(session).find(state)
    if entry is None or not all(isinstance(entry.get(name), str) for name in TEXTS):
        return None
    begun = Begun(**{name: entry[name] for name in TEXTS}, time=int(entry["time"]))
    return begun if hmac.compare_digest(begun.asked.encode(), issuer.encode()) else None


def use(session: MutableMapping[str, Any], state: str, begun: Begun) -> bool:
    """Whether nobody has answered the sign-in before. The database decides, whatever the session still remembers.

    A session that has been answered stays as it is: another request is about to sign it in, and to give it a new key.
    """
    if not use_once(begun.asked, begun.time, digest_of("nonce", begun.nonce)):
        return False
    Entries(session).forget(state)
    return True
