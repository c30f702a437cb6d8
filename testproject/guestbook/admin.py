"""Django's half of the guest book in the admin."""

from __future__ import annotations

from django.contrib import admin

from .models import Note


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    date_hierarchy = "written"
    list_display = ["text", "written"]
    search_fields = ["text"]
