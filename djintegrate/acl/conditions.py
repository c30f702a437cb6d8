"""Conditions are rules of the `rules` library, by the names that `rules.add_rule()` gave them."""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any

from djintegrate.common.errors import Misconfigured
from djintegrate.common.urls import import_urls

logger = logging.getLogger("djintegrate.acl")


def holds(condition: str, user: Any, obj: Any) -> bool:
    """Whether it is true of them. Of a condition that nobody has added, it is never."""
    if not exists(condition):
        logger.error(
            "Nobody has called rules.add_rule(%r, …): what has this condition is granted to nobody.", condition
        )
        return False
    return library().test_rule(condition, user, obj) is True


def exists(condition: str) -> bool:
    """Whether a rule has been added, also by what the URLs import. Misconfigured without the library."""
    rules = library()
    if not rules.rule_exists(condition):
        import_urls()
    return bool(rules.rule_exists(condition))


def lacks(condition: str) -> str:
    """What to do so that there is a rule for the condition; nothing, if there is one."""
    try:
        if exists(condition):
            return ""
    except Misconfigured:
        return "Install djintegrate[acl], which brings the library rules."
    remedy = f"Call rules.add_rule({condition!r}, …) where it is imported at the start, say in an app's ready()."
    error = import_urls()
    return f"{remedy} The URLs cannot be imported: {type(error).__name__}: {error}" if error else remedy


def library() -> ModuleType:
    """`rules`, or Misconfigured."""
    try:
        import rules
    except ImportError:
        raise Misconfigured(
            "ACL_FILE has conditions, and the library rules is not installed. Install djintegrate[acl]."
        ) from None
    return rules
