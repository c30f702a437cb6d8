"""The app's models in the admin, and mixins for the admin of users and groups.

Registers those models and nothing else. OPENID_USER_ADMIN and OPENID_USE_AS_ADMIN_LOGIN ask the AppConfig for more.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .forms import TeamGroupsMixin
from .models import Association, Nonce, OpenIDSession, UserOpenID
from .people.groups import driving_teams
from .upkeep.cleanup import remove_expired_associations, remove_expired_nonces


class ProtocolAdmin(admin.ModelAdmin):
    """For what the protocol alone writes: to be looked at and removed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Nonce)
class NonceAdmin(ProtocolAdmin):
    list_display = ["server_url", "timestamp"]
    actions = ["cleanup_nonces"]

    @admin.action(description=_("Remove all expired nonces"), permissions=["delete"])
    def cleanup_nonces(self, request: HttpRequest, queryset: QuerySet) -> None:
        count = remove_expired_nonces()
        text = ngettext("%d expired nonce removed", "%d expired nonces removed", count)
        self.message_user(request, text % count, messages.SUCCESS)


@admin.register(Association)
class AssociationAdmin(ProtocolAdmin):
    exclude = ["secret", "server_digest"]
    list_display = ["server_url", "assoc_type"]
    list_filter = ["assoc_type"]
    search_fields = ["server_url"]
    actions = ["cleanup_associations"]

    @admin.action(description=_("Remove all expired associations"), permissions=["delete"])
    def cleanup_associations(self, request: HttpRequest, queryset: QuerySet) -> None:
        count = remove_expired_associations()
        text = ngettext("%d expired association removed", "%d expired associations removed", count)
        self.message_user(request, text % count, messages.SUCCESS)


@admin.register(OpenIDSession)
class OpenIDSessionAdmin(ProtocolAdmin):
    """To delete a session here is to end it."""

    exclude = ["digest"]
    list_display = ["identity", "browser", "began", "seen"]
    list_select_related = ["identity"]
    search_fields = ["identity__claimed_id"]


@admin.register(UserOpenID)
class UserOpenIDAdmin(admin.ModelAdmin):
    raw_id_fields = ["user"]
    list_display = ["user", "claimed_id"]
    list_select_related = ["user"]
    search_fields = ["claimed_id"]


class UserOpenIDInline(admin.TabularInline):
    model = UserOpenID
    fields = ["claimed_id", "display_id"]
    extra = 0

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # One line for each address: the columns are texts only so that long ones fit.
        return super().formfield_for_dbfield(db_field, request, **kwargs, widget=admin.widgets.AdminTextInputWidget())


class OpenIDUserAdminMixin:
    """For a user admin: the user's identities; groups that teams drive are shown as such, and not given by hand."""

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        inlines = list(super().get_inlines(request, obj))  # type: ignore[misc]
        return inlines if obj is None or UserOpenIDInline in inlines else [*inlines, UserOpenIDInline]

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)  # type: ignore[misc]
        if "groups" not in form.base_fields or issubclass(form, TeamGroupsMixin):
            return form
        return type(form)(form.__name__, (TeamGroupsMixin, form), {})


class OpenIDGroupAdminMixin:
    """For a group admin: a column that names the teams that drive a group."""

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), "openid_teams"]  # type: ignore[misc]

    @admin.display(description=_("Launchpad teams"))
    def openid_teams(self, group: Any) -> str:
        return ", ".join(driving_teams(group.name))
