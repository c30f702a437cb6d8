"""The Storm class of a Django model, and a Django model that points at a Storm class."""

from __future__ import annotations

from typing import Any

import transaction
from typing_extensions import assert_type

from djintegrate.storm_backend.mapping import storm_class
from shop.models import Receipt
from shop.storm_models import Booking

StormReceipt = storm_class(Receipt)


def mapped() -> str:
    """Each column of the model is an attribute that may be anything."""
    made = StormReceipt(text="new")
    assert_type(StormReceipt.text, Any)
    assert_type(made.text, Any)
    made.text = "old"
    return f"{made.booking_id}"


def pointing(booking: Booking) -> str:
    """What django-stubs cannot know of a field that is not Django's."""
    with transaction.manager:
        made = Receipt.objects.create(booking=booking)  # type: ignore[misc]
        Receipt(booking=booking)  # type: ignore[misc]
    Receipt.objects.filter(booking=booking)
    Receipt.objects.prefetch_related("booking__owner")  # type: ignore[misc]
    made.booking = booking
    return f"{made.booking_id}"  # type: ignore[attr-defined]


class Printed(storm_class(Receipt)):  # type: ignore[misc]
    """A Storm class with more in it."""

    def shown(self) -> str:
        return f"{self.text}"
