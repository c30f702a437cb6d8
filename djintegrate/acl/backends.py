"""The authentication backend that answers Django's questions from the list. It signs nobody in."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.db.models import Q, QuerySet

from djintegrate.common.errors import Misconfigured

from . import conf
from .site import HELD, current, held_by, may, perm_names


class AclBackend(BaseBackend):
    """Behind `user.has_perm("time_card.write")`, beside the other AUTHENTICATION_BACKENDS."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return may(user_obj, perm, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether there is any privilege on this resource, without a condition."""
        return any(perm.rpartition(".")[0] == app_label for perm in held_by(user_obj).always)

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return held_by(user_obj).all_for(user_obj, obj)

    # What a user has for themselves is nothing: roles are groups. get_all_permissions() puts both together.

    def known_permissions(self) -> set[str]:
        """All names that the list may say yes to. None, as long as the file is wrong: its own check says that."""
        try:
            return {name for pair in current().privileges() for name in perm_names(*pair)}
        except Misconfigured:
            return set()

    def with_perm(
        self, perm: str, is_active: bool | None = True, include_superusers: bool = True, obj: Any = None
    ) -> QuerySet:
        """The users who have this permission by a group, without a condition; and the superusers."""
        if not isinstance(perm, str):
            raise TypeError("The `perm` argument must be a string such as 'time_card.write'.")
        acl = current()
        pair = next((pair for pair in acl.privileges() if perm in perm_names(*pair)), None)
        roles = [role for role in acl.roles if pair and acl.check_access(role, *pair)]
        wanted = Q(groups__name__in=[conf.group_of(role) for role in roles])
        if conf.signed_in_role() in roles:
            wanted = ~Q(pk=None)
        if include_superusers:
            wanted |= Q(is_superuser=True)
        found = get_user_model()._default_manager.filter(wanted)
        return (found if is_active is None else found.filter(is_active=is_active)).distinct()

    # Django's BaseBackend does not ask these of the methods above.

    async def ahas_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if obj is None and getattr(user_obj, HELD, None):
            return self.has_perm(user_obj, perm)
        return await sync_to_async(self.has_perm)(user_obj, perm, obj)

    async def ahas_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return await sync_to_async(self.has_module_perms)(user_obj, app_label)

    async def aget_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return await sync_to_async(self.get_group_permissions)(user_obj, obj)
