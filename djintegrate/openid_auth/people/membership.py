"""From a person's Launchpad teams to Django's groups and the staff flag, in a fixed number of statements.

Only the providers that the settings trust with teams have a say; a sign-in from anywhere else is one without teams.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.db import models, router, transaction

from ..conf import config
from ..protocol.answer import VerifiedResponse
from ..teams import TeamsRequest, TeamsResponse
from .vouched import Vouched

logger = logging.getLogger("djintegrate.openid_auth")

LAUNCHPAD_ENDPOINT = "https://login.launchpad.net/+openid"
UBUNTU_ONE_ENDPOINT = "https://login.ubuntu.com/+openid"

NAMED = 10
"""How many groups one line of the log names."""
_told_of: set[str] = set()
"""The groups that this process has said to be missing."""


def is_trusted_with_teams(response: Any) -> bool:
    """Whether the provider that vouches in `response` may say who is in which team."""
    if isinstance(response, Vouched):
        return response.trusted_with_teams
    trusted = config.teams_trusted_endpoints
    if trusted is not None:
        return response.endpoint.server_url in trusted
    return (isinstance(response, VerifiedResponse) and response.from_sso) or response.endpoint.server_url in (
        LAUNCHPAD_ENDPOINT,
        UBUNTU_ONE_ENDPOINT,
    )


class Untrusted(TeamsResponse):
    """No teams, for the provider is not trusted with them. `remedy` is the setting by which it would be."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        if isinstance(response, Vouched):
            self.provider = response.issuer
            self.remedy = 'its entry of OPENID_PROVIDERS needs "trust_groups": True'
        else:
            self.provider = response.endpoint.server_url
            self.remedy = "OPENID_TEAMS_TRUSTED_ENDPOINTS is to name it"


def teams(response: Any) -> TeamsResponse:
    """The person's teams, by the word of a provider that is trusted with them."""
    if not is_trusted_with_teams(response):
        return Untrusted(response)
    if isinstance(response, Vouched):
        return TeamsResponse(response.teams)
    return TeamsResponse.fromSuccessResponse(response)


def teams_mapping() -> Mapping[str, str]:
    """The name of the group for each team."""
    if not config.teams_mapping_auto:
        return config.teams_mapping
    groups = Group.objects.exclude(name__in=config.teams_mapping_auto_blacklist)
    return {name: name for name in groups.values_list("name", flat=True)}


def missing_groups(mapping: Mapping[str, str]) -> list[str]:
    """Those that teams stand for, and that nobody has made, or that have another name by now."""
    names = set(mapping.values())
    return sorted(names.difference(Group.objects.filter(name__in=names).values_list("name", flat=True)))


def teams_request() -> TeamsRequest | None:
    """What to ask the provider: every team that means something here."""
    wanted = dict.fromkeys([*teams_mapping(), *(config.staff_teams or ()), *config.teams_required])
    return TeamsRequest(wanted) if wanted else None


def get_user_group_model() -> type[models.Model]:
    """The model that holds who is in which group."""
    name = config.user_group_model
    if name is None:
        return get_user_model().groups.through
    try:
        return apps.get_model(name)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"AUTH_USER_GROUP_MODEL is {name!r}. Make it of the form 'app_label.ModelName'."
        ) from error
    except LookupError as error:
        raise ImproperlyConfigured(
            f"AUTH_USER_GROUP_MODEL is {name!r}, a model that is not installed. Add its app to INSTALLED_APPS."
        ) from error


def warn_of_loss(user: Any, lost: Collection[str], teams: Any) -> None:
    """Once for each loss, for a sign-in later there is nothing left to lose."""
    if lost and isinstance(teams, Untrusted):
        logger.warning(
            "User %s has lost what teams give, %s: %r is not trusted with teams. If it should be, %s.",
            user.pk, ", ".join(sorted(lost)), teams.provider[:200], teams.remedy,
        )  # fmt: skip


def holders(among: Collection[Any], using: str) -> set[Any]:
    """Which of the users with these keys have what teams give: a mapped group, or the staff flag."""
    found: set[Any] = set()
    model = get_user_model()
    mapping = teams_mapping()
    if mapping and (config.user_group_model is not None or hasattr(model, "groups")):
        user = f"{_user_field()}_id"
        rows = get_user_group_model()._default_manager.using(using)
        members = rows.filter(**{f"{user}__in": among, "group__name__in": set(mapping.values())})
        found.update(members.values_list(user, flat=True))
    if config.staff_teams is not None and hasattr(model, "is_staff"):
        staff = model._default_manager.using(using).filter(pk__in=among, is_staff=True)
        found.update(staff.values_list("pk", flat=True))
    return found


def update_groups(user: Any, mapping: Mapping[str, str], teams: Collection[str]) -> list[str]:
    """Make `user` a member of those of the mapping's groups that `teams` stand for, and of no others of them.

    Returns the names of those that the user has left.
    """
    if not mapping or (config.user_group_model is None and not hasattr(user, "groups")):
        return []
    driven = set(mapping.values())
    wanted = {mapping[team] for team in teams if team in mapping}
    through = get_user_group_model()
    user_field = _user_field()
    rows = through._default_manager.filter(**{user_field: user})
    groups = Group.objects.filter(name__in=driven).annotate(
        is_in=models.Exists(rows.filter(group=models.OuterRef("pk")))
    )
    found = list(groups.values_list("pk", "name", "is_in"))
    _warn_of_missing(driven.difference(name for _, name, _ in found))
    leave = {pk: name for pk, name, is_in in found if is_in and name not in wanted}
    join = [pk for pk, name, is_in in found if not is_in and name in wanted]
    if leave or join:
        # Without a savepoint: whoever called in a transaction wants all of it undone, should this fail.
        with transaction.atomic(router.db_for_write(through), savepoint=False):
            rows.filter(group__in=list(leave)).delete()
            # Another sign-in of the same person may be adding the same rows just now.
            through._default_manager.bulk_create(
                [through(**{f"{user_field}_id": user.pk, "group_id": pk}) for pk in join], ignore_conflicts=True
            )
    return list(leave.values())


def _warn_of_missing(names: set[str]) -> None:
    """Once for each name: it is the site's mistake, and the same at each sign-in."""
    news = sorted(names - _told_of)
    if news:
        _told_of.update(news)
        more = f" and {len(news) - NAMED} more" if len(news) > NAMED else ""
        logger.warning(
            "OPENID_LAUNCHPAD_TEAMS_MAPPING gives people the groups %s%s, which there are not: nobody joins or leaves "
            "them. Make them, or correct their names.", ", ".join(map(repr, news[:NAMED])), more,
        )  # fmt: skip


def _user_field() -> str:
    """The name of the foreign key to the user, which for a user model of another name is named after that."""
    return "user" if config.user_group_model else get_user_model()._meta.get_field("groups").m2m_field_name()
