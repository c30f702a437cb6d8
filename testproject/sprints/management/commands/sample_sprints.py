"""manage.py sample_sprints: fills an empty scheduler with sample people, sprints and sessions, in one transaction."""

from __future__ import annotations

from typing import Any

import transaction
from django.core.management.base import BaseCommand
from django.utils import timezone

from testproject.sprints import sample


class Command(BaseCommand):
    help = "Fills an empty scheduler with sample people, sprints and sessions."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.manager:
            made = sample.make_sprints(timezone.localdate())
        self.stdout.write("Sample sprints are in." if made else "There are sprints already; nothing was changed.")
