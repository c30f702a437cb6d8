"""The authentication backend: from a provider's verified answer to a Django user.

Refuses before it writes: somebody who may not sign in leaves no user behind. Its methods are those of
django-openid-auth, and each may be replaced by a class derived from it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, router, transaction
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
from .people import membership, usernames, verified_address
from .people.address import Address, of_account
from .people.details import Details
from .people.membership import get_user_group_model
from .people.savepoints import undone_alone
from .people.verified import PERMISSION
from .people.vouched import Vouched
from .teams import TeamsResponse

__all__ = ["OpenIDBackend", "get_user_group_model"]

logger = logging.getLogger("djintegrate.openid_auth")

ATTEMPTS = 32
"""How often a newcomer looks for another name, because somebody who arrived at the same moment took the last one."""


class OpenIDBackend(BaseBackend):
    """Takes `openid_response`, which a consumer has verified, and nothing else: python3-openid's, or a Vouched."""

    def get_user(self, user_id: Any) -> Any:
        user = get_user_model()._default_manager.filter(pk=user_id).first()
        return user if user is not None and user.is_active else None

    def authenticate(self, request: Any = None, **kwargs: Any) -> Any:
        """The user; None if there is none who may sign in. An exception of `exceptions` says more."""
        response = kwargs.get("openid_response")
        if response is None or response.status != SUCCESS or not response.identity_url:
            return None
        owner = _owner(response.identity_url)
        user = owner or self._linked(response)
        if user is not None and not user.is_active:
            return user  # For the view to refuse.
        if user is None and not config.create_users:
            return None
        details = self._extract_user_details(response)
        teams = self._teams(response)
        if config.physical_multifactor_required and not person.used_physical_multifactor(response):
            raise MissingPhysicalMultiFactor()
        if not self._is_in_required_team(response, teams, details, user):
            if owner is not None:
                self._update_teams(owner, teams)  # What came with the team goes with it.
            return None
        if user is not None and owner is None:
            self._link(user, response)
        if user is None:
            user = self._create(response)
        elif config.update_details:
            user = self._update(user, details, response)
        self._update_teams(user, teams)
        return user

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """As the other backends say; but no backend gives `account_verified` for another address than was verified."""
        _ensure_still_verified(user_obj, perm)
        return super().has_perm(user_obj, perm, obj)

    async def ahas_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        await sync_to_async(_ensure_still_verified)(user_obj, perm)
        return await super().ahas_perm(user_obj, perm, obj)

    def create_user_from_openid(self, openid_response: SuccessResponse) -> Any:
        """A new user who has the identity: both, or neither. Who arrived with it at the same moment is that user."""
        details = self._extract_user_details(openid_response)
        for _attempt in range(ATTEMPTS):
            # The transaction begins with a write: SQLite gives no lock to a transaction that has read before.
            values = self._values_of_new_user(details, openid_response.identity_url)
            try:
                with transaction.atomic(router.db_for_write(UserOpenID)):
                    user = get_user_model()._default_manager.create_user(password=None, **values)
                    _claim(user, openid_response)
                    self._update_verified(user, _is_verified(user, details, openid_response), is_new=True)
                return user
            except IntegrityError as error:
                owner = _owner(openid_response.identity_url)
                if owner is not None:
                    return owner
                if not usernames.is_taken(values[get_user_model().USERNAME_FIELD], openid_response.identity_url):
                    # The constraint is not the name's: the user model wants something else to be unique.
                    raise DetailsAlreadyTaken() from error
        raise DetailsAlreadyTaken()

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
            changes[user.USERNAME_FIELD] = self._username(
                details, openid_response.identity_url, details.get("nickname")
            )
        self._save(user, changes)
        self._update_verified(user, _is_verified(user, details, openid_response))

    def get_teams_mapping(self) -> Mapping[str, str]:
        return membership.teams_mapping()

    def update_groups_from_teams(self, user: Any, teams_response: TeamsResponse) -> None:
        left = membership.update_groups(user, self.get_teams_mapping(), teams_response.is_member)
        membership.warn_of_loss(user, left, teams_response)

    def update_staff_status_from_teams(self, user: Any, teams_response: TeamsResponse) -> None:
        if config.staff_teams is not None and hasattr(user, "is_staff"):
            was_staff = user.is_staff
            self._save(user, {"is_staff": not set(config.staff_teams).isdisjoint(teams_response.is_member)})
            membership.warn_of_loss(user, ["staff"] if was_staff and not user.is_staff else [], teams_response)

    # Names, by methods that classes of django-openid-auth's users replace

    def _get_preferred_username(self, nickname: str | None, email: str | None) -> str:
        return usernames.preferred(nickname, email)

    def _get_available_username(self, nickname: str | None, identity_url: str) -> str:
        if config.strict_usernames:
            self._ensure_available_username(nickname, identity_url)
            return nickname or ""
        return self._get_available_username_for_nickname(nickname, identity_url)

    def _get_available_username_for_nickname(self, nickname: str | None, identity_url: str) -> str:
        return usernames.available(nickname, identity_url)

    def _ensure_available_username(self, nickname: str | None, identity_url: str) -> None:
        usernames.ensure_available(nickname, identity_url)

    def _username(self, details: Details, identity_url: str, wanted: str | None) -> str:
        if not usernames.is_email():
            return self._get_available_username(usernames.fitting(wanted), identity_url)
        email = details.get("email")
        if not email or not usernames.fits(email):
            raise RequiredAttributeNotReturned(RequiredAttributeNotReturned.named % {"name": "email"})
        name: str = get_user_model().objects.normalize_email(email)
        self._ensure_available_username(name, identity_url)
        return name

    # The steps of a sign-in

    def _linked(self, response: Any) -> Any:
        """Whom the site's own rule says that a newcomer by OpenID Connect is."""
        if config.link is None or not isinstance(response, Vouched):
            return None
        user = config.link(response.issuer, dict(response.claims))
        if user is not None and not isinstance(user, get_user_model()):
            raise TypeError(f"OPENID_LINK returned {user!r}. Make it return a user, or None.")
        return user

    def _link(self, user: Any, response: Vouched) -> None:
        try:
            with transaction.atomic(router.db_for_write(UserOpenID)):
                self.associate_openid(user, response)
        except IntegrityError as error:
            raise IdentityAlreadyClaimed() from error

    def _create(self, response: SuccessResponse) -> Any:
        try:
            return self.create_user_from_openid(response)
        except IntegrityError as error:
            raise DetailsAlreadyTaken() from error

    def _update(self, user: Any, details: Details, response: SuccessResponse) -> Any:
        try:
            self.update_user_details(user, details, response)
        except IntegrityError:
            logger.warning("The details of user %s stay as they are: a constraint refuses the provider's.", user.pk)
            return get_user_model()._default_manager.get(pk=user.pk)
        return user

    def _extract_user_details(self, openid_response: SuccessResponse) -> Details:
        return person.read(openid_response)

    def _update_teams(self, user: Any, teams: TeamsResponse) -> None:
        self.update_groups_from_teams(user, teams)
        self.update_staff_status_from_teams(user, teams)

    def _teams(self, response: SuccessResponse) -> TeamsResponse:
        return membership.teams(response)

    def _is_in_required_team(
        self, response: SuccessResponse, teams: TeamsResponse, details: Details, user: Any
    ) -> bool:
        required = config.teams_required
        if not required or not set(required).isdisjoint(teams.is_member):
            return True
        email = _trusted_address(response, details, user)
        return bool(email) and any(re.fullmatch(pattern, email) for pattern in config.email_whitelist)

    def _values_of_new_user(self, details: Details, identity_url: str) -> dict[str, Any]:
        for name in (*config.sreg_required_fields, *(["nickname"] if config.strict_usernames else [])):
            if not details.get(name):
                raise RequiredAttributeNotReturned(RequiredAttributeNotReturned.named % {"name": name})
        model = get_user_model()
        email_field = model.get_email_field_name()
        values = _personal(details)
        email = values.pop(email_field, "")
        if email_field != model.USERNAME_FIELD and _has_field(email_field):
            values[email_field] = email
        wanted = self._get_preferred_username(details.get("nickname"), details.get("email"))
        values[model.USERNAME_FIELD] = self._username(details, identity_url, wanted)
        return values

    def _update_verified(self, user: Any, verified: bool, is_new: bool = False) -> None:
        """Give or take back `account_verified`, which a new user does not have."""
        if not hasattr(user, "user_permissions") or (is_new and not verified):
            return
        has = user.user_permissions.filter(**PERMISSION).exists()
        permission = Permission.objects.filter(**PERMISSION).first() if verified != has else None
        if has and verified:
            verified_address.remember(user)
        elif permission is not None:
            (user.user_permissions.add if verified else user.user_permissions.remove)(permission)
        elif verified != has:
            logger.warning("User %s is verified, and gets no permission for it before openid_adopt has run.", user.pk)

    def _save(self, user: Any, changes: Mapping[str, Any]) -> None:
        changed = [name for name, value in changes.items() if getattr(user, name) != value]
        for name in changed:
            setattr(user, name, changes[name])
        if changed:
            with undone_alone(type(user)):
                user.save(update_fields=changed)


