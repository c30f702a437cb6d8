"""Permissions go from django-openid-auth's models to ours, and back, with every user and group that has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

OURS, OLD = "openid_auth", "django_openid_auth"
MODELS = ("useropenid", "nonce", "association")
"""Those that both apps have."""


def permissions(app_label: str, using: str) -> Any:
    found = Permission.objects.using(using).select_related("content_type")
    return found.filter(content_type__app_label=app_label, content_type__model__in=MODELS).order_by("pk")


def take_over(using: str) -> None:
    """The old app's permissions become ours; those who have one keep it."""
    for permission in permissions(OLD, using):
        _move(permission, content_type(OURS, permission.content_type.model, using), using)


def give_back(using: str) -> None:
    """The other way. Where the old app has never been, its permissions have nowhere to go."""
    for permission in permissions(OURS, using):
        old = ContentType.objects.using(using).filter(app_label=OLD, model=permission.content_type.model).first()
        if old is not None:
            _move(permission, old, using)


def holders(permission: Permission, using: str) -> int:
    """How many groups and users have been given it."""
    return sum(
        through._default_manager.using(using).filter(permission_id=permission.pk).count() for through, _ in _holders()
    )


def content_type(app_label: str, model: str, using: str) -> ContentType:
    return ContentType.objects.using(using).get_or_create(app_label=app_label, model=model)[0]


def _move(permission: Permission, to: ContentType, using: str) -> None:
    """`permission` becomes that of `to`; or, if one is there, that one gets its holders, and it goes."""
    with transaction.atomic(using=using):
        every = Permission.objects.using(using)
        present = every.filter(content_type=to, codename=permission.codename).first()
        if present is None:
            every.filter(pk=permission.pk).update(content_type=to)
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
