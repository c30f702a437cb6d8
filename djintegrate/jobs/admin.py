"""The outbox in the admin: what waits, and what was sent. The queue's own rows are django-tasks-db's to show."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from . import catalogue
from .models import Job
from .tasks import name_of


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    list_display = ("name", "id", "owner", "backend_name", "queue_name", "enqueued_at", "is_sent")
    list_filter = ("backend_name", "queue_name", "task_path")
    search_fields = ("id", "inner_id", "task_path")
    list_select_related = ("owner",)
    date_hierarchy = "enqueued_at"
    actions = ("stop", "retry")

    @admin.display(description=_("task"), ordering="task_path")
    def name(self, job: Job) -> str:
        return name_of(job.task_path)

    @admin.display(description=_("sent"), boolean=True)
    def is_sent(self, job: Job) -> bool:
        return bool(job.inner_id)

    @admin.action(description=_("Stop the selected jobs"), permissions=["delete"])
    def stop(self, request: HttpRequest, jobs: Any) -> None:
        self._each(request, jobs, catalogue.stop)

    @admin.action(description=_("Run the selected jobs again"), permissions=["delete"])
    def retry(self, request: HttpRequest, jobs: Any) -> None:
        self._each(request, jobs, catalogue.retry)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def _each(self, request: HttpRequest, jobs: Any, action: Any) -> None:
        for job in jobs:
            known = catalogue.find(job.pk)
            if known is None:
                continue
            try:
                self.message_user(request, f"{job}: {action(known)}")
            except catalogue.NotPossible as error:
                self.message_user(request, str(error), messages.WARNING)
