"""Three Django apps, each usable alone: Storm beside Django, OpenID sign-in with Launchpad teams, Dojo for forms."""

from __future__ import annotations

__version__ = "0.1.0"
