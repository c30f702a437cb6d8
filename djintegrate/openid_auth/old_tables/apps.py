"""The configuration: the label is the old app's."""

from __future__ import annotations

from django.apps import AppConfig


class OldTablesConfig(AppConfig):
    name = "djintegrate.openid_auth.old_tables"
    label = "django_openid_auth"
    default_auto_field = "django.db.models.AutoField"
    verbose_name = "django-openid-auth's tables"