def _owner(claimed_id: str) -> Any:
    """Whose identity it is, if anybody's."""
    identity = UserOpenID.objects.select_related("user").filter(digest=digest_of(claimed_id)).first()
    return None if identity is None else identity.user


def _claim(user: Any, response: SuccessResponse) -> UserOpenID:
    claimed_id = response.identity_url
    if isinstance(response, Vouched):
        display_id = response.display_id
    else:
        display_id = response.endpoint.getDisplayIdentifier() or claimed_id
    return UserOpenID.objects.create(user=user, claimed_id=claimed_id, display_id=display_id)


def _trusted_address(response: Any, details: Details, user: Any) -> str:
    """The e-mail address that may let somebody in without a team. Anybody's own provider may claim any address.

    With OpenID Connect it is the one that is verified in this very answer, and not one that the account has.
    """
    if isinstance(response, Vouched):
        address = response.address
        return address.text if address is not None and address.is_verified else ""
    if not membership.is_trusted_with_teams(response):
        return ""
    takes_over = user is None or config.update_details
    known = "" if user is None else getattr(user, user.get_email_field_name(), "")
    return (takes_over and details.get("email")) or known or ""


def _is_verified(user: Any, details: Details, response: Any) -> bool:
    """Whether the address that the account has is verified. With OpenID 2.0 the account may also have none at all."""
    if isinstance(response, Vouched):
        address = response.address
    else:
        address = Address.said(details.get("email"))
        if address is None and not of_account(user):
            return bool(details.get("account_verified"))
    return address is not None and address.is_of(user) and bool(details.get("account_verified"))


def _ensure_still_verified(user: Any, perm: str) -> None:
    if perm == verified_address.FULL_NAME and not verified_address.holds(user):
        raise PermissionDenied


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
        # An e-mail address that was cut would be somebody else's.
        if value and name in fields and (name in ("first_name", "last_name") or _fits(value, fields[name]))
    }


def _fits(value: str, field: models.Field) -> bool:
    return field.max_length is None or len(value) <= field.max_length


def _has_field(name: str) -> bool:
    return any(field.name == name for field in get_user_model()._meta.concrete_fields)
