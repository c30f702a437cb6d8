"""The admin: the log, which points at Storm's sessions, and the sessions, rooms and sprints themselves.

A session is edited as Django's model of its row. What others depend on is changed on the session's own page, which
looks for conflicts; taking off the schedule and deleting are the same actions as there.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from djintegrate.dojo.richtext import RichTextField
from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.references.admin import StormReferencesMixin

from . import actions
from .forms import MINUTES
from .models import Activity, RoomRow, SessionRow, SprintRow
from .storm_models import Session


@admin.register(Activity)
class ActivityAdmin(StormReferencesMixin, admin.ModelAdmin):
    date_hierarchy = "moment"
    list_display = ["moment", "person", "what", "title", "detail", "session"]
    list_filter = ["person", "session"]
    search_fields = ["title", "what"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RoomInline(admin.TabularInline):
    model = RoomRow
    extra = 1
    can_delete = False


@admin.register(SprintRow)
class SprintAdmin(admin.ModelAdmin):
    inlines = [RoomInline]
    list_display = ["name", "place", "first_day", "last_day", "time_zone"]
    prepopulated_fields = {"slug": ["name"]}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SessionForm(forms.ModelForm):
    description = RichTextField(required=False)
    minutes = forms.TypedChoiceField(label="How long", choices=MINUTES.items(), coerce=int, initial=60)


@admin.register(SessionRow)
class SessionAdmin(admin.ModelAdmin):
    actions = ["unschedule"]
    autocomplete_fields = ["proposer"]
    form = SessionForm
    list_display = ["title", "sprint", "track", "proposer", "room", "starts"]
    list_filter = ["sprint", "track", "room"]
    list_select_related = ["sprint", "proposer", "room"]
    search_fields = ["title"]

    def get_readonly_fields(self, request: HttpRequest, obj: SessionRow | None = None) -> list[str]:
        if obj is None or obj.starts is None:
            return ["room", "starts"]
        return ["room", "starts", "sprint", "minutes", "seats", "proposer"]

    @admin.action(description="Take the chosen sessions off the schedule", permissions=["change"])
    def unschedule(self, request: HttpRequest, queryset: QuerySet) -> None:
        for session in _storm_objects(queryset):
            actions.unschedule(session, request.user)

    def delete_model(self, request: HttpRequest, obj: SessionRow) -> None:
        self.delete_queryset(request, SessionRow.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        # Storm removes them: it knows who points at its sessions, and what becomes of that.
        for session in _storm_objects(queryset):
            actions.withdraw(session, request.user)


def _storm_objects(queryset: QuerySet) -> list[Session]:
    return list(get_store("main").find(Session, Session.id.is_in(list(queryset.values_list("pk", flat=True)))))
