"""The first sessions had no slides."""

from __future__ import annotations

from typing import Any


def apply(store: Any) -> None:
    store.execute("ALTER TABLE sprints_session ADD COLUMN slides VARCHAR(200)")
