"""Roles, resources and privileges without Django; what was published in 2009 first, as it stood."""

from __future__ import annotations

import pytest

from djintegrate import acl as acl_module
from djintegrate.acl import AccessError, Acl, Resource, Role


def posted() -> Acl:
    """The posted example, line by line."""
    acl = acl_module
    acl = acl.Acl()

    employee = acl_module.Role("employee")
    resource = acl_module.Resource("time_card")
    resource.set_privilege("write")
    employee.set_resource(resource)
    acl.set_role(employee)

    manager = acl_module.Role("manager")
    manager.set_parent(employee)
    resource = acl_module.Resource("time_card")
    resource.set_privilege("approve")
    manager.set_resource(resource)
    acl.set_role(manager)
    return acl


def test_the_posted_example_answers_as_posted() -> None:
    acl = posted()
    assert acl.check_access("manager", "time_card", "write")  # YES!
    assert acl.check_access("manager", "time_card", "approve")  # YES!
    assert acl.check_access("employee", "time_card", "write")  # YES !
    assert not acl.check_access("employee", "time_card", "approve")  # NO!


def test_the_posted_slip_of_a_roles_name_is_an_error_that_asks_what_was_meant() -> None:
    with pytest.raises(AccessError, match=r"The role 'employess' does not exist\. Did you mean 'employee'\?"):
        posted().check_access("employess", "time_card", "approve")


def test_what_nobody_has_heard_of_is_refused() -> None:
    acl = posted()
    assert not acl.check_access("manager", "time_crad", "write")
    assert not acl.check_access("manager", "time_card", "wriet")
    with pytest.raises(AccessError):
        Acl().check_access("manager", "time_card", "write")


def test_each_list_is_one_of_its_own() -> None:
    posted()
    assert Acl().roles == ()


def test_a_role_may_get_its_parent_before_that_has_anything() -> None:
    parent, child = Role("parent"), Role("child")
    child.set_parent(parent)
    resource = Resource("door")
    parent.set_resource(resource)
    resource.set_privilege("open")
    assert child.has_access("door", "open")


def role(name: str, *parents: Role, **said: bool | str) -> Role:
    """On the resource "x": True, False, or a condition."""
    made, resource = Role(name), Resource("x")
    for privilege, word in said.items():
        if isinstance(word, bool):
            resource.set_privilege(privilege, word)
        else:
            resource.set_privilege(privilege, condition=word)
    made.set_resource(resource)
    for parent in parents:
        made.set_parent(parent)
    return made


def test_a_withdrawal_takes_what_is_inherited_and_one_other_parent_gives_it_again() -> None:
    base = role("base", read=True)
    without = role("without", base, read=False)
    assert not without.has_access("x", "read")
    assert not role("child", without).has_access("x", "read")
    assert role("child", without, base).has_access("x", "read")


def test_a_grant_with_a_condition_is_none_until_somebody_says_that_it_holds() -> None:
    owner = role("owner", read="own")
    assert not owner.has_access("x", "read")
    assert owner.has_access("x", "read", lambda condition: condition == "own")
    assert not owner.has_access("x", "read", lambda condition: condition == "other")
    assert not owner.resources[0].has_access("read")


def test_an_own_condition_leaves_what_the_parent_grants_without_one() -> None:
    assert role("child", role("parent", read=True), read="own").has_access("x", "read")


def test_conditions_of_one_privilege_add_up_and_a_plain_word_ends_them() -> None:
    resource = Resource("x")
    for condition in ("own", "public", "own"):
        resource.set_privilege("read", condition=condition)
    assert sorted(str(word.condition) for word in resource.words("read")) == ["own", "public"]
    resource.set_privilege("read", False)
    assert str(resource) == "x: read:False"


@pytest.mark.parametrize("allowed", ["False", 0, 1, None, "no"])
def test_what_is_no_boolean_is_no_grant(allowed: object) -> None:
    resource = Resource("x")
    with pytest.raises(TypeError, match="True or False"):
        resource.set_privilege("read", allowed)  # type: ignore[arg-type]
    assert resource.privileges == ()


def test_odd_names_and_conditions_are_refused() -> None:
    resource = Resource("x")
    for privilege in ("", None, 5):
        with pytest.raises(TypeError):
            resource.set_privilege(privilege)  # type: ignore[arg-type]
    for condition in ("", True, 5):
        with pytest.raises(TypeError):
            resource.set_privilege("read", condition=condition)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="withdraw"):
        resource.set_privilege("read", False, condition="own")


def test_a_circle_is_refused_where_it_would_close() -> None:
    first = Role("first")
    second, third = role("second", first), Role("third")
    third.set_parent(second)
    with pytest.raises(AccessError, match="'first' would inherit from itself, by way of 'third'"):
        first.set_parent(third)
    with pytest.raises(AccessError):
        first.set_parent(first)
    assert first.parents == ()


def test_a_long_chain_and_a_dense_graph_are_answered() -> None:
    chain = [role("0", read=True)]
    for number in range(1, 3000):
        child = Role(str(number))
        child._parents = {"p": chain[-1]}  # as set_parent() would, which looks through the chain each time
        chain.append(child)
    assert chain[-1].has_access("x", "read")
    layer = [role("a", read=True), role("b")]
    for number in range(60):
        layer = [role(f"{number}{side}", *layer) for side in "ab"]
    # By more ways than could be walked one by one.
    assert layer[0].has_access("x", "read")
    assert not layer[0].has_access("x", "write")


def test_a_list_describes_itself() -> None:
    assert str(posted()) == (
        "----------\nemployee:\nparents:\nresources:\n\ttime_card: write:True\n"
        "----------\nmanager:\nparents:\n\temployee\nresources:\n\ttime_card: approve:True\n"
    )
    assert str(role("owner", read="own")).endswith("x: read:if own")


def test_the_way_of_a_grant_names_each_role_once_and_is_the_shortest() -> None:
    base = role("base", read=True)
    middle = role("middle", base)
    ways = list(role("child", middle, base).ways("x", "read"))
    assert [way.roles for way in ways] == [("child", "base")]
