"""The Django app: it registers the system checks and receivers, and imports the Storm classes of the installed apps."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks, signals
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class StormBackendConfig(AppConfig):
    name = "djintegrate.storm_backend"
    verbose_name = _("Storm backend")

    def ready(self) -> None:
        from .checks import check_configuration, check_databases
        from .conf import entries
        from .connection.testing import emptying_database, test_database_made
        from .mapping.checks import check_capitals
        from .references import shared_tables
        from .references.checks import check_references
        from .references.deletion import before_removal
        from .schema import testing
        from .stores import pre_remove, registry
        from .transactions import leftovers

        entries.name_test_databases()
        checks.register(check_configuration)
        checks.register(check_databases, checks.Tags.database)
        checks.register(check_references)
        checks.register(check_capitals)
        post_migrate.connect(testing.tell_of_pending_patches)
        test_database_made.connect(testing.prepare_test_database)
        emptying_database.connect(testing.deletes_of_test_database)
        pre_remove.connect(before_removal)
        signals.setting_changed.connect(registry.forget_unshared)
        signals.request_started.connect(leftovers.note_what_is_open)
        signals.request_finished.connect(leftovers.abort_what_is_left)
        # So that Django knows which Storm objects point at its own, and minds them when it deletes.
        autodiscover_modules("storm_models")
        shared_tables.attach()
