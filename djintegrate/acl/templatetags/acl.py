"""`{% access "time_card" "write" card as may %}`: whether the person who sees the page may."""

from __future__ import annotations

from typing import Any

from django import template
from django.core.exceptions import ImproperlyConfigured

register = template.Library()


@register.simple_tag(takes_context=True)
def access(context: Any, resource: str, privilege: str, obj: Any = None) -> bool:
    """The object is what conditions are about. Without `as`, it writes True or False."""
    user = context.get("user")
    if user is None:
        user = getattr(context.get("request"), "user", None)
    if user is None:
        raise ImproperlyConfigured(
            "{% access %} finds neither `user` nor `request` in the template's context. Render the template with the "
            "request, and with django.contrib.auth.context_processors.auth among the context processors."
        )
    # A variable that is not there comes as an empty text, and is no object.
    about = None if isinstance(obj, str) and not obj else obj
    return bool(user.has_perm(f"{resource}.{privilege}", about))
