"""References and mapped classes work whichever of the two connections an object came from."""

from __future__ import annotations

from typing import Any

import pytest
import transaction
from django.contrib.auth.models import User

from djintegrate.storm_backend import get_store, store_policy
from djintegrate.storm_backend.mapping import storm_class
from tests.apps.people.models import Person, Visit
from tests.apps.sprints.models import Comment
from tests.apps.sprints.storm_models import Session
from tests.storm_backend.replicas.site import REPLICAS, WHATEVER_DRIVER, Servers

pytest_plugins = ["tests.support.fixtures", "tests.storm_backend.replicas.fixtures"]
pytestmark = [*REPLICAS, WHATEVER_DRIVER]

POLICIES = ["primary", "replica"]


@pytest.fixture
def rows(site: Servers) -> None:
    with transaction.manager:
        ann = User.objects.create(username="ann")
        bob = User.objects.create(username="bob")
        session = get_store("extra").add(Session("Storm", owner=ann, reviewer=bob))
        Comment.objects.create(session=session, author=ann, text="first")
        Visit.objects.create(person=Person.objects.create(name="cid"), note="once")
    site.catch_up()


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("came_from", POLICIES)
@pytest.mark.parametrize("used_in", POLICIES)
class TestReading:
    def test_a_django_object_of_a_storm_object(self, came_from: str, used_in: str) -> None:
        with transaction.manager:
            with store_policy(came_from):
                session = get_store("extra").find(Session).one()
            with store_policy(used_in):
                assert session.owner.username == "ann"
                assert [comment.text for comment in session.comments] == ["first"]

    def test_a_storm_object_of_a_django_object(self, came_from: str, used_in: str) -> None:
        with transaction.manager:
            with store_policy(came_from):
                comment = Comment.objects.get()
                kept = comment.session
            with store_policy(used_in):
                assert comment.session.title == kept.title == "Storm"
                assert Comment.objects.filter(session=kept).get() == comment
                assert comment.author.username == "ann"

    def test_a_mapped_class(self, came_from: str, used_in: str) -> None:
        mapped: Any = storm_class(Visit, "extra")
        with transaction.manager:
            with store_policy(came_from):
                visit = get_store("extra").find(mapped).one()
            with store_policy(used_in):
                assert visit.person.name == "cid"
                assert list(visit.person.visit_set) == [visit]
                assert get_store("extra").find(mapped, mapped.person == visit.person).one().note == "once"


@pytest.mark.usefixtures("rows")
class TestWritingOnThePrimaryWhatCameFromAReplica:
    def test_a_django_object_is_saved(self, site: Servers) -> None:
        with transaction.manager:
            with store_policy("replica"):
                person = Person.objects.get()
            person.name = "changed"
            person.save()
        assert site.there.names() == ["changed"]

    def test_a_storm_object_is_given_a_django_object(self, site: Servers) -> None:
        with transaction.manager:
            with store_policy("replica"):
                bob = User.objects.get(username="bob")
            session = get_store("extra").find(Session).one()
            session.owner = bob
        assert site.there.rows("SELECT owner_id = reviewer_id FROM sprints_sessionrow") == [(True,)]

    def test_a_django_object_is_given_a_storm_object(self, site: Servers) -> None:
        with transaction.manager:
            with store_policy("replica"):
                session = get_store("extra").find(Session).one()
            comment = Comment.objects.create(session=session, text="second")
            assert comment.session.title == "Storm"
        assert site.there.rows("SELECT count(DISTINCT session_id), count(*) FROM sprints_comment") == [(1, 2)]

    @pytest.mark.parametrize("is_new", [False, True])
    def test_an_object_of_a_mapped_class_is_given_another(self, is_new: bool, site: Servers) -> None:
        visits: Any = storm_class(Visit, "extra")
        people: Any = storm_class(Person, "extra")
        with transaction.manager:
            with store_policy("replica"):
                cid = get_store("extra").find(people).one()
            visit = visits(note="once", person=cid) if is_new else get_store("extra").find(visits).one()
            if is_new:
                get_store("extra").add(visit)
            visit.note = "again"
            visit.person = cid
            assert visit.person.name == "cid"
        assert site.there.rows("SELECT note FROM people_visit ORDER BY id")[-1:] == [("again",)]
        assert site.there.rows("SELECT count(*) FROM people_visit JOIN people_person p ON p.id = person_id") == [
            (1 + is_new,)
        ]

    def test_a_set_of_a_mapped_class_takes_another(self, site: Servers) -> None:
        visits: Any = storm_class(Visit, "extra")
        people: Any = storm_class(Person, "extra")
        with transaction.manager:
            dan = get_store("extra").add(people(name="dan"))
            with store_policy("replica"):
                visit = get_store("extra").find(visits).one()
            dan.visit_set.add(visit)
        assert site.there.rows("SELECT name FROM people_visit v JOIN people_person p ON p.id = v.person_id") == [
            ("dan",)
        ]
