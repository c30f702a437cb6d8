"""An e-mail address as a provider says it, and whether that provider vouches for it: one value, made in one place.

Nothing is cut off or left out of what is said to make an address of it: that would be somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from ..site.text import clean


@dataclass(frozen=True)
class Address:
    """To be had from `said` alone."""

    text: str
    is_verified: bool
    """Whether the provider says that it has verified this very address, and is trusted with that."""

    @classmethod
    def said(cls, value: object, is_verified: bool = False) -> Address | None:
        """The address that `value` is. None if it is none, for then nothing is verified either."""
        text = value if isinstance(value, str) else ""
        return cls(text, is_verified) if _is_one(text) else None

    def is_of(self, user: Any) -> bool:
        """Whether it is the one that the account has. An account that can have none has no other one."""
        known = _field(user)
        if known == get_user_model().USERNAME_FIELD and "@" not in str(getattr(user, known) or ""):
            return True
        return are_same(of_account(user), self.text)


def of_account(user: Any) -> str:
    """The address that the account has; nothing if it has none. The user may be one of a migration's."""
    stored = str(getattr(user, _field(user)) or "")
    return stored if "@" in stored else ""


def are_same(one: str, other: str) -> bool:
    # A manager may write the domain, whose case does not matter, in small letters.
    return BaseUserManager.normalize_email(one) == BaseUserManager.normalize_email(other)


def _field(user: Any) -> str:
    """Where the account's address is: in a field of its own, or in the name to sign in with."""
    model = get_user_model()
    fields = {field.name for field in user._meta.concrete_fields}
    return model.get_email_field_name() if model.get_email_field_name() in fields else model.USERNAME_FIELD


def _is_one(text: str) -> bool:
    if clean(text) != text:
        return False
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
