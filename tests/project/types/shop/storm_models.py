"""Storm classes. Storm has no type hints: what comes from it is whatever a checker makes of that."""

from __future__ import annotations

from storm.locals import Int, Storm, Unicode

from djintegrate.files.storm import StoredFile
from djintegrate.storm_backend.references import DjangoReference, DjangoReferenceSet


class Booking(Storm):
    __storm_table__ = "booking"

    id = Int(primary=True)
    text = Unicode()
    slides = StoredFile()
    owner_id = Int()
    owner = DjangoReference(owner_id, "auth.User")
    receipts = DjangoReferenceSet(id, "shop.Receipt", "booking")  # noqa: A003
