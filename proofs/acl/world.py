"""What Hypothesis makes up: a graph of roles, what each says, and its file; and the plain model of what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

ROLES = ("zookeeper", "gardener", "librarian", "cook", "plumber", "weaver")
RESOURCES = ("time_card", "profile", "person.email")
PRIVILEGES = ("read", "approve", "delete")
CONDITIONS = ("own", "published")

Said = Mapping[tuple[str, str, str], Any]
"""By role, resource and privilege: True, False, or the conditions."""


@dataclass(frozen=True)
class World:
    parents: Mapping[str, tuple[str, ...]]
    said: Said

    def allows(self, role: str, resource: str, privilege: str, true: frozenset[str]) -> bool:
        """The model: a role's own word, else any parent's. `true` are the conditions that hold."""
        own = self.said.get((role, resource, privilege), ())
        if isinstance(own, bool):
            return own
        if any(condition in true for condition in own):
            return True
        return any(self.allows(parent, resource, privilege, true) for parent in self.parents[role])

    def file(self) -> str:
        """As XML. A withdrawal of what nothing would inherit is a mistake, so it is not written."""
        roles = "\n".join(
            f"<role>\n<name>{role}</name>\n"
            + "".join(f"<inheritFrom>{parent}</inheritFrom>\n" for parent in self.parents[role])
            + "</role>"
            for role in self.parents
        )
        permissions = "\n".join(
            _permission(role, resource, privilege, allowed, condition)
            for (role, resource, privilege), word in self.said.items()
            for allowed, condition in _words(word)
            if allowed or self.is_granted_above(role, resource, privilege)
        )
        return f"<config>\n<roleSet>\n{roles}\n</roleSet>\n<permissions>\n{permissions}\n</permissions>\n</config>\n"

    def is_granted_above(self, role: str, resource: str, privilege: str) -> bool:
        return any(
            self.said.get((parent, resource, privilege), False) is not False
            or self.is_granted_above(parent, resource, privilege)
            for parent in self.parents[role]
        )


@dataclass(frozen=True)
class Person:
    groups: frozenset[str]
    kind: str
    """"active", "inactive", "superuser" or "anonymous"."""


def _words(word: Any) -> list[tuple[bool, str | None]]:
    return [(word, None)] if isinstance(word, bool) else [(True, condition) for condition in word]


def _permission(role: str, resource: str, privilege: str, allowed: bool, condition: str | None) -> str:
    attributes = "" if allowed else ' allowed="false"'
    attributes += f" if={quoteattr(condition)}" if condition else ""
    return (
        f"<permission>\n<resources><resource>{escape(resource)}</resource></resources>\n"
        f"<roles><role>{escape(role)}</role></roles>\n"
        f"<privileges><privilege{attributes}>{escape(privilege)}</privilege></privileges>\n</permission>"
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any graph without a circle, its roles declared in any order."""
    order = draw(st.permutations(ROLES))[: draw(st.integers(1, len(ROLES)))]
    parents = {
        role: tuple(draw(st.lists(st.sampled_from(order[:position]), unique=True, max_size=3))) if position else ()
        for position, role in enumerate(order)
    }
    word = st.booleans() | st.lists(st.sampled_from(CONDITIONS), min_size=1, unique=True).map(tuple)
    keys = st.tuples(st.sampled_from(order), st.sampled_from(RESOURCES), st.sampled_from(PRIVILEGES))
    said = draw(st.dictionaries(keys, word, max_size=12))
    declared = draw(st.permutations(order))
    return World({role: parents[role] for role in declared}, said)


people = st.builds(
    Person,
    st.frozensets(st.sampled_from([*ROLES, "strangers"])),
    st.sampled_from(["active"] * 4 + ["inactive", "superuser", "anonymous"]),
)
truths = st.frozensets(st.sampled_from(CONDITIONS))
