"""The Django app: it registers the system checks, and listens for the beginning of a job."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "djintegrate.jobs"
    label = "jobs"
    verbose_name = _("Jobs")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .checks import check_configuration
        from .running import note_start
        from .tasks import STARTS

        checks.register(check_configuration)
        for starts in STARTS:
            starts.connect(note_start, dispatch_uid="jobs.note_start")
