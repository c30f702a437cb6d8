"""Conditions are rules of the `rules` library, by the names that `rules.add_rule()` gave them."""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any

from djintegrate.common.errors import Misconfigured

logger = logging.getLogger("djintegrate.acl")


def holds(condition: str, user: Any, obj: Any) -> bool:
    """Whether it is true of them. Of a condition that nobody has added, it is never."""
    rules = library()
    if not rules.rule_exists(condition):
        logger.error(
            "Nobody has called rules.add_rule(%r, …): what has this condition is granted to nobody.", condition
        )
        return False
    return rules.test_rule(condition, user, obj) is True


def exists(condition: str) -> bool:
    return bool(library().rule_exists(condition))


def library() -> ModuleType:
    """`rules`, or Misconfigured."""
    try:
        import rules
    except ImportError:
        raise Misconfigured(
            "ACL_FILE has conditions, and the library rules is not installed. Install djintegrate[acl]."
        ) from None
    return rules
