"""storm_class(): a model's columns and keys in Storm, and what cannot be mapped."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import storm.exceptions
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured
from django.db import connections
from django.utils.timezone import now
from storm.expr import Desc
from storm.info import get_cls_info
from storm.locals import Int, Reference, Storm
from storm.store import Store

from djintegrate.storm_backend.mapping import storm_class
from tests.apps.fields.models import (
    Abstract,
    Colour,
    Every,
    Filled,
    Invitation,
    Odd,
    Place,
    PlaceProxy,
    Referring,
    Swapped,
)
from tests.apps.people.models import Person
from tests.support.mapping_helpers import begun as begun
from tests.support.mapping_helpers import fresh
from tests.support.mapping_helpers import store as store

pytestmark = pytest.mark.django_db


class TestTheClass:
    def test_is_the_same_each_time(self) -> None:
        assert storm_class(User) is storm_class(User) is storm_class("auth.User") is storm_class(User, "default")

    def test_is_the_same_in_every_thread(self) -> None:
        found: list[Any] = []
        threads = [threading.Thread(target=lambda: found.append(storm_class(Invitation))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8 and len(set(found)) == 1

    def test_of_another_database_is_another(self) -> None:
        assert storm_class(User, "second") is not storm_class(User)

    def test_has_the_models_table_key_and_attributes(self) -> None:
        info = get_cls_info(storm_class(Referring))
        assert info.table.name == "fields_referring"
        assert set(info.attributes) == {"id", "uuid_key_id", "string_key_id", "by_number_id", "alone_id"}
        assert [column.name for column in info.primary_key] == ["id"]
        assert storm_class(Referring).string_key_id.name == "CODE"

    def test_of_a_proxy_is_that_of_its_table(self) -> None:
        assert storm_class(PlaceProxy) is storm_class(Place)

    @pytest.mark.parametrize(
        ("model", "error", "said"),
        [
            (Abstract, ValueError, "Abstract is abstract: it has no table"),
            (Swapped, ValueError, "fields.Swapped is swapped for fields.Place"),
            (int, TypeError, "takes a Django model, not <class 'int'>"),
            (Person(), TypeError, "takes a Django model, not <Person"),
            ("auth.Nobody", LookupError, "Nobody"),
            ("Permission", LookupError, '"app_label.Model", such as "auth.User". Did you mean \'auth.Permission\'?'),
        ],
    )
    def test_what_has_no_table_is_refused(self, model: Any, error: type[Exception], said: str) -> None:
        with pytest.raises(error, match=said):
            storm_class(model)

    def test_values_without_names_are_refused_with_the_names(self) -> None:
        class Named(storm_class(Invitation)):  # type: ignore[misc]
            """A site's own."""

        with pytest.raises(TypeError, match=r"Named\(\) takes values by name only: Named\(club_id=…, guest_id=…\)"):
            Named(1, 2)

    def test_a_database_without_a_store_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        entries = {**connections.settings, "native": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
        monkeypatch.setitem(connections.__dict__, "settings", connections.configure_settings(entries))
        with pytest.raises(ImproperlyConfigured, match=r"people.Person is in DATABASES\['native'\].*no Storm store"):
            storm_class(Person, "native")

    def test_a_call_before_all_models_are_loaded_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(apps, "models_ready", False)
        with pytest.raises(AppRegistryNotReady, match=r"it in a module that no models\.py imports"):
            storm_class(User)

    def test_can_be_subclassed(self, store: Store) -> None:
        class StormUser(storm_class(User), Storm):  # type: ignore[misc]
            def shout(self) -> str:
                return self.username.upper()

        User.objects.create(username="ann")
        assert store.find(StormUser, StormUser.username == "ann").one().shout() == "ANN"
        bob = store.add(StormUser(username="bob"))
        bob.groups.add(storm_class(Group)(name="bobs"))
        store.flush()
        assert list(User.objects.get(username="bob").groups.values_list("name", flat=True)) == ["bobs"]

    def test_a_subclass_may_leave_a_column_out(self, store: Store) -> None:
        class Slim(storm_class(Filled)):  # type: ignore[misc]
            level = since = double = None

        slim = store.add(Slim(name="x"))
        store.flush()
        slim.name = "y"
        store.flush()
        assert Filled.objects.filter(name="y", level=3, double=14).count() == 1

    def test_a_class_of_ones_own_refers_to_it(self, store: Store) -> None:
        class Visit(Storm):
            __storm_table__ = "people_visit"
            id = Int(primary=True)
            person_id = Int()
            person = Reference(person_id, storm_class(Person).id)

        person = store.add(storm_class(Person)(name="ann"))
        store.flush()
        store.execute("INSERT INTO people_visit (note, person_id) VALUES ('', ?)", (person.id,))
        assert store.find(Visit).one().person is person

    def test_names_that_want_quotes_get_them(self, store: Store) -> None:
        row = store.add(storm_class(Odd)(Order=3))
        store.flush()
        assert Odd.objects.get(Order=3, plain=Decimal("1.5")).pk == row.id
        found = store.find(storm_class(Odd), Order=3).order_by(Desc(storm_class(Odd).Order))
        assert [odd.plain for odd in found] == [Decimal("1.5")]
        found.set(Order=4)
        assert Odd.objects.get().Order == 4


class TestNewObjects:
    def test_have_djangos_defaults(self, store: Store) -> None:
        made = storm_class(Filled)(name="x")
        assert (made.note, made.number, made.price, made.tags, made.nothing) == ("", 7, Decimal(1), [], None)
        assert isinstance(made.token, uuid.UUID)
        assert made.tags is not storm_class(Filled)(name="y").tags
        store.add(made)
        store.flush()
        read = Filled.objects.get()
        assert (read.note, read.number, read.price, read.tags, read.token) == ("", 7, Decimal(1), [], made.token)

    def test_have_them_in_a_subclass_that_knows_nothing_of_them(self, store: Store) -> None:
        class StormFilled(storm_class(Filled)):  # type: ignore[misc]
            def __init__(self, name: str) -> None:
                self.name = name

        store.add(StormFilled("x"))
        store.flush()
        assert Filled.objects.get().number == 7

    def test_get_the_databases_defaults_and_generated_values(self, store: Store) -> None:
        made = store.add(storm_class(Filled)(name="x"))
        store.flush()
        assert (made.level, made.double, made.loud) == (3, 14, "X")
        assert abs(made.since - now()) < timedelta(minutes=5)
        made.number = 10
        store.flush()
        assert (made.double, Filled.objects.get().double) == (20, 20)

    def test_generated_values_cannot_be_set(self, store: Store) -> None:
        made = store.add(storm_class(Filled)(name="x"))
        with pytest.raises(AttributeError, match=r"fields.Filled.double is generated by the database"):
            made.double = 4
        store.flush()
        assert store.find(storm_class(Filled), storm_class(Filled).double == 14).one() is made

    def test_are_stamped_as_django_stamps_them(self, store: Store) -> None:
        early = datetime(2000, 1, 1, tzinfo=timezone.utc)
        made = store.add(storm_class(Filled)(name="x", made=early))
        store.flush()
        assert now() - made.made < timedelta(minutes=5)
        stamp = made.changed
        first = made.made
        made.name = "y"
        store.flush()
        read = Filled.objects.get()
        assert (made.made, read.made) == (first, first)
        assert made.changed == read.changed > stamp
        assert made.day == read.day

    def test_are_not_stamped_when_nothing_changed(self, store: Store) -> None:
        made = store.add(storm_class(Filled)(name="x"))
        store.flush()
        stamp = made.changed
        made.tags.count(1)
        made.name = "x"
        store.flush()
        assert fresh(store, Filled, made.id).changed == stamp

    def test_that_are_taken_back_are_not_written(self, store: Store) -> None:
        made = store.add(storm_class(Filled)(name="x"))
        store.flush()
        store.remove(made)
        store.flush()
        assert not Filled.objects.exists()

    def test_refuse_a_name_that_the_model_does_not_have(self) -> None:
        with pytest.raises(TypeError, match="StormFilled has no attribute 'nmae'"):
            storm_class(Filled)(nmae="x")


class TestWhatMayBeSet:
    @pytest.mark.parametrize(
        ("name", "value", "wanted"),
        [
            ("integer", "5", "int"),
            ("big_integer", "5", "int"),
            ("char", 5, "str"),
            ("text", b"x", "str"),
            ("decimal", 1.5, "Decimal"),
            ("floating", "1.5", "float"),
            ("boolean", "yes", "bool"),
            ("date", "2024-01-01", "date"),
            ("moment", "2024-01-01", "datetime"),
            ("moment", datetime(2024, 1, 1).date(), "datetime"),
            ("time", "12:00", "time"),
            ("duration", 5, "timedelta"),
            ("uuid", "0" * 32, "UUID"),
            ("binary", "x", "bytes"),
            ("ip", 5, "str"),
            ("file", 5, "str"),
        ],
    )
    def test_a_value_of_another_type_is_an_error(self, name: str, value: Any, wanted: str) -> None:
        row = storm_class(Every)()
        with pytest.raises(TypeError, match=f"fields.Every.{name} takes {wanted}, not"):
            setattr(row, name, value)
        with pytest.raises(TypeError, match=f"fields.Every.{name} takes {wanted}, not"):
            getattr(storm_class(Every), name) == value  # noqa: B015

    def test_a_foreign_key_takes_what_the_key_takes(self) -> None:
        with pytest.raises(TypeError, match="takes UUID"):
            storm_class(Referring)(uuid_key_id="0" * 32)

    def test_none_is_refused_where_the_model_refuses_it(self) -> None:
        with pytest.raises(storm.exceptions.NoneError):
            storm_class(Filled)(name=None)

    def test_a_moment_is_aware_where_django_wants_it(self, settings: Any) -> None:
        row = storm_class(Every)()
        with pytest.raises(ValueError, match="takes an aware datetime, for USE_TZ is on"):
            row.moment = datetime(2024, 1, 1)
        settings.USE_TZ = False
        with pytest.raises(ValueError, match="takes a naive datetime, for USE_TZ is off"):
            row.moment = datetime(2024, 1, 1, tzinfo=timezone.utc)

    def test_values_are_seen_as_they_will_be_read(self) -> None:
        row = storm_class(Every)(
            moment=datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=2))), ip="2001:0::0:01", decimal=3, boolean=1
        )
        assert (row.moment.tzinfo, row.moment.hour) == (timezone.utc, 22)
        assert row.ip == "2001::1"
        assert isinstance(row.decimal, Decimal)
        assert row.boolean is True

    def test_a_field_of_ones_own_takes_its_own_values(self, store: Store) -> None:
        row = store.add(storm_class(Every)(colour=Colour(1, 2, 3)))
        store.flush()
        assert fresh(store, Every, row.id).colour == Colour(1, 2, 3)
        row.colour.red = 200
        store.flush()
        assert Every.objects.get().colour == Colour(200, 2, 3)
