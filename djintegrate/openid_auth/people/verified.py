"""The permission `account_verified`: made by `migrate`, and there once, even beside django-openid-auth's own.

That app looks its permission up by the codename alone, and fails if there are two. So while its permission is there,
none is made here; openid_adopt takes it over as it is, and `migrate openid_auth zero` gives it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, router, transaction

from ..models import UserOpenID

OURS, OLD = "openid_auth", "django_openid_auth"
CODENAME, NAME = "account_verified", "The OpenID has been verified"
PERMISSION = {"content_type__app_label": OURS, "codename": CODENAME}


def make_or_leave(using: str, **kwargs: Any) -> None:
    """A receiver of post_migrate."""
    tables = connections[using].introspection.table_names()
    if Permission._meta.db_table not in tables or not router.allow_migrate_model(using, Permission):
        return
    ours, old = find(OURS, using), find(OLD, using)
    if UserOpenID._meta.db_table not in tables:
        if ours is not None:
            _give_back(ours, old, using)
    elif ours is None and old is None:
        Permission.objects.using(using).create(codename=CODENAME, name=NAME, content_type=_content_type(using))


def find(app_label: str, using: str) -> Permission | None:
    found = Permission.objects.using(using).filter(content_type__app_label=app_label, codename=CODENAME)
    return found.first()


def take_over(using: str) -> None:
    """The old app's permission becomes ours, with its key; those who have it keep it."""
    old = find(OLD, using)
    if old is not None:
        _move(old, _content_type(using), find(OURS, using), using)


def holders(permission: Permission, using: str) -> int:
    """How many groups and users have been given it."""
    return sum(
        through._default_manager.using(using).filter(permission_id=permission.pk).count() for through, _ in _holders()
    )


def _give_back(ours: Permission, old: Permission | None, using: str) -> None:
    of = ContentType.objects.using(using).filter(app_label=OLD, model="useropenid").first()
    if of is None:
        ours.delete(using=using)
    else:
        _move(ours, of, old, using)


def _move(permission: Permission, to: ContentType, present: Permission | None, using: str) -> None:
    """`permission` becomes that of `to`; or, if one is there, `present` gets its holders, and it goes."""
    with transaction.atomic(using=using):
        if present is None:
            Permission.objects.using(using).filter(pk=permission.pk).update(content_type=to)
            return
        for through, holder in _holders():
            rows = through._default_manager.using(using)
            has = set(rows.filter(permission_id=present.pk).values_list(holder, flat=True))
            keys = rows.filter(permission_id=permission.pk).values_list(holder, flat=True)
            rows.bulk_create(
                [through(**{holder: key, "permission_id": present.pk}) for key in keys if key not in has],
                batch_size=1000,
            )
        permission.delete(using=using)


def _holders() -> Iterator[tuple[Any, str]]:
    """The tables that say who holds a permission, and the column of the holder in each."""
    yield Group.permissions.through, "group_id"
    users = getattr(get_user_model(), "user_permissions", None)
    if users is not None:
        yield users.through, f"{users.field.m2m_field_name()}_id"


def _content_type(using: str) -> ContentType:
    found, _ = ContentType.objects.using(using).get_or_create(app_label=OURS, model=UserOpenID._meta.model_name)
    return found
