"""The tables of these proofs, for Django's ORM and for Storm's; `tables` says what is in them."""

from __future__ import annotations

from typing import Any

from django.db import models
from storm.locals import Int, Unicode


class Item(models.Model):
    """A row of the anomalies."""

    id = models.IntegerField(primary_key=True)
    value = models.IntegerField()

    class Meta:
        managed = False
        db_table = "isolation_item"


class StormItem:
    __storm_table__ = "isolation_item"

    id = Int(primary=True)
    value: Any = Int()

    def __init__(self, id: int, value: int) -> None:  # noqa: A002
        self.id, self.value = id, value


class Register(models.Model):
    """A list of the histories: numbers with commas between them, in the order in which they were appended."""

    id = models.IntegerField(primary_key=True)
    elements = models.TextField()

    class Meta:
        managed = False
        db_table = "isolation_register"


class StormRegister:
    __storm_table__ = "isolation_register"

    id = Int(primary=True)
    elements: Any = Unicode()


class Word(models.Model):
    """A named value, for the tests of peers."""

    name = models.CharField(max_length=100, primary_key=True)
    value = models.TextField()

    class Meta:
        managed = False
        db_table = "isolation_word"


class StormWord:
    __storm_table__ = "isolation_word"

    name = Unicode(primary=True)
    value: Any = Unicode()

    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value


class User(models.Model):
    """The table of zope.sqlalchemy's tests."""

    id = models.IntegerField(primary_key=True)
    firstname = models.CharField(max_length=255)
    lastname = models.CharField(max_length=255)

    class Meta:
        managed = False
        db_table = "test_users"


class StormUser:
    __storm_table__ = "test_users"

    id = Int(primary=True)
    firstname: Any = Unicode()
    lastname: Any = Unicode()

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def asDict(self) -> dict[str, Any]:
        return {"id": self.id, "firstname": self.firstname, "lastname": self.lastname}
