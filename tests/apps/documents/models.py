"""Rows that name files, in a storage that is part of the transaction; storm_models.py maps some of the tables."""

from __future__ import annotations

from django.core.files.storage import storages
from django.db import models

from djintegrate.storm_backend.references import StormForeignKey


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


class Recording(models.Model):
    folder_id = models.IntegerField(null=True)
    transcript_id = models.IntegerField(null=True)
    sound = models.CharField(max_length=100, null=True)


class Transcript(models.Model):
    """Points at one of Storm's, goes with it, and has a file too."""

    recording = StormForeignKey(
        "tests.apps.documents.storm_models.StormRecording",
        on_delete=models.CASCADE,
        column_type="bigint",
        db_constraint=False,
    )
    file = models.FileField(upload_to="documents", storage=documents, blank=True)
