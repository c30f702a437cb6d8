"""The Django app: it only registers the system checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class DojoConfig(AppConfig):
    name = "djintegrate.dojo"
    label = "dojo"
    verbose_name = _("Dojo")

    def ready(self) -> None:
        from .checks import TAG, check_build, check_configuration

        checks.register(check_configuration, TAG, checks.Tags.staticfiles)
        checks.register(check_build, checks.Tags.staticfiles)
