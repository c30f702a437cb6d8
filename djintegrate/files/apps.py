"""The Django app: registers the system checks, and the receivers that delete the files of rows that are gone."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.core.signals import setting_changed
from django.utils.translation import gettext_lazy as _


class FilesConfig(AppConfig):
    name = "djintegrate.files"
    label = "files"
    verbose_name = _("Files")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import deletion, world
        from .checks import check_configuration

        checks.register(check_configuration)
        deletion.connect()
        setting_changed.connect(world.settings_changed, dispatch_uid="files.settings_changed")
