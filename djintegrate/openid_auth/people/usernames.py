"""A name for a new or renamed user: the nickname if it is free, or one with a number, or none if names are strict."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from ..conf import config
from ..exceptions import DuplicateUsernameViolation, MissingUsernameViolation, RequiredAttributeNotReturned
from ..signals import openid_duplicate_username
from .details import Details

DEFAULT = "openiduser"
ROOM = 8
"""Letters that a name leaves free, where it has to be cut, for a number after it."""


def is_email() -> bool:
    """Whether users of this site sign in with their e-mail address."""
    model = get_user_model()
    return model.get_email_field_name() == model.USERNAME_FIELD or isinstance(_field(), models.EmailField)


def choose(details: Details, user: Any = None, optimistic: bool = False) -> str:
    """The username for `details`. `user` is who has the identity already, and may keep the name.

    `optimistic`: do not ask whether it is taken, if the column is one that refuses names that are.
    """
    taken = _nobody if optimistic and _field().unique else _taken_by_others(user)
    if is_email():
        email = details.get("email")
        if not email or len(email) > (_field().max_length or len(email)):
            raise RequiredAttributeNotReturned(RequiredAttributeNotReturned.named % {"name": "email"})
        return _strict(get_user_model().objects.normalize_email(email), taken)
    nickname = _fitting(details.get("nickname"))
    if config.strict_usernames:
        if not nickname:
            raise MissingUsernameViolation()
        return _strict(nickname, taken)
    if user is not None and (not nickname or taken(nickname)):
        return _kept(user.get_username(), nickname) or _numbered(nickname, taken)
    return _numbered(nickname or _from_email(details.get("email")) or DEFAULT, taken)


def _strict(name: str, taken: Callable[[str], bool]) -> str:
    if taken(name):
        # Somebody who listens may resolve it.
        openid_duplicate_username.send(sender=get_user_model(), username=name)
        if taken(name):
            raise DuplicateUsernameViolation(DuplicateUsernameViolation.named % {"username": name})
    return name


def _kept(current: str, nickname: str) -> str | None:
    """The name that a user has, if there is no nickname, or if it is that with a number."""
    if not nickname or current == nickname:
        return current
    number = current.removeprefix(nickname)
    return current if number != current and number.isdecimal() else None


def _numbered(nickname: str, taken: Callable[[str], bool]) -> str:
    if not taken(nickname):
        return nickname
    stem = nickname[: max(_room() - ROOM, _room() // 2)]
    model = get_user_model()
    similar = model._default_manager.filter(**{f"{model.USERNAME_FIELD}__startswith": stem}).count()
    return next(name for name in (f"{stem}{number}" for number in count(similar + 1)) if not taken(name))


def _taken_by_others(user: Any) -> Callable[[str], bool]:
    model = get_user_model()
    others = model._default_manager.all() if user is None else model._default_manager.exclude(pk=user.pk)
    return lambda name: others.filter(**{model.USERNAME_FIELD: name}).exists()


def _nobody(name: str) -> bool:
    return False


def _fitting(nickname: str | None) -> str:
    return get_user_model().normalize_username(nickname or "")[: _room()]


def _from_email(email: str | None) -> str:
    if not email or not config.use_email_for_username:
        return ""
    return _fitting("".join(letter for letter in email if letter.isalnum()))


def _field() -> models.Field:
    return get_user_model()._meta.get_field(get_user_model().USERNAME_FIELD)


def _room() -> int:
    return _field().max_length or 150
