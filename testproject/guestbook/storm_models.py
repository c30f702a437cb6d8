"""The half of the guest book that Storm keeps; the first migration makes its table."""

from __future__ import annotations

from datetime import timezone

from django.utils.timezone import now
from storm.locals import DateTime, Int, Unicode


class Visit:
    __storm_table__ = "guestbook_visit"

    id = Int(primary=True)
    text = Unicode()
    written = DateTime(tzinfo=timezone.utc, default_factory=now)

    def __init__(self, text: str) -> None:
        self.text = text
