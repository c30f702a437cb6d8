"""Roles, resources and privileges, and the one rule that decides. Knows no Django and no users.

What a role may do with a resource: its own word first, else what any of its parents may. A word may be a grant, a
grant with a condition, or a withdrawal of what the parents have. Whatever nobody granted is refused.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import IO, Any

from .errors import AccessError, AclFileError
from .reader import Document, read

Holds = Callable[[str], bool]
"""Whether a condition, of this name, is true of the person and the object that are asked about."""


@dataclass(frozen=True)
class Word:
    """What a role says of one privilege."""

    allowed: bool
    condition: str | None = None
    line: int = 0
    """Where its file says so; 0 if no file did."""


@dataclass(frozen=True)
class Way:
    """One grant, and how it reaches a role: the names from that role to the one that has the grant itself."""

    roles: tuple[str, ...]
    condition: str | None
    line: int


class Resource:
    """Something that a role can have privileges on. A property of objects is one as well: "person.email"."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._words: dict[str, tuple[Word, ...]] = {}

    def set_privilege(
        self, privilege: str, allowed: bool = True, condition: str | None = None, *, line: int = 0
    ) -> None:
        """Grant, with a condition only where that is true; with `allowed=False`, withdraw what would be inherited.

        The last call counts, but conditions add up: any of them is enough.
        """
        if not isinstance(privilege, str) or not privilege:
            raise TypeError(f"A privilege is a name, not {privilege!r}.")
        if not isinstance(allowed, bool):
            # The string "False" is true.
            raise TypeError(f"allowed is {allowed!r}. Make it True or False.")
        if condition is None:
            self._words[privilege] = (Word(allowed, None, line),)
            return
        if not isinstance(condition, str) or not condition:
            raise TypeError(f"A condition is the name of a rule, not {condition!r}.")
        if not allowed:
            raise ValueError("A withdrawal has no condition: withdraw, or grant with a condition.")
        others = (word for word in self.words(privilege) if word.condition not in (None, condition))
        self._words[privilege] = (*others, Word(True, condition, line))

    def has_access(self, privilege: str) -> bool:
        """Whether the privilege is granted here, without a condition."""
        return any(word.allowed and word.condition is None for word in self.words(privilege))

    def words(self, privilege: str) -> tuple[Word, ...]:
        return self._words.get(privilege, ())

    @property
    def privileges(self) -> tuple[str, ...]:
        """All privileges that are granted or withdrawn here."""
        return tuple(self._words)

    def __str__(self) -> str:
        said = (f"{privilege}:{_said(word)}" for privilege, words in self._words.items() for word in words)
        return f"{self.name}: {' '.join(said)}".rstrip()


class Role:
    """A role has access to resources with certain privileges, and to what its parents have access to."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._parents: dict[str, Role] = {}
        self._resources: dict[str, Resource] = {}

    def set_parent(self, parent: Role) -> None:
        """Inherit from this role too."""
        if any(role is self for role in parent.lineage()):
            raise AccessError(f"The role {self.name!r} would inherit from itself, by way of {parent.name!r}.")
        self._parents[parent.name] = parent

    def set_resource(self, resource: Resource) -> None:
        """Add a resource with its privileges, in place of one of the same name."""
        self._resources[resource.name] = resource

    def has_access(self, resource: str, privilege: str, holds: Holds | None = None) -> bool:
        """Whether the role has the privilege. Conditions count if `holds` is given, and says that they are true."""
        return any(
            way.condition is None or (holds is not None and holds(way.condition))
            for way in self.ways(resource, privilege)
        )

    def ways(self, resource: str, privilege: str) -> Iterator[Way]:
        """Every grant that this role has, itself or by a parent; the nearest come first.

        Each role is asked once, however many ways lead to it, so the length is that of the graph.
        """
        child_of: dict[Role, Role | None] = {self: None}
        waiting = deque([self])
        while waiting:
            role = waiting.popleft()
            words = role._resources[resource].words(privilege) if resource in role._resources else ()
            for word in words:
                if word.allowed:
                    yield Way(_path(role, child_of), word.condition, word.line)
            if any(word.condition is None for word in words):
                continue  # granted or withdrawn for good: the parents have nothing to add
            for parent in role._parents.values():
                if parent not in child_of:
                    child_of[parent] = role
                    waiting.append(parent)

    def lineage(self) -> Iterator[Role]:
        """This role, its parents, theirs, and so on; each once."""
        seen, waiting = {self}, deque([self])
        while waiting:
            role = waiting.popleft()
            yield role
            for parent in role._parents.values():
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)

    @property
    def parents(self) -> tuple[Role, ...]:
        return tuple(self._parents.values())

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources that this role itself mentions."""
        return tuple(self._resources.values())

    def __str__(self) -> str:
        parents = [f"\t{name}" for name in self._parents]
        resources = [f"\t{resource}" for resource in self._resources.values()]
        return "\n".join([f"{self.name}:", "parents:", *parents, "resources:", *resources])


class Acl:
    """An access control list: roles, by name. Two of them share nothing."""

    def __init__(self) -> None:
        self._roles: dict[str, Role] = {}

    def set_role(self, role: Role) -> None:
        """Add a role, in place of one of the same name."""
        self._roles[role.name] = role

    def role(self, name: str) -> Role:
        try:
            return self._roles[name]
        except KeyError:
            near = get_close_matches(str(name), self._roles, n=1)
            question = f" Did you mean {near[0]!r}?" if near else ""
            raise AccessError(f"The role {name!r} does not exist.{question}") from None

    def check_access(self, role_name: str, resource: str, privilege: str, holds: Holds | None = None) -> bool:
        """Whether a role has access. AccessError if there is no such role.

        A grant with a condition counts only if `holds`, called with the name of the condition, says that it is true.
        """
        return self.role(role_name).has_access(resource, privilege, holds)

    def build_acl(self, file: str | os.PathLike[str] | IO[Any]) -> None:
        """Read everything from an XML file, in place of what is here.

        If the file has a mistake, nothing changes, and AclFileError lists all mistakes with their lines.
        """
        document = read(file)
        if document.mistakes:
            raise AclFileError(document.name, document.mistakes)
        self._roles = _roles(document)

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the roles, in the order in which they were added."""
        return tuple(self._roles)

    def privileges(self) -> list[tuple[str, str]]:
        """All pairs of a resource and a privilege that some role mentions, sorted."""
        return sorted(
            {
                (resource.name, privilege)
                for name in self._roles
                for role in self._roles[name].lineage()
                for resource in role.resources
                for privilege in resource.privileges
            }
        )

    def __str__(self) -> str:
        return "".join(f"----------\n{role}\n" for role in self._roles.values())


def _roles(document: Document) -> dict[str, Role]:
    roles = {name: Role(name) for name in document.roles}
    for name, declared in document.roles.items():
        for parent in declared.parents:
            roles[name].set_parent(roles[parent])
    resources: dict[tuple[str, str], Resource] = {}
    for grant in document.grants:
        key = grant.role, grant.resource
        if key not in resources:
            # Several permissions may speak of one role and resource; what they say adds up.
            resources[key] = Resource(grant.resource)
            roles[grant.role].set_resource(resources[key])
        resources[key].set_privilege(grant.privilege, grant.allowed, grant.condition, line=grant.line)
    return roles


def _path(role: Role, child_of: dict[Role, Role | None]) -> tuple[str, ...]:
    names = []
    step: Role | None = role
    while step is not None:
        names.append(step.name)
        step = child_of[step]
    return tuple(reversed(names))


def _said(word: Word) -> str:
    return f"if {word.condition}" if word.condition else str(word.allowed)
