"""What a browser remembers of a sign-in by OpenID Connect that was begun."""

from __future__ import annotations

import hmac
import time
from dataclasses import asdict, dataclass, field, fields

from django.http import HttpRequest

from ..fields import digest_of
from ..site import begun as entries
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


def remember(request: HttpRequest, begun: Begun) -> str:
    """The state that the answer has to bring."""
    return entries.of(request).add(asdict(begun))


def find(request: HttpRequest, state: str, issuer: str) -> Begun | None:
    """The sign-in with this state, if it went to this issuer."""
    entry = entries.of(request).find(state)
    if entry is None or not all(isinstance(entry.get(name), str) for name in TEXTS):
        return None
    begun = Begun(**{name: entry[name] for name in TEXTS}, time=int(entry["time"]))
    return begun if hmac.compare_digest(begun.asked.encode(), issuer.encode()) else None


def use(request: HttpRequest, state: str, begun: Begun) -> bool:
    """Whether nobody has answered the sign-in before. The database decides, whatever the browser still remembers."""
    entries.of(request).forget(state)
    return use_once(begun.asked, begun.time, digest_of("nonce", begun.nonce))
