"""DjangoReference and DjangoReferenceSet: attributes of Storm classes that give and take Django objects."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import transaction
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.db.transaction import atomic
from storm.exceptions import FeatureError, NoneError
from storm.info import ClassAlias
from storm.locals import Int
from storm.store import Store

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.references import DjangoReference, DjangoReferenceSet, prefetch
from tests.apps.sprints.helpers import DATABASES, clean, forget, session, statements, user  # noqa: F401
from tests.apps.sprints.models import Comment, Memo, Mention
from tests.apps.sprints.storm_models import Session
from tests.support.helpers import Oops

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("clean")]


class TestDjangoReference:
    def test_it_gives_the_object_that_it_was_given(self) -> None:
        ann = user("ann")
        talk = session(owner=ann)
        assert talk.owner is ann
        assert talk.owner_id == ann.pk

    def test_it_gives_the_object_of_a_key_that_was_read(self) -> None:
        key = session(owner=user("ann"))
        forget()
        talk = get_store("main").find(Session).one()
        assert talk is not key
        assert talk.owner == User.objects.get()
        with statements() as seen:
            assert talk.owner is talk.owner
        assert seen == []

    def test_it_is_none_where_the_column_is_null(self) -> None:
        talk = session()
        with statements() as seen:
            assert talk.owner is None
        assert seen == []

    def test_none_is_stored_as_null(self) -> None:
        talk = session(owner=user("ann"))
        talk.owner = None
        assert (talk.owner_id, talk.owner) == (None, None)
        forget()
        assert get_store("main").find(Session, Session.owner == None).count() == 1  # noqa: E711

    def test_none_is_refused_where_the_column_refuses_it(self) -> None:
        class Strict:
            __storm_table__ = "strict"
            id = Int(primary=True)
            owner_id = Int(allow_none=False)
            owner = DjangoReference(owner_id, User)

        strict = Strict()
        with pytest.raises(NoneError, match="owner_id"):
            strict.owner = None

    def test_a_key_set_directly_gives_the_other_object(self) -> None:
        ann, bob = user("ann"), user("bob")
        talk = session(owner=ann)
        talk.owner_id = bob.pk
        assert talk.owner == bob
        talk.owner_id = None
        assert talk.owner is None

    def test_it_may_hold_another_key_than_the_primary_one(self) -> None:
        talk = session(host=user("ann"))
        assert talk.host_name == "ann"
        talk.host_name = user("bob").username
        assert talk.host.username == "bob"
        assert get_store("main").find(Session, Session.host == talk.host).one() is talk

    def test_a_key_that_nobody_has_gives_none_as_a_reference_of_storms_does(self) -> None:
        talk = session(host_name="nobody")
        assert talk.host is None

    def test_it_gives_none_outside_of_a_store(self) -> None:
        talk = Session("a session")
        talk.owner_id = user("ann").pk
        assert talk.owner is None

    def test_an_object_outside_of_a_store_takes_one_too(self) -> None:
        ann = user("ann")
        talk = Session("a session", owner=ann)
        assert talk.owner is ann
        get_store("main").add(talk)
        assert talk.owner is ann

    def test_a_subclass_has_it_too(self) -> None:
        class Keynote(Session):
            pass

        ann = user("ann")
        keynote = get_store("main").add(Keynote("a keynote", owner=ann))
        assert keynote.owner is ann
        assert get_store("main").find(Keynote, Keynote.owner == ann).one() is keynote

    def test_it_can_be_set_on_a_class_that_exists(self) -> None:
        class Late:
            __storm_table__ = "sprints_sessionrow"
            id = Int(primary=True)
            owner_id = Int()

        Late.owner = DjangoReference(Late.owner_id, "auth.User")  # type: ignore[attr-defined]
        ann = user("ann")
        session(owner=ann)
        forget()
        assert get_store("main").find(Late, Late.owner == ann).one().owner == ann  # type: ignore[attr-defined]


class TestWhatItKeeps:
    def test_it_is_dropped_at_a_commit(self) -> None:
        ann = user("ann")
        with transaction.manager:
            talk = session(owner=ann)
        User.objects.update(first_name="Ann")
        assert talk.owner.first_name == "Ann"

    def test_it_is_dropped_at_an_abort(self) -> None:
        ann, bob = user("ann"), user("bob")
        with transaction.manager:
            talk = session(owner=ann)
        transaction.begin()
        talk.owner = bob
        transaction.abort()
        assert talk.owner == ann

    def test_it_is_dropped_when_storm_is_told_to_forget_the_values(self) -> None:
        talk = session(owner=user("ann"))
        get_store("main").flush()
        before = talk.owner
        get_store("main").autoreload(talk)
        assert talk.owner == before
        assert talk.owner is not before

    def test_it_is_dropped_where_a_block_is_rolled_back(self) -> None:
        ann, bob = user("ann"), user("bob")
        with transaction.manager:
            talk = session(owner=ann)
            with pytest.raises(Oops), atomic():
                talk.owner = bob
                raise Oops
            assert talk.owner == ann

    def test_it_survives_a_flush(self) -> None:
        ann = user("ann")
        talk = session(owner=ann)
        get_store("main").flush()
        assert talk.owner is ann


class TestErrors:
    @pytest.mark.parametrize("wrong", ["ann", 1, Group(pk=1), object()])
    def test_the_wrong_class(self, wrong: Any) -> None:
        with pytest.raises(ValueError, match=r"Session\.owner takes a User, not"):
            session(owner=wrong)

    def test_an_unsaved_object(self) -> None:
        with pytest.raises(ValueError, match=r"Session\.owner cannot be <User: ann>, which is not saved yet"):
            session(owner=User(username="ann"))

    def test_an_object_of_another_database(self) -> None:
        talk = session()
        with pytest.raises(ValueError, match=r"in the database 'second': the object's store is on 'default'"):
            talk.owner = user("ann", using="second")
        assert talk.owner_id is None

    def test_an_object_of_another_database_before_it_is_in_a_store(self) -> None:
        talk = Session("a session", owner=user("ann", using="second"))
        with pytest.raises(ValueError, match="in the database 'second'"):
            get_store("main").add(talk)
        assert Store.of(talk) is None
        get_store("second").add(talk)

    def test_a_store_without_a_django_database(self) -> None:
        talk = session(store="plain")
        with pytest.raises(ValueError, match="in a store that shares no Django database"):
            talk.owner = user("ann")

    def test_an_unknown_model(self) -> None:
        class Wrong:
            __storm_table__ = "wrong"
            id = Int(primary=True)
            owner = DjangoReference("id", "auth.Usr")

        with pytest.raises(ImproperlyConfigured, match=r"Wrong\.owner names 'auth\.Usr'"):
            Wrong().owner = 1

    @pytest.mark.parametrize("wrong", ["CASCADE", print, None])
    def test_on_delete_that_is_not_one_of_djangos(self, wrong: Any) -> None:
        with pytest.raises(TypeError, match=rf"must be one of those .*, such as CASCADE, not {wrong!r}"):
            DjangoReference("id", "auth.User", on_delete=wrong)


class TestInFind:
    def test_equal_to_an_object_a_key_and_none(self) -> None:
        ann, bob = user("ann"), user("bob")
        of_ann, of_bob, of_nobody = session(owner=ann), session(owner=bob), session()
        find = get_store("main").find
        assert find(Session, Session.owner == ann).one() is of_ann
        assert find(Session, Session.owner == bob.pk).one() is of_bob
        assert find(Session, Session.owner == None).one() is of_nobody  # noqa: E711
        assert find(Session, Session.owner != ann).one() is of_bob
        assert find(Session, owner=ann).one() is of_ann

    def test_one_of_many(self) -> None:
        ann, bob = user("ann"), user("bob")
        found = {session(owner=ann), session(owner=bob)}
        session(owner=user("eve"))
        find = get_store("main").find
        assert set(find(Session, Session.owner.is_in([ann, bob]))) == found
        assert set(find(Session, Session.owner.is_in(User.objects.exclude(username="eve")))) == found

    def test_through_an_alias(self) -> None:
        ann = user("ann")
        first, second = session("first", owner=ann), session("second", owner=ann)
        other = ClassAlias(Session, "other")
        pairs = get_store("main").find((Session, other), Session.id < other.id, other.owner == ann)
        assert list(pairs) == [(first, second)]

    @pytest.mark.parametrize("wrong", [Group(pk=1), User(username="ann")])
    def test_objects_that_it_could_not_hold_are_refused(self, wrong: Any) -> None:
        with pytest.raises(ValueError, match=r"Session\.owner"):
            assert Session.owner == wrong

    @pytest.mark.parametrize("name", ["name", "model", "field", "column", "label", "username", "filter"])
    def test_djangos_fields_cannot_be_looked_at_through_it(self, name: str) -> None:
        """Also where the reference itself has something of that name."""
        with pytest.raises(AttributeError) as caught:
            getattr(Session.owner, name)
        said = f"Cannot look at '{name}' through Session.owner: User is a Django model"
        assert str(caught.value).startswith(said)
        assert str(caught.value).endswith(f"Session.owner.is_in(User.objects.filter({name}=…)).")
        with pytest.raises(AttributeError, match=r"Find its objects with Django: Comment\.objects\.filter"):
            getattr(Session.comments, name)


class TestPrefetch:
    def test_a_hundred_objects_cost_one_query_more(self) -> None:
        for number in range(100):
            session(owner=user(f"user {number}"))
        forget()
        result = get_store("main").find(Session)
        with statements() as seen:
            talks = prefetch(result, Session.owner)
            names = {talk.owner.username for talk in talks}
        assert len(names) == 100
        assert len(seen) == 2

    def test_several_at_once_and_on_through_django(self) -> None:
        ann, bob = user("ann"), user("bob")
        ann.groups.add(Group.objects.create(name="speakers"))
        session(owner=ann, reviewer=bob)
        session(owner=bob)
        forget()
        with statements() as seen:
            first, second = prefetch(get_store("main").find(Session).order_by(Session.id), "owner__groups", "reviewer")
            assert [group.name for group in first.owner.groups.all()] == ["speakers"]
            assert (first.reviewer, second.reviewer) == (bob, None)
        assert len(seen) == 4

    def test_what_is_there_is_not_loaded_again(self) -> None:
        talks = [session(owner=user("ann")), session(owner=user("bob"))]
        get_store("main").flush()
        with statements() as seen:
            prefetch(talks, Session.owner)
        assert seen == []

    def test_a_key_that_nobody_has_stays(self) -> None:
        talk = session(host_name="nobody")
        get_store("main").flush()
        prefetch([talk, session(host=user("ann"))], Session.host)
        assert (talk.host, talk.host_name) == (None, "nobody")

    def test_nothing_to_load(self) -> None:
        assert prefetch([], Session.owner) == []
        with statements() as seen:
            prefetch([Session("in no store")], Session.owner)
        assert seen == []

    def test_it_is_forgotten_with_the_transaction(self) -> None:
        ann = user("ann")
        with transaction.manager:
            (talk,) = prefetch([session(owner=ann)], Session.owner)
        User.objects.update(username="anna")
        assert talk.owner.username == "anna"


class TestDjangoReferenceSet:
    def test_it_gives_those_that_point_back(self) -> None:
        talk, other = session("one"), session("other")
        comments = [Comment.objects.create(session=talk, text=text) for text in "ab"]
        Comment.objects.create(session=other)
        assert list(talk.comments) == comments
        assert talk.comments.filter(text="b").get() == comments[1]
        assert talk.comments.exclude(text="b").count() == 1

    def test_it_is_fresh_each_time(self) -> None:
        talk = session()
        assert not talk.comments.exists()
        Comment.objects.create(session=talk)
        assert talk.comments.exists()
        assert talk.comments is not talk.comments

    def test_it_looks_in_the_database_of_the_store(self) -> None:
        here, there = session(), session(store="second")
        Comment.objects.create(session=here)
        comment = Comment.objects.using("second").create(session=there)
        assert there.comments.db == "second"
        assert list(there.comments) == [comment]

    def test_a_pending_object_is_flushed_to_have_a_key(self) -> None:
        talk = session()
        assert list(talk.comments) == []
        assert talk.id is not None

    def test_a_plain_column_will_do(self) -> None:
        talk = session()
        mention = talk.mentions.create()
        assert mention.session_number == talk.id
        assert list(talk.mentions) == [mention]

    def test_what_is_made_here_points_here(self) -> None:
        talk = session()
        talk.comments.create(text="created")
        talk.comments.bulk_create([Comment(text="bulk")])
        talk.comments.get_or_create(text="got")
        talk.comments.update_or_create(text="got", defaults={"text": "updated"})
        assert {comment.text for comment in Comment.objects.filter(session=talk)} == {"created", "bulk", "updated"}

    def test_add_and_remove(self) -> None:
        talk = session()
        memo = Memo.objects.create()
        talk.memos.add(memo)
        assert Memo.objects.get().session is talk
        talk.memos.remove(memo)
        assert Memo.objects.get().session is None
        with pytest.raises(Memo.DoesNotExist, match="does not point here"):
            talk.memos.remove(memo)

    def test_it_can_be_pickled_as_a_queryset_can(self) -> None:
        talk = session()
        comment = talk.comments.create(text="x")
        found = pickle.loads(pickle.dumps(talk.comments.all()))
        assert list(found) == [comment]

    def test_it_cannot_be_set(self) -> None:
        with pytest.raises(FeatureError, match=r"Session\.comments cannot be set"):
            session().comments = []

    def test_an_object_in_no_store_has_none(self) -> None:
        with pytest.raises(ValueError, match="which is in no store"):
            Session("a session").comments  # noqa: B018

    def test_an_unknown_field(self) -> None:
        class Wrong:
            __storm_table__ = "sprints_sessionrow"
            id = Int(primary=True)
            mentions = DjangoReferenceSet("id", Mention, "sessions")

        with pytest.raises(ImproperlyConfigured, match=r"Wrong\.mentions: Mention has no field named 'sessions'"):
            get_store("main").add(Wrong()).mentions  # noqa: B018
