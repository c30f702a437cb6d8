"""The form that asks for an OpenID, and forms that keep hands off the groups that Launchpad teams drive."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import UserChangeForm
from django.utils.translation import gettext_lazy as _
from openid.yadis import xri

from .conf import config
from .people.groups import driving_teams


class _Described(forms.BoundField):
    """By itself the input names no element that describes it: a site's template need not have them."""

    aria_describedby = None

    def with_descriptions(self) -> str:
        """The input for a template that has the help text and the errors under Django's names for them."""
        return self.as_widget(attrs={"aria-describedby": super().aria_describedby or None})


class _Identifier(forms.CharField):
    def get_bound_field(self, form: Any, field_name: str) -> forms.BoundField:
        return _Described(form, self, field_name)


class OpenIDLoginForm(forms.Form):
    openid_identifier = _Identifier(
        label=_("Any OpenID"),
        help_text=_("The address of your OpenID or of your provider, for instance https://me.example.org/"),
        max_length=255,
        widget=forms.TextInput(attrs={"class": "required openid", "autocomplete": "url", "inputmode": "url"}),
    )

    def clean_openid_identifier(self) -> str:
        identifier: str = self.cleaned_data["openid_identifier"]
        if config.disallow_inames and xri.identifierScheme(identifier) == "XRI":
            raise forms.ValidationError(_("i-names are not supported"))
        return identifier


class TeamGroupsMixin:
    """For a form with a user's groups: names the teams that drive a group, and refuses to put anybody in by hand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = self.fields.get("groups")  # type: ignore[attr-defined]
        if groups is not None:
            groups.label_from_instance = _with_teams

    def clean_groups(self) -> Any:
        groups = self.cleaned_data["groups"]  # type: ignore[attr-defined]
        instance = self.instance  # type: ignore[attr-defined]
        has = set(instance.groups.values_list("pk", flat=True)) if instance.pk else set()
        refused = [group for group in groups if group.pk not in has and driving_teams(group.name)]
        if refused:
            raise forms.ValidationError(
                [
                    forms.ValidationError(
                        _("The group %(group)s follows the Launchpad team %(teams)s. You cannot assign it by hand."),
                        params={"group": group.name, "teams": ", ".join(driving_teams(group.name))},
                    )
                    for group in refused
                ]
            )
        return groups


class UserChangeFormWithTeamRestriction(TeamGroupsMixin, UserChangeForm):
    """Django's own form for a user, with that restriction."""


def _with_teams(group: Any) -> str:
    teams = driving_teams(group.name)
    if not teams:
        return str(group)
    return _("%(group)s (Launchpad team: %(teams)s)") % {"group": group, "teams": ", ".join(teams)}
