"""The tests' tables as Django models; storm_models.py maps the same tables."""

from __future__ import annotations

from django.db import models


class Person(models.Model):
    name = models.CharField(max_length=100, unique=True)


class Visit(models.Model):
    note = models.TextField()
    person = models.ForeignKey(Person, models.CASCADE, null=True)


class Sample(models.Model):
    """A column of each kind that both ORMs have."""

    text = models.TextField()
    flag = models.BooleanField()
    number = models.BigIntegerField()
    ratio = models.FloatField()
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    day = models.DateField()
    moment = models.DateTimeField()
    clock = models.TimeField()
    raw = models.BinaryField()
