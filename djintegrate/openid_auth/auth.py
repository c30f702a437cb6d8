"""The authentication backend: from a provider's verified answer to a Django user.

Refuses before it writes: somebody who may not sign in leaves no user behind.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import Permission
from django.db import IntegrityError, models, router, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from openid.consumer.consumer import SUCCESS, SuccessResponse

from .conf import config
from .exceptions import (
    DetailsAlreadyTaken,
    IdentityAlreadyClaimed,
    MissingPhysicalMultiFactor,
    RequiredAttributeNotReturned,
)
from .fields import digest_of
from .models import UserOpenID
from .people import details as person
from .people import membership, usernames
from .people.details import Details
from .people.membership import get_user_group_model
from .people.savepoints import undone_alone
from .teams import TeamsResponse

__all__ = ["OpenIDBackend", "get_user_group_model"]

logger = logging.getLogger("djintegrate.openid_auth")

ATTEMPTS = 3
PERMISSION = {"content_type__app_label": "openid_auth", "codename": "account_verified"}
VERIFIED = "_openid_verified"
"""The attribute of a user that says whether they have that permission, where it is known."""
COMPLETE = "_openid_complete"
"""That of a new user who has what the teams give: a class of a site's own may create users otherwise."""


class OpenIDBackend(BaseBackend):
    """Takes `openid_response`, which a consumer has verified, and nothing else."""

    _optimistic = False
    """Whether to leave it to the database to find that a new name is taken: at the first attempt, others follow."""

    def get_user(self, user_id: Any) -> Any:
        user = get_user_model()._default_manager.filter(pk=user_id).first()
        return user if user is not None and user.is_active else None

    def authenticate(self, request: Any = None, **kwargs: Any) -> Any:
        """The user; None if there is none who may sign in. An exception of `exceptions` says more."""
        response = kwargs.get("openid_response")
        if response is None or response.status != SUCCESS or not response.identity_url:
            return None
        for attempt in range(ATTEMPTS):
            self._optimistic = attempt == 0
            try:
                return self._authenticate(response, attempt)
            except IntegrityError as error:
                # The name is taken, or the same person signed in for the first time just now. Now they are there.
                if attempt == ATTEMPTS - 1:
                    raise DetailsAlreadyTaken() from error
        return None

    def create_user_from_openid(self, openid_response: SuccessResponse) -> Any:
        """A new user who has the identity, and what the teams give them: all of it, or nothing."""
        details = self._extract_user_details(openid_response)
        teams = self._teams(openid_response)
        # Before the transaction, so that this begins with a write: SQLite gives no lock to who has read in it before.
        values = self._values_of_new_user(details)
        with transaction.atomic(router.db_for_write(UserOpenID)):
            user = get_user_model()._default_manager.create_user(password=None, **values)
            _claim(user, openid_response)
            if details.get("account_verified"):
                self._update_verified(user, True)
            self._update_teams(user, teams)
        setattr(user, COMPLETE, True)
        return user

    def associate_openid(self, user: Any, openid_response: SuccessResponse) -> UserOpenID:
        """Make the identity one of `user`'s."""
        claimed_id = openid_response.identity_url
        identity = UserOpenID.objects.filter(digest=digest_of(claimed_id)).first() or _claim(user, openid_response)
        if identity.user_id != user.pk:
            raise IdentityAlreadyClaimed(_("The identity %(id)s has already been claimed") % {"id": claimed_id})
        return identity

    def update_user_details(self, user: Any, details: Details, openid_response: SuccessResponse) -> None:
        """Take over what the provider says, the name too if OPENID_FOLLOW_RENAMES asks for it."""
        changes = _personal(details)
        if usernames.is_email():
            changes.pop(user.get_email_field_name(), None)
        if config.follow_renames:
            changes[user.USERNAME_FIELD] = usernames.choose(details, user)
        self._save(user, changes)
        self._update_verified(user, bool(details.get("account_verified")))

    def get_teams_mapping(self) -> Mapping[str, str]:
        return membership.teams_mapping()

    def update_groups_from_teams(self, user: Any, teams_response: TeamsResponse) -> None:
        membership.update_groups(user, self.get_teams_mapping(), teams_response.is_member)

    def update_staff_status_from_teams(self, user: Any, teams_response: TeamsResponse) -> None:
        if config.staff_teams is not None and hasattr(user, "is_staff"):
            self._save(user, {"is_staff": not set(config.staff_teams).isdisjoint(teams_response.is_member)})

    def _authenticate(self, response: SuccessResponse, attempt: int) -> Any:
        user = _owner(response.identity_url)
        if user is not None and not user.is_active:
            return user  # For the view to refuse.
        if user is None and not config.create_users:
            return None

        details = self._extract_user_details(response)
        teams = self._teams(response)
        if config.physical_multifactor_required and not person.used_physical_multifactor(response):
            raise MissingPhysicalMultiFactor()
        if not self._is_in_required_team(response, teams, details, user):
            if user is not None:
                self._update_teams(user, teams)  # What came with the team goes with it.
            return None
        if user is None:
            user = self.create_user_from_openid(response)
            if not user.__dict__.pop(COMPLETE, False):
                self._update_teams(user, teams)
            return user
        if config.update_details and attempt < ATTEMPTS - 1:
            self.update_user_details(user, details, response)
        elif config.update_details:
            logger.warning("The details of user %s stay as they are: a constraint refuses the provider's.", user.pk)
        self._update_teams(user, teams)
        return user

    def _extract_user_details(self, openid_response: SuccessResponse) -> Details:
        return person.read(openid_response)

    def _update_teams(self, user: Any, teams: TeamsResponse) -> None:
        self.update_groups_from_teams(user, teams)
        self.update_staff_status_from_teams(user, teams)

    def _teams(self, response: SuccessResponse) -> TeamsResponse:
        if not membership.is_trusted_with_teams(response):
            return TeamsResponse()
        return TeamsResponse.fromSuccessResponse(response)

    def _is_in_required_team(
        self, response: SuccessResponse, teams: TeamsResponse, details: Details, user: Any
    ) -> bool:
        required = config.teams_required
        if not required or not set(required).isdisjoint(teams.is_member):
            return True
        # Anybody's own provider may claim any e-mail address.
        if not membership.is_trusted_with_teams(response):
            return False
        takes_over = user is None or config.update_details
        known = "" if user is None else getattr(user, user.get_email_field_name(), "")
        email = (takes_over and details.get("email")) or known or ""
        return any(re.fullmatch(pattern, email) for pattern in config.email_whitelist)

    def _values_of_new_user(self, details: Details) -> dict[str, Any]:
        for name in (*config.sreg_required_fields, *(["nickname"] if config.strict_usernames else [])):
            if not details.get(name):
                raise RequiredAttributeNotReturned(RequiredAttributeNotReturned.named % {"name": name})
        model = get_user_model()
        email_field = model.get_email_field_name()
        values = _personal(details)
        email = values.pop(email_field, "")
        if email_field != model.USERNAME_FIELD and _has_field(email_field):
            values[email_field] = email
        values[model.USERNAME_FIELD] = usernames.choose(details, optimistic=self._optimistic)
        return values

    def _update_verified(self, user: Any, verified: bool) -> None:
        """Give or take back `account_verified`."""
        if not hasattr(user, "user_permissions"):
            return
        known = getattr(user, VERIFIED, None)
        has = user.user_permissions.filter(**PERMISSION).exists() if known is None else known
        if verified and not has:
            user.user_permissions.add(Permission.objects.get(**PERMISSION))
        elif has and not verified:
            user.user_permissions.remove(*Permission.objects.filter(**PERMISSION))

    def _save(self, user: Any, changes: Mapping[str, Any]) -> None:
        changed = [name for name, value in changes.items() if getattr(user, name) != value]
        for name in changed:
            setattr(user, name, changes[name])
        if changed:
            with undone_alone(type(user)):
                user.save(update_fields=changed)


