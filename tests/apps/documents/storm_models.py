"""Storm's class for the table of talks."""

from __future__ import annotations

from storm.properties import Int, Unicode

from djintegrate.files.storm import StoredFile


class StormTalk:
    __storm_table__ = "documents_talk"
    id = Int(primary=True)
    title = Unicode()
    slides = StoredFile(upload_to="slides", storage="documents")

    def __init__(self, title: str) -> None:
        self.title = title
