"""The guards of views, with conditions, sync and async; and the template tag."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import rules
from django.core.exceptions import ImproperlyConfigured
from django.template import Context, Template
from django.test import Client, override_settings

from djintegrate.acl import access_required
from tests.apps.people.models import Person

pytestmark = [pytest.mark.usefixtures("acl_site"), pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Any]


@pytest.fixture
def visit(person: Callable[..., Any]) -> Visit:
    """The status of the answer to somebody in these groups."""

    def go(address: str, *groups: str, name: str = "ada") -> Any:
        client = Client()
        client.force_login(person(name, *groups), backend="django.contrib.auth.backends.ModelBackend")
        return client.get(address)

    return go


@pytest.mark.parametrize("address", ["/cards/", "/async-class/"])
def test_who_has_the_privilege_gets_in_others_a_403_and_strangers_the_login(address: str, visit: Visit) -> None:
    assert visit(address, "clerk").content == b"cards"
    assert visit(address, "visitor", name="bea").status_code == 403
    assert Client().get(address).headers["Location"] == f"/login/?next={address}"


@pytest.mark.parametrize("address", ["/cards/", "/async/"])
def test_a_condition_is_asked_about_the_object_of_the_address(address: str, visit: Visit) -> None:
    assert visit(f"{address}ada/", "clerk").content == b"ada"
    assert visit(f"{address}ada/", "clerk", name="bea").status_code == 403
    assert visit(f"{address}ada/", "chief", name="cem").content == b"ada"
    assert Client().get(f"{address}ada/").status_code == 302


OF_OBJECTS = ["/model/", "/async-model/", "/class/", "/async-class/"]


@pytest.mark.parametrize("address", OF_OBJECTS)
@pytest.mark.parametrize("role", [None, "visitor"])
def test_a_stranger_does_not_learn_which_objects_exist(address: str, role: str | None, visit: Visit) -> None:
    there = Person.objects.create(name="ada").pk
    with override_settings(ACL_ANONYMOUS_ROLE=role):
        for key in (there, there + 1):
            assert Client().get(f"{address}{key}/").headers["Location"] == f"/login/?next={address}{key}/"
    assert visit(f"{address}{there}/", "clerk").status_code == 200
    assert visit(f"{address}{there + 1}/", "clerk", name="bea").status_code == 404


@pytest.mark.parametrize("address", OF_OBJECTS)
def test_a_condition_on_the_role_of_strangers_is_asked_about_the_object(address: str) -> None:
    rules.set_rule("own", lambda user, obj: obj.name == "poster")
    poster, ada = (Person.objects.create(name=name).pk for name in ("poster", "ada"))
    with override_settings(ACL_ANONYMOUS_ROLE="clerk"):
        assert Client().get(f"{address}{poster}/").status_code == 200
        assert Client().get(f"{address}{ada}/").status_code == 302


def test_raise_exception_gives_strangers_a_403_too(visit: Visit) -> None:
    assert Client().get("/approval/").status_code == 403
    assert visit("/approval/", "chief").content == b"approved"


def test_a_generic_views_object_is_what_the_condition_is_about(visit: Visit) -> None:
    ada, bea = (Person.objects.create(name=name).pk for name in ("ada", "bea"))
    assert visit(f"/class/{ada}/", "clerk").content == b"ada"
    assert visit(f"/class/{bea}/", "clerk", name="cem").status_code == 403
    assert visit(f"/class/{ada}/", "visitor", name="dan").status_code == 403


def test_a_view_that_does_not_say_what_it_needs_lets_nobody_in(visit: Visit) -> None:
    with pytest.raises(ImproperlyConfigured, match="Unfinished has to set both resource and privilege"):
        visit("/unfinished/", "chief")
    for names in (("", "write"), ("time_card", None)):
        with pytest.raises(ImproperlyConfigured, match="are names"):
            access_required(*names)  # type: ignore[arg-type]


def test_templates_ask_by_the_tag_and_by_djangos_perms(visit: Visit) -> None:
    tag = '{% access "time_card" "write" card as may %}{{ may|yesno }}'
    assert visit(f"/template/?text={tag}&card=ada", "clerk").content == b"yes"
    assert visit(f"/template/?text={tag}&card=ada", "clerk", name="bea").content == b"no"
    assert Client().get(f"/template/?text={tag}&card=ada").content == b"no"
    assert visit('/template/?text={% access "time_card" "read" %}', "clerk", name="cem").content == b"True"
    perms = "{{ perms.time_card.read|yesno }} {{ perms.time_card.approve|yesno }} {{ perms.time_card|yesno }}"
    assert visit(f"/template/?text={perms}", "clerk", name="dan").content == b"yes no yes"
    with override_settings(ACL_ANONYMOUS_ROLE="visitor"):
        assert Client().get('/template/?text={% access "poster" "read" %}').content == b"True"


@pytest.mark.parametrize("address", ["/mixin/", "/decorator/"])
def test_djangos_own_guards_obey(address: str, visit: Visit) -> None:
    assert visit(address, "clerk").content == b"cards"
    assert visit(address, "visitor", name="bea").status_code == 403


def test_a_variable_that_is_not_there_is_no_object() -> None:
    user = SimpleNamespace(has_perm=lambda perm, obj: obj is not None)
    page = Template('{% load acl %}{% access "a" "b" card %} {% access "a" "b" missing %}')
    assert page.render(Context({"user": user, "card": 0})) == "True False"


def test_a_template_that_knows_nobody_is_an_error() -> None:
    with pytest.raises(ImproperlyConfigured, match="neither `user` nor `request`"):
        Template('{% load acl %}{% access "a" "b" %}').render(Context())
