"""Values of every type come back from our engine as from SQLAlchemy's own, on a connection of its own beside it.

Each random row is written by one engine and by the other, and read by both: by its types, and as text() gives it.
VALUES_EXAMPLES says how many rows.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
import sqlalchemy as sa
import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import mysql, postgresql

from djintegrate.storm_backend.sqlalchemy import engine
from tests.apps.people.models import Sample
from tests.support.helpers import TRANSACTIONS, beside_pooler

from .own_engine import own_engine

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, beside_pooler("an engine of SQLAlchemy's own cannot say how its session begins")]

Row = dict[str, Any]


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


def text(**options: Any) -> st.SearchStrategy[str]:
    alphabet = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    return st.text(alphabet, max_size=options.pop("max_size", 20))


def json_values(leaf: Any = None) -> st.SearchStrategy[Any]:
    leaves = leaf or st.none() | st.booleans() | st.integers(-(2**31), 2**31) | text() | st.sampled_from([0.5, -2.25])
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text(), inner, max_size=3))


def moments(**options: Any) -> st.SearchStrategy[datetime]:
    return st.datetimes(datetime(1971, 1, 2), datetime(2037, 12, 30), **options)


def ranges(bounds: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def made(pair: list[Any]) -> Any:
        return postgresql.Range(min(pair), max(pair), bounds="[)", empty=pair[0] == pair[1])

    return st.lists(bounds, min_size=2, max_size=2).map(made)


days = st.dates(date(1000, 1, 1), date(9999, 12, 30))
utc_moments = moments(timezones=st.just(timezone.utc))
small_decimals = st.decimals(-(10**8), 10**8, places=4)

EVERYWHERE: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "small": (sa.SmallInteger, st.integers(-(2**15), 2**15 - 1)),
    "whole": (sa.Integer, st.integers(-(2**31), 2**31 - 1)),
    "big": (sa.BigInteger, st.integers(-(2**63), 2**63 - 1)),
    "flag": (sa.Boolean, st.booleans()),
    "ratio": (sa.Double, st.floats(-1e15, 1e15, allow_nan=False)),
    "amount": (sa.Numeric(20, 4), small_decimals),
    "as_float": (sa.Numeric(20, 4, asdecimal=False), small_decimals),
    "string": (sa.String(100), text()),
    "words": (sa.Text, text(max_size=200)),
    "raw": (sa.LargeBinary, st.binary(max_size=50)),
    "day": (sa.Date, days),
    "clock": (sa.Time, st.times().map(lambda value: value.replace(microsecond=0))),
    "moment": (sa.DateTime, moments().map(lambda value: value.replace(microsecond=0))),
    "span": (sa.Interval, st.timedeltas(timedelta(0), timedelta(days=20000)).map(lambda each: timedelta(each.days))),
    "json": (sa.JSON, json_values()),
    "uuid": (sa.Uuid, st.uuids(version=4)),
    "uuid_text": (sa.Uuid(as_uuid=False), st.uuids(version=4).map(str)),
    "colour": (sa.Enum(Colour), st.sampled_from(Colour)),
    "pickled": (sa.PickleType, json_values()),
}
OF_VENDOR: dict[str, dict[str, tuple[Any, st.SearchStrategy[Any]]]] = {
    "sqlite": {
        "stamp": (sa.TIMESTAMP, moments()),
        "exact": (sa.DateTime, moments()),
        "exact_clock": (sa.Time, st.times()),
    },
    "mysql": {
        "exact": (mysql.DATETIME(fsp=6), moments()),
        "exact_clock": (mysql.TIME(fsp=6), st.times()),
        "stamp": (mysql.TIMESTAMP(fsp=6), moments()),
        "year": (mysql.YEAR, st.integers(1901, 2155)),
        "chosen": (mysql.SET("a", "b", "c"), st.sets(st.sampled_from("abc"))),
        "bits": (mysql.BIT(16), st.integers(0, 2**16 - 1)),
        "tiny": (mysql.TINYINT, st.integers(-128, 127)),
        "long_raw": (mysql.LONGBLOB, st.binary(max_size=50)),
        "single": (mysql.FLOAT, st.sampled_from([0.5, -2.25, 1e6])),
    },
    "postgresql": {
        "zoned": (sa.DateTime(timezone=True), utc_moments),
        "exact_clock": (sa.Time, st.times()),
        "interval": (postgresql.INTERVAL, st.timedeltas(timedelta(-9999), timedelta(9999))),
        "jsonb": (postgresql.JSONB, json_values()),
        "numbers": (postgresql.ARRAY(sa.Integer), st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3)),
        "texts": (postgresql.ARRAY(sa.Text), st.lists(text(), max_size=3)),
        "uuids": (postgresql.ARRAY(sa.Uuid), st.lists(st.uuids(version=4), max_size=3)),
        "decimals": (postgresql.ARRAY(sa.Numeric(20, 4)), st.lists(small_decimals, max_size=3)),
        "moments": (postgresql.ARRAY(sa.DateTime(timezone=True)), st.lists(utc_moments, max_size=3)),
        "documents": (postgresql.ARRAY(postgresql.JSONB), st.lists(st.dictionaries(text(), json_values()), max_size=2)),
        "address": (postgresql.INET, st.ip_addresses().map(str)),
        "network": (postgresql.CIDR, st.sampled_from(["10.0.0.0/8", "2001:db8::/32"])),
        "mac": (postgresql.MACADDR, st.just("08:00:2b:01:02:03")),
        "bits": (postgresql.BIT(4), st.just("1010")),
        "pairs": (postgresql.HSTORE, st.dictionaries(text(), text() | st.none(), max_size=3)),
        "whole_range": (postgresql.INT4RANGE, ranges(st.integers(-(2**31), 2**31 - 2))),
        "number_range": (postgresql.NUMRANGE, ranges(small_decimals)),
        "day_range": (postgresql.DATERANGE, ranges(days)),
        "moment_range": (postgresql.TSRANGE, ranges(moments())),
        "zoned_range": (postgresql.TSTZRANGE, ranges(utc_moments)),
    },
}
examples = settings(
    max_examples=int(os.environ.get("VALUES_EXAMPLES", "12")), deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


class Beside:
    """Our engine, SQLAlchemy's own, and a table with a column of each type."""

    def __init__(self) -> None:
        self.ours, self.own = engine("main"), own_engine()
        self.kinds = EVERYWHERE | OF_VENDOR[self.own.dialect.name]
        columns = [sa.Column(name, kind, nullable=True) for name, (kind, _) in self.kinds.items()]
        key = sa.Column("id", sa.Integer, primary_key=True, autoincrement=False)
        self.metadata = sa.MetaData()
        self.table = sa.Table("alchemy_values", self.metadata, key, *columns)

    def rows(self) -> st.SearchStrategy[Row]:
        return st.fixed_dictionaries({name: st.none() | values for name, (_, values) in self.kinds.items()})

    def write(self, row: Row) -> None:
        with transaction.manager, self.ours.connect() as connection:
            connection.execute(self.table.delete())
            connection.execute(self.table.insert(), {"id": 1, **row})
            connection.commit()
        with self.own.begin() as connection:
            connection.execute(self.table.insert(), {"id": 2, **row})

    def read(self, by: sa.Engine, statement: Any) -> list[Any]:
        with transaction.manager, by.connect() as connection:
            return [list(map(described, found)) for found in connection.execute(statement)]


