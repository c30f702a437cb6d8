"""The admin, for the tests of references."""

from __future__ import annotations

from django.contrib.admin import AdminSite, ModelAdmin, display, site
from django.contrib.auth.models import User
from django.urls import path

from djintegrate.storm_backend.references.admin import StormReferencesMixin

from .models import Award, Comment, Memo, Stay

plain = AdminSite("plain")


class CommentAdmin(StormReferencesMixin, ModelAdmin):
    list_display = ("text", "session", "owner")
    list_filter = ("session", "author")

    @display
    def owner(self, comment: Comment) -> str:
        return comment.session.title.upper()


class MemoAdmin(StormReferencesMixin, ModelAdmin):
    storm_raw_id_fields = ("session",)


class StayAdmin(ModelAdmin):
    readonly_fields = ("room",)


mixed = AdminSite("mixed")
mixed.register(Comment, CommentAdmin)
mixed.register(Memo, MemoAdmin)
mixed.register(Stay, StayAdmin)
mixed.register(Award)
mixed.register(User)
# A ModelAdmin that knows nothing of Storm.
plain.register(Comment, list_display=("text", "session"), list_filter=("session",))

urlpatterns = [path("admin/", mixed.urls), path("plain/", plain.urls), path("site/", site.urls)]
