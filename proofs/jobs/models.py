"""What the requests write, and what their jobs do."""

from __future__ import annotations

from django.db import models


class Wish(models.Model):
    """A request wrote this in the transaction in which it enqueued a job."""

    key = models.CharField(max_length=40, unique=True)
    is_in_steps = models.BooleanField(default=False)


class Effect(models.Model):
    """The job did this: once, or more often."""

    key = models.CharField(max_length=40, db_index=True)
    is_step = models.BooleanField(default=False)
