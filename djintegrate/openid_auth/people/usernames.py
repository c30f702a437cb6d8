"""A name for a new or renamed user: the nickname if it is free, or one with a number, or none if names are strict.

A name is taken too if it only looks like one that somebody has, by Unicode's table of confusable characters.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import disarm
from django.contrib.auth import get_user_model
from django.db import models

from ..conf import config
from ..exceptions import DuplicateUsernameViolation, MissingUsernameViolation
from ..fields import digest_of
from ..signals import openid_duplicate_username

DEFAULT = "openiduser"
ROOM = 8
"""Letters that a name leaves free, where it has to be cut, for a number after it."""


def is_email() -> bool:
    """Whether users of this site sign in with their e-mail address."""
    model = get_user_model()
    return model.get_email_field_name() == model.USERNAME_FIELD or isinstance(_field(), models.EmailField)


def preferred(nickname: str | None, email: str | None) -> str:
    """What a newcomer would be called if nobody else were here."""
    return fitting(nickname) or _from_email(email) or DEFAULT


def available(nickname: str | None, identity_url: str) -> str:
    """`nickname`, or that with a number. Who has the identity may keep the name that they have."""
    wanted = fitting(nickname) or DEFAULT
    if not is_taken(wanted, identity_url) and nickname:
        return wanted
    current = _current(identity_url)
    if current is not None and (not nickname or _is_numbered(current, wanted)):
        return current
    return _numbered(wanted, identity_url)


def ensure_available(name: str | None, identity_url: str) -> None:
    """An exception if there is no name, or if somebody else has it."""
    if not name:
        raise MissingUsernameViolation()
    if is_taken(name, identity_url):
        # A receiver of the signal may resolve the conflict.
        openid_duplicate_username.send(sender=get_user_model(), username=name)
        if is_taken(name, identity_url):
            raise DuplicateUsernameViolation(DuplicateUsernameViolation.named % {"username": name})


def is_taken(name: str, identity_url: str) -> bool:
    """Whether anybody but the owner of the identity has the name, or has one that it looks like."""
    model = get_user_model()
    others = model._default_manager.exclude(useropenid__digest=digest_of(identity_url))
    looks_like = {name, fitting(disarm.normalize_confusables(name))}
    taken: bool = others.filter(**{f"{model.USERNAME_FIELD}__in": looks_like}).exists()
    return taken


def fitting(name: str | None) -> str:
    """`name` as the user model writes names, and no longer than it allows."""
    fit: str = get_user_model().normalize_username(name or "")[: _room()]
    return fit


def fits(name: str) -> bool:
    return len(name) <= _room()


def _current(identity_url: str) -> str | None:
    owners = get_user_model()._default_manager.filter(useropenid__digest=digest_of(identity_url))
    owner: Any = owners.first()
    return None if owner is None else owner.get_username()


def _is_numbered(current: str, nickname: str) -> bool:
    return current.startswith(nickname) and current.removeprefix(nickname).isdecimal()


def _numbered(nickname: str, identity_url: str) -> str:
    if not is_taken(nickname, identity_url):
        return nickname
    stem = nickname[: max(_room() - ROOM, _room() // 2)]
    model = get_user_model()
    similar = model._default_manager.filter(**{f"{model.USERNAME_FIELD}__startswith": stem}).count()
    names = (f"{stem}{number}" for number in count(similar + 1))
    return next(name for name in names if not is_taken(name, identity_url))


def _from_email(email: str | None) -> str:
    if not email or not config.use_email_for_username:
        return ""
    return fitting("".join(letter for letter in email if letter.isalnum()))


def _field() -> models.Field:
    return get_user_model()._meta.get_field(get_user_model().USERNAME_FIELD)


def _room() -> int:
    return _field().max_length or 150
