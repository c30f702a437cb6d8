"""The first rooms and sessions had no index on what the timetable asks for."""

from __future__ import annotations

from typing import Any


def apply(store: Any) -> None:
    store.execute("CREATE INDEX sprints_session_when ON sprints_session (sprint_id, starts)")
