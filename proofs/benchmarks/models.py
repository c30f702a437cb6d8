"""The tables that the benchmarks read and write, as Django models and as a Storm class."""

from __future__ import annotations

from django.db import models
from storm.locals import Int, Unicode


class Item(models.Model):
    """Read only: 5,000 rows, 1,000 of each group."""

    name = models.CharField(max_length=100)
    group = models.IntegerField(db_index=True)
    price = models.IntegerField(default=0)


class Entry(models.Model):
    """Written by every case that creates something, and emptied between batches."""

    text = models.CharField(max_length=100)
    number = models.IntegerField(default=0)


class Thing(models.Model):
    """100,000 rows that Storm objects are held of, while other tables are written."""

    name = models.CharField(max_length=100)


class Upload(models.Model):
    file = models.FileField(upload_to="uploads")


class StormItem:
    """The items, for Storm."""

    __storm_table__ = "benchmarks_item"

    id = Int(primary=True)
    name = Unicode()
    price = Int()


class StormThing:
    """The things, for Storm."""

    __storm_table__ = "benchmarks_thing"

    id = Int(primary=True)
    name = Unicode()


class StormEntry:
    """The entries, for Storm."""

    __storm_table__ = "benchmarks_entry"

    id = Int(primary=True)
    text = Unicode()
    number = Int()

    def __init__(self, text: str, number: int) -> None:
        self.text = text
        self.number = number
