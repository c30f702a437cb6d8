"""Reads a file of roles and permissions, and finds every mistake in it, with its line and what to do.

What cannot be read in one way alone is a mistake: nothing is guessed, and nothing is skipped that might be meant to
limit a grant. Knows no Django.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import IO, Any

from .elements import Element, NotXML, parse
from .errors import Mistake

NAME = re.compile(r"[\w-]+")
DOTTED_NAME = re.compile(r"[\w-]+(\.[\w-]+)*")
LEAF: dict[str, Any] = {}
PERMISSION = {"resources": {"resource": LEAF}, "roles": {"role": LEAF}, "privileges": {"privilege": LEAF}}
SHAPE: dict[str, Any] = {
    "resourceSet": {"resource": LEAF},
    "roleSet": {"role": {"name": LEAF, "inheritFrom": LEAF}},
    "permissions": {"permission": PERMISSION},
}
"""What may be in <config>, and in that, and so on."""
ATTRIBUTES = {"privilege": ("allowed", "if")}


@dataclass(frozen=True)
class DeclaredRole:
    line: int
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Grant:
    """One role, resource and privilege. Not `allowed`: what the role would inherit is withdrawn."""

    role: str
    resource: str
    privilege: str
    allowed: bool
    condition: str | None
    line: int

    def __str__(self) -> str:
        return f"{self.privilege!r} on {self.resource!r} for the role {self.role!r}"


@dataclass
class Document:
    """What a file says. With a mistake in it, it is not to be used."""

    name: str
    roles: dict[str, DeclaredRole] = field(default_factory=dict)
    resources: dict[str, int] = field(default_factory=dict)
    """Those of <resourceSet>, with their lines. Without one, every name will do."""
    used: dict[str, int] = field(default_factory=dict)
    """All resources, with the lines where they are named first."""
    grants: list[Grant] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    remarks: list[Mistake] = field(default_factory=list)
    """What changes nothing, and is odd."""

    def wrong(self, line: int, said: str, remedy: str) -> None:
        self.mistakes.append(Mistake(line, said, remedy))


def read(file: str | os.PathLike[str] | IO[Any]) -> Document:
    """Never raises for what is in the file. OSError if it cannot be opened."""
    name = os.fspath(file) if isinstance(file, str | os.PathLike) else str(getattr(file, "name", "the file"))
    document = Document(os.path.basename(name))
    try:
        root = parse(file)
    except NotXML as error:
        document.wrong(error.line, error.said, error.remedy)
        return document
    if root.tag != "config":
        document.wrong(root.line, f"The outermost element is <{root.tag}>.", "Make it <config>.")
        return document
    _look_at_shape(root, SHAPE, document)
    _read_resources(root, document)
    _read_roles(root, document)
    _look_at_parents(document)
    for permission in root.each("permissions", "permission"):
        _read_permission(permission, document)
    _look_at_grants(document)
    document.mistakes = sorted(set(document.mistakes))
    return document


def _look_at_shape(element: Element, shape: dict[str, Any], document: Document) -> None:
    """Unknown elements are told of, and left out of the tree."""
    _look_at_attributes(element, document)
    if shape and element.has_text:
        remark = Mistake(element.text_line, f"Text in <{element.tag}> means nothing.", "Make it a comment: <!-- … -->")
        # Published files have a remark between their sections that has lost its beginning.
        (document.remarks if element.tag == "config" else document.mistakes).append(remark)
    if not shape and not element.text:
        document.wrong(element.line, f"<{element.tag}> is empty.", "Write a name into it, or remove it.")
    for child in list(element.children):
        if child.tag in shape:
            _look_at_shape(child, shape[child.tag], document)
        else:
            known = ", ".join(f"<{tag}>" for tag in shape) or "text alone"
            question = _did_you_mean(child.tag, shape)
            document.wrong(
                child.line, f"<{child.tag}> has no place in <{element.tag}>.", f"{question}There may be: {known}."
            )
            element.children.remove(child)


def _look_at_attributes(element: Element, document: Document) -> None:
    known = ATTRIBUTES.get(element.tag, ())
    for name in element.attributes:
        if name not in known:
            question = _did_you_mean(name, known)
            document.wrong(element.line, f"<{element.tag}> has no attribute {name!r}.", f"{question}Remove it.")


def _read_resources(root: Element, document: Document) -> None:
    for resource in root.each("resourceSet", "resource"):
        if resource.text in document.resources:
            said = f"The resource {resource.text!r} is declared on line {document.resources[resource.text]} already."
            document.wrong(resource.line, said, "Remove one of the two.")
        elif _is_resource(resource, document):
            document.resources[resource.text] = resource.line
            document.used.setdefault(resource.text, resource.line)


def _read_roles(root: Element, document: Document) -> None:
    for role in root.each("roleSet", "role"):
        names = [each for each in role.children if each.tag == "name" and each.text]
        if len(names) != 1:
            document.wrong(role.line, f"A role with {len(names)} names.", "Give it one: <name>…</name>.")
            continue
        [name] = names
        if name.text in document.roles:
            said = f"The role {name.text!r} is declared on line {document.roles[name.text].line} already."
            document.wrong(role.line, said, "Put everything into one of the two.")
            continue
        parents: dict[str, Element] = {}
        for parent in role.each("inheritFrom"):
            if parent.text in parents:
                document.wrong(parent.line, f"{name.text!r} inherits from {parent.text!r} twice.", "Remove one.")
            parents[parent.text] = parent
        document.roles[name.text] = DeclaredRole(role.line, tuple(filter(None, parents)))
    for role in root.each("roleSet", "role"):
        for parent in role.each("inheritFrom"):
            if parent.text and parent.text not in document.roles:
                _unknown(parent, "role", document.roles, document, "Declare it in <roleSet>.")


def _look_at_parents(document: Document) -> None:
    """Every circle, once."""
    graph = {
        name: {parent for parent in role.parents if parent in document.roles}
        for name, role in document.roles.items()
    }  # fmt: skip
    while True:
        try:
            TopologicalSorter(graph).prepare()
            return
        except CycleError as error:
            circle = list(reversed(error.args[1]))
            line = max(document.roles[name].line for name in circle)
            said = f"Roles inherit from each other in a circle: {' → '.join(circle)}."
            document.wrong(line, said, "Remove one <inheritFrom> of the circle.")
            graph[circle[0]].discard(circle[1])


def _read_permission(permission: Element, document: Document) -> None:
    resources = list(permission.each("resources", "resource"))
    roles = list(permission.each("roles", "role"))
    privileges = list(permission.each("privileges", "privilege"))
    for found, tag in ((resources, "resource"), (roles, "role"), (privileges, "privilege")):
        if not found:
            remedy = f"Add <{tag}s><{tag}>…</{tag}></{tag}s>, or remove the permission."
            document.wrong(permission.line, f"A permission without a {tag} grants nothing.", remedy)
    resources = [resource for resource in resources if _is_resource(resource, document)]
    for resource in resources:
        document.used.setdefault(resource.text, resource.line)
        if document.resources and resource.text not in document.resources:
            _unknown(resource, "resource", document.resources, document, "Declare it in <resourceSet>.")
    for role in roles:
        if role.text and role.text not in document.roles:
            _unknown(role, "role", document.roles, document, "Declare it in <roleSet>.")
    for privilege in privileges:
        if _is_privilege(privilege, document):
            allowed = privilege.attributes.get("allowed", "true") == "true"
            document.grants += (
                Grant(role.text, resource.text, privilege.text, allowed, privilege.attributes.get("if"), privilege.line)
                for role in roles
                if role.text in document.roles
                for resource in resources
            )


def _is_resource(resource: Element, document: Document) -> bool:
    if resource.text and not DOTTED_NAME.fullmatch(resource.text):
        said = f"{resource.text!r} is no name of a resource."
        document.wrong(resource.line, said, "Make it of letters, digits, - and _, with dots between them at most.")
        return False
    return bool(resource.text)


def _is_privilege(privilege: Element, document: Document) -> bool:
    """A wrong attribute is no grant: it may be meant as a limit."""
    before = len(document.mistakes)
    attributes = privilege.attributes
    if privilege.text and not NAME.fullmatch(privilege.text):
        said = f"{privilege.text!r} is no name of a privilege."
        document.wrong(privilege.line, said, "Make it of letters, digits, - and _.")
    if attributes.get("allowed", "true") not in ("true", "false"):
        said = f"allowed is {attributes['allowed']!r}."
        document.wrong(privilege.line, said, 'Make it "true" or "false", or remove it.')
    if "if" in attributes and not NAME.fullmatch(attributes["if"]):
        said = f"The condition {attributes['if']!r} is no name of a rule."
        document.wrong(privilege.line, said, 'Make it the name that rules.add_rule() was called with: if="own".')
    if "if" in attributes and attributes.get("allowed") == "false":
        said = "A withdrawal has no condition."
        document.wrong(privilege.line, said, "Withdraw, or grant with a condition.")
    return bool(privilege.text) and len(document.mistakes) == before


def _look_at_grants(document: Document) -> None:
    """What is said twice, what contradicts itself, and withdrawals of what nobody would inherit."""
    by_key: dict[tuple[str, str, str], list[Grant]] = {}
    for grant in document.grants:
        by_key.setdefault((grant.role, grant.resource, grant.privilege), []).append(grant)
    for grants in by_key.values():
        for position, later in enumerate(grants):
            for earlier in grants[:position]:
                _look_at_two(earlier, later, document)
    granted = {(grant.role, grant.resource, grant.privilege) for grant in document.grants if grant.allowed}
    for grant in document.grants:
        ancestors = _ancestors(grant.role, document)
        if not grant.allowed and not any((each, grant.resource, grant.privilege) in granted for each in ancestors):
            said = f"Withdraws {grant}, which it would not inherit."
            document.wrong(grant.line, said, "Correct a name, or remove the withdrawal.")


def _look_at_two(earlier: Grant, later: Grant, document: Document) -> None:
    if earlier.allowed != later.allowed:
        said = f"{later} is granted and withdrawn: see line {earlier.line}."
        document.wrong(later.line, said, "Remove one of the two.")
    elif earlier.condition == later.condition:
        document.wrong(later.line, f"{later} is granted on line {earlier.line} already.", "Remove one of the two.")
    elif None in (earlier.condition, later.condition):
        said = f"{later} is granted with a condition and without: see line {earlier.line}."
        document.wrong(later.line, said, "Remove the one that is not meant. Without a condition it is always granted.")


def _ancestors(role: str, document: Document) -> Iterator[str]:
    seen, waiting = {role}, [role]
    while waiting:
        for parent in document.roles[waiting.pop()].parents:
            if parent in document.roles and parent not in seen:
                seen.add(parent)
                waiting.append(parent)
                yield parent


def _unknown(element: Element, kind: str, known: Any, document: Document, remedy: str) -> None:
    question = _did_you_mean(element.text, known)
    document.wrong(element.line, f"There is no {kind} {element.text!r}.", f"{question}{remedy}")


def _did_you_mean(name: str, known: Any) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"Did you mean {near[0]!r}? " if near else ""
