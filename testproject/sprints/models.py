"""Django's half: the log of what people did, and the tables of Storm's sprints, rooms and sessions as models.

The latter exist for the admin, its permissions, and for locks. They make no tables (`managed = False`), and no rules.
"""

from __future__ import annotations

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

from djintegrate.storm_backend.references import StormForeignKey

from .plain import in_order
from .storm_models import TRACKS


class Activity(models.Model):
    """A line of the log. It stays when its session goes, so it has the title too."""

    moment = models.DateTimeField(auto_now_add=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    what = models.CharField(max_length=20)
    session = StormForeignKey("testproject.sprints.storm_models.Session", on_delete=models.SET_NULL, null=True)
    title = models.CharField("title of the session", max_length=120)
    detail = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-moment", "-id"]
        verbose_name_plural = "activities"

    def __str__(self) -> str:
        return f"{self.person or 'Somebody'} {self.what} {self.title} {self.detail}".rstrip()


def is_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"There is no time zone {name!r}. Take one such as Europe/Lisbon.")


class SprintRow(models.Model):
    slug = models.SlugField(unique=True, help_text="How it is called in addresses.")
    name = models.CharField(max_length=80)
    place = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=40, default="UTC", validators=[is_time_zone])
    first_day = models.DateField()
    last_day = models.DateField()
    summary = models.TextField(blank=True)

    class Meta:
        managed = False
        db_table = "sprints_sprint"
        ordering = ["first_day"]
        verbose_name = "sprint"

    def __str__(self) -> str:
        return f"{self.name}, {self.first_day:%B %Y}"

    def clean(self) -> None:
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValidationError({"last_day": "That is before the first day."})


class RoomRow(models.Model):
    sprint = models.ForeignKey(SprintRow, models.CASCADE, related_name="rooms")
    name = models.CharField(max_length=60)
    seats = models.PositiveIntegerField()

    class Meta:
        managed = False
        db_table = "sprints_room"
        ordering = ["sprint", "name"]
        verbose_name = "room"

    def __str__(self) -> str:
        return f"{self.name} ({self.seats} seats)"


class SessionRow(models.Model):
    sprint = models.ForeignKey(SprintRow, models.CASCADE)
    title = models.CharField(max_length=120, validators=[in_order])
    track = models.CharField(max_length=20, choices=list(TRACKS.items()))
    description = models.TextField(blank=True)
    minutes = models.PositiveIntegerField(default=60)
    seats = models.PositiveIntegerField(default=20)
    proposer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    room = models.ForeignKey(RoomRow, models.SET_NULL, null=True, blank=True)
    starts = models.DateTimeField(null=True, blank=True)
    ends = models.DateTimeField(null=True, blank=True, editable=False)
    slides = models.FileField(upload_to="slides", max_length=200, null=True, blank=True)

    class Meta:
        managed = False
        db_table = "sprints_session"
        ordering = ["title"]
        verbose_name = "session"

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("session", args=[self.sprint.slug, self.pk])
