"""The permission `account_verified`: made by `migrate`, and there once, even beside django-openid-auth's own.

That app looks its permission up by the codename alone, and fails if there are two. So while its permission is there,
none is made here; openid_adopt takes it over as it is, and `migrate openid_auth zero` gives it back.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db import connections, router

from ..models import UserOpenID
from . import handover
from .handover import OLD, OURS

CODENAME, NAME = "account_verified", "The OpenID has been verified"
PERMISSION = {"content_type__app_label": OURS, "codename": CODENAME}


def make_or_leave(using: str, **kwargs: Any) -> None:
    """A receiver of post_migrate."""
    tables = connections[using].introspection.table_names()
    if Permission._meta.db_table not in tables or not router.allow_migrate_model(using, Permission):
        return
    if UserOpenID._meta.db_table not in tables:
        handover.give_back(using)
        # Where the old app has never been, it goes as it came. Django leaves its own, and never makes them twice.
        Permission.objects.using(using).filter(**PERMISSION).delete()
    elif not _is_here(using):
        of = handover.content_type(OURS, UserOpenID._meta.model_name or "", using)
        Permission.objects.using(using).create(codename=CODENAME, name=NAME, content_type=of)


def _is_here(using: str) -> bool:
    every = Permission.objects.using(using).filter(codename=CODENAME)
    return every.filter(content_type__app_label__in=(OURS, OLD)).exists()
