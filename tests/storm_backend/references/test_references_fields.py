"""StormForeignKey: an attribute of a Django model that gives and takes Storm objects, and what one filters by."""

from __future__ import annotations

import copy
import pickle
import uuid
from typing import Any

import pytest
import transaction
from django.contrib.auth.models import Group
from django.core import serializers
from django.core.exceptions import FieldError, ImproperlyConfigured, ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, connections
from django.db.models import CASCADE, Count, F, ForeignKey, OuterRef, Prefetch, Subquery
from django.db.transaction import atomic
from storm.store import Store

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.references import StormForeignKey, StormObjectDoesNotExist
from tests.apps.sprints.helpers import DATABASES, clean, forget, session, statements, user  # noqa: F401
from tests.apps.sprints.models import Comment, Memo, Page, Profile, Stay, Trace, Vote
from tests.apps.sprints.storm_models import Badge, Room, Session
from tests.support.helpers import in_thread

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("clean")]


class TestTheAttribute:
    def test_it_gives_the_object_that_it_was_given(self) -> None:
        talk = session()
        comment = Comment.objects.create(session=talk)
        assert comment.session is talk
        assert comment.session_id == talk.id

    def test_it_gives_the_object_of_a_key_that_was_read(self) -> None:
        Comment.objects.create(session=session("read"))
        forget()
        comment = Comment.objects.get()
        assert comment.session.title == "read"
        assert comment.session is get_store("main").find(Session).one()

    def test_the_object_is_that_of_storms_cache(self) -> None:
        talk = session()
        Comment.objects.create(session=talk)
        with statements() as seen:
            assert Comment.objects.get().session is talk
        assert len(seen) == 1

    def test_a_pending_object_is_flushed_when_it_is_assigned(self) -> None:
        comment = Comment(session=session("pending"))
        assert comment.session_id == get_store("main").find(Session).one().id

    def test_a_pending_object_with_a_key_of_its_own_is_there_before_the_row_that_points(self) -> None:
        stay = Stay.objects.create(room=get_store("main").add(Room("101")))
        connections["default"].check_constraints()
        assert stay.room_id == "101"

    def test_none(self) -> None:
        memo = Memo.objects.create(session=session())
        memo.session = None
        memo.save()
        memo.refresh_from_db()
        assert (memo.session, memo.session_id) == (None, None)

    def test_no_object_where_there_has_to_be_one(self) -> None:
        with pytest.raises(StormObjectDoesNotExist, match="Comment has no session"):
            Comment().session  # noqa: B018
        assert not hasattr(Comment(), "session")
        with pytest.raises(IntegrityError), atomic():
            Comment.objects.create()

    def test_a_key_set_directly_gives_the_other_object(self) -> None:
        one, other = session("one"), session("other")
        comment = Comment(session=one)
        get_store("main").flush()
        comment.session_id = other.id
        assert comment.session is other

    def test_a_key_will_do(self) -> None:
        talk = session()
        get_store("main").flush()
        assert Comment.objects.create(session_id=talk.id).session is talk
        assert Comment.objects.create(session=talk.id).session is talk

    def test_a_key_that_nobody_has(self) -> None:
        with pytest.raises(ObjectDoesNotExist, match="There is no Session with id 99"):
            Trace.objects.create(session_id=99).session  # noqa: B018
        with pytest.raises(ObjectDoesNotExist, match="There is no Session with id 1000000"):
            Trace(session_id=10**30).session  # noqa: B018

    def test_an_object_that_was_removed(self) -> None:
        talk = session()
        trace = Trace.objects.create(session=talk)
        get_store("main").remove(talk)
        get_store("main").flush()
        with pytest.raises(StormObjectDoesNotExist):
            trace.session  # noqa: B018

    def test_what_another_changed_is_seen_in_the_next_transaction(self) -> None:
        with transaction.manager:
            comment = Comment.objects.create(session=session("before"))
        get_store("main").execute("UPDATE sprints_sessionrow SET title = 'after'")
        transaction.commit()
        assert comment.session.title == "after"

    def test_the_new_object_is_saved_where_the_other_is(self) -> None:
        there = session(store="second")
        comment = Comment(session=there)
        comment.save()
        assert Comment.objects.using("second").get().session is there

    def test_keys_that_are_no_whole_numbers(self) -> None:
        store = get_store("main")
        key = uuid.uuid4()
        room, badge = store.add(Room("1 ä")), store.add(Badge(key, 7))
        stay = Stay.objects.create(room=room, badge=badge, number=badge)
        assert (stay.room_id, stay.badge_id, stay.number_id) == ("1 ä", key, 7)
        forget()
        stay = Stay.objects.get(room="1 ä", badge=key, number=7)
        assert (stay.room_id, stay.badge_id, stay.number_id) == ("1 ä", key, 7)
        assert (stay.room.code, stay.badge.key, stay.number.key) == ("1 ä", key, key)
        assert list(Stay.objects.values_list("badge", flat=True)) == [key]


