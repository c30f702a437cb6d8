"""A model with every type of field, and models with every kind of key and relation."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F
from django.db.models.functions import Now, Upper


@dataclass
class Colour:
    """A Python value of its own, for a field of its own."""

    red: int
    green: int
    blue: int


class ColourField(models.Field):
    def get_internal_type(self) -> str:
        return "CharField"

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=11, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        del options["max_length"]
        return name, path, args, options

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Colour | None:
        return None if value is None else Colour(*map(int, value.split(",")))

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else f"{value.red},{value.green},{value.blue}"


class Picture(models.ImageField):
    """Without the check for Pillow, which nothing here asks for a size."""

    def _check_image_library_installed(self) -> list[Any]:
        return []


class Size(models.TextChoices):
    SMALL = "S"
    LARGE = "L"


class Every(models.Model):
    """Each type of field once, with the limits that a site would set."""

    big_integer = models.BigIntegerField(null=True)
    binary = models.BinaryField(null=True)
    boolean = models.BooleanField(null=True)
    char = models.CharField(max_length=60, null=True)
    choice = models.CharField(max_length=1, choices=Size.choices, null=True)
    colour = ColourField(null=True)
    date = models.DateField(null=True)
    moment = models.DateTimeField(null=True)
    decimal = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    long_decimal = models.DecimalField(max_digits=60, decimal_places=20, null=True)
    duration = models.DurationField(null=True)
    email = models.EmailField(null=True)
    file = models.FileField(null=True)
    image = Picture(null=True)
    file_path = models.FilePathField(null=True)
    floating = models.FloatField(null=True)
    integer = models.IntegerField(null=True)
    ip = models.GenericIPAddressField(null=True)
    json = models.JSONField(null=True)
    positive_big_integer = models.PositiveBigIntegerField(null=True)
    positive_integer = models.PositiveIntegerField(null=True)
    positive_small_integer = models.PositiveSmallIntegerField(null=True)
    slug = models.SlugField(null=True)
    small_integer = models.SmallIntegerField(null=True)
    text = models.TextField(null=True)
    time = models.TimeField(null=True)
    url = models.URLField(null=True)
    uuid = models.UUIDField(null=True)


class Filled(models.Model):
    """Fields that are filled in by Django or by the database."""

    name = models.CharField(max_length=20)
    note = models.TextField()
    number = models.IntegerField(default=7)
    price = models.DecimalField(max_digits=6, decimal_places=2, default=1)
    token = models.UUIDField(default=uuid.uuid4)
    tags = models.JSONField(default=list)
    nothing = models.IntegerField(null=True)
    made = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)
    day = models.DateField(auto_now=True)
    level = models.IntegerField(db_default=3)
    since = models.DateTimeField(db_default=Now())
    double = models.GeneratedField(expression=F("number") * 2, output_field=models.IntegerField(), db_persist=True)
    loud = models.GeneratedField(
        expression=Upper("name"), output_field=models.CharField(max_length=20), db_persist=True
    )


class UuidKey(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=20)


class StringKey(models.Model):
    code = models.CharField(max_length=20, primary_key=True)
    number = models.IntegerField(unique=True)


class SmallKey(models.Model):
    id = models.SmallAutoField(primary_key=True)


class Pair(models.Model):
    pk = models.CompositePrimaryKey("left", "right_id")
    left = models.IntegerField()
    right = models.ForeignKey(StringKey, models.CASCADE)
    note = models.CharField(max_length=20)


class Referring(models.Model):
    uuid_key = models.ForeignKey(UuidKey, models.CASCADE, null=True, related_name="referring")
    string_key = models.ForeignKey(StringKey, models.CASCADE, null=True, db_column="CODE")
    by_number = models.ForeignKey(StringKey, models.CASCADE, null=True, to_field="number", related_name="+")
    alone = models.OneToOneField(StringKey, models.CASCADE, null=True, related_name="single")


class Tree(models.Model):
    name = models.CharField(max_length=20)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")


class Hen(models.Model):
    egg = models.ForeignKey("Egg", models.CASCADE, null=True, related_name="hens")


class Egg(models.Model):
    hen = models.ForeignKey(Hen, models.CASCADE, null=True, related_name="eggs")


class Club(models.Model):
    name = models.CharField(max_length=20)
    members = models.ManyToManyField(Tree, related_name="clubs")
    guests = models.ManyToManyField(UuidKey, through="Invitation")


class Invitation(models.Model):
    club = models.ForeignKey(Club, models.CASCADE)
    guest = models.ForeignKey(UuidKey, models.CASCADE)
    by = models.CharField(max_length=20)


class Place(models.Model):
    name = models.CharField(max_length=20)


class Restaurant(Place):
    stars = models.IntegerField(default=0)


class Pizzeria(Restaurant):
    oven = models.CharField(max_length=20)


class PlaceProxy(Place):
    class Meta:
        proxy = True


class Abstract(models.Model):
    class Meta:
        abstract = True


class Swapped(models.Model):
    class Meta:
        swappable = "FIELDS_SWAPPED"


class Odd(models.Model):
    """Names that have to be quoted."""

    Order = models.IntegerField(db_column="Group By")
    plain = models.DecimalField(max_digits=5, decimal_places=1, default=Decimal("1.5"), db_column="select")

    class Meta:
        db_table = "Odd Table"


if os.environ.get("DB") == "postgres":
    from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, IntegerRangeField

    class Postgres(models.Model):
        """The fields of django.contrib.postgres that need no extension."""

        words = ArrayField(models.CharField(max_length=20), null=True)
        grid = ArrayField(ArrayField(models.IntegerField()), null=True)
        moments = ArrayField(models.DateTimeField(), null=True)
        integers = IntegerRangeField(null=True)
        period = DateTimeRangeField(null=True)
