"""No tables: only the permission to use the console, which Django keeps for a model."""

from __future__ import annotations

from django.db import models


class Console(models.Model):
    class Meta:
        managed = False
        default_permissions = ()
        permissions = [("use_console", "Can use the JSON-RPC console")]
