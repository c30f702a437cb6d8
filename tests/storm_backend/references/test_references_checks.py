"""System checks of references, on models and Storm classes made for each test."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import CheckMessage, run_checks
from django.db import connections, models
from django.test.utils import isolate_apps
from storm.locals import Int

from djintegrate.storm_backend.references import DjangoReference, DjangoReferenceSet, StormForeignKey
from djintegrate.storm_backend.references.checks import check_references
from tests.apps.sprints.helpers import clean  # noqa: F401
from tests.apps.sprints.models import SESSION

pytestmark = pytest.mark.usefixtures("clean")


class TwoKeys:
    __storm_table__ = "two_keys"
    __storm_primary__ = "one", "other"
    one = Int()
    other = Int()


def check(to: Any, on_delete: Any = models.CASCADE, **options: Any) -> list[CheckMessage]:
    with isolate_apps("tests.apps.sprints"):

        class Pointing(models.Model):
            field = StormForeignKey(to, on_delete=on_delete, **options)

            class Meta:
                app_label = "sprints"

        messages: list[CheckMessage] = Pointing.check()
        return messages


def the_one(messages: list[CheckMessage], message_id: str) -> str:
    assert [message.id for message in messages] == [f"storm_backend.{message_id}"]
    assert messages[0].hint
    return str(messages[0].msg)


def test_the_tests_own_models_have_none() -> None:
    # For no database: Django's own check of a JSONField from 6.1 on would connect.
    found = [message for message in run_checks(databases=[]) if message.obj is not None]
    # From 6.1 on its fields for PostgreSQL want an app beside them, which the tests have no use for.
    assert [message for message in found if message.id != "postgres.E005"] == []


@pytest.mark.parametrize(
    ("to", "options", "said"),
    [
        ("nowhere.Session", {}, "'nowhere.Session' cannot be imported"),
        ("tests.apps.sprints.storm_models.Sesion", {}, "cannot be imported"),
        ("tests.apps.sprints.models.Comment", {}, "which is not a Storm class"),
        (f"{__name__}.TwoKeys", {}, "primary key of 2 columns"),
        (SESSION, {"to_field": "name"}, "no column 'name'. It has host_name, id, owner_id"),
    ],
)
def test_e101_a_foreign_key_that_points_at_nothing(to: str, options: Any, said: str) -> None:
    message = the_one(check(to, **options), "E101")
    assert message.startswith("Pointing.field points at nothing: ")
    assert said in message


def test_one_column_of_several_can_be_pointed_at() -> None:
    assert check(TwoKeys, to_field="one") == []


def test_e102_a_model_in_a_database_that_shares_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    native = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}}
    monkeypatch.setitem(connections.__dict__, "settings", connections.configure_settings(native))
    assert "Pointing.field" in the_one(check(SESSION), "E102")


def test_e103_set_null_where_null_cannot_be() -> None:
    the_one(check(SESSION, models.SET_NULL), "E103")
    assert check(SESSION, models.SET_NULL, null=True) == []


def test_e104_set_default_without_a_default() -> None:
    the_one(check(SESSION, models.SET_DEFAULT), "E104")
    assert check(SESSION, models.SET_DEFAULT, default=1) == []


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        (lambda: DjangoReference("id", "auth.Usr"), "'auth.Usr', which is not a model"),
        (lambda: DjangoReference("id", "Nobody"), """'Nobody' is not of the form "app_label.Model", such as"""),
        (lambda: DjangoReference("id", "Session"), "Did you mean 'sessions.Session'?"),
        (lambda: DjangoReference("id", User, to_field="nick"), "User has no field named 'nick'"),
        (lambda: DjangoReference("key", User), "has no attribute 'key'"),
        (lambda: DjangoReferenceSet("id", "sprints.Comment", "sesion"), "Comment has no field named 'sesion'"),
    ],
)
def test_e105_a_reference_that_points_at_nothing(reference: Any, said: str) -> None:
    class Pointing:
        __storm_table__ = "pointing"
        id = Int(primary=True)
        wrong = reference()

    message = the_one(list(check_references()), "E105")
    assert message.startswith("Pointing.wrong points at nothing: ")
    assert said in message
