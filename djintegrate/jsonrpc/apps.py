"""The Django app: it only registers the system checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class JSONRPCConfig(AppConfig):
    name = "djintegrate.jsonrpc"
    label = "jsonrpc"
    verbose_name = _("JSON-RPC")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .checks import check_configuration

        checks.register(check_configuration)
