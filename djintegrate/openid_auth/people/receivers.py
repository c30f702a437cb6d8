"""What follows when an identity is removed, however, and when somebody signs out; connected by the AppConfig."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.http import HttpRequest

from ..models import UserOpenID
from . import verified_address
from .sessions import end_own
from .verified import PERMISSION


def take_back_verification(sender: Any, instance: UserOpenID, **kwargs: Any) -> None:
    """A receiver of post_delete: the account was verified by an identity that it no longer has."""
    model = get_user_model()
    if not hasattr(model, "user_permissions"):
        return
    through = model.user_permissions.through
    user_field = model._meta.get_field("user_permissions").m2m_field_name()
    verified_address.forget(instance.user_id)
    verified = Permission.objects.filter(**PERMISSION)
    # The keys are a list: MariaDB is slow at deleting by a subquery.
    through._default_manager.filter(
        **{f"{user_field}_id": instance.user_id}, permission__in=list(verified.values_list("pk", flat=True))
    ).delete()


def end_session(request: HttpRequest | None, **kwargs: Any) -> None:
    """A receiver of Django's user_logged_out."""
    if request is not None and hasattr(request, "session"):
        end_own(request)
