"""What on_delete does: Storm objects that are removed, Django objects that are deleted, and who points at them."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connections
from django.db.models import (
    CASCADE,
    PROTECT,
    RESTRICT,
    SET,
    SET_DEFAULT,
    SET_NULL,
    ProtectedError,
    RestrictedError,
)
from django.db.models.deletion import Collector
from django.db.models.signals import post_delete, pre_delete
from django.db.transaction import atomic
from storm.exceptions import FeatureError, LostObjectError
from storm.info import ClassAlias
from storm.locals import Int

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.references import DjangoReference
from djintegrate.storm_backend.references.deletion import Referrers
from tests.apps.sprints.helpers import DATABASES, clean, forget, session, statements, user  # noqa: F401
from tests.apps.sprints.models import Award, Booking, Comment, Label, Memo, SessionRow, Stay, Trace, Vote
from tests.apps.sprints.storm_models import Badge, Room, Session

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("clean")]


def remove(talk: Session) -> None:
    get_store("main").remove(talk)
    get_store("main").flush()
    connections["default"].check_constraints()


def remove_by_find(talk: Session) -> None:
    """A DELETE of what a query finds."""
    assert get_store("main").find(Session, Session.id == talk.id).remove() == 1
    connections["default"].check_constraints()


def delete_by_django(talk: Session) -> None:
    """By the model on the same table."""
    SessionRow.objects.get(pk=talk.id).delete()
    connections["default"].check_constraints()


def delete_by_query(talk: Session) -> None:
    assert SessionRow.objects.filter(pk=talk.id).delete()[1]["sprints.SessionRow"] == 1
    connections["default"].check_constraints()


def titles() -> set[str]:
    return set(get_store("main").find(Session).values(Session.title))


WAYS = [remove, remove_by_find, delete_by_django, delete_by_query]


@pytest.fixture(params=WAYS, ids=["store.remove", "find().remove", "delete()", "filter().delete()"])
def removing(request: pytest.FixtureRequest) -> Any:
    return request.param


class TestRemovingAStormObject:
    def test_cascade(self, removing: Any) -> None:
        talk, other = session("talk"), session("other")
        Comment.objects.create(session=talk)
        kept = Comment.objects.create(session=other)
        removing(talk)
        assert Comment.objects.get() == kept
        assert titles() == {"other"}

    def test_cascade_goes_on_and_sends_signals(self, removing: Any) -> None:
        talk = session()
        comment = Comment.objects.create(session=talk)
        Booking.objects.create(session=session("other"), comment=comment)
        sent = []

        def note(sender: Any, **kwargs: Any) -> None:
            sent.append(sender)

        post_delete.connect(note)
        try:
            removing(talk)
        finally:
            post_delete.disconnect(note)
        assert set(sent) - {SessionRow} == {Comment, Booking}
        assert not Booking.objects.exists()

    def test_protect(self, removing: Any) -> None:
        talk = session("talk")
        award = Award.objects.create(session=talk)
        comment = Comment.objects.create(session=talk)
        with pytest.raises(
            ProtectedError, match=r"some instances of 'Session' .* foreign keys: 'Award\.session'"
        ) as caught:
            removing(talk)
        assert caught.value.protected_objects == {award}
        assert Comment.objects.get() == comment
        assert titles() == {"talk"}

    def test_a_refusal_leaves_the_transaction_usable(self, removing: Any) -> None:
        with transaction.manager:
            talk = session("talk")
            award = Award.objects.create(session=talk)
            with pytest.raises(ProtectedError):
                removing(talk)
            award.delete()
            removing(talk)
        assert titles() == set()

    def test_restrict(self, removing: Any) -> None:
        talk = session("talk")
        booking = Booking.objects.create(session=talk)
        with pytest.raises(RestrictedError, match=r"'Booking\.session'") as caught:
            removing(talk)
        assert caught.value.restricted_objects == {booking}
        assert titles() == {"talk"}

    def test_restrict_lets_go_what_is_deleted_for_another_reason(self, removing: Any) -> None:
        talk = session()
        Booking.objects.create(session=talk, comment=Comment.objects.create(session=talk))
        removing(talk)
        assert not Booking.objects.exists()

    def test_set_null(self, removing: Any) -> None:
        talk = session()
        memo = Memo.objects.create(session=talk)
        removing(talk)
        memo.refresh_from_db()
        assert (memo.session_id, memo.session) == (None, None)

    def test_set_default(self, removing: Any) -> None:
        talk = session()
        Vote.objects.create(session=talk)
        removing(talk)
        assert Vote.objects.get().session is None

    def test_set_to_what_a_function_gives(self, removing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        talk, fallback = session(), session("fallback")
        get_store("main").flush()
        monkeypatch.setattr(Session, "fallback_id", fallback.id)
        Label.objects.create(session=talk)
        removing(talk)
        assert Label.objects.get().session is fallback

    def test_do_nothing_without_a_constraint(self, removing: Any) -> None:
        talk = session()
        Trace.objects.create(session=talk)
        key = talk.id
        removing(talk)
        assert Trace.objects.get().session_id == key

    def test_keys_that_are_no_whole_numbers(self) -> None:
        store = get_store("main")
        room, badge = store.add(Room("1 ä")), store.add(Badge(uuid.uuid4(), 7))
        Stay.objects.create(room=room)
        numbered = Stay.objects.create(number=badge)
        Stay.objects.create(badge=badge)
        store.remove(room)
        store.remove(badge)
        store.flush()
        numbered.refresh_from_db()
        assert (Stay.objects.get(), numbered.number) == (numbered, None)

    def test_through_another_class_on_the_same_table(self) -> None:
        class Talk:
            __storm_table__ = "sprints_sessionrow"
            id = Int(primary=True)

        Comment.objects.create(session=session())
        store = get_store("main")
        store.remove(store.find(Talk).one())
        store.flush()
        assert not Comment.objects.exists()

    def test_one_that_was_never_flushed_costs_nothing(self) -> None:
        talk = session()
        with statements() as seen:
            get_store("main").remove(talk)
            get_store("main").flush()
        assert seen == []

    def test_a_class_that_nothing_points_at_costs_nothing(self) -> None:
        class Plain:
            __storm_table__ = "sprints_mention"
            id = Int(primary=True)

        get_store("main").flush()
        with statements() as seen:
            get_store("main").find(Plain, Plain.id == 1).remove()
        assert len(seen) == 1

    def test_many_at_once_cost_no_query_each(self) -> None:
        for number in range(50):
            Comment.objects.create(session=session(f"session {number}"))
        with statements() as seen:
            assert get_store("main").find(Session).remove() == 50
        assert len(seen) < 20
        assert not Comment.objects.exists()

    def test_in_the_database_of_the_store_only(self) -> None:
        here, there = session(), session(store="second")
        Comment.objects.create(session=here)
        Comment.objects.using("second").create(session=there)
        get_store("second").remove(there)
        assert Comment.objects.count() == 1
        assert Comment.objects.using("second").count() == 0

    def test_what_is_undone_is_all_there_again(self, removing: Any) -> None:
        with transaction.manager:
            talk = session("talk")
            Comment.objects.create(session=talk)
        transaction.begin()
        removing(talk)
        assert not Comment.objects.exists()
        transaction.abort()
        assert Comment.objects.get().session.title == "talk"

    def test_a_transaction_that_nobody_began_is_not_ended_by_it(self) -> None:
        with transaction.manager:
            talk = session("talk")
            Comment.objects.create(session=talk)
        get_store("main").remove(talk)
        transaction.abort()
        assert Comment.objects.exists()
        assert titles() == {"talk"}

    def test_what_storm_cannot_remove_it_refuses_before_anything_is_deleted(self) -> None:
        Comment.objects.create(session=session())
        with pytest.raises(FeatureError):
            get_store("main").find(Session)[:1].remove()
        assert Comment.objects.exists()


@pytest.fixture
def refer() -> Iterator[Any]:
    """Gives a Storm class that has a DjangoReference to Group with this on_delete."""

    def make(on_delete: Any, **options: Any) -> Any:
        class Poster:
            __storm_table__ = "sprints_mention"
            id = Int(primary=True)
            group_id = Int("session_number")
            group = DjangoReference(group_id, "auth.Group", on_delete=on_delete, **options)

            def __init__(self, group: Group) -> None:
                self.group = group

        return Poster

    yield make
    detach_from_group()


def detach_from_group() -> None:
    for field in [each for each in Group._meta.private_fields if isinstance(each, Referrers)]:
        Group._meta.private_fields.remove(field)
        pre_delete.disconnect(field._before_delete, sender=Group)


class TestDeletingADjangoObject:
    def test_cascade(self) -> None:
        ann, bob = user("ann"), user("bob")
        gone, _kept = session("gone", owner=ann), session("kept", owner=bob)
        ann.delete()
        assert titles() == {"kept"}
        assert get_store("main").find(Session, Session.title == "gone").is_empty()
        with pytest.raises(LostObjectError):
            gone.title  # noqa: B018

    def test_cascade_goes_on_to_django(self) -> None:
        ann = user("ann")
        Comment.objects.create(session=session(owner=ann))
        Memo.objects.create(session=session(owner=ann))
        ann.delete()
        assert not Comment.objects.exists()
        assert Memo.objects.get().session is None

    def test_set_null(self) -> None:
        ann = user("ann")
        talk = session(reviewer=ann)
        ann.delete()
        assert (talk.reviewer_id, talk.reviewer) == (None, None)
        forget()
        assert get_store("main").find(Session).one().reviewer_id is None

    def test_protect(self) -> None:
        ann = user("ann")
        talk = session(sponsor=ann, owner=user("bob"))
        with pytest.raises(ProtectedError, match=r"'User'.*'Session\.sponsor'") as caught:
            ann.delete()
        assert [row.obj for row in caught.value.protected_objects] == [talk]

    def test_one_whose_deletion_was_only_planned_can_be_pickled(self) -> None:
        ann = user("ann")
        session(owner=ann)
        Collector("default").collect([ann])
        assert pickle.loads(pickle.dumps(ann)) == ann
        assert titles() == {"a session"}

    def test_a_refusal_leaves_the_transaction_usable(self) -> None:
        with transaction.manager:
            ann = user("ann")
            talk = session(sponsor=ann)
            with pytest.raises(ProtectedError):
                ann.delete()
            talk.sponsor = None
            ann.delete()
        assert not User.objects.exists()

    def test_a_refusal_for_one_of_several_leaves_all_that_is_there(self) -> None:
        with transaction.manager:
            session("hers", owner=user("ann"))
            session("his", sponsor=user("bob"), owner=user("eve"))
            with pytest.raises(ProtectedError):
                User.objects.order_by("username").delete()
            assert titles() == {"hers", "his"}
            assert User.objects.count() == 3

    def test_what_is_protected_behind_a_cascade_is_found_before_anything_is_deleted(self) -> None:
        with transaction.manager:
            ann = user("ann")
            talk = session("talk", owner=ann)
            award = Award.objects.create(session=talk)
            with pytest.raises(ProtectedError) as caught:
                ann.delete()
            assert caught.value.protected_objects == {award}
            award.delete()
        assert titles() == {"talk"}

    def test_pending_changes_count(self) -> None:
        ann = user("ann")
        talk = session("talk", owner=ann)
        get_store("main").flush()
        talk.owner = None
        ann.delete()
        assert titles() == {"talk"}

    def test_a_queryset_costs_no_query_for_each(self) -> None:
        for number in range(50):
            session(owner=user(f"user {number}"), reviewer=user(f"reviewer {number}"))
        get_store("main").flush()
        with statements() as seen:
            User.objects.all().delete()
        assert len(seen) < 30
        assert titles() == set()

    def test_a_proxy_and_a_collector_that_found_it_elsewhere(self) -> None:
        class Speaker(User):
            class Meta:
                proxy = True
                app_label = "sprints"

        try:
            ann = Speaker.objects.create(username="ann")
            session(owner=User.objects.get())
            ann.delete()
            assert titles() == set()
        finally:
            del apps.all_models["sprints"]["speaker"]
            apps.clear_cache()

    def test_a_reference_that_a_class_without_a_table_has(self, refer: Any) -> None:
        class Owned:
            group_id = Int("session_number")
            group = DjangoReference(group_id, "auth.Group", on_delete=CASCADE)

        class Poster(Owned):
            __storm_table__ = "sprints_mention"
            id = Int(primary=True)

        ClassAlias(Poster, "other")
        group = Group.objects.create(name="speakers")
        poster = get_store("main").add(Poster())
        poster.group = group
        group.delete()
        assert get_store("main").find(Poster).is_empty()

    @pytest.mark.django_db(transaction=True, databases=DATABASES)
    def test_where_nothing_is_begun_the_deletion_is_committed_as_natively(self) -> None:
        with transaction.manager:
            ann = user("ann")
            session("talk", owner=ann)
            award = Award.objects.create(session=session("awarded", owner=user("bob")))
        with pytest.raises(ProtectedError):
            User.objects.get(username="bob").delete()
        ann.delete()
        assert connections["default"].get_autocommit()
        transaction.abort()
        assert titles() == {"awarded"}
        transaction.abort()
        award.delete()
        User.objects.all().delete()
        transaction.abort()
        assert titles() == set()

    def test_another_database_is_not_asked(self) -> None:
        session(store="second", owner=None)
        ann = user("ann", using="second")
        with statements("second") as seen:
            ann.delete()
        assert not any("sprints_sessionrow" in sql for sql in seen)

    def test_what_is_undone_is_all_there_again(self) -> None:
        with transaction.manager:
            ann = user("ann")
            talk = session("talk", owner=ann)
        transaction.begin()
        User.objects.all().delete()
        transaction.abort()
        assert talk.title == "talk"
        assert talk.owner == ann

    def test_restrict(self, refer: Any) -> None:
        cls = refer(RESTRICT)
        group = Group.objects.create(name="speakers")
        get_store("main").add(cls(group))
        with pytest.raises(RestrictedError, match=r"'Poster\.group'"):
            group.delete()

    def test_set_default_and_set(self, refer: Any) -> None:
        other = Group.objects.create(name="other")
        for on_delete, options in ((SET_DEFAULT, {"default": other.pk}), (SET(lambda: other), {})):
            cls = refer(on_delete, **options)
            group = Group.objects.create(name="speakers")
            poster = get_store("main").add(cls(group))
            group.delete()
            assert poster.group == other
            get_store("main").remove(poster)
            get_store("main").flush()
            detach_from_group()

    @pytest.mark.parametrize("on_delete", [CASCADE, PROTECT, SET_NULL])
    def test_nothing_that_points_is_nothing_to_do(self, on_delete: Any, refer: Any) -> None:
        refer(on_delete)
        Group.objects.create(name="speakers").delete()
        assert not Group.objects.exists()

    def test_without_on_delete_the_database_decides(self) -> None:
        ann = user("ann")
        session(host=ann)
        ann.delete()
        assert get_store("main").find(Session).one().host is None


def test_what_the_database_forbids_is_an_error_of_who_asked() -> None:
    """DO_NOTHING, with a constraint: as natively, the database has the last word."""
    talk = session()
    Memo.objects.create(session=talk)
    with pytest.raises((IntegrityError, storm.exceptions.IntegrityError)), atomic():
        get_store("main").execute("DELETE FROM sprints_sessionrow")
        connections["default"].check_constraints()
