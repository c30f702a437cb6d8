"""What a StoreView's form takes of JSON, what it refuses, and which numbers a browser gets as texts."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from djintegrate.dojo.rest import StoreView
from djintegrate.dojo.rows.rows import rows_of
from djintegrate.storm_backend import get_store
from tests.apps.fields.models import Colour, Every, Filled, Referring, StringKey
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.dojo import values_site
from tests.support.helpers import MIDDLEWARE

pytestmark = pytest.mark.django_db

LONG = 2**53 + 1


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.dojo.values_site"
    settings.MIDDLEWARE = list(MIDDLEWARE)


@pytest.fixture
def every() -> Every:
    return Every.objects.create(char="before", json={"a": 1}, boolean=True, file="a.txt", decimal=1)


def send(client: Client, method: str, address: str, body: str) -> Any:
    return client.generic(method, address, body, "application/json")


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def refused(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.content
    return list(answer.json()["fields"])


class TestWrongTypes:
    @pytest.mark.parametrize(
        ("name", "wrong"),
        [
            *((name, wrong) for name in ("char", "text", "slug", "choice", "uuid", "ip", "url", "email")
              for wrong in ('["a", "b"]', '{"a": 1}', "true", "false")),
            *((name, wrong) for name in ("integer", "floating", "decimal", "date", "moment", "time", "duration")
              for wrong in ("[1]", '{"a": 1}', "true")),
            *((name, "5") for name in ("date", "moment", "time")),
            *(("boolean", wrong) for wrong in ("[]", "[1]", '{"a": 1}')),
            ("integer", "1.5"), ("floating", "1e999"), ("floating", "1" * 400), ("integer", "1e999999999"),
            ("decimal", "1e999999999"), ("floating", "-1e999999999"), ("floating", '"1e999999999"'),
            ("moment", '"0001-01-01T00:00:00+14:00"'), ("json", "1e999"), ("json", r'{"a\u0000": 1}'),
            ("json", nested(32)), ("json", nested(900)), ("file", '"b.txt"'), ("file", "null"), ("file", "{}"),
        ],
    )  # fmt: skip
    def test_a_value_of_another_type_is_the_fields_error(
        self, client: Client, every: Every, name: str, wrong: str
    ) -> None:
        answer = send(client, "PUT", f"/every/{every.pk}", f'{{"{name}": {wrong}, "positive_integer": 9}}')
        assert refused(answer) == [name]
        assert Every.objects.get().positive_integer is None

    @pytest.mark.parametrize("wrong", ["true", '["1"]', '{"a": 1}', "1.0", '"1.0"', '"None"'])
    def test_it_is_no_other_rows_key(self, client: Client, wrong: str) -> None:
        StringKey.objects.create(code="1", number=1)
        obj = Referring.objects.create()
        answer = send(client, "PUT", f"/referring/{obj.pk}", f'{{"by_number": {wrong}}}')
        assert refused(answer) == ["by_number"]

    @pytest.mark.parametrize(
        ("name", "sent", "stored"),
        [
            ("char", "5", "5"), ("char", "1.10", "1.10"), ("integer", '"5"', 5), ("integer", "5.0", 5),
            ("big_integer", f'"{LONG}"', LONG), ("big_integer", str(LONG), LONG), ("floating", "5", 5.0),
            ("decimal", "1.1", Decimal("1.1")), ("decimal", "1234567890.1234", Decimal("1234567890.1234")),
            ("boolean", "false", False), ("boolean", "null", None), ("json", "[1.5, null]", [1.5, None]),
            ("json", nested(31), json.loads(nested(31))),
            ("file", '"a.txt"', "a.txt"), ("decimal", "null", None),
        ],
    )  # fmt: skip
    def test_what_fits_is_taken(self, client: Client, every: Every, name: str, sent: str, stored: Any) -> None:
        answer = send(client, "PUT", f"/every/{every.pk}", f'{{"{name}": {sent}}}')
        assert answer.status_code == 200, answer.content
        every.refresh_from_db()
        assert getattr(every, name) == stored

    def test_a_decimal_has_the_digits_that_were_sent(self, client: Client, every: Every) -> None:
        for sent in ("123456789.1230000000000001", '"123456789.1230000000000001"'):
            assert refused(send(client, "PUT", f"/every/{every.pk}", f'{{"decimal": {sent}}}')) == ["decimal"]

    @pytest.mark.parametrize("name", ["tags", "number"])
    @pytest.mark.parametrize("nothing", ["null", '""'])
    def test_nothing_for_a_column_that_wants_something(self, client: Client, name: str, nothing: str) -> None:
        obj = Filled.objects.create(name="a", note="b", tags=["x"])
        answer = send(client, "PUT", f"/filled/{obj.pk}", f'{{"{name}": {nothing}}}')
        if (name, nothing) == ("tags", '""'):
            assert answer.status_code == 200  # A text is something to JSON.
        else:
            assert (refused(answer), answer.json()["fields"][name]) == ([name], ["This field cannot be null."])


class TestTheBody:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ('{"json": [NaN]}', "NaN is no number of JSON"),
            ('{"json": -Infinity}', "-Infinity is no number"),
            ('{"char": "a", "char": "b"}', "an object has 'char' twice"),
            ('{"json": [{"a": {"b": 1, "b": 1}}]}', "an object has 'b' twice"),
        ],
    )
    def test_what_is_json_to_python_alone_or_to_each_another(
        self, client: Client, every: Every, body: str, said: str
    ) -> None:
        answer = send(client, "PUT", f"/every/{every.pk}", body)
        assert answer.status_code == 400
        assert said in answer.json()["error"]


class TestKeys:
    @pytest.mark.parametrize("key", ["5", '"5"', "0"])
    def test_an_item_is_not_added_with_a_key(self, client: Client, key: str) -> None:
        answer = send(client, "POST", "/people/", f'{{"id": {key}, "name": "a"}}')
        assert answer.status_code == 400
        assert "without a key" in answer.json()["error"]
        assert not Person.objects.exists()
        assert client.post("/people/", {"id": "5", "name": "a"}).status_code == 400
        assert send(client, "POST", "/people/", '{"id": null, "name": "a"}').status_code == 201

    def test_an_item_is_not_put_under_the_key_of_another(self, client: Client) -> None:
        one, two = Person.objects.create(name="one"), Person.objects.create(name="two")
        for key in (json.dumps(one.pk), json.dumps(str(one.pk)), "null", "[]"):
            answer = send(client, "PUT", f"/people/{two.pk}", f'{{"id": {key}, "name": "new"}}')
            assert answer.status_code == 400, key
        for key in (json.dumps(two.pk), json.dumps(str(two.pk))):
            assert send(client, "PUT", f"/people/{two.pk}", f'{{"id": {key}, "name": "new"}}').status_code == 200
        assert list(Person.objects.order_by("pk").values_list("name", flat=True)) == ["one", "new"]

    def test_a_key_that_the_form_reads_is_added_and_stays(self, client: Client) -> None:
        assert send(client, "POST", "/keys/", '{"code": "de", "number": 1}').status_code == 201
        StringKey.objects.create(code="fr", number=2)
        for code in ("fr", "new"):
            answer = send(client, "PUT", "/keys/de", json.dumps({"code": code, "number": 7}))
            assert answer.status_code == 400
        assert send(client, "PUT", "/keys/de", '{"number": 8}').status_code == 200
        assert sorted(StringKey.objects.values_list("code", "number")) == [("de", 8), ("fr", 2)]

    def test_no_other_name_of_the_key_changes_it_either(self, client: Client, monkeypatch: Any) -> None:
        StringKey.objects.create(code="de", number=1)
        monkeypatch.setattr(values_site.VIEWS["keys"], "id_field", "id")
        assert send(client, "PUT", "/keys/de", '{"code": "new", "number": 7}').status_code == 400
        assert list(StringKey.objects.values_list("code", "number")) == [("de", 1)]


class TestLongNumbers:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [(2**53 - 1, 2**53 - 1), (-(2**53) + 1, -(2**53) + 1), (2**53, str(2**53)), (-LONG, f"-{LONG}")],
    )
    def test_a_browser_gets_as_a_number_what_it_has_as_one(self, client: Client, value: int, shown: Any) -> None:
        Every.objects.create(big_integer=value, json={"deep": [value]})
        [item] = client.get("/every/").json()
        assert (item["big_integer"], item["json"]) == (shown, {"deep": [shown]})

    def test_a_key_is_found_by_its_text_in_either_orm(self, client: Client) -> None:
        keys = [-(2**63), -LONG, -(2**53)]  # Large ones would have the database count on from there.
        for key in keys:
            Person.objects.create(pk=key, name=str(key))
        assert [item["id"] for item in client.get("/people/").json()] == list(map(str, keys))
        storm = rows_of(get_store("main").find(StormPerson))
        for key in keys:
            assert client.get(f"/people/{key}").json()["name"] == str(key)
            found = storm.get(str(key))
            assert found is not None and found.name == str(key)
        assert [storm.get(str(key)) for key in (-(2**63) - 1, 2**63 - 1, 2**63, 10**30)] == [None] * 4
        assert client.delete(f"/people/{-LONG}").status_code == 200
        assert [person.pk for person in Person.objects.order_by("pk")] == [-(2**63), -(2**53)]

    @pytest.mark.parametrize(("value", "shown"), [("inf", "Infinity"), ("-inf", "-Infinity"), ("nan", "NaN")])
    def test_a_float_that_is_no_number_leaves_the_answer_json(self, client: Client, value: str, shown: str) -> None:
        if connection.vendor == "mysql" or (connection.vendor == "sqlite" and value == "nan"):
            pytest.skip("The database has no such number.")
        Every.objects.create(floating=float(value))

        def refuse(text: str) -> Any:
            raise ValueError(text)

        [item] = json.loads(client.get("/every/").content, parse_constant=refuse)
        assert item["floating"] == shown


def test_a_file_is_shown_by_its_name(client: Client, every: Every) -> None:
    assert client.get(f"/every/{every.pk}").json()["file"] == "a.txt"
    added = send(client, "POST", "/every/", '{"char": "x", "file": "b.txt"}')
    assert refused(added) == ["file"]
    assert send(client, "POST", "/every/", '{"char": "x", "file": ""}').json()["file"] == ""


def test_what_json_has_nothing_for_is_an_error_that_says_what_to_do(client: Client) -> None:
    Every.objects.create(colour=Colour(1, 2, 3))
    with pytest.raises(TypeError, match=r"Everys cannot show 'colour': JSON has nothing for a Colour. Give the view a"):
        client.get("/colours/")


def test_a_row_that_is_referred_to_and_gone_is_shown_as_none() -> None:
    class People(StoreView):
        fields = ("single",)

    assert People().item(StringKey(code="a", number=1)) == {"id": "a", "single": None}
