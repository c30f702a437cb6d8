"""The two properties: what `has_perm` says is what the model says, and a slip of the pen grants nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any

import rules
from django.contrib.auth.models import AnonymousUser, Group, User
from django.test import override_settings

from djintegrate.acl import Acl, AclFileError

from .world import CONDITIONS, PRIVILEGES, RESOURCES, Person, World

BACKENDS = ["djintegrate.acl.backends.AclBackend"]
QUESTIONS = list(product(RESOURCES, PRIVILEGES))


def the_site_says_what_the_model_says(
    world: World, person: Person, true: frozenset[str], given: bool, anonymous: str | None, signed_in: str | None
) -> None:
    """With an object whose conditions are `true`, or without one."""
    roles: set[str | None] = {role for role in world.parents if role in person.groups}
    if person.kind == "anonymous":
        roles = {anonymous} & set(world.parents)
    elif signed_in in world.parents:
        roles.add(str(signed_in))
    with _site(world.file(), ACL_ANONYMOUS_ROLE=anonymous, ACL_SIGNED_IN_ROLE=signed_in), _rules():
        user = _user(person)
        for resource, privilege in QUESTIONS:
            expected = person.kind == "superuser" or (
                person.kind != "inactive"
                and any(world.allows(str(role), resource, privilege, true if given else frozenset()) for role in roles)
            )
            found = user.has_perm(f"{resource}.{privilege}", true if given else None)
            assert found is expected, (resource, privilege, found, world.file())


def a_slip_grants_nothing(world: World, place: int, letter: str) -> None:
    """One letter of the file is another: it is refused, or grants no more of what has a name in the right one."""
    text = world.file()
    place %= len(text)
    slip = Acl()
    try:
        slip.build_acl(StringIO(text[:place] + letter + text[place + 1 :]))
    except AclFileError:
        assert slip.roles == ()
        return
    # A role whose own name has the slip is nobody's.
    roles = [role for role in slip.roles if role in world.parents]
    for role, (resource, privilege), true in product(roles, QUESTIONS, _truths()):
        granted = slip.check_access(role, resource, privilege, true.__contains__)
        assert not granted or world.allows(role, resource, privilege, true), (role, resource, privilege, true)


def _truths() -> list[frozenset[str]]:
    return [frozenset(), *(frozenset({condition}) for condition in CONDITIONS), frozenset(CONDITIONS)]


@contextmanager
def _site(text: str, **settings: Any) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "roles.xml")
        file.write_text(text)
        with override_settings(ACL_FILE=file, AUTHENTICATION_BACKENDS=BACKENDS, ACL_ROLES={}, **settings):
            yield


@contextmanager
def _rules() -> Iterator[None]:
    """The objects that are asked about are the sets of what is true of them."""
    for condition in CONDITIONS:
        rules.set_rule(condition, _is_among(condition))
    try:
        yield
    finally:
        for condition in CONDITIONS:
            rules.remove_rule(condition)


def _is_among(condition: str) -> Callable[[Any, Any], bool]:
    return lambda user, true: condition in true


def _user(person: Person) -> Any:
    """Django's own class. Its groups are there already, so no database is asked."""
    if person.kind == "anonymous":
        return AnonymousUser()
    user = User(pk=1, username="u", is_active=person.kind != "inactive", is_superuser=person.kind == "superuser")
    user._prefetched_objects_cache = {"groups": [Group(name=name) for name in person.groups]}
    return user
