"""The half of the guest book that Django's ORM keeps; storm_models.py has the other."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Note(models.Model):
    text = models.CharField(max_length=200)
    written = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.text
