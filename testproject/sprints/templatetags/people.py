"""`{{ person|name }}`: how a person is called on the pages."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.filter
def name(person: Any) -> str:
    """The full name, else the user name; of nobody, "Somebody", for the person may be deleted."""
    return "Somebody" if person is None else person.get_full_name() or person.get_username()
