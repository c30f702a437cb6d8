"""storm_class(): foreign keys and relations between models, as references of Storm."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from storm.expr import Desc
from storm.store import Store

from djintegrate.storm_backend.mapping import storm_class
from tests.apps.fields.models import (
    Club,
    Egg,
    Hen,
    Invitation,
    Pizzeria,
    Place,
    Referring,
    Restaurant,
    StringKey,
    Tree,
    UuidKey,
)
from tests.apps.sprints.models import Comment
from tests.apps.sprints.storm_models import Session
from tests.support.helpers import is_postgres
from tests.support.mapping_helpers import begun as begun
from tests.support.mapping_helpers import store as store

pytestmark = pytest.mark.django_db


class TestReferences:
    def test_follow_foreign_keys_of_every_kind(self, store: Store) -> None:
        key = UuidKey.objects.create(name="u")
        text = StringKey.objects.create(code="s", number=5)
        pk = Referring.objects.create(uuid_key=key, string_key=text, by_number=text, alone=text).pk
        row = store.get(storm_class(Referring), pk)
        assert row.uuid_key.name == "u"
        assert row.string_key is row.by_number is row.alone
        assert row.string_key.code == "s"
        assert row.string_key.single is row
        assert list(row.string_key.referring_set) == [row]
        assert list(row.uuid_key.referring) == [row]
        assert not hasattr(storm_class(StringKey), "+")

    def test_can_be_set_to_objects_not_yet_written(self, store: Store) -> None:
        row = store.add(storm_class(Referring)())
        row.uuid_key = storm_class(UuidKey)(name="u")
        row.by_number = storm_class(StringKey)(code="s", number=5)
        store.flush()
        read = Referring.objects.get()
        assert (read.uuid_key.name, read.by_number_id) == ("u", 5)
        row.uuid_key = None
        store.flush()
        assert Referring.objects.get().uuid_key is None

    def test_to_the_same_class(self, store: Store) -> None:
        tree = storm_class(Tree)
        root = store.add(tree(name="root"))
        leaf = tree(name="leaf", parent=root)
        store.flush()
        assert Tree.objects.get(name="leaf").parent_id == root.id
        assert list(root.children) == [leaf]
        assert root.parent is None
        assert store.find(tree, tree.parent == root).one() is leaf

    def test_in_a_circle(self, store: Store) -> None:
        hen = store.add(storm_class(Hen)())
        egg = store.add(storm_class(Egg)(hen=hen))
        store.flush()
        hen.egg = egg
        store.flush()
        assert Hen.objects.get().egg.hen_id == hen.id
        assert list(egg.hens) == [hen]

    def test_over_a_table_between(self, store: Store) -> None:
        club = store.add(storm_class(Club)(name="c"))
        tree = storm_class(Tree)(name="t")
        club.members.add(tree)
        store.flush()
        assert list(Club.objects.get().members.values_list("name", flat=True)) == ["t"]
        assert list(tree.clubs) == [club]
        tree.clubs.remove(club)
        assert not Club.objects.get().members.exists()

    def test_over_a_table_with_columns_of_its_own(self, store: Store) -> None:
        club, guest = Club.objects.create(name="c"), UuidKey.objects.create(name="g")
        Invitation.objects.create(club=club, guest=guest, by="ann")
        row = store.get(storm_class(Club), club.pk)
        assert [key.id for key in row.guests] == [guest.pk]
        assert [invitation.by for invitation in row.invitation_set] == ["ann"]
        assert [found.name for found in row.guests.one().club_set] == ["c"]

    def test_of_users_groups_and_permissions(self, store: Store) -> None:
        user = User.objects.create(username="ann")
        group = Group.objects.create(name="g")
        user.groups.add(group)
        permission = Permission.objects.first()
        assert permission is not None
        group.permissions.add(permission)
        row = store.get(storm_class(User), user.pk)
        assert [found.codename for found in row.groups.one().permissions] == [permission.codename]
        assert row.groups.one().permissions.one().content_type.app_label == permission.content_type.app_label
        assert row.user_permissions.is_empty()

    def test_to_storms_own_classes(self, store: Store) -> None:
        session = store.add(Session(title="Opening"))
        comment = store.add(storm_class(Comment)(text="!", session=session))
        store.flush()
        read = Comment.objects.get()
        assert (read.session, read.session_id) == (session, session.id)
        pk = Comment.objects.create(session=session, text="?").pk
        assert store.get(storm_class(Comment), pk).session is session
        assert store.find(storm_class(Comment), storm_class(Comment).session == session).count() == 2
        assert comment.session_id == session.id


class TestInheritance:
    def test_columns_of_the_parents_are_read_and_written_through_the_link(self, store: Store) -> None:
        pk = Pizzeria.objects.create(name="p", stars=2, oven="wood").pk
        row = store.get(storm_class(Pizzeria), pk)
        assert (row.name, row.stars, row.oven, row.id) == ("p", 2, "wood", pk)
        assert row.restaurant_ptr.place_ptr.name == "p"
        row.name, row.stars = "q", 3
        store.flush()
        read = Pizzeria.objects.get()
        assert (read.name, read.stars) == ("q", 3)

    def test_they_can_be_asked_for(self, store: Store) -> None:
        Restaurant.objects.create(name="one", stars=1)
        Restaurant.objects.create(name="two", stars=2)
        row = storm_class(Restaurant)
        assert store.find(row, row.name == "two").one().stars == 2
        assert [found.stars for found in store.find(row).order_by(Desc(row.name))] == [2, 1]

    def test_a_new_object_links_to_its_parent(self, store: Store) -> None:
        place = storm_class(Place)(name="p")
        store.add(storm_class(Restaurant)(place_ptr=place, stars=3))
        store.flush()
        read = Restaurant.objects.get()
        assert (read.name, read.stars, read.pk) == ("p", 3, place.id)
        assert place.restaurant.stars == 3


class TestFieldsOfPostgres:
    @pytest.fixture(autouse=True)
    def postgres_only(self) -> None:
        if not is_postgres():
            pytest.skip("Fields of PostgreSQL")

    def test_go_both_ways(self, store: Store) -> None:
        from tests.apps.fields.models import Postgres

        moment = datetime(2024, 2, 29, tzinfo=timezone.utc)
        values: dict[str, Any] = {"words": ["a", "ä"], "grid": [[1, 2], [3, 4]], "moments": [moment]}
        django = Postgres.objects.create(**values, integers=(1, 5), period=(moment, None))
        row = store.get(storm_class(Postgres), django.pk)
        django.refresh_from_db()
        for name in ("words", "grid", "moments", "integers", "period"):
            assert getattr(row, name) == getattr(django, name), name
            assert type(getattr(row, name)) is type(getattr(django, name))
        assert row.moments[0].tzinfo == django.moments[0].tzinfo
        made = store.add(storm_class(Postgres)(**values, integers=row.integers, period=row.period))
        store.flush()
        read = Postgres.objects.get(pk=made.id)
        for name in ("words", "grid", "moments", "integers", "period"):
            assert getattr(read, name) == getattr(django, name), name

    def test_are_compared_and_change_in_place(self, store: Store) -> None:
        from tests.apps.fields.models import Postgres

        row = storm_class(Postgres)
        made = store.add(row(words=["a"], grid=[]))
        for words in (["a"], []):
            assert store.find(row, row.words == words).count() == len(words)
        made.words.append("b")
        store.flush()
        assert Postgres.objects.get().words == ["a", "b"]
