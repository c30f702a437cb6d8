"""The model as it is once it has moved."""

from __future__ import annotations

from django.db import models


class Profile(models.Model):
    name = models.CharField(max_length=20)
    identity = models.ForeignKey("openid_auth.UserOpenID", on_delete=models.CASCADE)
