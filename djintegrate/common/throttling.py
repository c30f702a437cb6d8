"""A brake: so many times in so many seconds, in Django's cache. No while begins with a minute of the clock.

A count gives each time a number, and the moment of each is kept for as long as it counts. So one look tells whether the
time that is `times` before the next one is still within the seconds.
"""

from __future__ import annotations

import time
from math import ceil

from django.core.cache import cache

Limit = tuple[int, int]
"""(times, seconds)"""


def seconds_to_wait(place: str, limit: Limit) -> int:
    """0 if it may be done once more at this place of the cache. Asking does not count."""
    return _wait_for(place, cache.get(place, 0) + 1, limit)


def count(place: str, limit: Limit) -> int:
    """Note that it is done once more. 0, or if others did it at the same moment, the seconds to wait."""
    seconds = limit[1]
    cache.add(place, 0, timeout=seconds + 1)
    try:
        number = cache.incr(place)
    except ValueError:
        return 0  # The cache dropped the count in between.
    cache.set(f"{place}-{number}", time.time(), timeout=seconds + 1)
    # As long as anything counts. Some caches keep a number for another while once it is increased.
    cache.touch(place, seconds + 1)
    return _wait_for(place, number, limit)


def _wait_for(place: str, number: int, limit: Limit) -> int:
    """How long it is until the time with this number may come."""
    times, seconds = limit
    earlier = cache.get(f"{place}-{number - times}") if number > times else None
    left = 0 if earlier is None else ceil(earlier + seconds - time.time())
    return max(0, min(left, seconds))