class TestErrors:
    @pytest.mark.parametrize("wrong", ["a title", object(), Group(pk=1), Badge(uuid.uuid4(), 1)])
    def test_the_wrong_class(self, wrong: Any) -> None:
        with pytest.raises(ValueError, match=r"Comment\.session takes a Session"):
            Comment(session=wrong)
        with pytest.raises(ValueError, match=r"Comment\.session takes a Session"):
            Comment.objects.filter(session=wrong)
        with pytest.raises(ValueError, match=r"Comment\.session takes a Session"):
            Comment.objects.filter(session__in=[wrong])

    def test_an_object_of_a_subclass_on_another_table(self) -> None:
        class Elsewhere(Room):
            __storm_table__ = "elsewhere"

        with pytest.raises(ValueError, match=r"Stay\.room takes a Room"):
            Stay(room=get_store("main").add(Elsewhere("x")))
        get_store("main").reset()

    def test_an_object_of_a_subclass_on_the_same_table(self) -> None:
        class Keynote(Session):
            pass

        keynote = get_store("main").add(Keynote("x"))
        comment = Comment.objects.create(session=keynote)
        assert comment.session is keynote
        assert Comment.objects.get().session.title == "x"

    def test_an_object_in_no_store(self) -> None:
        with pytest.raises(ValueError, match=r"which is in no store\. Add it first"):
            Comment(session=Session("lost"))
        with pytest.raises(ValueError, match="which is in no store"):
            Comment.objects.filter(session=Session("lost"))

    def test_an_object_that_is_being_removed(self) -> None:
        talk = session()
        get_store("main").flush()
        get_store("main").remove(talk)
        with pytest.raises(ValueError, match="was removed"):
            Comment(session=talk)

    def test_an_object_of_another_store(self) -> None:
        comment = Comment.objects.create(session=session())
        there = session(store="second")
        with pytest.raises(ValueError, match="in the store on 'second': the object is in the database 'default'"):
            comment.session = there
        with pytest.raises(ValueError, match="in the store on 'second', for a query on 'default'"):
            Comment.objects.filter(session=there).exists()
        with pytest.raises(ValueError, match="in the store on 'second', for a query on 'default'"):
            Comment.objects.update(session=there)
        assert not Comment.objects.using("second").filter(session=there).exists()

    def test_an_object_of_a_store_without_a_django_database(self) -> None:
        with pytest.raises(ValueError, match="a store that shares no Django database"):
            Comment(session=session(store="plain"))

    def test_on_delete_that_is_no_function(self) -> None:
        with pytest.raises(TypeError, match="on_delete must be callable, not 'CASCADE'"):
            StormForeignKey(Session, on_delete="CASCADE")

    def test_a_related_name(self) -> None:
        with pytest.raises(TypeError, match="Write a DjangoReferenceSet in the Storm class"):
            StormForeignKey(Session, on_delete=CASCADE, related_name="comments")

    def test_a_path_that_leads_nowhere(self) -> None:
        for path in ("nowhere", "tests.apps.sprints.storm_models.Sesion", "tests.apps.sprints.models.Comment"):
            with pytest.raises(ImproperlyConfigured, match=path):
                StormForeignKey(path, on_delete=CASCADE).target.cls  # noqa: B018


class TestAsPrimaryKey:
    def test_one_to_one_with_the_storm_object(self) -> None:
        talk = session()
        profile = Profile.objects.create(session=talk, note="x")
        assert (profile.pk, profile.session) == (talk.id, talk)
        assert Profile.objects.get(pk=talk.id) == Profile.objects.get(session=talk) == profile
        profile.note = "y"
        profile.save()
        page = Page.objects.create(profile=profile)
        assert Page.objects.get(profile__session=talk) == page
        assert Page.objects.select_related("profile").get().profile.session is talk
        assert Page.objects.get(profile__note="y").profile_id == talk.id
        get_store("main").remove(talk)
        assert not Profile.objects.exists()
        assert not Page.objects.exists()

    def test_a_lookup_further_through_it_is_refused(self) -> None:
        with pytest.raises(FieldError, match=r"through Profile\.session"):
            Page.objects.filter(profile__session__title="x")


