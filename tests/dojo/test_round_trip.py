"""A StoreView's item that a browser reads and puts back: its row in the database is what it was, column by column."""

from __future__ import annotations

import json
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.db import connection
from django.db.models import Model
from django.forms import modelform_factory
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from djintegrate.dojo.rest import StoreView
from tests.apps.fields.models import Club, Every, Filled, Referring, StringKey, Tree, UuidKey
from tests.apps.sprints import helpers as sprints
from tests.apps.sprints.helpers import clean as clean
from tests.apps.sprints.models import Comment
from tests.dojo.values_site import view_of
from tests.support.helpers import MIDDLEWARE

pytestmark = pytest.mark.django_db

ODD: dict[str, list[Any]] = {
    "big_integer": [2**63 - 1, -(2**63), 2**53 - 1, 2**53, 2**53 + 1, 0],
    "boolean": [True, False],
    "char": [" odd ", "", "None", "null", "5", "true", "[1]", "a\r\nb", "\t", "ä\u2028\U0001f600", "1e5"],
    "choice": ["S"],
    "date": [date(1, 1, 2), date(2026, 3, 2), date(9999, 12, 30)],
    "moment": [
        datetime(2026, 1, 5, 23, 30, 0, 123456, timezone.utc),
        datetime(2026, 10, 25, 0, 30, 0, 1, timezone.utc),
        datetime(2026, 10, 25, 1, 30, tzinfo=timezone.utc),
    ],
    "decimal": [Decimal("-1234567890.1234"), Decimal("0.0001"), Decimal(0), Decimal("1.234"), Decimal("1234.5")],
    "long_decimal": [Decimal("12345678.12345"), Decimal("0.00000000000000000001")],
    "duration": [timedelta(0), timedelta(days=-1, microseconds=1), timedelta(400, 5, 6), timedelta(hours=-1)],
    "email": ["Some.One@Example.COM"],
    "file": ["", "a/b ä.txt"],
    "image": ["c.png"],
    "floating": [0.1, 1e300, 5e-324, 1.0, 1.234, 2.0**60, 1e22, -1234567.5],
    "ip": ["2001:db8::1", "::ffff:10.10.10.10", "10.0.0.1"],
    "json": [
        "5", 5, 5.0, "", "hello", "null", '{"a":1}', {"a": [1, "ä", None], "b": {}}, [], {}, True, False, 0, [[]],
        {"n": 2**53 + 1, "text": "9"}, "2026-01-01", 1.5e300,
    ],
    "positive_big_integer": [2**63 - 1],
    "integer": [-(2**31), 1234],
    "slug": ["a-b_1"],
    "text": ["\n x \r\n", "<b>"],
    "time": [time(23, 59, 59, 999999), time(0, 0), time(10, 30, 0, 1)],
    "url": ["http://example.com", "https://user@Example.com:80/ä?q#f"],
    "uuid": [uuid.UUID(int=2**127 + 5)],
}  # fmt: skip
LOSSY = [repr(value) for value in (" odd ", "\t", "", "\n x \r\n", 5.0, 1.5e300, {"n": 2**53 + 1, "text": "9"})]
"""What another row gets otherwise: texts are stripped by Django's form, and these numbers are as a browser has them."""


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.dojo.values_site"
    settings.MIDDLEWARE = list(MIDDLEWARE)
    settings.USE_TZ, settings.TIME_ZONE = True, "Europe/Berlin"


def put(client: Client, address: str, data: Any) -> Any:
    return client.generic("PUT", address, json.dumps(data), "application/json")


def in_browser(answer: Any) -> Any:
    """What JSON.stringify() says of what JSON.parse() read: all numbers are doubles, and 5.0 is 5."""

    def number(text: str) -> Any:
        value = float(text)
        return int(value) if value.is_integer() and abs(value) < 1e21 else value

    def refuse(text: str) -> Any:
        raise ValueError(text)

    assert answer.status_code == 200, answer.content
    return json.loads(answer.content, parse_int=number, parse_float=number, parse_constant=refuse)


def row(obj: Model) -> dict[str, str]:
    """As the database has it."""
    with connection.cursor() as cursor:
        quote = connection.ops.quote_name
        cursor.execute(f"SELECT * FROM {quote(obj._meta.db_table)} WHERE id = {obj.pk:d}")
        [found] = cursor.fetchall()
        return {column[0]: repr(value) for column, value in zip(cursor.description, found, strict=True)}


