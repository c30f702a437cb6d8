"""The sample site's tables as models, with what its templates ask of Storm's objects."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.urls import reverse
from django.utils import timezone

from testproject.sprints.storm_models import TRACKS


class Sprint(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    place = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=40)
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        managed = False
        db_table = "sprints_sprint"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def days(self) -> list[date]:
        return [self.first_day + timedelta(days=number) for number in range((self.last_day - self.first_day).days + 1)]

    def get_absolute_url(self) -> str:
        return reverse("sprint", args=[self.slug])


class Room(models.Model):
    name = models.CharField(max_length=60)

    class Meta:
        managed = False
        db_table = "sprints_room"


class Session(models.Model):
    sprint = models.ForeignKey(Sprint, models.CASCADE, related_name="sessions")
    title = models.CharField(max_length=120)
    track = models.CharField(max_length=20)
    description = models.TextField()
    minutes = models.IntegerField()
    seats = models.IntegerField()
    proposer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    room = models.ForeignKey(Room, models.SET_NULL, null=True)
    starts = models.DateTimeField(null=True)
    ends = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "sprints_session"

    @property
    def is_scheduled(self) -> bool:
        return self.starts is not None

    @property
    def track_name(self) -> str:
        return TRACKS.get(self.track, self.track)

    def people(self) -> Any:
        keys = list(self.attendances.values_list("person_id", flat=True))
        return get_user_model().objects.filter(pk__in=keys).order_by("first_name", "username")

    def get_absolute_url(self) -> str:
        return reverse("session", args=[self.sprint.slug, self.id])


class Attendance(models.Model):
    pk = models.CompositePrimaryKey("session_id", "person_id")
    session = models.ForeignKey(Session, models.CASCADE, related_name="attendances")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        managed = False
        db_table = "sprints_attendance"


class Activity(models.Model):
    moment = models.DateTimeField(auto_now_add=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    what = models.CharField(max_length=20)
    session = models.ForeignKey(Session, models.SET_NULL, null=True, related_name="activities")
    title = models.CharField(max_length=120)
    detail = models.CharField(max_length=120)

    class Meta:
        managed = False
        db_table = "sprints_activity"
        ordering = ["-moment", "-id"]
