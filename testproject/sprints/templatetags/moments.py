"""`{{ moment|ago }}`: how long ago something was."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.timesince import timesince

register = template.Library()


@register.filter
def ago(moment: datetime) -> str:
    """As `timesince` says it, and "just now" rather than "0 minutes ago"."""
    is_now = timezone.now() - moment < timedelta(minutes=1)
    return "just now" if is_now else f"{timesince(moment)} ago"
