"""Files: the posted one as it stands, and every mistake with its line and what to do."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import pytest

from djintegrate.acl import Acl, AclFileError
from djintegrate.acl.reader import Document, read

POSTED = Path(__file__).with_name("posted.xml")
ROLES = (
    "<roleSet><role><name>clerk</name></role><role><name>chief</name><inheritFrom>clerk</inheritFrom></role></roleSet>"
)


def permission(privileges: str, roles: str = "clerk", resources: str = "time_card") -> str:
    """On one line each."""
    return (
        f"<permission>\n<resources><resource>{resources}</resource></resources>\n"
        f"<roles><role>{roles}</role></roles>\n<privileges>{privileges}</privileges>\n</permission>\n"
    )


WRITE = "<privilege>write</privilege>"


def config(*permissions: str, roles: str = ROLES) -> str:
    """The roles are on line 2, the first permission begins on line 4, its privileges are on line 7."""
    return f"<config>\n{roles}\n<permissions>\n{''.join(permissions)}</permissions>\n</config>"


def found(text: str) -> Document:
    return read(io.StringIO(text))


def one(text: str) -> str:
    """The only mistake."""
    [mistake] = found(text).mistakes
    with pytest.raises(AclFileError) as caught:
        Acl().build_acl(io.StringIO(text))
    assert caught.value.mistakes == (mistake,)
    return str(mistake)


# What the posted file says, role by role; a dot inherits.
EXPECTED = {
    "customer": {("contact_details", "read"), ("contact_details", "write"), ("profile", "read"), ("profile", "write")},
    "employee": {("time_card", "read"), ("time_card", "write")},
    "manager": {("time_card", "approve")},
}


@pytest.mark.parametrize("way", ["path", "text", "binary file", "text file"])
def test_the_posted_file_is_what_was_posted(way: str) -> None:
    acl = Acl()
    if way == "binary file":
        with POSTED.open("rb") as file:
            acl.build_acl(file)
    elif way == "text file":
        with POSTED.open() as file:
            acl.build_acl(file)
    else:
        acl.build_acl(POSTED if way == "path" else str(POSTED))
    may: set[tuple[str, str]] = set()
    pairs = sorted(set.union(*EXPECTED.values()))
    assert acl.privileges() == pairs
    for role, own in EXPECTED.items():
        may |= own
        assert {pair for pair in pairs if acl.check_access(role, *pair)} == may


def test_the_posted_files_comment_that_lost_its_beginning_is_told_of_and_does_no_harm() -> None:
    document = read(POSTED)
    assert document.mistakes == []
    [remark] = document.remarks
    assert "property being access controlled" in POSTED.read_text().splitlines()[remark.line - 1]
    document = found(config(permission(WRITE)).replace("<permissions>", "<permissions> was --> <!-- a comment -->"))
    assert [mistake.said for mistake in document.mistakes] == ["Text in <permissions> means nothing."]


def test_roles_may_come_in_any_order_and_permissions_of_one_role_add_up() -> None:
    roles = "<roleSet><role><name>a</name><inheritFrom>b</inheritFrom></role><role><name>b</name></role></roleSet>"
    acl = Acl()
    read_too = permission("<privilege>read</privilege>", "b")
    acl.build_acl(io.StringIO(config(permission(WRITE, "b"), read_too, roles=roles)))
    assert acl.check_access("a", "time_card", "write")
    assert acl.check_access("a", "time_card", "read")


def test_conditions_and_withdrawals_are_read() -> None:
    acl = Acl()
    withdrawn = permission('<privilege allowed="false">write</privilege>', "chief")
    own = permission('<privilege if="own">read</privilege>')
    acl.build_acl(io.StringIO(config(permission(WRITE), withdrawn, own)))
    assert acl.check_access("clerk", "time_card", "write")
    assert not acl.check_access("chief", "time_card", "write")
    assert not acl.check_access("chief", "time_card", "read")
    assert acl.check_access("chief", "time_card", "read", {"own"}.__contains__)


def test_space_around_names_does_not_count() -> None:
    acl = Acl()
    acl.build_acl(io.StringIO(config(permission("<privilege>\n write </privilege>"))))
    assert acl.check_access("clerk", "time_card", "write")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (config(permission(WRITE, "clark")), "line 6: There is no role 'clark'. Did you mean 'clerk'? Declare it"),
        (config(permission(WRITE), permission(WRITE)), "line 12: 'write' on 'time_card' for the role 'clerk' is "
         "granted on line 7 already. Remove"),
        (config(permission(WRITE + WRITE)), "line 7: 'write' on 'time_card' for the role 'clerk' is granted on line 7"),
        (config(permission(WRITE + '<privilege if="own">write</privilege>')), "line 7: 'write' on 'time_card' for the "
         "role 'clerk' is granted with a condition and without: see line 7."),
        (config(permission('<privilege iff="own">write</privilege>')), "line 7: <privilege> has no attribute 'iff'. "
         "Did you mean 'if'?"),
        (config(permission('<privilege If="own">write</privilege>')), "line 7: <privilege> has no attribute 'If'."),
        (config(permission('<privilege if="">write</privilege>')), "line 7: The condition '' is no name of a rule."),
        (config(permission('<privilege allowed="no">write</privilege>')), "line 7: allowed is 'no'. Make it \"true\""),
        (config(permission('<privilege allowed="false">write</privilege>')), "line 7: Withdraws 'write' on 'time_card' "
         "for the role 'clerk', which it would not inherit."),
        (config(permission("<privilege></privilege>")), "line 7: <privilege> is empty."),
        (config(permission("<privilege>time_card.write</privilege>")), "line 7: 'time_card.write' is no name of a"),
        (config(permission("<privilege>*</privilege>")), "line 7: '*' is no name of a privilege."),
        (config(permission(WRITE, resources="time card")), "line 5: 'time card' is no name of a resource."),
        (config(permission(WRITE, resources=".time_card")), "line 5: '.time_card' is no name of a resource."),
        (config("<permission><roles><role>clerk</role></roles><privileges><privilege>x</privilege></privileges>"
                "</permission>"), "line 4: A permission without a resource grants nothing. Add <resources>"),
        (config(permission("")), "line 4: A permission without a privilege grants nothing."),
        (config(permission(WRITE)).replace("<permission>", '<permission if="own">'),
         "line 4: <permission> has no attribute 'if'. Remove it."),
        (config(permission(WRITE)).replace("permissions>", "permisions>"), "line 3: <permisions> has no place in "
         "<config>. Did you mean 'permissions'?"),
        (config(roles="<roleSet><role><name>a</name></role>\n<role><name>a</name></role></roleSet>"),
         "line 3: The role 'a' is declared on line 2 already."),
        (config(roles="<roleSet><role><inheritFrom>a</inheritFrom><name>a</name></role></roleSet>"),
         "line 2: Roles inherit from each other in a circle: a → a."),
        (config(roles="<roleSet><role>\n</role></roleSet>"), "line 2: A role with 0 names."),
        (config(roles="<roleSet><role><name>a</name><name>b</name></role></roleSet>"), "line 2: A role with 2 names."),
        (config(roles="<roleSet><role><name>a</name><inheritFrom>b</inheritFrom></role></roleSet>"),
         "line 2: There is no role 'b'."),
        (config(roles=ROLES.replace("</inheritFrom>", "</inheritFrom><inheritFrom>clerk</inheritFrom>")),
         "line 2: 'chief' inherits from 'clerk' twice."),
        (config(permission(WRITE), roles=f"<resourceSet><resource>timecard</resource></resourceSet>{ROLES}"),
         "line 5: There is no resource 'time_card'. Did you mean 'timecard'? Declare it in <resourceSet>."),
        (config(roles="<resourceSet><resource>a</resource>\n<resource>a</resource></resourceSet>"),
         "line 3: The resource 'a' is declared on line 2 already."),
        ("<acl/>", "line 1: The outermost element is <acl>. Make it <config>."),
        ("", "line 1: This is not well-formed XML: no element found."),
        ("<config>\n<roleSet>\n</config>", "line 3: This is not well-formed XML: mismatched tag."),
        ('<!DOCTYPE config [\n<!ENTITY a "b">]><config>&a;</config>', "line 1: A document type, which could define "
         "entities, is refused."),
        ('<!DOCTYPE config SYSTEM "file:///etc/passwd"><config/>', "line 1: A document type"),
        ("<config>&a;</config>", "line 1: This is not well-formed XML: undefined entity."),
    ],
)  # fmt: skip
def test_each_mistake_has_its_line_and_a_remedy(text: str, said: str) -> None:
    assert one(text).startswith(said)


def test_all_mistakes_are_told_at_once_in_the_order_of_lines() -> None:
    text = config(permission(WRITE, "clark"), permission("<privilege/>"), permission('<privilege x="y">w</privilege>'))
    assert [mistake.line for mistake in found(text).mistakes] == [6, 12, 17]


def test_every_circle_is_told_once_and_names_its_roles_in_order() -> None:
    pairs = [("a", "b"), ("b", "c"), ("c", "a"), ("x", "y"), ("y", "x"), ("z", "a")]
    roles = "".join(f"<role><name>{role}</name><inheritFrom>{parent}</inheritFrom></role>" for role, parent in pairs)
    said = [mistake.said.partition(": ")[2] for mistake in found(config(roles=f"<roleSet>{roles}</roleSet>")).mistakes]
    assert len(said) == 2
    inherits = {f"{role} → {parent}" for role, parent in pairs}
    for circle in said:
        steps = circle.rstrip(".").split(" → ")
        assert {f"{one} → {two}" for one, two in pairwise(steps)} <= inherits
        assert steps[0] == steps[-1]


def test_a_wrong_file_changes_nothing() -> None:
    acl = Acl()
    acl.build_acl(POSTED)
    with pytest.raises(AclFileError, match=r"the file, line 6: There is no role"):
        acl.build_acl(io.StringIO(config(permission(WRITE, "clark"))))
    assert acl.roles == ("customer", "employee", "manager")
    with pytest.raises(OSError):
        acl.build_acl("/no/such/file")


def test_bytes_that_are_no_text_and_other_encodings(tmp_path: Path) -> None:
    assert "not well-formed" in str(read(io.BytesIO(b"<config>\xff</config>")).mistakes[0])
    unknown = read(io.BytesIO(b'<?xml version="1.0" encoding="x-none"?><config/>'))
    assert len(unknown.mistakes) == 1
    acl = Acl()
    acl.build_acl(io.BytesIO(config(permission(WRITE)).replace("clerk", "Büro").encode("utf-16")))
    assert acl.check_access("Büro", "time_card", "write")


def test_a_deep_document_is_a_mistake_and_no_crash() -> None:
    assert found("<config>" + "<x>" * 50_000 + "</x>" * 50_000 + "</config>").mistakes
