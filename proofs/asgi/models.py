"""The tables that the requests write: one by each ORM."""

from __future__ import annotations

from django.db import models
from storm.locals import Int

TABLES = [
    "CREATE TABLE asgi_row (id serial PRIMARY KEY, number integer NOT NULL)",
    "CREATE TABLE asgi_storm_row (number integer PRIMARY KEY)",
]


class Row(models.Model):
    id = models.AutoField(primary_key=True)
    number = models.IntegerField()

    class Meta:
        app_label = "asgi"
        db_table = "asgi_row"


class StormRow:
    __storm_table__ = "asgi_storm_row"
    number = Int(primary=True)

    def __init__(self, number: int) -> None:
        self.number = number
