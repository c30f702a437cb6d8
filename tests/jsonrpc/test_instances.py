"""Objects of both ORMs as parameters, by key, for those who may view them; and as results, which are their keys."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.core.exceptions import ImproperlyConfigured

from djintegrate.jsonrpc.errors import InvalidParams
from djintegrate.jsonrpc.parameters.converters import Caller
from djintegrate.jsonrpc.parameters.signature import Signature
from djintegrate.jsonrpc.protocol.writing import encode
from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.apps.sprints import models, storm_models

pytestmark = pytest.mark.django_db


class Request:
    def __init__(self, user: Any) -> None:
        self.user = user


@pytest.fixture
def viewer() -> User:
    user: User = User.objects.create_user("viewer")
    user.user_permissions.add(Permission.objects.get(codename="view_person"))
    return user


def convert(hint: Any, value: Any, user: Any, is_text: bool = False, /, **permissions: Any) -> Any:
    def function(request: Any, value: Any) -> None: ...

    function.__annotations__["value"] = hint
    signature = Signature(function, permissions, wants_types=True)
    [found], _ = signature.bind([value], Caller(Request(user), is_text))
    return found


def told(hint: Any, value: Any, user: Any, /, **permissions: Any) -> str:
    with pytest.raises(InvalidParams) as caught:
        convert(hint, value, user, **permissions)
    return str(caught.value.message)


def test_a_model_instance_comes_by_its_key_to_who_may_view_it(viewer: User) -> None:
    person = Person.objects.create(name="Ada")
    assert convert(Person, person.pk, viewer) == person
    assert convert(Person, str(person.pk), viewer, True) == person
    assert convert(list[Person], [person.pk], viewer) == [person]
    assert convert(Person | None, None, viewer) is None


def test_missing_and_forbidden_look_alike(viewer: User) -> None:
    person = Person.objects.create(name="Ada")
    missing = person.pk + 1
    forbidden = told(Person, person.pk, AnonymousUser())
    assert forbidden == f"Invalid params: value is {person.pk}, and should be the key of a person that is there"
    assert told(Person, missing, viewer) == forbidden.replace(str(person.pk), str(missing))
    assert told(Person, missing, AnonymousUser()) == told(Person, missing, viewer)


def test_the_decorator_says_another_permission_or_none(viewer: User) -> None:
    person = Person.objects.create(name="Ada")
    assert convert(Person, person.pk, AnonymousUser(), value=None) == person
    told(Person, person.pk, viewer, value="people.change_person")
    with pytest.raises(ImproperlyConfigured, match="permissions names 'other'"):
        convert(Person, person.pk, viewer, other=None)


def test_a_permission_for_the_one_object_is_enough() -> None:
    person = Person.objects.create(name="Ada")

    class Owner(AnonymousUser):
        def has_perm(self, perm: str, obj: Any = None) -> bool:
            return obj == person and perm == "people.view_person"

    assert convert(Person, person.pk, Owner()) == person


@pytest.mark.parametrize("key", ["5", True, None, 1.5, [], {}, 2**63, -(2**70), "a"])
def test_what_is_no_key_of_a_model_is_told_so(key: Any, viewer: User) -> None:
    assert told(Person, key, viewer).startswith("Invalid params: value is ")
    Person.objects.count()  # the transaction goes on


def test_keys_of_other_kinds() -> None:
    session = storm_models.Session("Engines")
    get_store("main").add(session)
    get_store("main").flush()
    models.RoomRow.objects.create(code="A1")
    profile = models.Profile.objects.create(session=session, note="x")
    anybody = AnonymousUser()
    assert convert(models.RoomRow, "A1", anybody, value=None).code == "A1"
    told(models.RoomRow, "A\0", anybody, value=None)
    told(models.RoomRow, 5, anybody, value=None)
    assert convert(models.Profile, session.id, anybody, value=None) == profile
    told(models.Profile, "x", anybody, value=None)


def test_a_storm_object_comes_by_its_key(viewer: User) -> None:
    person = get_store("main").add(StormPerson("Ada"))
    get_store("main").flush()
    hint = Annotated[StormPerson, "main"]
    assert convert(hint, person.id, viewer, value="people.view_person") is person
    assert convert(hint, person.id, AnonymousUser(), value=None) is person
    assert convert(list[hint], [person.id], viewer, value=None) == [person]
    assert convert(hint | None, None, viewer, value=None) is None
    for key in (person.id + 1, "5", True, None, 1.5, 2**70):
        assert "should be" in told(hint, key, viewer, value=None)
    assert told(hint, person.id, AnonymousUser(), value="people.view_person").endswith("of a StormPerson that is there")


def test_storms_keys_of_other_kinds() -> None:
    anybody = AnonymousUser()
    get_store("main").add(storm_models.Room("A1"))
    badge = get_store("main").add(storm_models.Badge(UUID(int=5), 1))
    get_store("main").flush()
    assert convert(Annotated[storm_models.Room, "main"], "A1", anybody, value=None).code == "A1"
    told(Annotated[storm_models.Room, "main"], "\0", anybody, value=None)
    assert convert(Annotated[storm_models.Badge, "main"], str(UUID(int=5)), anybody, value=None) is badge


def no_store(name: str) -> dict[Any, Any]:
    return {}


def test_what_is_no_store_is_an_error_that_names_the_setting(settings: Any) -> None:
    settings.JSONRPC_GET_STORE = f"{__name__}.no_store"
    said = r"JSONRPC_GET_STORE is '.*no_store', which has given an object of the type 'dict' for 'main'"
    with pytest.raises(ImproperlyConfigured, match=said):
        convert(Annotated[StormPerson, "main"], 1, AnonymousUser(), value=None)


def test_a_storm_class_says_its_store_and_the_decorator_its_permission() -> None:
    with pytest.raises(ImproperlyConfigured, match='Say its store: Annotated\\[StormPerson, "main"\\]'):
        convert(StormPerson, 1, None, value=None)
    with pytest.raises(ImproperlyConfigured, match="Say who may name its objects"):
        convert(Annotated[StormPerson, "main"], 1, None)


def test_results_are_keys() -> None:
    person = Person.objects.create(name="Ada")
    storm = get_store("main").add(StormPerson("Grace"))
    assert json.loads(encode(storm)) == get_store("main").find(StormPerson, name="Grace").one().id
    found = get_store("main").find(StormPerson).order_by(StormPerson.name)
    assert json.loads(encode({"all": Person.objects.order_by("name"), "of storm": found, "one": person})) == {
        "all": [person.pk, storm.id],
        "of storm": [person.pk, storm.id],
        "one": person.pk,
    }
    assert json.loads(encode(Person.objects.filter(pk=person.pk).values("name"))) == [{"name": "Ada"}]


def deleted() -> Person:
    person = Person.objects.create(name="Ada")
    person.delete()
    return person


@pytest.mark.parametrize("make", [Person, deleted, lambda: StormPerson("Ada")])
def test_what_has_no_key_yet_or_no_longer_is_no_result(make: Any) -> None:
    for result in (make(), [make()], {"a": (make(),)}):
        with pytest.raises(ValueError, match="Person is not saved, or is deleted: it has no key that could be sent"):
            encode(result)