@pytest.mark.parametrize("view", ["every", "localized"])
@pytest.mark.parametrize("name", ODD)
def test_a_row_that_is_put_back_stays_what_it_is(client: Client, settings: Any, view: str, name: str) -> None:
    if view == "localized":
        settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", True
    for value in [*ODD[name], None]:
        obj = Every.objects.create(**{name: value})
        before = row(obj)
        item = in_browser(client.get(f"/{view}/{obj.pk}"))
        answer = put(client, f"/{view}/{obj.pk}", item)
        assert answer.status_code == 200, answer.content
        assert row(obj) == before
        # And beside another column that does change.
        other = "slug" if name != "slug" else "integer"
        assert put(client, f"/{view}/{obj.pk}", {**item, other: "77"}).status_code == 200
        assert {**row(obj), other: ""} == {**before, other: ""}
        assert row(obj)[other] != before[other]


@pytest.mark.parametrize("name", sorted({*ODD} - {"file", "image"}))
def test_what_is_shown_of_one_row_is_read_as_the_same_of_another(client: Client, name: str) -> None:
    """By the form alone: nothing of the new row is known."""
    for value in [*(value for value in ODD[name] if repr(value) not in LOSSY), None]:
        one, other = Every.objects.create(**{name: value}), Every.objects.create()
        item = in_browser(client.get(f"/every/{one.pk}"))
        answer = put(client, f"/every/{other.pk}", {**item, "id": other.pk})
        assert answer.status_code == 200, answer.content
        assert {**row(other), "id": ""} == {**row(one), "id": ""}


