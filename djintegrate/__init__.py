"""Django apps, each usable alone: Storm beside Django, sign-in with Launchpad teams, Dojo for forms, and companions."""

from __future__ import annotations

__version__ = "0.2.0"