def described(value: Any) -> Any:
    """A value, with what == does not tell: its type, and those of its parts."""
    if isinstance(value, (list, tuple, set)):
        return type(value), [described(each) for each in (sorted(value) if isinstance(value, set) else value)]
    if isinstance(value, dict):
        return dict, {key: described(each) for key, each in value.items()}
    if isinstance(value, memoryview):
        return memoryview, bytes(value)
    return type(value), repr(value)


@pytest.fixture
def beside(transactional_db: None) -> Iterator[Beside]:
    both = Beside()
    with both.own.begin() as connection:
        if both.own.dialect.name == "postgresql":
            connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS hstore"))
        both.metadata.drop_all(connection)
        both.metadata.create_all(connection)
    # What the database has was asked when each first connected.
    both.ours, both.own = engine("main", echo=False), own_engine()
    yield both
    transaction.abort()
    both.metadata.drop_all(both.own)
    both.own.dispose()


def test_every_value_comes_back_as_from_sqlalchemys_own_engine(beside: Beside) -> None:
    typed = sa.select(beside.table).order_by(beside.table.c.id)
    untyped = sa.text("SELECT * FROM alchemy_values ORDER BY id")

    @examples
    @given(beside.rows())
    def check(row: Row) -> None:
        beside.write(row)
        for statement in (typed, untyped):
            by_ours, by_own = beside.read(beside.ours, statement), beside.read(beside.own, statement)
            assert by_ours == by_own
            # And both have written the same.
            assert by_own[0][1:] == by_own[1][1:]

    check()


