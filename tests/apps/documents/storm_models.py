"""Storm's classes for some of the tables."""

from __future__ import annotations

from typing import Any

from django.db.models import CASCADE
from storm.properties import Int, Unicode

from djintegrate.files.storm import StoredFile
from djintegrate.storm_backend.references import DjangoReference


class StormTalk:
    __storm_table__ = "documents_talk"
    id = Int(primary=True)
    title = Unicode()
    slides = StoredFile(upload_to="slides", storage="documents")

    def __init__(self, title: str) -> None:
        self.title = title


class StormRecording:
    """Goes with its folder, or with the transcript that it was made for."""

    __storm_table__ = "documents_recording"
    id = Int(primary=True)
    folder_id = Int()
    folder = DjangoReference(folder_id, "documents.Folder", on_delete=CASCADE)
    transcript_id = Int()
    transcript = DjangoReference(transcript_id, "documents.Transcript", on_delete=CASCADE)

    def __init__(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            setattr(self, name, value)


class StormSound(StormRecording):
    """The same rows, with their files."""

    sound = StoredFile(upload_to="sounds", storage="documents")
