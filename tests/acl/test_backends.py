"""What `has_perm` says, and all that asks it: Django's own code knows nothing of the list, and obeys it."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from djintegrate.acl import Acl, current
from djintegrate.acl.backends import AclBackend
from tests.acl.site import FILE
from tests.apps.people.models import Person

Make = Callable[..., Any]
pytestmark = [pytest.mark.usefixtures("acl_site"), pytest.mark.django_db]
STANDS_FOR = {"human": "people.Person"}


def test_roles_are_groups_of_the_same_name(person: Make) -> None:
    clerk, chief, other = person("ada", "clerk"), person("bea", "chief"), person("cem", "gardeners")
    assert [clerk.has_perm("time_card.read"), clerk.has_perm("time_card.approve")] == [True, False]
    assert [chief.has_perm("time_card.read"), chief.has_perm("time_card.approve")] == [True, True]
    assert not any(other.has_perm(perm) for perm in ("time_card.read", "poster.read", "human.view"))
    assert chief.get_all_permissions() == chief.get_group_permissions()
    assert clerk.get_all_permissions() == {"poster.read", "time_card.read", "human.view"}
    assert clerk.get_user_permissions() == set()
    assert chief.has_perm("human.email.read")
    assert not clerk.has_perm("human.email.read")


def test_a_role_may_have_a_group_of_another_name_and_has_then_not_its_own(person: Make) -> None:
    with override_settings(ACL_ROLES={"chief": "bosses"}):
        assert person("bea", "bosses").has_perm("time_card.approve")
        assert not person("cem", "chief").has_perm("time_card.read")


def test_two_roles_add_up(person: Make, acl_site: Path) -> None:
    assert person("dan", "visitor", "chief").has_perm("time_card.approve")


def test_a_condition_needs_an_object_that_it_is_true_of(person: Make) -> None:
    clerk = person("ada", "clerk")
    assert not clerk.has_perm("time_card.write")
    assert clerk.has_perm("time_card.write", "ada")
    assert not clerk.has_perm("time_card.write", "bea")
    assert clerk.has_perm("time_card.read", "bea")
    assert "time_card.write" in clerk.get_all_permissions("ada")
    assert "time_card.write" not in clerk.get_all_permissions("bea")
    assert person("bea", "chief").has_perm("time_card.write", "ada")


def test_a_condition_that_nobody_added_grants_nothing_and_is_logged(
    person: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clerk = person("ada", "clerk")
    (tmp_path / "slip.xml").write_text(FILE.replace('"own"', '"owm"'))
    with override_settings(ACL_FILE=tmp_path / "slip.xml"):
        assert not clerk.has_perm("time_card.write", "ada")
    assert "rules.add_rule('owm'" in caplog.text


def test_what_is_true_but_not_a_truth_of_rules_grants_nothing(person: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.test_rule", lambda *args: "no")
    assert not person("ada", "clerk").has_perm("time_card.write", "ada")


def test_an_inactive_account_has_nothing_even_if_it_was_asked_before(person: Make) -> None:
    clerk = person("ada", "clerk")
    assert clerk.has_perm("time_card.read")
    clerk.is_active = False
    assert not clerk.has_perm("time_card.read")
    assert not AclBackend().has_perm(clerk, "time_card.read")
    assert clerk.get_all_permissions() == set()
    assert not clerk.has_module_perms("time_card")


def test_superusers_are_not_asked_about(person: Make) -> None:
    assert person("root", is_superuser=True).has_perm("what.ever")


def test_people_who_are_not_signed_in_have_what_the_setting_says_and_by_default_nothing() -> None:
    assert not AnonymousUser().has_perm("poster.read")
    with override_settings(ACL_ANONYMOUS_ROLE="visitor"):
        assert AnonymousUser().has_perm("poster.read")
        assert not AnonymousUser().has_perm("time_card.read")
    with override_settings(ACL_ANONYMOUS_ROLE="visiter"):
        assert not AnonymousUser().has_perm("poster.read")


def test_everybody_who_is_signed_in_may_have_a_role(person: Make) -> None:
    with override_settings(ACL_SIGNED_IN_ROLE="visitor"):
        assert person("cem").has_perm("poster.read")
        assert not person("dan", is_active=False).has_perm("poster.read")
        assert not AnonymousUser().has_perm("poster.read")


def test_a_request_loads_the_groups_once(person: Make) -> None:
    clerk = person("ada", "clerk")
    with CaptureQueriesContext(connection) as queries:
        for perm in ("time_card.read", "time_card.approve", "poster.read") * 3:
            AclBackend().has_perm(clerk, perm)
            AclBackend().has_perm(clerk, perm, "ada")
        AclBackend().has_module_perms(clerk, "time_card")
    assert len(queries) == 1
    everybody = list(User.objects.prefetch_related("groups"))
    with CaptureQueriesContext(connection) as queries:
        assert all(AclBackend().has_perm(user, "time_card.read") for user in everybody)
    assert len(queries) == 0


def test_a_user_object_that_is_stored_leaves_what_it_held_behind(person: Make) -> None:
    clerk = person("ada", "clerk")
    assert clerk.has_perm("time_card.read")
    stored = pickle.dumps(clerk)
    assert b"time_card" not in stored
    clerk.groups.clear()
    assert not pickle.loads(stored).has_perm("time_card.read")


def test_async_code_is_told_the_same(person: Make) -> None:
    clerk = person("ada", "clerk")
    user = User.objects.prefetch_related("groups").get(pk=clerk.pk)

    async def ask() -> list[Any]:
        backend = AclBackend()
        return [
            await backend.ahas_perm(user, "time_card.read"),
            await backend.ahas_perm(user, "time_card.read"),
            await backend.ahas_perm(user, "time_card.approve"),
            await backend.ahas_perm(user, "time_card.write", "ada"),
            await backend.ahas_perm(user, "time_card.write", "bea"),
            await backend.ahas_module_perms(user, "poster"),
            await backend.aget_all_permissions(user),
        ]

    granted = {"poster.read", "time_card.read", "human.view"}
    assert asyncio.run(ask()) == [True, True, False, True, False, True, granted]


def test_with_perm_finds_those_who_have_it(person: Make) -> None:
    people = {name: person(name, group) for name, group in (("ada", "clerk"), ("bea", "chief"), ("cem", "visitor"))}
    person("dan", "chief", is_active=False)
    person("root", is_superuser=True)

    def having(perm: str, **options: Any) -> list[str]:
        found = User.objects.with_perm(perm, backend="djintegrate.acl.backends.AclBackend", **options)
        return sorted(found.values_list("username", flat=True))

    assert having("time_card.read", include_superusers=False) == ["ada", "bea"]
    assert having("time_card.read") == ["ada", "bea", "root"]
    assert having("time_card.write", include_superusers=False) == ["bea"]
    assert having("time_card.approve", is_active=None) == ["bea", "dan", "root"]
    assert having("no.such", include_superusers=False) == []
    for perm in ("time_card.read", "time_card.write", "time_card.approve"):
        assert having(perm, include_superusers=False) == [n for n, user in people.items() if user.has_perm(perm)]
    with override_settings(ACL_SIGNED_IN_ROLE="clerk"):
        assert having("time_card.read", include_superusers=False) == ["ada", "bea", "cem", "root"]


def test_djangos_own_permissions_go_on_to_count(person: Make) -> None:
    clerk = person("ada", "clerk")
    clerk.user_permissions.add(Permission.objects.get(codename="view_group"))
    assert User.objects.get(pk=clerk.pk).has_perm("auth.view_group")


def test_a_resource_may_stand_for_a_model_whose_permissions_generic_code_asks_for(person: Make) -> None:
    clerk = person("ada", "clerk")
    assert not clerk.has_perm("people.view_person")
    with override_settings(ACL_MODELS=STANDS_FOR):
        clerk = User.objects.get(pk=clerk.pk)
        assert clerk.has_perm("people.view_person")
        assert not clerk.has_perm("people.change_person")
        assert clerk.has_perm("people.change_person", "ada")
        assert not clerk.has_perm("people.delete_person")
        assert clerk.has_module_perms("people")
        found = User.objects.with_perm("people.view_person", backend="djintegrate.acl.backends.AclBackend")
        assert list(found) == [clerk]


def test_the_admin_and_a_store_view_obey(person: Make) -> None:
    Person.objects.create(name="ada")
    staff, other = person("ada", "clerk", is_staff=True), person("bea", is_staff=True)
    with override_settings(ACL_MODELS=STANDS_FOR):
        client = Client()
        client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
        key = Person.objects.get().pk
        assert client.get("/admin/people/person/").status_code == 200
        assert b"people/person" in client.get("/admin/").content
        assert client.get(f"/admin/people/person/{key}/change/").status_code == 200
        assert client.post(f"/admin/people/person/{key}/change/", {"name": "x"}).status_code == 403
        assert client.get("/admin/people/person/add/").status_code == 403
        assert client.get("/rows/").json() == [{"id": key, "name": "ada"}]
        client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
        assert client.get("/admin/people/person/").status_code == 403
        assert client.get("/rows/").status_code == 403


def test_a_group_that_is_left_is_noticed_by_the_next_request(person: Make) -> None:
    clerk = person("ada", "clerk")
    client = Client()
    client.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/cards/").status_code == 200
    Group.objects.get(name="clerk").user_set.clear()
    assert client.get("/cards/").status_code == 403


def test_the_list_of_the_site_is_read_once_and_is_no_others(acl_site: Path) -> None:
    assert current() is current()
    assert "chief" in current().roles
    acl_site.unlink()
    assert current().check_access("chief", "time_card", "approve")
    assert Acl().roles == ()


def test_someone_without_a_key_or_groups_has_nothing() -> None:
    assert not AclBackend().has_perm(User(username="new"), "time_card.read")
