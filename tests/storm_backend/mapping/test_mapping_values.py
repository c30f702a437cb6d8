"""Values go through both ORMs unchanged: what either writes, both read alike, and the rows are the same.

MAPPING_EXAMPLES says how many random rows; `make values` takes 1,000 on each database.
"""

from __future__ import annotations

import os
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import transaction
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.flatpages.models import FlatPage
from django.contrib.sites.models import Site
from django.db import connection
from django.db.models import Model
from django.db.models.fields.files import FieldFile
from django.test import override_settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.mapping import storm_class
from tests.apps.fields.models import Colour, Every, Size

pytestmark = pytest.mark.django_db

Values = dict[str, Any]

examples = hypothesis_settings(
    max_examples=int(os.environ.get("MAPPING_EXAMPLES", "25")),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


# Reading and writing with either


def django_writes(model: type[Model], values: Values) -> Any:
    return model._default_manager.create(**values).pk


def storm_writes(model: type[Model], values: Values) -> Any:
    obj = get_store("main").add(storm_class(model)(**values))
    get_store("main").flush()
    return getattr(obj, model._meta.pk.attname)


def django_reads(model: type[Model], pk: Any) -> Values:
    obj = model._default_manager.get(pk=pk)
    found = {field.attname: getattr(obj, field.attname) for field in model._meta.concrete_fields}
    return {name: value.name if isinstance(value, FieldFile) else value for name, value in found.items()}


def storm_reads(model: type[Model], pk: Any) -> Values:
    store = get_store("main")
    store.invalidate()
    obj = store.get(storm_class(model), pk)
    return {field.attname: getattr(obj, field.attname) for field in model._meta.concrete_fields}


def row(model: type[Model], pk: Any) -> list[Any]:
    """All but the key, as the driver gives it."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in model._meta.concrete_fields if not field.primary_key)
    key = model._meta.pk
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM {quote(model._meta.db_table)} WHERE {quote(key.column)} = %s",
            [key.get_db_prep_value(pk, connection)],
        )
        return [bytes(value) if isinstance(value, memoryview) else value for value in cursor.fetchone()]


def assert_alike(left: Values, right: Values) -> None:
    assert left.keys() == right.keys()
    for name, value in left.items():
        other = right[name]
        assert type(value) is type(other), name
        assert value == other, name
        if isinstance(value, datetime):
            assert value.tzinfo is other.tzinfo, name


def assert_goes_both_ways(model: type[Model], values: Values, others: Values | None = None) -> None:
    """Written by each ORM, with `others` the second time where values have to be unique."""
    with transaction.manager:
        by_django = django_writes(model, values)
        by_storm = storm_writes(model, values if others is None else others)
        read, again = django_reads(model, by_django), django_reads(model, by_storm)
        assert_alike(read, storm_reads(model, by_django))
        assert_alike(again, storm_reads(model, by_storm))
        if others is None:
            assert row(model, by_storm) == row(model, by_django)
            key = model._meta.pk.attname
            assert_alike({**again, key: 0}, {**read, key: 0})


# Values


def integers(bits: int, positive: bool = False) -> st.SearchStrategy[int]:
    return st.integers(0 if positive else -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def decimals(digits: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.integers(-(10**digits) + 1, 10**digits - 1).map(lambda number: Decimal(number).scaleb(-places))


def text(size: int | None = None) -> st.SearchStrategy[str]:
    # PostgreSQL has no NUL in its texts.
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=size)


JSON = st.recursive(
    st.booleans() | integers(50) | st.floats(allow_nan=False, allow_infinity=False, width=32) | text(10),
    lambda inner: st.lists(inner | st.none(), max_size=4) | st.dictionaries(text(5), inner | st.none(), max_size=4),
    max_leaves=8,
)
# What fits into the microseconds in 64 bits that stand for an interval where there is no type for one.
LONG = timedelta.max if os.environ.get("DB") == "postgres" else timedelta(microseconds=2**63 - 1)
SHORT = timedelta.min if os.environ.get("DB") == "postgres" else timedelta(microseconds=-(2**63))

EVERY: dict[str, st.SearchStrategy[Any]] = {
    "big_integer": integers(64),
    "binary": st.binary(max_size=50),
    "boolean": st.booleans(),
    "char": text(60),
    "choice": st.sampled_from(Size),
    "colour": st.builds(Colour, *[st.integers(0, 255)] * 3),
    "date": st.dates(),
    "decimal": decimals(14, 4),
    "long_decimal": decimals(59, 20),
    "duration": st.timedeltas(SHORT, LONG),
    "email": st.just("ann@example.com"),
    "file": text(30),
    "image": st.just("images/cat.png"),
    "file_path": text(30),
    "floating": st.floats(allow_nan=False, allow_infinity=False),
    "integer": integers(32),
    "ip": st.ip_addresses().map(str),
    "json": JSON,
    "positive_big_integer": integers(64, positive=True),
    "positive_integer": integers(32, positive=True),
    "positive_small_integer": integers(16, positive=True),
    "slug": st.just("a-slug"),
    "small_integer": integers(16),
    "text": text(),
    "time": st.times(),
    "url": st.just("https://example.com/?q=ä"),
    "uuid": st.uuids(version=4),  # MariaDB refuses some that are of no version
}


def every(**moments: st.SearchStrategy[Any]) -> st.SearchStrategy[Values]:
    given_or_null = {name: st.none() | strategy for name, strategy in {**EVERY, **moments}.items()}
    # Django writes "" for the None of a file.
    return st.fixed_dictionaries({**given_or_null, "file": EVERY["file"], "image": EVERY["image"]})


class TestEveryField:
    def test_there_is_a_value_for_each_field(self) -> None:
        assert {field.name for field in Every._meta.fields} == {"id", "moment", *EVERY}

    @examples
    @given(values=every(moment=st.datetimes(timezones=st.just(timezone.utc))))
    def test_goes_both_ways(self, values: Values) -> None:
        assert_goes_both_ways(Every, values)

    @examples
    # Where a time zone is away from UTC, PostgreSQL has less than the first and the last day.
    @given(values=every(moment=st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31))))
    def test_goes_both_ways_without_time_zones(self, values: Values) -> None:
        # Not the fixture: its settings would lie a thousand deep.
        with override_settings(USE_TZ=False):
            assert_goes_both_ways(Every, values)

    @examples
    @given(moment=st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))
    def test_moments_in_any_time_zone_do(self, moment: datetime) -> None:
        assert_goes_both_ways(Every, {"moment": moment})

    def test_a_time_zone_of_the_database_does(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(connection.settings_dict, "TIME_ZONE", "Asia/Tokyo")
        for name in ("timezone", "timezone_name"):
            connection.__dict__.pop(name, None)
        try:
            connection.ensure_timezone()
            assert_goes_both_ways(Every, {"moment": datetime(2024, 2, 29, 23, 30, tzinfo=timezone.utc)})
        finally:
            monkeypatch.undo()
            for name in ("timezone", "timezone_name"):
                connection.__dict__.pop(name, None)
            connection.ensure_timezone()

    @pytest.mark.parametrize(
        "values",
        [
            {"moment": datetime.min.replace(tzinfo=timezone.utc), "date": date.min, "time": time.min},
            {"moment": datetime.max.replace(tzinfo=timezone.utc), "date": date.max, "time": time.max},
            {"duration": SHORT, "big_integer": -(2**63), "integer": -(2**31), "small_integer": -(2**15)},
            {"duration": LONG, "big_integer": 2**63 - 1, "positive_big_integer": 2**63 - 1},
            {"duration": timedelta(days=-1, microseconds=1), "decimal": Decimal("-0.0001")},
            {"decimal": Decimal("9999999999.9999"), "floating": 1.7976931348623157e308},
            {"long_decimal": Decimal("9" * 39 + "." + "9" * 20), "floating": 5e-324},
            {"char": "\U0001f600\U00020000", "text": "a\U0010fffd", "json": {"\U0001f600": ["\U0001f600"]}},
            {"char": "", "text": " ", "binary": b"", "json": {}},
            {"binary": bytes(range(256)), "uuid": UUID(int=0), "ip": "::ffff:10.0.0.1"},
            {"json": [None, True, 1.5, "null", {"a": {"b": []}}]},
            {},
        ],
    )
    def test_extremes_do(self, values: Values) -> None:
        assert_goes_both_ways(Every, values)


def now() -> datetime:
    moment = datetime(2024, 2, 29, 12, 34, 56, 789012)
    return moment.replace(tzinfo=timezone.utc) if settings.USE_TZ else moment


def two_groups() -> tuple[Values, Values]:
    return {"name": "Sprünge"}, {"name": "\U0001f600"}


def two_users() -> tuple[Values, Values]:
    return (
        {"username": "ann", "password": "!x", "email": "ann@example.com", "last_login": now(), "is_staff": True},
        {"username": "bob", "password": "!y", "first_name": "Bób", "date_joined": now()},
    )


def two_types() -> tuple[Values, Values]:
    return {"app_label": "one", "model": "thing"}, {"app_label": "two", "model": "thing"}


def two_permissions() -> tuple[Values, Values]:
    thing = ContentType.objects.create(app_label="three", model="thing")
    return (
        {"codename": "see", "name": "May see", "content_type_id": thing.pk},
        {"codename": "do", "name": "May do", "content_type_id": thing.pk},
    )


def two_pages() -> tuple[Values, Values]:
    return {"url": "/one/", "title": "Eins", "content": "…"}, {"url": "/two/", "title": "2", "enable_comments": True}


def two_sites() -> tuple[Values, Values]:
    return {"domain": "one.example.com", "name": "one"}, {"domain": "two.example.com", "name": "two"}


def two_links(near: type[Model], far: type[Model], nears: Any, fars: Any) -> tuple[Values, Values]:
    first, second = (far._default_manager.create(**values) for values in fars())
    one = near._default_manager.create(**nears()[0])
    name = near._meta.model_name
    return {f"{name}_id": one.pk, f"{far._meta.model_name}_id": first.pk}, {
        f"{name}_id": one.pk,
        f"{far._meta.model_name}_id": second.pk,
    }


def two_entries() -> tuple[Values, Values]:
    user = User.objects.create(**two_users()[0])
    thing = ContentType.objects.create(app_label="three", model="thing")
    common = {"user_id": user.pk, "object_repr": "Thing", "action_flag": 1, "action_time": now()}
    return {**common, "content_type_id": thing.pk, "object_id": "7"}, {**common, "change_message": '[{"added": {}}]'}


def two_redirects() -> tuple[Values, Values]:
    site = Site.objects.create(**two_sites()[0])
    return (
        {"site_id": site.pk, "old_path": "/old/", "new_path": "/new/"},
        {"site_id": site.pk, "old_path": "/ä/", "new_path": ""},
    )


def two_sessions() -> tuple[Values, Values]:
    return (
        {"session_key": "one", "session_data": "e30", "expire_date": now()},
        {"session_key": "two", "session_data": "", "expire_date": now()},
    )


CONTRIB = {
    "admin.LogEntry": two_entries,
    "auth.Group": two_groups,
    "auth.Group_permissions": lambda: two_links(Group, Permission, two_groups, two_permissions),
    "auth.Permission": two_permissions,
    "auth.User": two_users,
    "auth.User_groups": lambda: two_links(User, Group, two_users, two_groups),
    "auth.User_user_permissions": lambda: two_links(User, Permission, two_users, two_permissions),
    "contenttypes.ContentType": two_types,
    "flatpages.FlatPage": two_pages,
    "flatpages.FlatPage_sites": lambda: two_links(FlatPage, Site, two_pages, two_sites),
    "redirects.Redirect": two_redirects,
    "sessions.Session": two_sessions,
    "sites.Site": two_sites,
}


class TestDjangosOwnModels:
    def test_all_are_here(self) -> None:
        # GeoDjango has models of its databases' catalogues only, and wants libraries of its own.
        contrib = [
            model._meta.label
            for model in apps.get_models(include_auto_created=True)
            if model.__module__.startswith("django.contrib.")
        ]
        assert sorted(contrib) == sorted(CONTRIB)

    @pytest.mark.parametrize("label", CONTRIB)
    @pytest.mark.parametrize("use_tz", [True, False])
    def test_goes_both_ways(self, label: str, use_tz: bool, settings: Any) -> None:
        settings.USE_TZ = use_tz
        first, second = CONTRIB[label]()
        assert_goes_both_ways(apps.get_model(label), first, second)
