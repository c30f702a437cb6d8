"""Of many combinations of one kind, those that `make test` runs; `make thorough` runs them all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

Case = TypeVar("Case")

THOROUGH = bool(os.environ.get("THOROUGH"))


def few(cases: Iterable[Case], *kept: Case) -> list[Case]:
    """The cases that are named, or the first one; what the others would show is most likely the same."""
    all_cases = list(cases)
    if THOROUGH:
        return all_cases
    return [case for case in all_cases if case in (kept or all_cases[:1])]
