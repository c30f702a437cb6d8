"""An e-mail address as a provider says it, and whether that provider vouches for it: one value, made in one place.

Nothing is cut off or left out of what is said to make an address of it: that would be somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.base_user import BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from ..site.text import clean

AROUND = " \t\r\n"
"""What may stand around an address without being a part of it."""


@dataclass(frozen=True)
class Address:
    """To be had from `said` alone."""

    text: str
    is_verified: bool
    """Whether the provider says that it has verified this very address, and is trusted with that."""

    @classmethod
    def said(cls, value: object, is_verified: bool = False) -> Address | None:
        """The address that `value` is. None if it is none, for then nothing is verified either."""
        text = value.strip(AROUND) if isinstance(value, str) else ""
        return cls(text, is_verified) if _is_one(text) else None

    def is_of(self, user: Any) -> bool:
        """Whether it is the one that the account has. An account that can have none has no other one."""
        fields = {field.name for field in user._meta.concrete_fields}
        known = user.get_email_field_name() if user.get_email_field_name() in fields else user.USERNAME_FIELD
        stored = str(getattr(user, known) or "")
        if known == user.USERNAME_FIELD and "@" not in stored:
            return True
        # A manager may write the domain, whose case does not matter, in small letters.
        return BaseUserManager.normalize_email(stored) == BaseUserManager.normalize_email(self.text)


def _is_one(text: str) -> bool:
    if clean(text) != text:
        return False
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
