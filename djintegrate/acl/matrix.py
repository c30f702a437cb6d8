"""The list as a table: a row for each resource and privilege, a column for each role. For the command and for pages."""

from __future__ import annotations

from dataclasses import dataclass

from .core import Acl, Role


@dataclass(frozen=True)
class Cell:
    """What one role has of one privilege."""

    role: str
    always: bool
    conditions: tuple[str, ...]
    """Any of them is enough, where it is not `always`."""
    inherited_from: str
    """The nearest role that it comes from, or nothing if it is the role's own."""
    withdrawn: bool

    def __str__(self) -> str:
        if self.withdrawn:
            return "withdrawn"
        said = "yes" if self.always else f"if {' or '.join(self.conditions)}" if self.conditions else ""
        return f"({said})" if self.inherited_from and said else said


@dataclass(frozen=True)
class Row:
    resource: str
    privilege: str
    cells: tuple[Cell, ...]


def matrix(acl: Acl) -> list[Row]:
    """All that the list says, in the order of names; the columns are `acl.roles`."""
    roles = [acl.role(name) for name in acl.roles]
    return [
        Row(resource, privilege, tuple(_cell(role, resource, privilege) for role in roles))
        for resource, privilege in acl.privileges()
    ]


def _cell(role: Role, resource: str, privilege: str) -> Cell:
    ways = list(role.ways(resource, privilege))
    always = [way for way in ways if way.condition is None]
    conditions = () if always else tuple(dict.fromkeys(filter(None, (way.condition for way in ways))))
    source = (always or ways)[0].roles[-1] if ways else ""
    own = [word for each in role.resources if each.name == resource for word in each.words(privilege)]
    withdrawn = any(not word.allowed for word in own)
    return Cell(role.name, bool(always), conditions, "" if source == role.name else source, withdrawn)
