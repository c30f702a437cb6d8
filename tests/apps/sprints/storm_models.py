"""Storm's half; models.py makes the tables."""

from __future__ import annotations

from typing import Any

from django.db import models
from storm.locals import UUID, Int, Unicode

from djintegrate.storm_backend.references import DjangoReference, DjangoReferenceSet


class Session:
    __storm_table__ = "sprints_sessionrow"

    id = Int(primary=True)
    title = Unicode()
    owner_id = Int()
    owner = DjangoReference(owner_id, "auth.User", on_delete=models.CASCADE)
    reviewer_id = Int()
    reviewer = DjangoReference("reviewer_id", "auth.User", on_delete=models.SET_NULL)
    sponsor_id = Int()
    sponsor = DjangoReference("Session.sponsor_id", "auth.User", on_delete=models.PROTECT)
    host_name = Unicode()
    host = DjangoReference(host_name, "auth.User", to_field="username")
    comments = DjangoReferenceSet(id, "sprints.Comment", "session")  # noqa: A003
    memos = DjangoReferenceSet("id", "sprints.Memo", "session")
    mentions = DjangoReferenceSet("Session.id", "sprints.Mention", "session_number")

    # What Label.session is set to.
    fallback_id = 0

    def __init__(self, title: str, **attributes: Any) -> None:
        self.title = title
        for name, value in attributes.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        return self.title


class Room:
    __storm_table__ = "sprints_roomrow"

    code = Unicode(primary=True)

    def __init__(self, code: str) -> None:
        self.code = code

    def __str__(self) -> str:
        return f"Room {self.code}"


class Badge:
    __storm_table__ = "sprints_badgerow"

    key = UUID(primary=True)
    number = Int()

    def __init__(self, key: Any, number: int) -> None:
        self.key = key
        self.number = number
