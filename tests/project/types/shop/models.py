"""Django models: a field that refers to a Storm class, and one whose files belong to the transaction."""

from __future__ import annotations

from django.db import models

from djintegrate.files import TransactionalStorage
from djintegrate.storm_backend.references import StormForeignKey


class Receipt(models.Model):
    text = models.CharField(max_length=200)  # pyright: ignore[reportUnknownVariableType]: that is what mypy has a plugin for
    scan = models.FileField(storage=TransactionalStorage())
    booking = StormForeignKey("shop.storm_models.Booking", on_delete=models.CASCADE, null=True)