class TestQueries:
    def test_filter(self) -> None:
        one, other = session("one"), session("other")
        of_one, of_other = Comment.objects.create(session=one), Comment.objects.create(session=other)
        objects = Comment.objects
        assert objects.get(session=one) == of_one
        assert objects.get(session=one.id) == of_one
        assert objects.get(session=str(one.id)) == of_one
        assert objects.get(session_id=one.id) == of_one
        assert objects.exclude(session=one).get() == of_other
        assert set(objects.filter(session__in=[one, other.id])) == {of_one, of_other}
        assert objects.get(session__in=get_store("main").find(Session, Session.title == "other")) == of_other
        assert objects.get(session__gt=one) == of_other
        assert set(objects.filter(session__in=Comment.objects.values("session"))) == {of_one, of_other}

    def test_a_pending_object_is_flushed_to_filter_by_it(self) -> None:
        assert not Comment.objects.filter(session=session()).exists()

    def test_null(self) -> None:
        with_one, without = Memo.objects.create(session=session()), Memo.objects.create()
        assert Memo.objects.get(session=None) == Memo.objects.get(session__isnull=True) == without
        assert Memo.objects.get(session__isnull=False) == Memo.objects.exclude(session=None).get() == with_one

    def test_values_and_order(self) -> None:
        one, other = session("one"), session("other")
        get_store("main").flush()
        Comment.objects.create(session=other)
        Comment.objects.create(session=one)
        assert list(Comment.objects.order_by("session").values_list("session", flat=True)) == [one.id, other.id]
        assert list(Comment.objects.order_by("-session_id").values("session")) == [
            {"session": other.id},
            {"session": one.id},
        ]
        assert Comment.objects.values("session").annotate(n=Count("id")).count() == 2
        newest = Comment.objects.filter(session=OuterRef("session")).values("session")[:1]
        assert Comment.objects.annotate(same=Subquery(newest)).filter(same=F("session")).count() == 2

    def test_get_or_create_and_update(self) -> None:
        one, other = session("one"), session("other")
        comment, created = Comment.objects.get_or_create(session=one, defaults={"text": "x"})
        assert created
        assert Comment.objects.get_or_create(session=one) == (comment, False)
        assert Comment.objects.filter(session=one).update(session=other) == 1
        assert Comment.objects.get().session is other

    def test_bulk_operations(self) -> None:
        one, other = session("one"), session("other")
        Comment.objects.bulk_create([Comment(session=one), Comment(session=one)])
        comments = list(Comment.objects.all())
        for comment in comments:
            comment.session = other
        Comment.objects.bulk_update(comments, ["session"])
        assert Comment.objects.filter(session=other).count() == 2
        assert len(Comment.objects.in_bulk()) == 2

    def test_only_and_defer(self) -> None:
        talk = session()
        Comment.objects.create(session=talk)
        assert Comment.objects.only("session").get().session is talk
        deferred = Comment.objects.defer("session").get()
        assert deferred.get_deferred_fields() == {"session_id"}
        assert deferred.session is talk
        assert Comment.objects.only("text").get().session_id == talk.id

    def test_unique(self) -> None:
        talk = session()
        Memo.objects.create(session=talk)
        with pytest.raises(IntegrityError), atomic():
            Memo.objects.create(session=talk)
        with pytest.raises(ValidationError, match="already exists"):
            Memo(session=talk).full_clean()

    @pytest.mark.parametrize("lookup", ["session__title", "session__title__startswith", "session__owner__username"])
    def test_a_lookup_in_storms_table_is_refused(self, lookup: str) -> None:
        with pytest.raises(FieldError, match=r"through Comment\.session: Session is a Storm class.*session__in="):
            Comment.objects.filter(**{lookup: "x"})
        with pytest.raises(FieldError):
            list(Comment.objects.order_by(lookup))
        with pytest.raises(FieldError):
            list(Comment.objects.values(lookup))

    def test_select_related_is_refused(self) -> None:
        with pytest.raises(FieldError, match="Non-relational field given in select_related: 'session'"):
            list(Comment.objects.select_related("session"))

    def test_the_database_refuses_a_key_that_nobody_has(self) -> None:
        with pytest.raises(IntegrityError), atomic():
            Comment.objects.create(session_id=99)
            connections["default"].check_constraints()
        Trace.objects.create(session_id=99)
        connections["default"].check_constraints()


