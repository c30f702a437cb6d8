"""The Django app: it registers the system checks, and imports the Storm classes of the installed apps."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class StormBackendConfig(AppConfig):
    name = "djintegrate.storm_backend"
    verbose_name = _("Storm backend")

    def ready(self) -> None:
        from .checks import check_configuration, check_databases
        from .references.checks import check_references
        from .schema import tell_of_pending_patches

        checks.register(check_configuration)
        checks.register(check_databases, checks.Tags.database)
        checks.register(check_references)
        post_migrate.connect(tell_of_pending_patches)
        # So that Django knows which Storm objects point at its own, and minds them when it deletes.
        autodiscover_modules("storm_models")
