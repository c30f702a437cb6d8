"""What a site that moves over relies on: every name that django-openid-auth 0.17 had, and what each function takes."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.management import get_commands
from django.dispatch import Signal
from django.template.loader import get_template
from django.urls import resolve, reverse

from djintegrate.openid_auth import conf, exceptions, models, signals, teams
from tests.openid_auth.site import set_up

# Written down from the original's sources: what each takes, by name and in that order.
TAKES = {
    "auth.get_user_group_model": "",
    "auth.OpenIDBackend.get_user": "self user_id",
    "auth.OpenIDBackend.authenticate": "self request kwargs",
    "auth.OpenIDBackend.create_user_from_openid": "self openid_response",
    "auth.OpenIDBackend.associate_openid": "self user openid_response",
    "auth.OpenIDBackend.update_user_details": "self user details openid_response",
    "auth.OpenIDBackend.get_teams_mapping": "self",
    "auth.OpenIDBackend.update_groups_from_teams": "self user teams_response",
    "auth.OpenIDBackend.update_staff_status_from_teams": "self user teams_response",
    "exceptions.DjangoOpenIDException": "message",
    "exceptions.RequiredAttributeNotReturned": "message",
    "exceptions.IdentityAlreadyClaimed": "message",
    "exceptions.DuplicateUsernameViolation": "message",
    "exceptions.MissingUsernameViolation": "message",
    "exceptions.MissingPhysicalMultiFactor": "message",
    "forms.OpenIDLoginForm.clean_openid_identifier": "self",
    "forms.UserChangeFormWithTeamRestriction.clean_groups": "self",
    "store.DjangoOpenIDStore": "",
    "store.DjangoOpenIDStore.storeAssociation": "self server_url association",
    "store.DjangoOpenIDStore.getAssociation": "self server_url handle",
    "store.DjangoOpenIDStore.removeAssociation": "self server_url handle",
    "store.DjangoOpenIDStore.useNonce": "self server_url timestamp salt",
    "store.DjangoOpenIDStore.cleanupNonces": "self _now",
    "store.DjangoOpenIDStore.cleanupAssociations": "self",
    "teams.supportsTeams": "endpoint",
    "teams.getTeamsNS": "message",
    "teams.TeamsRequest": "query_membership lp_ns_uri",
    "teams.TeamsRequest.fromOpenIDRequest": "request",
    "teams.TeamsRequest.parseExtensionArgs": "self args strict",
    "teams.TeamsRequest.allRequestedTeams": "self",
    "teams.TeamsRequest.wereTeamsRequested": "self",
    "teams.TeamsRequest.requestTeam": "self team_name strict",
    "teams.TeamsRequest.requestTeams": "self query_membership strict",
    "teams.TeamsRequest.getExtensionArgs": "self",
    "teams.TeamsResponse": "is_member lp_ns_uri",
    "teams.TeamsResponse.addTeam": "self team_name",
    "teams.TeamsResponse.extractResponse": "request is_member_str",
    "teams.TeamsResponse.fromSuccessResponse": "success_response signed_only",
    "teams.TeamsResponse.getExtensionArgs": "self",
    "views.default_render_failure": "request message status template_name exception",
    "views.get_request_data": "request",
    "views.is_valid_next_url": "address",  # `next`, there.
    "views.login_begin": "request template_name login_complete_view form_class render_failure redirect_field_name",
    "views.login_complete": "request redirect_field_name render_failure",
    "views.logo": "request",
    "views.make_consumer": "request",
    "views.parse_openid_response": "request",
    "views.render_openid_request": "request openid_request return_to trust_root",
    "views.sanitise_redirect_url": "redirect_to",
}
FIELDS = {
    "UserOpenID": {"id", "user", "claimed_id", "display_id"},
    "Nonce": {"id", "server_url", "timestamp", "salt"},
    "Association": {"id", "server_url", "handle", "secret", "issued", "lifetime", "assoc_type"},
}
SETTINGS = {
    "OPENID_CREATE_USERS", "OPENID_UPDATE_DETAILS_FROM_SREG", "OPENID_SSO_SERVER_URL", "OPENID_TRUST_ROOT",
    "OPENID_LAUNCHPAD_TEAMS_MAPPING", "OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO",
    "OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO_BLACKLIST", "OPENID_LAUNCHPAD_TEAMS_REQUIRED", "OPENID_LAUNCHPAD_STAFF_TEAMS",
    "OPENID_EMAIL_WHITELIST_REGEXP_LIST", "ALLOWED_EXTERNAL_OPENID_REDIRECT_DOMAINS", "OPENID_USE_AS_ADMIN_LOGIN",
    "OPENID_FOLLOW_RENAMES", "OPENID_STRICT_USERNAMES", "OPENID_PHYSICAL_MULTIFACTOR_REQUIRED", "OPENID_RENDER_FAILURE",
    "OPENID_USE_EMAIL_FOR_USERNAME", "OPENID_VALID_VERIFICATION_SCHEMES", "OPENID_SREG_REQUIRED_FIELDS",
    "OPENID_SREG_EXTRA_FIELDS", "OPENID_DISALLOW_INAMES", "AUTH_USER_GROUP_MODEL",
}  # fmt: skip
NEW_SETTINGS = {
    "OPENID_TEAMS_TRUSTED_ENDPOINTS", "OPENID_ALLOW_UNSOLICITED", "OPENID_FETCH_ALLOWED_HOSTS", "OPENID_PROVIDERS",
}  # fmt: skip


@pytest.mark.parametrize("name", TAKES)
def test_a_name_is_where_it_was_and_takes_what_it_took(name: str) -> None:
    module, *path = name.split(".")
    found: Any = importlib.import_module(f"djintegrate.openid_auth.{module}")
    for part in path:
        found = getattr(found, part)
    function = inspect.unwrap(getattr(found, "__func__", found))
    parameters = inspect.signature(function).parameters.values()
    old = [parameter for parameter in parameters if parameter.name != "cls"][: len(TAKES[name].split())]
    assert " ".join(parameter.name for parameter in old) == TAKES[name]
    more = [parameter for parameter in parameters if parameter not in old and parameter.name != "cls"]
    assert all(parameter.default is not parameter.empty for parameter in more)


@pytest.mark.parametrize("model", FIELDS)
def test_the_models_have_their_fields_and_their_admin(model: str) -> None:
    found = getattr(models, model)
    assert FIELDS[model] <= {field.name for field in found._meta.get_fields()}
    assert admin.site.is_registered(found)
    assert type(admin.site._registry[found]).__name__ == f"{model}Admin"


def test_settings_signals_templates_addresses_and_commands(settings: Any) -> None:
    set_up(settings)
    names = {setting.name for setting in conf.DECLARED}
    assert names >= SETTINGS | NEW_SETTINGS
    assert isinstance(signals.openid_login_complete, Signal)
    assert isinstance(signals.openid_duplicate_username, Signal)
    assert isinstance(signals.openid_login_failed, Signal)
    assert [get_template(f"openid/{name}.html").origin.loader_name for name in ("login", "failure")]
    for name in ("openid-login", "openid-complete", "openid-logo"):
        assert resolve(reverse(name)).url_name == name
    commands = get_commands()
    assert commands["openid_adopt"] == commands["openid_cleanup"] == "djintegrate.openid_auth"
    assert apps.get_app_config("openid_auth").name == "djintegrate.openid_auth"


@pytest.mark.django_db
def test_the_permission() -> None:
    assert Permission.objects.get(content_type__app_label="openid_auth", codename="account_verified")


def test_the_teams_extension_is_launchpads() -> None:
    assert teams.ns_uri == "http://ns.launchpad.net/2007/openid-teams"
    assert teams.TeamsRequest.ns_alias == teams.TeamsResponse.ns_alias == "lp"
    assert teams.TeamsRequest(["a", "b"]).getExtensionArgs() == {"query_membership": "a,b"}
    assert teams.TeamsResponse(["a"]).getExtensionArgs() == {"is_member": "a"}


def test_exceptions_have_a_message_that_may_be_given() -> None:
    assert exceptions.MissingUsernameViolation().message == "No nickname given for your account."
    given = exceptions.DjangoOpenIDException("because")
    assert str(given) == given.message == "because"
