"""Which address an account had when it was given `account_verified`: the permission holds for that one alone.

Whoever gives it, a sign-in or a person in the admin, gives it for the address of that moment. The comparison is made
whenever the permission is asked for, since an address changes in many ways that nothing here is told of.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections

from ..models import VerifiedAddress
from .address import are_same, of_account
from .handover import OURS
from .verified import CODENAME, PERMISSION

FULL_NAME = f"{OURS}.{CODENAME}"


def holds(user: Any) -> bool:
    """Whether the account has the address that it was verified with. One of which nothing is known may have any."""
    if user.pk is None:
        return True
    known = VerifiedAddress.objects.filter(user_id=user.pk).values_list("address", flat=True).first()
    return known is None or are_same(known, of_account(user))


def remember(user: Any) -> None:
    """The account is verified with the address that it has now."""
    address = of_account(user)
    if not VerifiedAddress.objects.filter(user_id=user.pk).update(address=address):
        # Another sign-in of the same person may have written the row meanwhile.
        VerifiedAddress.objects.bulk_create([VerifiedAddress(user_id=user.pk, address=address)], ignore_conflicts=True)


def forget(*users: Any) -> None:
    """By their keys: the accounts are not verified any more."""
    VerifiedAddress.objects.filter(user_id__in=users).delete()


def remember_present(using: str, apps: Any) -> None:
    """For the verified accounts of which nothing is known: the address that they have. `apps` may be a migration's."""
    users = apps.get_model(get_user_model()._meta.label)
    if not hasattr(get_user_model(), "user_permissions"):
        return
    if users._meta.db_table not in connections[using].introspection.table_names():
        return
    records = apps.get_model("openid_auth", "VerifiedAddress")
    given = apps.get_model("auth", "Permission")._base_manager.using(using).filter(**PERMISSION)
    known = records._base_manager.using(using).values("user_id")
    verified = users._base_manager.using(using).filter(user_permissions__in=list(given.values_list("pk", flat=True)))
    records._base_manager.using(using).bulk_create(
        [records(user_id=user.pk, address=of_account(user)) for user in verified.exclude(pk__in=known).distinct()],
        batch_size=1000,
        ignore_conflicts=True,
    )


def permission_changed(
    sender: Any, instance: Any, action: str, reverse: bool, pk_set: Any, using: str, **kwargs: Any
) -> None:
    """A receiver of m2m_changed: whoever gives or takes the permission, one account's at a time or many at once."""
    if action not in ("post_add", "post_remove"):
        return
    keys = [instance.pk] if reverse else pk_set
    if not Permission.objects.using(using).filter(pk__in=keys, **PERMISSION).exists():
        return
    users = get_user_model()._base_manager.using(using).filter(pk__in=pk_set) if reverse else [instance]
    for user in users:
        if action == "post_add":
            remember(user)
        else:
            forget(user.pk)
