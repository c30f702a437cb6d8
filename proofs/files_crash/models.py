"""Rows that name files: of the engine's alias and of a native one, in a storage, and anywhere by their path.

What a file should have in it is in its row.
"""

from __future__ import annotations

from django.core.files.storage import storages
from django.db import models


class Named(models.Model):
    text = models.TextField()

    class Meta:
        abstract = True


class Document(Named):
    file = models.FileField(upload_to="documents", storage=lambda: storages["default"])


class NativeDocument(Named):
    file = models.FileField(upload_to="documents", storage=lambda: storages["native"])


class Paper(Named):
    """Its file is moved and copied by the verbs. In both databases, which are one."""

    path = models.TextField()
    alias = models.TextField()
