"""Which numbers there are in the attributes of widgets and fields: what HTML takes for none counts as absent."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

# https://html.spec.whatwg.org/multipage/common-microsyntaxes.html#valid-floating-point-number
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


MOST = 2**53
"""From here on JavaScript does not know every whole number."""


def number(value: Any) -> int | float | None:
    """As JavaScript can have it, or None. A function is asked, as Django's templates do."""
    try:
        value = value() if callable(value) else value
        text = str(value)
    except Exception:  # whatever somebody's function does, or a number that is too long for a text
        return None
    # An attribute that is True has no text, and one that is False is not there.
    if isinstance(value, bool) or not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        return None
    return value if type(value) is int and abs(value) < MOST else float(text)


def first(*values: Any) -> int | float | None:
    return next((found for found in map(number, values) if found is not None), None)


def step(*values: Any) -> int | float | None:
    """The first that is one: a step is above 0."""
    return next((found for found in map(number, values) if found is not None and found > 0), None)


def slider(low: int | float | None, high: int | float | None, step: int | float | None) -> dict[str, Any]:
    """What is within the bounds of an <input type="range">, as its dijit has it. Without a step: any number."""
    least = 0 if low is None else low
    most = max(least, 100 if high is None else high)
    steps = MOST if step is None else int((_exact(most) - _exact(least)) / _exact(step))
    if step is None or steps >= MOST:
        return {"minimum": least, "maximum": most}
    # The last step that is within the bounds.
    return {
        "minimum": least,
        "maximum": float(_exact(least) + steps * _exact(step)),
        "discreteValues": steps + 1,
    }


def _exact(value: int | float) -> Decimal:
    return Decimal(str(value))
