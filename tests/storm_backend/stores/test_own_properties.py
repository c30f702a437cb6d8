"""Each of Storm's own properties on the column of a Django field: either ORM reads what the other wrote.

docs/how-to/same-tables.md says which values the two write in different forms.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import transaction
from django.db import connection
from storm import locals as storm

from djintegrate.storm_backend import get_store
from tests.apps.fields.models import Every

pytestmark = pytest.mark.django_db

Moment = partial(storm.DateTime, tzinfo=timezone.utc)
NOON = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)
SIZES = {"small": "S", "large": "L"}

PAIRS: list[tuple[str, Callable[..., Any], Any]] = [
    ("boolean", storm.Bool, True),
    ("boolean", storm.Bool, False),
    ("integer", storm.Int, -7),
    ("small_integer", storm.Int, 7),
    ("positive_small_integer", storm.Int, 7),
    ("positive_integer", storm.Int, 7),
    ("big_integer", storm.Int, 2**62),
    ("positive_big_integer", storm.Int, 2**62),
    ("floating", storm.Float, 0.1),
    ("floating", storm.Float, 3.0),
    ("decimal", storm.Decimal, Decimal("3.1")),
    ("decimal", storm.Decimal, Decimal(3)),
    ("decimal", storm.Decimal, Decimal("-1234567890.1234")),
    ("decimal", storm.Decimal, Decimal("0.0001")),
    ("decimal", storm.Float, 3.25),
    ("long_decimal", storm.Decimal, Decimal("1e-7")),
    ("char", storm.Unicode, "1.50"),
    ("text", storm.Unicode, "ä \U0001f600"),
    ("slug", storm.Unicode, "a-slug"),
    ("email", storm.Unicode, "ann@example.com"),
    ("url", storm.Unicode, "https://example.com/"),
    ("file_path", storm.Unicode, "a/b"),
    ("ip", storm.Unicode, "10.0.0.1"),
    ("ip", storm.Unicode, "2001:db8::1"),
    ("date", storm.Date, date(2024, 2, 29)),
    ("moment", Moment, NOON),
    ("moment", Moment, NOON.replace(microsecond=5000)),
    ("time", storm.Time, time(12)),
    ("time", storm.Time, time(12, 0, 0, 5)),
    ("duration", storm.TimeDelta, timedelta(hours=1)),
    ("duration", storm.TimeDelta, timedelta(days=-3, seconds=1, microseconds=5)),
    ("uuid", storm.UUID, UUID("0191a2b3-c4d5-4e6f-8a9b-0c1d2e3f4a5b")),
    ("json", storm.JSON, {"a": [1, None, "b"]}),
    ("json", storm.JSON, {"a": "ä"}),
    ("json", storm.JSON, "text"),
]
if connection.vendor != "postgresql":
    # PostgreSQL reserves the word that is the column's name here, and Storm does not quote it.
    PAIRS += [("binary", storm.Bytes, b"\x00\xff"), ("binary", storm.Bytes, b"text")]


def is_written_alike(field: str, value: Any) -> bool:
    """Whether both write the same, and so find by value what the other has written."""
    if connection.vendor == "sqlite" and field in ("moment", "uuid"):
        return False
    # Of JSON, only PostgreSQL compares more than the text.
    return field != "json" or connection.vendor == "postgresql" or "ä" not in str(value)


def storm_class(field: str, kind: Callable[..., Any]) -> Any:
    own = {"__storm_table__": Every._meta.db_table, "id": storm.Int(primary=True), "value": kind(field)}
    return type("Own", (), own)


@pytest.mark.parametrize(("field", "kind", "value"), PAIRS, ids=lambda given: getattr(given, "__name__", None))
def test_either_reads_what_the_other_wrote(field: str, kind: Callable[..., Any], value: Any) -> None:
    own, store = storm_class(field, kind), get_store("main")
    with transaction.manager:
        by_django = Every.objects.create(**{field: value}).pk
        by_storm = store.add(own())
        by_storm.value = value
        store.flush()
        read = store.get(own, by_django).value
        assert (type(read), read) == (type(value), value)
        back = getattr(Every.objects.get(pk=by_storm.id), field)
        # A Float on a DecimalField is each ORM's own kind of the same number.
        assert back == value and (type(back) is type(value) or kind is storm.Float)
        if is_written_alike(field, value):
            assert store.find(own, own.value == value).count() == 2
            assert Every.objects.filter(**{field: value}).count() == 2


def test_an_enum_reads_what_django_wrote_and_django_what_it_wrote() -> None:
    own, store = storm_class("choice", partial(storm.Enum, map=SIZES)), get_store("main")
    with transaction.manager:
        by_django = Every.objects.create(choice="L").pk
        by_storm = store.add(own())
        by_storm.value = "small"
        assert store.get(own, by_django).value == "large"
        assert [each.choice for each in Every.objects.order_by("pk")] == ["L", "S"]


def test_sums_of_decimals_are_decimals() -> None:
    own, store = storm_class("decimal", storm.Decimal), get_store("main")
    with transaction.manager:
        for amount in ("0.1", "0.2"):
            Every.objects.create(decimal=Decimal(amount))
        assert store.find(own).sum(own.value) == Decimal("0.3")


def test_a_duration_in_a_table_of_storms_own_stays_a_text() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL has a type for durations.")
    own = type("Own", (), {"__storm_table__": "own_durations", "id": storm.Int(primary=True), "v": storm.TimeDelta()})
    store: Any = get_store("main")
    key = "INTEGER PRIMARY KEY" if connection.vendor == "sqlite" else "INTEGER AUTO_INCREMENT PRIMARY KEY"
    store.execute(f"CREATE TEMPORARY TABLE own_durations (id {key}, v VARCHAR(40))")
    try:
        added = store.add(own())
        added.v = timedelta(hours=1)
        store.flush()
        assert store.execute("SELECT v FROM own_durations").get_one() == ("1:00:00",)
        store.invalidate(added)
        assert added.v == timedelta(hours=1)
    finally:
        store.execute("DROP TABLE own_durations")


def test_what_no_property_can_take_is_refused_as_storm_does() -> None:
    own, store = storm_class("decimal", storm.Unicode), get_store("main")
    with transaction.manager:
        Every.objects.create(decimal=Decimal("3.1"))
        with pytest.raises(TypeError, match="Expected text"):
            store.find(own).one()
