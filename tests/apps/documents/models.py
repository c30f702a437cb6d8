"""Rows that name files, in a storage that is part of the transaction; storm_models.py maps one of the tables."""

from __future__ import annotations

from django.core.files.storage import storages
from django.db import models


def documents() -> object:
    return storages["documents"]


class Folder(models.Model):
    name = models.CharField(max_length=100)


class Document(models.Model):
    title = models.CharField(max_length=100, blank=True)
    file = models.FileField(upload_to="documents", storage=documents, blank=True)
    folder = models.ForeignKey(Folder, models.CASCADE, null=True, blank=True)


class Signed(Document):
    """A table of its own, with a file more."""

    signature = models.FileField(upload_to="signatures", storage=documents, blank=True)


class Picture(models.Model):
    image = models.ImageField(upload_to="pictures", storage=documents)


class Leaflet(models.Model):
    """Its file is part of no transaction."""

    file = models.FileField(upload_to="documents")


class Talk(models.Model):
    title = models.CharField(max_length=100)
    slides = models.CharField(max_length=100, null=True)
