"""Errors that say what is wrong with the settings, in one line."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError


class Misconfigured(ImproperlyConfigured, CommandError):
    """An ImproperlyConfigured that a management command which meets it ends with, without a traceback."""
