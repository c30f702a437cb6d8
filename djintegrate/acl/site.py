"""The site's own list, read once from ACL_FILE, and who has which of its roles. Touches no models.

What a person may is worked out once for each user object, as Django's own backend does, and kept on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from djintegrate.common.errors import Misconfigured

from . import conf
from .conditions import holds
from .core import Acl
from .errors import AclFileError

HELD = "_djintegrate_acl_held"
"""The attribute of a user object that keeps what it holds."""


class Held:
    """What somebody may: always, and under conditions, by names such as "time_card.write"."""

    def __init__(self, always: frozenset[str], sometimes: Mapping[str, tuple[str, ...]]) -> None:
        self.always = always
        self.sometimes = sometimes

    def allows(self, perm: str, user: Any, obj: Any = None) -> bool:
        """A grant with a condition is none as long as no object is given."""
        if perm in self.always:
            return True
        return obj is not None and any(holds(condition, user, obj) for condition in self.sometimes.get(perm, ()))

    def all_for(self, user: Any, obj: Any = None) -> set[str]:
        return {*self.always, *(perm for perm in self.sometimes if self.allows(perm, user, obj))}

    def __reduce__(self) -> Any:
        # A user object that is pickled, into a cache say, leaves it behind: the file may be another by then.
        return type(None), ()


NOTHING = Held(frozenset(), {})


def current() -> Acl:
    """The list of ACL_FILE. It is shared: to change one, build an Acl of your own.

    Raises Misconfigured, with every mistake, as long as the file is wrong.
    """
    return _read(conf.file())


def may(user: Any, perm: str, obj: Any = None) -> bool:
    """Whether the list lets this person."""
    # Asked each time: a user object may be deactivated after it was asked about.
    if not (user.is_active or user.is_anonymous):
        return False
    held = getattr(user, HELD, None)
    return (held or held_by(user)).allows(perm, user, obj)


def strangers_may_sometimes(perm: str) -> bool:
    """Whether ACL_ANONYMOUS_ROLE has this with a condition."""
    role = conf.anonymous_role()
    return bool(role) and role in current().roles and perm in _held(current(), frozenset([role]), _labels()).sometimes


def held_by(user: Any) -> Held:
    """What the roles of this person give. Their groups are read from the database, once for each user object."""
    if not (user.is_active or user.is_anonymous):
        return NOTHING
    held: Held | None = getattr(user, HELD, None)
    if held is None:
        held = _held(current(), frozenset(roles_of(user)), _labels())
        setattr(user, HELD, held)
    return held


def roles_of(user: Any) -> dict[str, str]:
    """The roles that this person has by more than inheritance, each with the reason for it."""
    if user.is_anonymous:
        found = {conf.anonymous_role(): "ACL_ANONYMOUS_ROLE"}
    elif not user.is_active:
        found = {}
    else:
        groups = _groups_of(user)
        found = {conf.signed_in_role(): "ACL_SIGNED_IN_ROLE"}
        found |= {role: f"the group {group!r}" for role, group in _groups().items() if group in groups}
    known = current().roles
    return {role: reason for role, reason in found.items() if role in known}


def perm_names(resource: str, privilege: str) -> list[str]:
    """How Django's code asks for a privilege: by its own name, and as the permission of a model that it stands for."""
    names = [f"{resource}.{privilege}"]
    return [*names, *(_of_model(label, privilege) for each, label in _labels() if each == resource)]


def _of_model(label: str, privilege: str) -> str:
    app, _, model = label.rpartition(".")
    return f"{app}.{privilege}_{model.lower()}"


def _labels() -> tuple[tuple[str, str], ...]:
    return tuple(conf.models().items())


def _groups() -> dict[str, str]:
    return {role: conf.group_of(role) for role in current().roles}


def _groups_of(user: Any) -> set[str]:
    if user.pk is None or not hasattr(user, "groups"):
        return set()
    return {group.name for group in user.groups.all()}  # all(): so that prefetched ones are not asked for again


@lru_cache(maxsize=8)
def _read(path: Path) -> Acl:
    acl = Acl()
    try:
        acl.build_acl(path)
    except AclFileError as error:
        raise Misconfigured(f"ACL_FILE is wrong, and nobody has any role until it is corrected.\n{error}") from None
    except OSError as error:
        raise Misconfigured(f"ACL_FILE is {str(path)!r}, which cannot be read: {error.strerror}.") from None
    return acl


@lru_cache(maxsize=1024)
def _held(acl: Acl, roles: frozenset[str], labels: tuple[tuple[str, str], ...]) -> Held:
    always: set[str] = set()
    sometimes: dict[str, tuple[str, ...]] = {}
    for resource, privilege in acl.privileges():
        conditions = _conditions(acl, roles, resource, privilege)
        names = [
            f"{resource}.{privilege}",
            *(_of_model(label, privilege) for each, label in labels if each == resource),
        ]
        if None in conditions:
            always.update(names)
        elif conditions:
            sometimes.update(dict.fromkeys(names, tuple(filter(None, conditions))))
    return Held(frozenset(always), sometimes)


def _conditions(acl: Acl, roles: Iterable[str], resource: str, privilege: str) -> dict[str | None, None]:
    """Those of all grants that reach the roles; None is that of a grant without one."""
    ways = (way for role in roles for way in acl.role(role).ways(resource, privilege))
    return dict.fromkeys(way.condition for way in ways)
