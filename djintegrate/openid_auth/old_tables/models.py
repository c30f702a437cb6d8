"""The old tables. Nobody reads them by these models; a user who is deleted takes their rows along."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Table(models.Model):
    class Meta:
        abstract = True
        default_permissions = ()


class Nonce(Table):
    server_url = models.CharField(max_length=2047)
    timestamp = models.IntegerField()
    salt = models.CharField(max_length=40)


class Association(Table):
    server_url = models.TextField(max_length=2047)
    handle = models.CharField(max_length=255)
    secret = models.TextField(max_length=255)
    issued = models.IntegerField()
    lifetime = models.IntegerField()
    assoc_type = models.TextField(max_length=64)


class UserOpenID(Table):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    claimed_id = models.TextField(max_length=2047, unique=True)
    display_id = models.TextField(max_length=2047)
