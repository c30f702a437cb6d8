"""Django's half: models that point at Storm objects, and the tables of the Storm classes in storm_models.py."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models

from djintegrate.storm_backend.references import StormForeignKey

SESSION = "tests.apps.sprints.storm_models.Session"


# The tables that Storm's classes are mapped to. Their foreign keys are the database's; Django does nothing about them.


class SessionRow(models.Model):
    title = models.CharField(max_length=100)
    owner = models.ForeignKey(User, models.DO_NOTHING, null=True, related_name="+")
    reviewer = models.ForeignKey(User, models.DO_NOTHING, null=True, related_name="+")
    sponsor = models.ForeignKey(User, models.DO_NOTHING, null=True, related_name="+")
    host_name = models.CharField(max_length=150, null=True)


class RoomRow(models.Model):
    code = models.CharField(max_length=20, primary_key=True)


class BadgeRow(models.Model):
    # As Storm writes a UUID everywhere but on PostgreSQL.
    key = models.CharField(max_length=36, primary_key=True)
    number = models.IntegerField(unique=True)


# Models that point at Storm objects, one for each on_delete.


class Comment(models.Model):
    session = StormForeignKey(SESSION, on_delete=models.CASCADE)
    author = models.ForeignKey(User, models.CASCADE, null=True, blank=True)
    text = models.CharField(max_length=100, default="")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text


class Award(models.Model):
    session = StormForeignKey(SESSION, on_delete=models.PROTECT)


class Memo(models.Model):
    session = StormForeignKey(SESSION, on_delete=models.SET_NULL, null=True, blank=True, unique=True)


class Vote(models.Model):
    session = StormForeignKey(SESSION, on_delete=models.SET_DEFAULT, null=True, default=None, db_index=False)


def any_other_session() -> int:
    from .storm_models import Session

    key: int = Session.fallback_id
    return key


class Label(models.Model):
    session = StormForeignKey(SESSION, on_delete=models.SET(any_other_session))


class Booking(models.Model):
    session = StormForeignKey(SESSION, on_delete=models.RESTRICT)
    comment = models.ForeignKey(Comment, models.CASCADE, null=True)


class Trace(models.Model):
    session = StormForeignKey(SESSION, on_delete=models.DO_NOTHING, db_constraint=False)


class Stay(models.Model):
    """Keys that are no whole numbers, and one that is not the primary key."""

    room = StormForeignKey("tests.apps.sprints.storm_models.Room", on_delete=models.CASCADE, null=True)
    badge = StormForeignKey("tests.apps.sprints.storm_models.Badge", on_delete=models.CASCADE, null=True)
    number = StormForeignKey(
        "tests.apps.sprints.storm_models.Badge", to_field="number", on_delete=models.SET_NULL, null=True, db_column="nr"
    )


class Profile(models.Model):
    """One for a session, and another model points at it."""

    session = StormForeignKey(SESSION, on_delete=models.CASCADE, primary_key=True)
    note = models.CharField(max_length=10)


class Page(models.Model):
    profile = models.ForeignKey(Profile, models.CASCADE)


class Mention(models.Model):
    """Points at a session with a plain column."""

    session_number = models.BigIntegerField(null=True)
