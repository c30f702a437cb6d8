"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SprintsConfig(AppConfig):
    name = "testproject.sprints"
    verbose_name = "Sprint scheduler"

    def ready(self) -> None:
        from .roles import add_rules, make_groups

        add_rules()
        post_migrate.connect(make_groups, sender=self)
