"""References ask the router's allow_relation(), as Django's own foreign keys do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import transaction
from django.contrib.auth.models import User
from django.db.models import Model

from djintegrate.storm_backend import get_store
from tests.apps.sprints.helpers import clean as clean
from tests.apps.sprints.helpers import session, user
from tests.apps.sprints.models import Comment
from tests.apps.sprints.storm_models import Session

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [pytest.mark.django_db(databases=["default", "second"]), pytest.mark.usefixtures("clean")]


class Router:
    """Answers as told, and remembers who was to be related."""

    def __init__(self, answer: bool | None) -> None:
        self.answer = answer
        self.asked: list[tuple[Any, Any]] = []

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool | None:
        self.asked.append((first, second))
        return self.answer


class RouterOfTheDocs:
    """The two of Django's documentation, in one."""

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool | None:
        labels = {"auth", "contenttypes"}
        if first._meta.app_label in labels or second._meta.app_label in labels:
            return True
        databases = {"default", "second"}
        if first._state.db in databases and second._state.db in databases:
            return True
        return None


def by_attribute() -> object:
    comment: Any = Comment()
    comment.session = stored()
    return comment


def by_init() -> object:
    return Comment(session=stored())


def by_create() -> object:
    return Comment.objects.create(session=stored())


def to_another() -> object:
    comment: Any = Comment.objects.get(pk=kept_comment().pk)
    comment.session = stored()
    return comment


def by_django_reference() -> object:
    owned = stored()
    owned.owner = user("ann")
    return owned


def by_django_reference_before_it_is_in_a_store() -> object:
    owned = Session("new", owner=user("ann"))
    return get_store("main").add(owned)


def natively() -> object:
    """The control: Django's own foreign key."""
    comment = Comment()
    comment.author = user("ann")
    return comment


def stored() -> Session:
    found = session("a session")
    get_store("main").flush()
    return found


def kept_comment() -> Comment:
    comment = Comment(session_id=stored().id)
    comment.save()
    return comment


RELATE: list[Callable[[], object]] = [
    by_attribute,
    by_init,
    by_create,
    to_another,
    by_django_reference,
    by_django_reference_before_it_is_in_a_store,
    natively,
]
every_way = pytest.mark.parametrize("relate", RELATE, ids=lambda relate: relate.__name__)


@every_way
def test_a_router_that_refuses_prevents_the_relation(relate: Callable[[], object], settings: Any) -> None:
    router = Router(False)
    settings.DATABASE_ROUTERS = [router]
    with pytest.raises(ValueError, match="router prevents this relation"):
        relate()
    assert len(router.asked) == 1


@every_way
def test_a_router_that_allows_is_asked_about_both_objects(relate: Callable[[], object], settings: Any) -> None:
    router = Router(True)
    settings.DATABASE_ROUTERS = [router]
    instance = relate()
    assert router.asked
    for pair in router.asked:
        kinds = {kind for each in pair for kind in (Comment, Session, User) if isinstance(each, kind)}
        # What stands for a Storm object may be something that a router written for Django's models understands.
        assert kinds & {Comment, User}
    assert instance is not None


@every_way
def test_a_router_without_an_opinion_leaves_one_database_to_be_enough(
    relate: Callable[[], object], settings: Any
) -> None:
    router = Router(None)
    settings.DATABASE_ROUTERS = [router]
    assert relate() is not None
    assert router.asked


@every_way
def test_a_router_written_for_djangos_models_understands_what_it_is_asked(
    relate: Callable[[], object], settings: Any
) -> None:
    settings.DATABASE_ROUTERS = [RouterOfTheDocs()]
    assert relate() is not None


def test_without_a_router_an_object_of_another_database_is_refused() -> None:
    comment: Any = kept_comment()
    other = session("elsewhere", store="second")
    get_store("second").flush()
    with pytest.raises(ValueError, match="second"):
        comment.session = other
    owned = stored()
    with pytest.raises(ValueError, match="second"):
        owned.owner = user("bob", using="second")
    transaction.abort()


def test_clearing_a_reference_asks_nobody(settings: Any) -> None:
    router = Router(False)
    settings.DATABASE_ROUTERS = [router]
    owned = stored()
    owned.owner = None
    comment: Any = Comment()
    comment.author = None
    comment.session = None
    assert isinstance(comment, Model)
    assert router.asked == []
