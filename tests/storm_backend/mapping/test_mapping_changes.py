"""storm_class(): new objects, values that change in place, and what is written."""

from __future__ import annotations

import gc
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import transaction
from django.utils.timezone import now
from storm.expr import Desc, Max, Sum
from storm.store import Store

from djintegrate.storm_backend.mapping import storm_class
from tests.apps.fields.models import Colour, Every, Pair, SmallKey, StringKey, UuidKey
from tests.apps.people.models import Person
from tests.support.mapping_helpers import begun as begun
from tests.support.mapping_helpers import store as store

pytestmark = pytest.mark.django_db


class TestChangesInPlace:
    def test_of_json_are_noticed(self, store: Store) -> None:
        pk = Every.objects.create(json={"a": [1]}).pk
        row = store.get(storm_class(Every), pk)
        row.json["a"].append(2)
        store.flush()
        assert Every.objects.get().json == {"a": [1, 2]}
        row.json["b"] = None
        store.flush()
        assert Every.objects.get().json == {"a": [1, 2], "b": None}

    def test_are_noticed_when_the_object_is_gone(self, store: Store) -> None:
        pk = Every.objects.create(json=[1]).pk
        row = store.get(storm_class(Every), pk)
        row.json.append(2)
        del row
        gc.collect()
        store.flush()
        assert Every.objects.get().json == [1, 2]

    def test_that_were_only_looked_at_are_not_written(self, store: Store) -> None:
        pk = Every.objects.create(json={"a": 1}).pk
        row = store.get(storm_class(Every), pk)
        assert row.json["a"] == 1
        Every.objects.update(json={"b": 2})
        store.flush()
        assert Every.objects.get().json == {"b": 2}

    def test_are_undone_with_the_transaction(self, store: Store) -> None:
        row = store.add(storm_class(Every)(json=[1]))
        store.flush()
        savepoint = transaction.savepoint()
        row.json.append(2)
        store.flush()
        savepoint.rollback()
        assert row.json == [1]


class TestQueries:
    def test_compare_with_python_values_as_django_does(self, store: Store) -> None:
        moment = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)
        key = uuid.uuid4()
        values: dict[str, Any] = {
            "moment": moment, "uuid": key, "decimal": Decimal("1.5"), "boolean": True, "duration": timedelta(hours=-1),
            "ip": "10.0.0.1", "date": moment.date(), "time": moment.time(), "char": "ä", "binary": b"\xff",
            "integer": 5, "colour": Colour(1, 2, 3), "floating": 0.5,
        }  # fmt: skip
        Every.objects.create(**values)
        Every.objects.create()
        row = storm_class(Every)
        for name, value in values.items():
            assert store.find(row, getattr(row, name) == value).count() == 1, name
            assert store.find(row, getattr(row, name).is_in([value])).count() == 1, name
            assert store.find(row, **{name: value}).count() == 1, name
            assert store.find(row, getattr(row, name) != None).count() == 1, name  # noqa: E711
        here = moment.astimezone(timezone(timedelta(hours=5)))
        assert store.find(row, row.moment == here, row.moment >= here, row.moment < now()).count() == 1

    def test_order_and_aggregate(self, store: Store) -> None:
        for number in (2, 3, 1):
            Every.objects.create(decimal=number, moment=datetime(2024, 1, number, tzinfo=timezone.utc))
        row = storm_class(Every)
        found = store.find(row).order_by(Desc(row.moment))
        assert list(found.values(row.decimal)) == [3, 2, 1]
        assert found.max(row.moment) == datetime(2024, 1, 3, tzinfo=timezone.utc)
        assert found.sum(row.decimal) == Decimal(6)
        assert store.find((Max(row.integer), Sum(row.decimal))).one()[1] == 6

    def test_update_many(self, store: Store) -> None:
        Every.objects.create(json={"a": 1}, uuid=uuid.uuid4())
        row = store.find(storm_class(Every)).one()
        store.find(storm_class(Every)).set(json={"b": [1]}, uuid=uuid.UUID(int=7), decimal=Decimal("2.5"))
        assert (row.json, row.uuid, row.decimal) == ({"b": [1]}, uuid.UUID(int=7), Decimal("2.5"))
        read = Every.objects.get()
        assert (read.json, read.uuid, read.decimal) == (row.json, row.uuid, row.decimal)


class TestKeys:
    def test_an_automatic_key_comes_from_the_database(self, store: Store) -> None:
        row = store.add(storm_class(SmallKey)())
        store.flush()
        assert row.id == SmallKey.objects.get().pk

    def test_a_uuid(self, store: Store) -> None:
        row = store.add(storm_class(UuidKey)(name="x"))
        assert isinstance(row.id, uuid.UUID)
        store.flush()
        assert UuidKey.objects.get().pk == row.id
        assert store.get(storm_class(UuidKey), row.id) is row
        row.name = "y"
        store.flush()
        assert UuidKey.objects.get().name == "y"
        store.remove(row)
        store.flush()
        assert not UuidKey.objects.exists()

    def test_a_string(self, store: Store) -> None:
        row = store.add(storm_class(StringKey)(code="ä", number=1))
        store.flush()
        assert StringKey.objects.get(pk="ä").number == 1
        row.code = "ö"
        store.flush()
        assert StringKey.objects.get().pk == "ö"

    def test_a_composite_one(self, store: Store) -> None:
        right = StringKey.objects.create(code="r", number=1)
        Pair.objects.create(left=1, right=right, note="django")
        pair = storm_class(Pair)
        assert store.get(pair, (1, "r")).note == "django"
        made = store.add(pair(left=2, right_id="r", note="storm"))
        store.flush()
        assert Pair.objects.get(pk=(2, "r")).note == "storm"
        assert made.right is store.get(storm_class(StringKey), "r")

    def test_of_another_type_is_an_error(self, store: Store) -> None:
        with pytest.raises(TypeError, match="takes int, not str"):
            store.get(storm_class(Person), "1")
