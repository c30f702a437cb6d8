"""Storm's half as a schema of Storm's own, whose tables Django's migrations have made."""

from __future__ import annotations

CREATES: list[str] = []
DROPS: list[str] = []
DELETES = ["DELETE FROM sprints_sessionrow"]