def test_a_value_that_no_form_takes_is_refused_and_stays(client: Client) -> None:
    if connection.vendor == "mysql":
        pytest.skip("MariaDB has no such number.")
    obj = Every.objects.create(floating=float("inf"), char="x")
    assert in_browser(client.get("/every/"))[0]["floating"] == "Infinity"
    item = in_browser(client.get(f"/every/{obj.pk}"))
    before = row(obj)
    answer = put(client, f"/every/{obj.pk}", {**item, "char": "y"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["floating"])
    assert row(obj) == before


def test_fields_of_the_sites_own_choice_keep_it_too(client: Client) -> None:
    moment = datetime(2026, 10, 25, 0, 30, 0, 123456, timezone.utc)  # An hour that Berlin has twice.
    obj = Every.objects.create(moment=datetime(2026, 5, 5, 0, 30, 0, 7, timezone.utc), floating=1.0, char="")
    before = row(obj)
    answer = put(client, f"/parts/{obj.pk}", in_browser(client.get(f"/parts/{obj.pk}")))
    assert answer.status_code == 200, answer.content
    assert row(obj) == before
    answer = put(client, f"/parts/{obj.pk}", {"moment": "2026-05-05T02:30:00.000009+02:00", "floating": 2.5})
    assert answer.status_code == 200, answer.content
    obj.refresh_from_db()
    assert (obj.moment, obj.floating, obj.char) == (datetime(2026, 5, 5, 0, 30, 0, 9, timezone.utc), 2.5, "")
    Every.objects.update(moment=moment)
    assert put(client, f"/parts/{obj.pk}", in_browser(client.get(f"/parts/{obj.pk}"))).status_code in (200, 400)
    obj.refresh_from_db()
    assert obj.moment == moment


def test_a_moment_of_another_offset_is_stored_without_time_zones_too(client: Client, settings: Any) -> None:
    settings.USE_TZ, settings.TIME_ZONE = False, "Europe/Berlin"
    obj = Every.objects.create(moment=datetime(2026, 1, 5, 23, 30, 0, 5))
    before = row(obj)
    item = in_browser(client.get(f"/every/{obj.pk}"))
    assert item["moment"] == "2026-01-05T23:30:00.000005"
    assert put(client, f"/every/{obj.pk}", item).status_code == 200
    assert row(obj) == before
    assert put(client, f"/every/{obj.pk}", {**item, "moment": "2026-01-05T12:00:00.000Z"}).status_code == 200
    obj.refresh_from_db()
    assert obj.moment == datetime(2026, 1, 5, 13)
    answer = put(client, f"/every/{obj.pk}", {**item, "moment": "0001-01-01T00:00:00+14:00"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["moment"])


class TestKeysOfOtherRows:
    @pytest.fixture
    def referring(self) -> Referring:
        one = StringKey.objects.create(code="2", number=1)
        StringKey.objects.create(code="1", number=2)
        return Referring.objects.create(
            string_key=one, by_number=one, alone=one, uuid_key=UuidKey.objects.create(name="u")
        )

    @pytest.mark.parametrize(
        ("view", "shown"),
        [("referring", {"string_key": "2", "by_number": 1}), ("by-code", {"string_key": 1, "by_number": "2"})],
    )
    def test_it_is_the_key_that_the_form_reads(
        self, client: Client, referring: Referring, view: str, shown: dict[str, Any]
    ) -> None:
        before, address = row(referring), f"/{view}/{referring.pk}"
        item = in_browser(client.get(address))
        assert {name: item[name] for name in shown} == shown
        assert put(client, address, item).status_code == 200
        assert row(referring) == before
        # The other row, by the same kind of key.
        other = {name: {"2": "1", 1: 2}[value] for name, value in shown.items()}
        assert put(client, address, {**item, **other}).status_code == 200
        referring.refresh_from_db()
        assert (referring.string_key_id, referring.by_number_id) == ("1", 2)

    def test_a_view_that_only_shows_a_row_reads_no_other_for_it(self, client: Client, referring: Referring) -> None:
        with CaptureQueriesContext(connection) as captured:
            client.get("/referring/")
        assert sum(query["sql"].startswith("SELECT") for query in captured) == 1

    def test_several_rows_are_a_list_of_keys(self, client: Client) -> None:
        trees = [Tree.objects.create(name=name) for name in "abc"]
        club = Club.objects.create(name="c")
        club.members.set(trees[:2])
        item = in_browser(client.get(f"/club/{club.pk}"))
        assert sorted(item["members"]) == [trees[0].pk, trees[1].pk]
        assert put(client, f"/club/{club.pk}", {**item, "name": "d"}).status_code == 200
        assert set(club.members.all()) == set(trees[:2])
        assert put(client, f"/club/{club.pk}", {"members": [trees[2].pk]}).status_code == 200
        assert list(club.members.all()) == trees[2:]
        assert put(client, f"/club/{club.pk}", {"members": [True]}).status_code == 400


def test_what_is_not_sent_stays(client: Client) -> None:
    """The view shows the name alone, and its form has fields for more."""
    obj = Filled.objects.create(name="a", note="kept", number=3, tags=["x"], price=Decimal("9.50"))
    item = in_browser(client.get(f"/filled/{obj.pk}"))
    answer = put(client, f"/filled/{obj.pk}", {**item, "name": "b"})
    assert answer.status_code == 200, answer.content
    obj.refresh_from_db()
    assert (obj.name, obj.note, obj.number, obj.tags, obj.price) == ("b", "kept", 3, ["x"], Decimal("9.50"))


def test_a_text_that_stood_for_a_long_integer_in_json_is_refused_where_it_would_stay_a_text(client: Client) -> None:
    obj = Every.objects.create(json={"n": 2**53 + 1, "m": 1})
    item = in_browser(client.get(f"/every/{obj.pk}"))
    assert item["json"] == {"n": str(2**53 + 1), "m": 1}
    answer = put(client, f"/every/{obj.pk}", {**item, "json": {**item["json"], "m": 2}})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["json"])
    assert put(client, f"/every/{obj.pk}", {**item, "json": {"n": 2**53 + 1, "m": 2}}).status_code == 200
    obj.refresh_from_db()
    assert obj.json == {"n": 2**53 + 1, "m": 2}


class TestOtherForms:
    def put_back(self, view: type[StoreView], obj: Model, **changed: Any) -> Any:
        """By a view that has no address."""
        requests, key = RequestFactory(), str(obj.pk)
        item = in_browser(view.as_view()(requests.get("/"), key=key))
        body = json.dumps({**item, **changed})
        return view.as_view()(requests.put("/", body, "application/json"), key=key)

    def test_what_a_method_of_the_view_shows_is_no_new_value(self) -> None:
        class Loud(StoreView):
            rows = Tree.objects.all()
            fields = ("name", "parent")
            form_class = modelform_factory(Tree, fields=["name", "parent"])
            public = {"view", "change"}

            def name(self, obj: Any) -> str:
                return str(obj.name).upper()

            def parent(self, obj: Any) -> str:
                return str(obj.parent.name)

        root = Tree.objects.create(name="root")
        tree = Tree.objects.create(name="small", parent=root)
        before = row(tree)
        answer = self.put_back(Loud, tree)
        # The text is no key, so it is refused; without it, the name is put back.
        assert (answer.status_code, list(json.loads(answer.content)["fields"])) == (400, ["parent"])
        assert self.put_back(Loud, tree, parent=root.pk).status_code == 200
        assert row(tree) == before
        assert self.put_back(Loud, tree, parent=root.pk, name="New").status_code == 200
        tree.refresh_from_db()
        assert tree.name == "New"

    def test_a_field_that_the_form_has_switched_off_keeps_its_microseconds(self) -> None:
        class Form(forms.ModelForm):
            moment = forms.DateTimeField(disabled=True)

            class Meta:
                model = Every
                fields = ("moment", "slug")

        view = view_of(Every, ["moment", "slug"], form=Form)
        obj = Every.objects.create(moment=datetime(2026, 1, 5, 23, 30, 0, 123456, timezone.utc), slug="a")
        before = row(obj)
        assert self.put_back(view, obj, moment="2027-01-01T00:00:00Z").status_code == 200
        assert row(obj) == before

    def test_what_get_form_adds_of_its_own_is_read(self) -> None:
        class Own(view_of(Tree, ["name"], written=["name", "parent"])):  # type: ignore[misc]
            def get_form(self, data: Any, obj: Any = None) -> Any:
                return super().get_form({**data, "parent": root}, obj)

        root = Tree.objects.create(name="root")
        tree = Tree.objects.create(name=" a ")
        assert self.put_back(Own, tree).status_code == 200
        tree.refresh_from_db()
        assert (tree.name, tree.parent) == (" a ", root)

    def test_names_with_a_prefix_are_not_those_of_the_item(self) -> None:
        class Form(forms.ModelForm):
            prefix = "tree"

            class Meta:
                model = Tree
                fields = ("name",)

        tree = Tree.objects.create(name=" a ")
        view = view_of(Tree, ["name"], form=Form)
        assert self.put_back(view, tree).status_code == 200
        assert self.put_back(view, tree, **{"tree-name": "b"}).status_code == 200
        tree.refresh_from_db()
        assert tree.name == "b"


@pytest.mark.django_db(databases=sprints.DATABASES)
@pytest.mark.usefixtures("clean")
class TestStormsObjects:
    def test_their_key_is_shown_and_read(self, client: Client) -> None:
        talk, other = sprints.session("talk"), sprints.session("other")
        comment = Comment.objects.create(session=talk, text=" x ")
        view = view_of(Comment, ["session", "text"])
        before = row(comment)
        put_back = TestOtherForms().put_back
        assert view().item(comment)["session"] == talk.id
        assert put_back(view, comment).status_code == 200
        assert row(comment) == before
        assert put_back(view, comment, session=True).status_code == 400
        assert put_back(view, comment, session=other.id).status_code == 200
        comment.refresh_from_db()
        assert (comment.session_id, comment.text) == (other.id, " x ")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL has such columns.")
class TestColumnsOfPostgreSQL:
    @pytest.fixture
    def view(self) -> type[StoreView]:
        from tests.apps.fields.models import Postgres

        fields = ["words", "grid", "moments", "integers", "period"]
        return view_of(Postgres, fields)

    def test_lists_and_ranges_are_put_back(self, view: type[StoreView]) -> None:
        moment = datetime(2026, 1, 5, 23, 30, 0, 123456, timezone.utc)
        obj = view.rows.model.objects.create(
            words=["a,b", " c "],
            grid=[[1, 2], [3, 4]],
            moments=[moment],
            integers=(1, 5),
            period=(moment, moment + timedelta(1)),
        )
        before, put_back = row(obj), TestOtherForms().put_back
        answer = put_back(view, obj)
        assert answer.status_code == 200, answer.content
        assert row(obj) == before
        assert put_back(view, obj, words=["x"], integers=[2, 9]).status_code == 200
        obj.refresh_from_db()
        assert (obj.words, obj.grid, obj.moments) == (["x"], [[1, 2], [3, 4]], [moment])
        assert (obj.integers.lower, obj.integers.upper, obj.period.lower) == (2, 9, moment)
        for wrong in (
            {"words": {"a": 1}},
            {"words": True},
            {"words": [["a"]]},
            {"words": [True]},
            {"grid": [[True]]},
            {"integers": {"a": 1}},
            {"period": 5},
        ):
            assert put_back(view, obj, **wrong).status_code == 400, wrong
