"""StoreView over both ORMs: what dojo/store/JsonRest asks for, what it gets, and what it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from djintegrate.dojo.rows.jsonrest import Pattern
from djintegrate.dojo.rows.rows import rows_of
from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import MIDDLEWARE

pytestmark = pytest.mark.django_db

NAMES = ["Ada", "adam", "Bob*", "Cleo 100%", "Dora_1", "Eve\\"]


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.dojo.rest_site"
    settings.MIDDLEWARE = [
        *MIDDLEWARE,
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]


@pytest.fixture(params=["django", "storm"])
def url(request: pytest.FixtureRequest) -> str:
    return f"/{request.param}/"


@pytest.fixture
def people() -> list[Person]:
    return [Person.objects.create(name=name) for name in NAMES]


def names(response: Any) -> list[str]:
    assert response.status_code in (200, 206), response.content
    return [item["name"] for item in response.json()]


def send(client: Client, method: str, address: str, data: Any, **headers: str) -> Any:
    return client.generic(method, address, json.dumps(data), "application/json", headers=headers)


class TestReading:
    def test_an_item_shows_its_key_and_the_named_fields(self, client: Client, url: str, people: list[Person]) -> None:
        [first, *_] = client.get(url).json()
        assert first == {"id": people[0].pk, "name": "Ada", "shout": "ADA"}
        assert client.get(f"{url}{people[0].pk}").json() == first

    @pytest.mark.parametrize("header", ["Range", "X-Range"])
    def test_a_range_is_that_part_and_says_of_how_many(
        self, client: Client, url: str, people: list[Person], header: str
    ) -> None:
        response = client.get(f"{url}?sort(+id)", headers={header: "items=1-2"})
        assert names(response) == NAMES[1:3]
        assert (response.status_code, response["Content-Range"]) == (206, "items 1-2/6")

    @pytest.mark.parametrize(
        ("wanted", "shown", "said"),
        [
            ("items=4-", NAMES[4:], "items 4-5/6"),
            ("items=4-99", NAMES[4:], "items 4-5/6"),
            ("items=6-9", [], "items */6"),
            ("items=900-", [], "items */6"),
            ("items=2-1", [], "items */6"),
            ("bytes=0-1", NAMES, "items 0-5/6"),
        ],
    )
    def test_a_range_may_be_open_or_reach_too_far(
        self, client: Client, url: str, people: list[Person], wanted: str, shown: list[str], said: str
    ) -> None:
        response = client.get(f"{url}?sort(+id)", headers={"Range": wanted})
        assert names(response) == shown
        assert response["Content-Range"] == said

    def test_no_rows_are_an_empty_list(self, client: Client, url: str) -> None:
        response = client.get(url, headers={"Range": "items=0-24"})
        assert (response.json(), response["Content-Range"]) == ([], "items */0")

    def test_one_answer_has_no_more_than_is_allowed(self, client: Client, url: str) -> None:
        Person.objects.bulk_create(Person(name=f"{number:03}") for number in range(60))
        for headers in ({}, {"Range": "items=0-"}, {"Range": "items=0-59"}):
            response = client.get(url, headers=headers)
            assert len(names(response)) == 50
            assert response["Content-Range"] == "items 0-49/60"

    @pytest.mark.parametrize(
        ("query", "ids"),
        [("sort(+id)", [0, 1, 2]), ("sort(-id)", [2, 1, 0]), ("sort=-id", [2, 1, 0]), ("sort(%2Bid)", [0, 1, 2])],
    )
    def test_rows_are_sorted_as_asked(self, client: Client, url: str, query: str, ids: list[int]) -> None:
        rows = [Person.objects.create(name=name) for name in ("b", "c", "a")]
        assert [item["id"] for item in client.get(f"{url}?{query}").json()] == [rows[number].pk for number in ids]

    def test_unasked_they_keep_the_order_of_the_rows(self, client: Client, url: str) -> None:
        for name in ("b", "c", "a"):
            Person.objects.create(name=name)
        assert names(client.get(url)) == ["a", "b", "c"]

    @pytest.mark.parametrize(
        ("pattern", "found"),
        [
            ("ad*", ["Ada", "adam"]),
            ("*a", ["Ada"]),
            ("*A*", ["Ada", "adam", "Dora_1"]),
            ("ada", ["Ada"]),
            ("ad?", ["Ada"]),
            ("bob\\*", ["Bob*"]),
            ("*\\*", ["Bob*"]),
            ("*0%*", ["Cleo 100%"]),
            ("*a_*", ["Dora_1"]),
            ("eve\\\\", ["Eve\\"]),
            ("*", NAMES),
            ("", []),
            ("nobody*", []),
        ],
    )
    def test_text_is_searched_as_dijits_do(
        self, client: Client, url: str, people: list[Person], pattern: str, found: list[str]
    ) -> None:
        for name in ("name", "label"):
            assert sorted(names(client.get(url, {name: pattern}))) == sorted(found)

    @pytest.mark.parametrize("query", ["name=%00", "name=*%00*", "name=a%3F%00", "label=a%00*", "exactly=%00"])
    def test_a_text_that_no_database_keeps_finds_nothing(
        self, client: Client, url: str, people: list[Person], query: str
    ) -> None:
        response = client.get(f"{url}?{query}", headers={"Range": "items=0-24"})
        assert (names(response), response["Content-Range"]) == ([], "items */0")

    def test_half_a_pair_of_surrogates_finds_nothing_either(self, people: list[Person]) -> None:
        storm = get_store("main").find(StormPerson)
        for source, rows in (("name", rows_of(Person.objects.all())), (StormPerson.name, rows_of(storm))):
            assert rows.search([source], Pattern.parse("*\ud800*")).count(None) == 0
            assert rows.equal(source, ["\udfff", "Ada"]).count(None) == 1
            assert rows.get("\ud800") is None

    def test_filters_take_one_value_or_several(self, client: Client, url: str, people: list[Person]) -> None:
        assert names(client.get(url, {"exactly": "Ada"})) == ["Ada"]
        assert names(client.get(url, {"key": [people[0].pk, people[1].pk], "name": "*m"})) == ["adam"]

    def test_a_page_needs_two_queries_and_a_last_one_only_one(
        self, client: Client, url: str, people: list[Person]
    ) -> None:
        def queries(wanted: str) -> int:
            with CaptureQueriesContext(connection) as captured:
                client.get(url, headers={"Range": wanted})
            return sum(query["sql"].startswith("SELECT") for query in captured)

        assert queries("items=0-1") == 2
        assert queries("items=4-9") == 1

    def test_counting_may_have_an_end(self, client: Client, people: list[Person]) -> None:
        assert client.get("/counted/", headers={"Range": "items=0-0"})["Content-Range"] == "items 0-0/3"
        # There is always one more than was shown, while there is.
        assert client.get("/counted/", headers={"Range": "items=3-3"})["Content-Range"] == "items 3-3/5"
        assert client.get("/counted/", headers={"Range": "items=5-9"})["Content-Range"] == "items 5-5/6"

    def test_who_needs_no_total_has_no_rows_counted(self, client: Client, url: str, people: list[Person]) -> None:
        def ask(wanted: str) -> tuple[str, int, int]:
            with CaptureQueriesContext(connection) as captured:
                response = client.get(url, headers={"Range": wanted, "Prefer": "respond-async, count=none"})
            assert response["Preference-Applied"] == "count=none"
            queries = sum(query["sql"].startswith("SELECT") for query in captured)
            return response["Content-Range"], response.status_code, queries

        assert ask("items=0-1") == ("items 0-1/*", 206, 1)
        assert ask("items=0-4") == ("items 0-4/*", 206, 1)
        # The last part shows by itself how many there are, also where it is full.
        assert ask("items=4-5") == ("items 4-5/6", 206, 1)
        assert ask("items=0-5") == ("items 0-5/6", 200, 1)
        assert ask("items=9-12")[0] == "items */6"


class TestRefusing:
    @pytest.mark.parametrize(
        "wanted", ["items=", "items=a-b", "items=5-2", "items=-5", "items=0-1,3-4", "items=9" * 30]
    )
    def test_a_range_that_is_none(self, client: Client, url: str, wanted: str) -> None:
        response = client.get(url, headers={"Range": wanted})
        assert response.status_code == 416
        assert "items=0-24" in response.json()["error"]

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("password=x*", "There is no filter called 'password'. There is: 'name', 'label', 'exactly', 'key'."),
            ("name__startswith=a", "no filter called 'name__startswith'"),
            ("sort(+password)", "There is no order called 'password'. There is: 'name', 'id'."),
            ("sort(name__x)", "no order called 'name__x'"),
            ("key=x", "The filter 'key' cannot have the value 'x'."),
        ],
    )
    def test_what_was_not_named(self, client: Client, url: str, query: str, said: str) -> None:
        response = client.get(f"{url}?{query}")
        assert response.status_code == 400
        assert said in response.json()["error"]

    @pytest.mark.parametrize("key", ["0", "x", "9" * 30, "1.5", "%00", "-1"])
    def test_a_key_that_is_no_items(self, client: Client, url: str, key: str) -> None:
        response = client.get(url + key)
        assert response.status_code == 404
        assert "There is no item" in response.json()["error"]

    @pytest.mark.parametrize("body", ["{", "[]", '"x"', "[" * 100000])
    def test_a_body_that_is_no_object(self, client: Client, url: str, body: str) -> None:
        response = client.generic("POST", url, body, "application/json")
        assert response.status_code == 400
        assert "JSON" in response.json()["error"]

    @pytest.mark.parametrize(("escaped", "status"), [(r"\ud83d\ude00", 201), (r"\ud83d", 400), (r"\u00e9", 201)])
    def test_text_that_is_half_a_character(self, client: Client, url: str, escaped: str, status: int) -> None:
        response = client.generic("POST", url, f'{{"name": "{escaped}"}}', "application/json")
        assert response.status_code == status

    def test_other_methods(self, client: Client, url: str) -> None:
        response = client.patch(url)
        assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST, PUT, DELETE")
        assert send(client, "PUT", url, {"name": "x"}).status_code == 405


class TestWriting:
    def test_an_item_is_added_changed_and_deleted(self, client: Client, url: str) -> None:
        added = send(client, "POST", url, {"name": "Ada"})
        assert added.status_code == 201
        assert added["Location"] == f"{url}{added.json()['id']}"
        address = added["Location"]
        assert send(client, "PUT", address, {"name": "Ada L."}).json()["name"] == "Ada L."
        assert client.get(address).json()["shout"] == "ADA L."
        assert client.delete(address).status_code == 200
        assert client.get(address).status_code == 404
        assert client.delete(address).status_code == 404

    def test_the_form_refuses_and_says_why_by_field(self, client: Client, url: str, people: list[Person]) -> None:
        response = send(client, "PUT", f"{url}{people[0].pk}", {"name": "x" * 101})
        assert response.status_code == 400
        assert response.json()["fields"]["name"] == ["Ensure this value has at most 100 characters (it has 101)."]
        assert client.get(f"{url}{people[0].pk}").json()["name"] == "Ada"

    def test_only_the_forms_fields_are_written(self, client: Client, url: str, people: list[Person]) -> None:
        sent = {"name": "Ada", "id": people[0].pk, "shout": "no", "pk": people[1].pk}
        assert send(client, "PUT", f"{url}{people[0].pk}", sent).status_code == 200
        assert client.get(f"{url}{people[0].pk}").json() == {"id": people[0].pk, "name": "Ada", "shout": "ADA"}

    def test_an_item_is_not_added_under_a_key_of_the_browsers(
        self, client: Client, url: str, people: list[Person]
    ) -> None:
        add = {"If-None-Match": "*"}
        assert send(client, "PUT", f"{url}{people[0].pk}", {"name": "new"}, **add).status_code == 412
        assert send(client, "PUT", f"{url}999999", {"name": "new"}, **add).status_code == 405
        assert send(client, "POST", url, {"id": 999999, "name": "new"}).status_code == 400
        assert send(client, "PUT", f"{url}{people[0].pk}", {"id": people[1].pk, "name": "new"}).status_code == 400
        assert Person.objects.filter(name="new").count() == 0

    def test_what_is_put_back_is_not_stripped(self, client: Client, url: str) -> None:
        odd = Person.objects.create(name=" odd ")
        item = client.get(f"{url}{odd.pk}").json()
        assert send(client, "PUT", f"{url}{odd.pk}", item).json()["name"] == " odd "
        assert client.get(f"{url}{odd.pk}").json() == item
        assert send(client, "PUT", f"{url}{odd.pk}", {"name": ["a"]}).json()["fields"] == {
            "name": ["Enter a valid value."]
        }

    def test_it_needs_the_csrf_token(self, url: str) -> None:
        assert send(Client(enforce_csrf_checks=True), "POST", url, {"name": "forged"}).status_code == 403
        assert not Person.objects.filter(name="forged").exists()


class TestPermissions:
    def test_nobody_is_to_sign_in(self, client: Client, people: list[Person]) -> None:
        address = f"/guarded/{people[0].pk}"
        answers = [client.get("/guarded/"), client.get(address), client.delete(address)]
        answers += [send(client, "POST", "/guarded/", {"name": "x"}), send(client, "PUT", address, {"name": "x"})]
        assert [answer.status_code for answer in answers] == [401] * 5

    @pytest.mark.parametrize("action", ["view", "add", "change", "delete"])
    def test_the_models_permissions_decide(self, client: Client, people: list[Person], action: str) -> None:
        user = User.objects.create_user("ann")
        user.user_permissions.add(Permission.objects.get(codename=f"{action}_person"))
        client.force_login(user)
        address = f"/guarded/{people[0].pk}"
        statuses = {
            "view": client.get("/guarded/").status_code,
            "add": send(client, "POST", "/guarded/", {"name": "new"}).status_code,
            "change": send(client, "PUT", address, {"name": "other"}).status_code,
            "delete": client.delete(address).status_code,
        }
        allowed = {"view": 200, "add": 201, "change": 200, "delete": 200}
        assert statuses == {**dict.fromkeys(statuses, 403), action: allowed[action]}


@pytest.mark.parametrize(
    ("text", "kind", "like", "regex"),
    [
        ("a", "exact", "a", "^a$"),
        ("a*", "startswith", "a%", "^a.*$"),
        ("*a*", "contains", "%a%", "^.*a.*$"),
        ("a?b", "like", "a_b", "^a.b$"),
        ("\\*%_!", "exact", "*!%!_!!", "^\\*%_!$"),
        ("", "exact", "", "^$"),
    ],
)
def test_a_pattern_is_the_same_in_every_form(text: str, kind: str, like: str, regex: str) -> None:
    pattern = Pattern.parse(text)
    assert (pattern.kind, pattern.like("!"), pattern.regex()) == (kind, like, regex)


@pytest.mark.django_db(transaction=True)
class TestWithDojosOwnStore:
    """dojo/store/JsonRest, in the browser."""

    @pytest.fixture
    def run(self, built: None, server: str, browser: Any, settings: Any) -> Any:
        settings.ROOT_URLCONF = "tests.dojo.rest_site"
        settings.MIDDLEWARE = [*MIDDLEWARE, "django.middleware.csrf.CsrfViewMiddleware"]
        settings.ALLOWED_HOSTS = ["127.0.0.1"]
        browser.get(f"{server}/page/")

        def run(url: str, code: str) -> Any:
            return browser.execute_async_script(
                "var done = arguments[1], target = arguments[0];"
                "require(['dojo/store/JsonRest'], function (JsonRest) {"
                "  var headers = { 'X-CSRFToken': document.documentElement.dataset.token };"
                "  var store = new JsonRest({ target: target, headers: headers });"
                "  function refused(error) {"
                "    done({ status: error.response.status, said: JSON.parse(error.responseText) }); }"
                f"  {code}"
                "});",
                url,
            )

        return run

    def test_it_pages_sorts_and_counts(self, run: Any, url: str, people: list[Person]) -> None:
        found = run(
            url,
            "var results = store.query({ name: '*a*' }, "
            "  { start: 1, count: 2, sort: [{ attribute: 'name', descending: true }, { attribute: 'id' }] });"
            "results.then(function (items) { results.total.then(function (total) {"
            "  done([total, items.map(function (item) { return item.name; })]); }); }, refused);",
        )
        total, names = found
        assert total == 3
        assert len(names) == 2
        assert set(names) < {"Ada", "adam", "Dora_1"}

    def test_it_gets_adds_puts_and_removes(self, run: Any, url: str) -> None:
        code = (
            "store.add({ name: 'Ada' }).then(function (item) {"
            "  item.name = 'Ada L.';"
            "  return store.put(item).then(function () { return store.get(item.id); }).then(function (got) {"
            "    return store.remove(item.id).then(function () { done(got.name); }); });"
            "}).then(null, refused);"
        )
        assert run(url, code) == "Ada L."
        assert not Person.objects.exists()

    def test_it_hears_what_was_wrong(self, run: Any, url: str) -> None:
        answer = run(url, "store.add({ name: '' }).then(done, refused);")
        assert answer["status"] == 400
        assert answer["said"]["fields"] == {"name": ["This field is required."]}
        assert run(url, "store.query({ secret: 1 }).then(done, refused);")["status"] == 400