def _owner(claimed_id: str) -> Any:
    """Whose identity it is, if anybody's; with what would be asked next: whether it is verified, and the groups."""
    identities = UserOpenID.objects.select_related("user").filter(digest=digest_of(claimed_id))
    model = get_user_model()
    if hasattr(model, "user_permissions"):
        field = model._meta.get_field("user_permissions")
        given = field.remote_field.through._default_manager.filter(
            **{field.m2m_field_name(): OuterRef("user")},
            **{f"permission__{name}": value for name, value in PERMISSION.items()},
        )
        identities = identities.annotate(verified=Exists(given))
    reads_groups = membership.may_read_groups_with_user()
    if reads_groups:
        identities = identities.annotate(group_name=models.F("user__groups__name"))
    # The same identity once for each group, or once without any.
    rows = list(identities)
    if not rows:
        return None
    user = rows[0].user
    setattr(user, VERIFIED, getattr(rows[0], "verified", None))
    if reads_groups:
        setattr(user, membership.KNOWN, {row.group_name for row in rows} - {None})
    return user


def _claim(user: Any, response: SuccessResponse) -> UserOpenID:
    claimed_id = response.identity_url
    display_id = response.endpoint.getDisplayIdentifier() or claimed_id
    return UserOpenID.objects.create(user=user, claimed_id=claimed_id, display_id=display_id)


def _personal(details: Details) -> dict[str, Any]:
    """What `details` say, by the names and within the lengths of the user model's fields."""
    said = {
        "first_name": details.get("first_name"),
        "last_name": details.get("last_name"),
        get_user_model().get_email_field_name(): details.get("email"),
    }
    fields = {field.name: field for field in get_user_model()._meta.concrete_fields}
    return {
        name: value[: fields[name].max_length] if name in ("first_name", "last_name") else value
        for name, value in said.items()
        # Half an address would be somebody else's.
        if value and name in fields and (name in ("first_name", "last_name") or _fits(value, fields[name]))
    }


def _fits(value: str, field: models.Field) -> bool:
    return field.max_length is None or len(value) <= field.max_length


def _has_field(name: str) -> bool:
    return any(field.name == name for field in get_user_model()._meta.concrete_fields)