class TestPrefetch:
    def test_a_hundred_objects_cost_one_query_more(self) -> None:
        for number in range(100):
            Comment.objects.create(session=session(f"session {number}"))
        forget()
        with statements() as seen:
            titles = {comment.session.title for comment in Comment.objects.prefetch_related("session")}
        assert len(titles) == 100
        assert len(seen) == 2

    def test_more_objects_than_storms_cache_holds(self) -> None:
        for number in range(1100):
            session(f"session {number}")
        get_store("main").flush()
        keys = get_store("main").find(Session).values(Session.id)
        Comment.objects.bulk_create([Comment(session_id=key) for key in keys])
        forget()
        with statements() as seen:
            titles = {comment.session.title for comment in Comment.objects.prefetch_related("session")}
        assert len(titles) == 1100
        assert len(seen) == 4

    def test_on_through_the_storm_object_to_django(self) -> None:
        for name in ("ann", "bob"):
            Comment.objects.create(session=session(owner=user(name)))
        forget()
        with statements() as seen:
            comments = Comment.objects.prefetch_related("session__owner__groups")
            names = {comment.session.owner.username for comment in comments}
            assert not any(list(comment.session.owner.groups.all()) for comment in comments)
        assert names == {"ann", "bob"}
        assert len(seen) == 4

    def test_nulls_and_keys_that_nobody_has(self) -> None:
        Memo.objects.create()
        assert [memo.session for memo in Memo.objects.prefetch_related("session")] == [None]
        Trace.objects.create(session_id=99)
        (trace,) = Trace.objects.prefetch_related("session")
        assert trace.session_id == 99
        with pytest.raises(StormObjectDoesNotExist):
            trace.session  # noqa: B018

    def test_into_an_attribute(self) -> None:
        talk = session()
        Comment.objects.create(session=talk)
        (comment,) = Comment.objects.prefetch_related(Prefetch("session", to_attr="loaded"))
        assert comment.loaded is talk

    def test_a_queryset_for_it_is_refused(self) -> None:
        Comment.objects.create(session=session())
        with pytest.raises(ValueError, match=r"Comment\.session gives Storm objects"):
            list(Comment.objects.prefetch_related(Prefetch("session", queryset=Comment.objects.all())))

    def test_the_objects_are_forgotten_with_the_transaction(self) -> None:
        with transaction.manager:
            Comment.objects.create(session=session("before"))
            (comment,) = Comment.objects.prefetch_related("session")
        get_store("main").execute("UPDATE sprints_sessionrow SET title = 'after'")
        transaction.commit()
        assert comment.session.title == "after"


class TestInstances:
    def test_refresh_from_db(self) -> None:
        one, other = session("one"), session("other")
        comment = Comment.objects.create(session=one)
        Comment.objects.update(session=other)
        assert comment.session is one
        comment.refresh_from_db()
        assert comment.session is other

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
    def test_copies_find_the_object_themselves(self, duplicate: Any) -> None:
        talk = session()
        comment = duplicate(Comment.objects.create(session=talk))
        assert comment.session_id == talk.id
        assert comment.session is talk

    def test_a_pickled_queryset(self) -> None:
        Comment.objects.create(session=session())
        query = pickle.loads(pickle.dumps(Comment.objects.filter(session=get_store("main").find(Session).one()).query))
        queryset = Comment.objects.all()
        queryset.query = query
        assert queryset.count() == 1

    @pytest.mark.django_db(transaction=True, databases=DATABASES)
    def test_another_thread_gets_an_object_of_its_own_store(self) -> None:
        with transaction.manager:
            talk = session("shared")
            comment = Comment.objects.create(session=talk)

        def look() -> Any:
            with transaction.manager:
                theirs = comment.session
                return theirs is not talk, theirs.title, Store.of(theirs) is get_store("main")

        assert in_thread(look) == (True, "shared", True)
        with transaction.manager:
            assert comment.session is talk
            get_store("main").remove(talk)

    def test_full_clean(self) -> None:
        Comment(session=session(), text="x", author=user("ann")).full_clean()
        Memo().full_clean()
        for nobodys in (99, 10**30):
            with pytest.raises(ValidationError) as caught:
                Comment(session_id=nobodys, text="x").full_clean()
            djangos_words = ForeignKey.default_error_messages["invalid"]
            assert djangos_words % {"model": "Session", "field": "id", "value": nobodys} in str(caught.value)
        with pytest.raises(ValidationError) as caught:
            Comment(text="x").full_clean()
        assert "session" in caught.value.message_dict

    def test_admindocs_can_describe_it(self) -> None:
        field = Comment._meta.get_field("session")
        assert (
            field.description % field.__dict__
            == "Foreign key to a Storm class (tests.apps.sprints.storm_models.Session)"
        )

    def test_a_default(self) -> None:
        assert Vote().session is None

        talk = session()
        field = StormForeignKey(Session, on_delete=CASCADE, default=lambda: talk)
        field.set_attributes_from_name("session")
        field.model = Vote
        assert field.get_default() == talk.id

    @pytest.mark.parametrize("form", ["json", "xml", "jsonl", "python"])
    def test_serialization(self, form: str) -> None:
        store = get_store("main")
        badge = store.add(Badge(uuid.uuid4(), 7))
        stay = Stay.objects.create(room=store.add(Room("1 ä")), badge=badge)
        data = serializers.serialize(form, [stay])
        Stay.objects.all().delete()
        for loaded in serializers.deserialize(form, data):
            loaded.save()
        loaded = Stay.objects.get()
        assert (loaded.room, loaded.badge, loaded.number) == (stay.room, badge, None)
        comment = Comment.objects.create(session=session())
        (again,) = serializers.deserialize(form, serializers.serialize(form, [comment]))
        assert again.object.session is comment.session
