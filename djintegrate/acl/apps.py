"""The Django app: it registers the system checks, and does not start with a file that is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class AclConfig(AppConfig):
    name = "djintegrate.acl"
    label = "acl"
    verbose_name = _("Access control")

    def ready(self) -> None:
        from .checks import check_configuration
        from .site import current

        checks.register(check_configuration)
        if not _is_command():
            current()


def _is_command() -> bool:
    """A management command, or the doctor, runs the checks, which say it better; and `acl check` finds mistakes."""
    program = Path(sys.argv[0] if sys.argv else "")
    by_module = [("django", "__main__.py"), ("djintegrate", "__main__.py")]
    return program.name in ("manage.py", "django-admin") or program.parts[-2:] in by_module
