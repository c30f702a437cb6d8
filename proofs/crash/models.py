"""The one table of the crash run, which each of its databases has: for Django's ORM, and for Storm's."""

from __future__ import annotations

from django.db import models
from storm.locals import Int


class Row(models.Model):
    number = models.IntegerField(primary_key=True)

    class Meta:
        db_table = "crash_row"


class StormRow:
    __storm_table__ = "crash_row"

    number = Int(primary=True)

    def __init__(self, number: int) -> None:
        self.number = number
