"""Why somebody may do something, or may not, in words: each step from the person to the line of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from djintegrate.common.types import did_you_mean

from . import conf
from .conditions import holds, lacks
from .core import Acl, Way
from .errors import RuleError
from .site import current, roles_of


@dataclass(frozen=True)
class Reason:
    """Whether the list grants it, and why, line by line."""

    granted: bool
    lines: tuple[str, ...]
    depends: bool = False
    """Whether it is not granted because no object was given, which a condition could be true of."""


def why(user: Any, resource: str, privilege: str, obj: Any = None) -> Reason:
    """With an object, conditions are looked at; without one, what has a condition is not granted.

    RuleError says which condition could not be looked at, as its rule has raised something.
    """
    who = "Somebody who is not signed in" if user.is_anonymous else user.get_username()
    asked = f"{privilege} {resource}"
    if not user.is_anonymous and not user.is_active:
        return Reason(False, (f"No: {who} may not {asked}.", f"The account of {who} is not active."))
    if getattr(user, "is_superuser", False):
        return Reason(True, (f"Yes: {who} may {asked}.", f"{who} is a superuser, about whom Django asks no backend."))
    acl, roles = current(), roles_of(user)
    ways = _ways(acl, roles, resource, privilege)
    missing = {way.condition: remedy for way in ways if way.condition and (remedy := lacks(way.condition))}
    # As on the site: no rule is asked where there is a grant without one, or after one that is true.
    shown = next(
        (way for way in sorted(ways, key=lambda way: way.condition is not None)
         if way.condition is None
         or (obj is not None and way.condition not in missing and _holds(way.condition, user, obj))),
        None,
    )  # fmt: skip
    if shown:
        return Reason(True, (f"Yes: {who} may {asked}.", *_steps(who, shown, roles, resource, privilege)))
    if ways:
        lines = [line for way in ways for line in _refusal(who, way, roles, resource, privilege, missing, obj)]
    else:
        lines = list(_not_granted(who, acl, roles, resource, privilege))
    depends = obj is None and any(way.condition not in missing for way in ways)
    if depends:
        lines.append("Which object it is about was not said, so no condition counts as true.")
    return Reason(False, (f"No: {who} may not {asked}.", *lines), depends)


def _holds(condition: str, user: Any, obj: Any) -> bool:
    try:
        return holds(condition, user, obj)
    except Exception as error:  # whatever a site's rule does
        raise RuleError(condition, error) from error


def _ways(acl: Acl, roles: Iterable[str], resource: str, privilege: str) -> list[Way]:
    """Each grant once, by the shortest way that it reaches any of the roles."""
    found: dict[tuple[str, str | None], Way] = {}
    every = (way for role in roles for way in acl.role(role).ways(resource, privilege))
    for way in sorted(every, key=lambda way: len(way.roles)):
        found.setdefault((way.roles[-1], way.condition), way)
    return list(found.values())


def _steps(who: str, way: Way, roles: dict[str, str], resource: str, privilege: str) -> Iterator[str]:
    """From the person to the grant."""
    first = way.roles[0]
    yield f"{who} has the role {first!r} by {roles[first]}."
    for role, parent in pairwise(way.roles):
        yield f"The role {role!r} inherits from {parent!r}."
    condition = f", if {way.condition!r} is true of the object" if way.condition else ""
    line = f" ({conf.file().name}, line {way.line})" if way.line else ""
    yield f"The role {way.roles[-1]!r} has {privilege!r} on {resource!r}{condition}{line}."


def _refusal(
    who: str, way: Way, roles: dict[str, str], resource: str, privilege: str, missing: dict[str, str], obj: Any
) -> Iterator[str]:
    """Why a grant, which has a condition, is none."""
    yield from _steps(who, way, roles, resource, privilege)
    if way.condition in missing:
        yield f"There is no rule {way.condition!r}: this is granted to nobody. {missing[way.condition]}"
    elif obj is not None:
        yield f"The condition {way.condition!r} is not true of {obj}."


def _not_granted(who: str, acl: Acl, roles: dict[str, str], resource: str, privilege: str) -> Iterator[str]:
    """What somebody has, who has no such grant, and who has it."""
    has = ", ".join(f"{role!r} by {reason}" for role, reason in roles.items())
    yield f"{who} has {f'the role {has}' if has else 'no role'}."
    having = [name for name in acl.roles if any(acl.role(name).ways(resource, privilege))]
    if having:
        yield f"Roles that have it: {', '.join(f'{name!r} (group {conf.group_of(name)!r})' for name in having)}."
        return
    known = acl.privileges()
    resources = {each for each, _ in known}
    if resource not in resources:
        yield f"The list has no resource {resource!r}. {did_you_mean(resource, resources)}".rstrip()
    else:
        privileges = {each for name, each in known if name == resource}
        yield f"No role has {privilege!r} on {resource!r}. {did_you_mean(privilege, privileges)}".rstrip()