def test_what_django_reads_is_untouched_while_sqlalchemy_reads(beside: Beside) -> None:
    """The converters, loaders and dictionaries of Django's connection stay Django's."""
    now = datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    values: Row = {"text": "x", "flag": True, "number": 1, "ratio": 0.5, "amount": Decimal("1.5"), "raw": b"1"}
    Sample.objects.create(**values, day=now.date(), moment=now, clock=time(1, 2, 3))
    alone = described(Sample.objects.values_list().get())
    with transaction.manager, beside.ours.connect() as connection:
        rows = connection.execute(sa.text("SELECT * FROM people_sample"))
        together = described(Sample.objects.values_list().get())
        rows.close()
    assert described(Sample.objects.values_list().get()) == together == alone
    Sample.objects.all().delete()


@pytest.mark.parametrize("declared", ["bool", "date", "datetime", "time", "timestamp"])
def test_sqlites_columns_of_djangos_types_come_back_as_they_are_stored(beside: Beside, declared: str) -> None:
    if beside.own.dialect.name != "sqlite":
        pytest.skip("Only SQLite has converters by the words of a table's definition.")
    stored = [1, 0, 1.5, "2020-01-02", "2020-01-02 03:04:05", "03:04:05", "no date", b"1", b"\xff", None]
    with beside.own.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE oddities (value {declared})"))
        connection.execute(sa.text("INSERT INTO oddities VALUES (:value)"), [{"value": each} for each in stored])
    try:
        statement = sa.text("SELECT value FROM oddities ORDER BY rowid")
        assert beside.read(beside.ours, statement) == beside.read(beside.own, statement)
    finally:
        with beside.own.begin() as connection:
            connection.execute(sa.text("DROP TABLE oddities"))


def test_addresses_come_back_as_objects_where_that_is_asked_for(beside: Beside) -> None:
    if beside.own.dialect.driver != "psycopg":
        pytest.skip("Only psycopg 3 has such objects.")
    statement = sa.select(
        sa.cast("10.0.0.1", postgresql.INET).label("address"), sa.cast("10.0.0.0/8", postgresql.CIDR).label("network")
    )
    assert beside.read(beside.ours, statement) == beside.read(beside.own, statement)
    with beside.own.connect() as connection:
        assert tuple(connection.execute(statement).one()) == (ip_address("10.0.0.1"), ip_network("10.0.0.0/8"))


def test_a_json_serializer_of_the_sites_own_is_used(beside: Beside) -> None:
    def loads(value: Any) -> Any:
        return ["loaded", value if isinstance(value, str) else value.decode()]

    ours = engine("main", json_serializer=lambda value: '"dumped"', json_deserializer=loads)
    beside.write(dict.fromkeys(beside.kinds))
    with transaction.manager, ours.connect() as connection:
        connection.execute(beside.table.update().values(json={"a": 1}))
        assert connection.execute(sa.select(beside.table.c.json)).scalars().all() == [["loaded", '"dumped"']] * 2
        connection.commit()
