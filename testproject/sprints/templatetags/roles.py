"""`{{ cell|conditions }}`: on what it depends whether a role may do something."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()

# The rules of ../roles.py in words. One that is not here is called by its name.
WORDS = {"own": "only their own", "oneself": "only their own"}


@register.filter
def lower_first(text: str) -> str:
    """For what follows a colon."""
    return text[:1].lower() + text[1:]


@register.filter
def conditions(cell: Any) -> str:
    return " or ".join(WORDS.get(rule, f"if {rule}") for rule in cell.conditions)
