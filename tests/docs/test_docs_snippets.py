"""The examples of pages whose python blocks want something around them: each page runs here, and does what it says."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import transaction
from django import forms
from django.contrib.auth.models import Group, User
from django.db import connections
from django.shortcuts import redirect
from django.test import Client
from django.urls import include, path
from storm.locals import create_database
from storm.store import Store

from djintegrate.storm_backend import get_store, invalidate
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.apps.sprints.storm_models import Session
from tests.support.doc_pages import blocks

pytestmark = pytest.mark.django_db(transaction=True)

RUN = {
    "README.md",
    "docs/index.md",
    "docs/explanation/transactions.md",
    "docs/how-to/dojo-store-view.md",
    "docs/how-to/moving-from-django-openid-auth.md",
    "docs/how-to/openid-pages-and-providers.md",
    "docs/how-to/retries-and-deadlocks.md",
    "docs/how-to/scale.md",
    "docs/how-to/storm-schema.md",
    "docs/reference/api.md",
}
"""Whose blocks run here, those that no other test has."""


def code(page: str, start: str) -> Any:
    """The python block of the page that has this text."""
    [block] = [block for block in blocks(page, "python") if start in block.text]
    return block


def routed(settings: Any, monkeypatch: pytest.MonkeyPatch, urlpatterns: list[Any]) -> Client:
    """A client of a site with these URLs."""
    module = ModuleType("urls_of_the_docs")
    module.urlpatterns = urlpatterns  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    settings.ROOT_URLCONF = module.__name__
    return Client()


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
@pytest.mark.parametrize("fails", [False, True])
def test_readme_a_view_writes_with_both_or_with_neither(
    fails: bool, page: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(name: str) -> Any:
        get_store("main").flush()
        if fails:
            raise RuntimeError(name)
        return redirect(name)

    class Receipt:
        objects = SimpleNamespace(create=lambda text: Person.objects.create(name=text))

    namespace = {"Booking": StormVisit, "Receipt": Receipt, "redirect": leave}
    order = code(page, "def order").run(namespace)["order"]
    urls = [path("order/", order), path("orders/", order, name="orders")]
    client = routed(settings, monkeypatch, urls)
    with pytest.raises(RuntimeError, match="orders") if fails else nullcontext():
        assert client.get("/order/").headers["Location"] == "/orders/"
    with transaction.manager:
        written = [*Person.objects.values_list("name", flat=True), *get_store("main").find(StormVisit.note)]
    assert written == ([] if fails else ["a table for two"] * 2)


def test_a_shard_is_found_by_its_key(settings: Any, tmp_path: Path) -> None:
    page = "docs/how-to/scale.md"
    stores = code(page, "shard{number:02}").run({})["STORM_STORES"]
    namespace = code(page, "def shard_of").run({"Account": StormPerson})
    assert {namespace["shard_of"](key) for key in range(100)} == {name for name in stores if name != "main"}
    settings.STORM_STORES = {**settings.STORM_STORES, "shard05": f"sqlite:{tmp_path}/shard05.sqlite3"}
    with transaction.manager:
        get_store("shard05").execute("CREATE TABLE people_person (id INTEGER PRIMARY KEY, name TEXT)", noresult=True)
        get_store("shard05").execute("INSERT INTO people_person VALUES (21, 'ann')", noresult=True)
    assert namespace["account"](21).name == "ann"
    transaction.abort()
    get_store("shard05").close()


def test_rows_are_served_as_the_page_says(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    page = "docs/how-to/dojo-store-view.md"
    namespace: dict[str, Any] = {"forms": forms, "Session": Session}
    for block in blocks(page, "python"):
        block.run(namespace)
    ada = User.objects.create(username="abe", first_name="Ada", last_name="Okoye", is_staff=True)
    User.objects.create(username="abigail")
    User.objects.create(username="zoe", is_active=False)
    ada.groups.add(Group.objects.create(name="hosts"))
    with transaction.manager:
        get_store("main").add(Session("Engines"))
    urls = [
        path("people/", namespace["People"].as_view(public={"view"}), name="people"),
        path("people/<str:key>", namespace["People"].as_view(public={"view"}), name="people"),
        path("colleagues/", namespace["Colleagues"].as_view(public={"view"})),
        path("sessions/", namespace["Sessions"].as_view()),
    ]
    client = routed(settings, monkeypatch, urls)

    def names(address: str, key: str = "label") -> list[str]:
        answer = client.get(address)
        assert answer.status_code == 200, answer.content
        return [item[key] for item in answer.json()]

    assert names("/people/") == ["Ada Okoye", "abigail"]
    assert names("/people/?label=ab*") == ["Ada Okoye", "abigail"]
    assert names("/people/?label=Oko*") == ["Ada Okoye"]
    assert names("/people/?staff=True") == ["Ada Okoye"]
    assert names("/people/?sort(-username)") == ["abigail", "Ada Okoye"]
    assert client.get("/people/?email=x").status_code == 400
    assert names("/sessions/?title=eng*", "title") == ["Engines"]
    client.force_login(ada)
    assert names("/colleagues/") == ["Ada Okoye"]
    assert namespace["Task"]().fields["owner"].widget.__class__.__name__ == "StoreSelect"


def test_moving_over_the_new_names_make_a_login_page(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = code("docs/how-to/moving-from-django-openid-auth.md", "urlpatterns").run({"path": path, "include": include})
    settings.AUTHENTICATION_BACKENDS = found["AUTHENTICATION_BACKENDS"]
    assert found["INSTALLED_APPS"][-1] in settings.INSTALLED_APPS
    client = routed(settings, monkeypatch, [each for each in found["urlpatterns"] if each is not ...])
    assert client.get("/openid/login/").status_code == 200


def test_a_view_of_ones_own_has_its_template(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = code("docs/how-to/openid-pages-and-providers.md", "urlpatterns").run({})
    (tmp_path / "club").mkdir()
    (tmp_path / "club" / "welcome.html").write_text("Come in! {{ form.openid_identifier }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    client = routed(settings, monkeypatch, found["urlpatterns"])
    assert client.get("/welcome/").content.startswith(b"Come in! <input")
    assert client.get("/back/").status_code == 403  # an answer that nobody asked for


def test_a_block_of_code_is_tried_again() -> None:
    page = "docs/how-to/retries-and-deadlocks.md"
    tried: list[int] = []

    def transfer(amount: int) -> None:
        tried.append(amount)
        Person.objects.create(name=f"try {len(tried)}")
        if len(tried) % 3:
            raise transaction.interfaces.TransientError

    for start in ("transaction.attempts", "transaction.manager.run"):
        tried.clear()
        Person.objects.all().delete()
        code(page, start).run({"transfer": transfer, "transaction": transaction})
        assert tried == [100] * 3
        assert list(Person.objects.values_list("name", flat=True)) == ["try 3"]


def test_rows_are_locked_in_one_order() -> None:
    people = [Person.objects.create(name=name) for name in ("b", "a")]
    keys = [person.pk for person in people]
    with transaction.manager:
        found = code("docs/how-to/retries-and-deadlocks.md", "select_for_update").run(
            {"Account": Person, "a": keys[1], "b": keys[0]}
        )
        assert list(found["accounts"]) == people
        assert found["accounts"].query.select_for_update


def test_a_schema_is_made_and_patched(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = "docs/how-to/storm-schema.md"
    package = tmp_path / "shop" / "ledger_schema"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    today, by_database = code(page, "shop/ledger_schema/__init__.py"), code(page, '"mysql": [')
    (package / "__init__.py").write_text(f"{today.text}\n{by_database.text}")
    (package / "patch_1.py").write_text(code(page, "shop/ledger_schema/patch_1").text)
    monkeypatch.syspath_prepend(str(tmp_path))
    settings.STORM_STORES = {
        **settings.STORM_STORES,
        "archive": {"URI": f"sqlite:{tmp_path}/ledger.sqlite3", "SCHEMA": "shop.ledger_schema"},
    }
    code(page, "def setUpModule").run({})["setUpModule"]()
    with transaction.manager:
        get_store("archive").execute("INSERT INTO entry (amount, note) VALUES (1, 'new')")
    # A database from before the patch.
    old = Store(create_database(f"sqlite:{tmp_path}/old.sqlite3"))
    old.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, amount NUMERIC NOT NULL)")
    old.execute("INSERT INTO entry (amount) VALUES (1)")
    code(page, "shop/ledger_schema/patch_1").run({})["apply"](old)
    assert list(old.execute("SELECT note FROM entry")) == [("before notes",)]
    old.close()
    for module in [each for each in sys.modules if each.partition(".")[0] == "shop"]:
        monkeypatch.delitem(sys.modules, module)


def test_invalidate_has_storm_read_anew() -> None:
    with transaction.manager:
        store = get_store("main")
        person = store.add(StormPerson("Ada"))
        store.flush()
        cursor = connections["default"].cursor().cursor  # below all that the engine sees
        cursor.execute("UPDATE people_person SET name = 'Grace'")
        assert person.name == "Ada"
        code("docs/reference/api.md", "invalidate(").run({"invalidate": invalidate})
        assert person.name == "Grace"


@pytest.mark.django_db(transaction=True, databases=["default", "second"])
def test_the_warnings_of_transactions_are_those_that_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with transaction.manager:
        Person.objects.create(name="Ada")
        with transaction.manager:
            Person.objects.create(name="Grace")
    with transaction.manager:
        for store in ("main", "second"):
            get_store(store).add(StormPerson("Ada"))
    shown = [block.text.split() for block in blocks("docs/explanation/transactions.md", "text") if not block.follows]
    logged = [f"{each.levelname} {each.name}: {each.getMessage()}".split() for each in caplog.records]
    assert logged == shown
