"""What the pages about JSON-RPC say is so: their code is run, and what the reference lists is all that there is.

The tutorial a-service-by-json-rpc.md, and the pages jsonrpc-callers.md and jsonrpc-clients.md, from beginning to end.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from djintegrate.jsonrpc import checks, errors, jsonrpc_site, parameters
from djintegrate.jsonrpc.parameters.scalars import SCALARS
from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormVisit
from tests.jsonrpc.caller import Caller, method
from tests.support.doc_pages import DOCS, blocks

pytestmark = pytest.mark.django_db(transaction=True)

TUTORIAL = "docs/tutorial/a-service-by-json-rpc.md"
CALLERS = "docs/how-to/jsonrpc-callers.md"
CLIENTS = "docs/how-to/jsonrpc-clients.md"
REFERENCE = (DOCS / "reference" / "jsonrpc.md").read_text()


@pytest.fixture(autouse=True)
def own_methods(rpc: Caller) -> Any:
    """The pages' methods are not the tests'."""
    before = dict(jsonrpc_site.methods)
    yield
    jsonrpc_site.methods.clear()
    jsonrpc_site.methods.update(before)


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The reader's app: `shop(name, source)` makes one of its modules."""

    def make(name: str, source: str = "", **values: Any) -> ModuleType:
        module = ModuleType(name)
        module.__dict__.update(values)
        monkeypatch.setitem(sys.modules, name, module)
        if "." in name:
            monkeypatch.setattr(sys.modules["shop"], name.rpartition(".")[2], module, raising=False)
        exec(compile(source, name, "exec", dont_inherit=True), module.__dict__)
        return module

    make("shop").__path__ = []
    return make


def python(page: str) -> list[str]:
    return [block.text for block in blocks(page, "python")]


def said_by(command: str, address: str) -> str:
    """What the command prints, to the last line's end, with the page's address turned into the site's."""
    words = shlex.split(command.replace("http://127.0.0.1:8000", address))
    if words[0] == "curl":
        return subprocess.run(["curl", "-s", *words[1:]], capture_output=True, text=True, check=True).stdout
    out = StringIO()
    try:
        call_command(*words[2:], stdout=out)
    except CommandError as error:
        return f"CommandError: {error}\n"
    return out.getvalue()


def test_the_tutorial_does_what_it_says(
    shop: Any, settings: Any, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed, hello, urls, more, me = python(TUTORIAL)
    assert installed == 'INSTALLED_APPS += ["djintegrate.jsonrpc"]\n'
    assert "djintegrate.jsonrpc" in settings.INSTALLED_APPS
    shop("shop.rpc", hello + more + me)
    monkeypatch.setitem(sys.modules, "mysite_urls", module := ModuleType("mysite_urls"))
    exec(urls, module.__dict__)
    settings.ROOT_URLCONF = "mysite_urls"
    User.objects.create_superuser("sam", password="p")
    monkeypatch.setenv("JSONRPC_PASSWORD", "p")
    tried = 0
    for block in blocks(TUTORIAL, "console"):
        for command, shown in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block.text, re.MULTILINE):
            if " jsonrpc call" in command or (command.startswith("curl") and shutil.which("curl")):
                tried += 1
                assert said_by(command, live_server.url) == shown, command
    assert tried == (6 if shutil.which("curl") else 5)
    settings.DEBUG = True
    assert b"app.sayHello" in Client().get("/json/browse/").content


def test_a_token_lets_in(shop: Any, settings: Any, rpc: Caller) -> None:
    ada = User.objects.create_user("ada")

    class Tokens:
        def filter(self, key: str, user__is_active: bool) -> Any:
            found = [SimpleNamespace(user=ada)] if key == "t" else []
            return SimpleNamespace(select_related=lambda name: SimpleNamespace(first=lambda: next(iter(found), None)))

    shop("shop.models", Token=SimpleNamespace(objects=Tokens()))
    shop("shop.tokens", python(CALLERS)[0])
    settings.JSONRPC_AUTHENTICATE = "shop.tokens.user_of"
    call = {"jsonrpc": "2.0", "method": "me", "id": 1}
    assert rpc(call, HTTP_AUTHORIZATION="Token t")["result"] == "I am ada"
    assert rpc(call, HTTP_AUTHORIZATION="Token x")["error"]["code"] == -32001
    assert rpc(call)["error"]["code"] == -32001


def test_a_decorator_of_ones_own_refuses_by_an_error(shop: Any, rpc: Caller) -> None:
    limits = shop("shop.limits", python(CALLERS)[1])

    def vote(request: Any, number: int) -> int:
        return number

    with method(limits.once_a_minute(vote)):
        assert rpc.error("vote", "five")["code"] == -32602
        assert rpc.result("vote", 5) == 5
        assert rpc.error("vote", 5) == {"code": 1, "message": "Once a minute is enough"}


def test_objects_are_parameters_for_those_who_may(shop: Any, settings: Any) -> None:
    """With the tests' people for orders, and their visits for parcels."""

    class Parcel(StormVisit):
        order_id = StormVisit.person_id

    source = python(CALLERS)[2].replace("shop.change_order", "people.change_person")
    shop("shop.models", Order=Person)
    shop("shop.storm_models", Parcel=StormVisit)
    shop(
        "shop.rpc",
        source.replace("shop.view_parcel", "people.view_visit").replace("parcel.order_id", "parcel.person_id"),
    )
    settings.ROOT_URLCONF = "tests.jsonrpc.docs_urls"
    clerk = User.objects.create_user("clerk")
    rpc = Caller()
    rpc.client.force_login(clerk)
    order = Person.objects.create(name="A")
    import transaction

    with transaction.manager:
        visit = get_store("main").add(StormVisit("a parcel"))
        get_store("main").flush()
        key = visit.id
    codes = []
    for codename in ("change_person", "view_person", "view_visit"):
        codes.append(rpc.call("orders.ship", order.pk, key).get("error", {}).get("code"))
        clerk.user_permissions.add(Permission.objects.get(codename=codename))
    assert codes == [-32003, -32602, -32602]
    assert rpc.result("orders.ship", order.pk, key) is None
    with transaction.manager:
        assert get_store("main").get(StormVisit, key).person_id == order.pk


def test_the_settings_for_passwords_are_settings(settings: Any) -> None:
    namespace: dict[str, Any] = {}
    exec(python(CALLERS)[3], namespace)
    for name, value in namespace.items():
        if name.isupper():
            setattr(settings, name, value)
    assert checks.check_configuration() == []
    settings.SECURE_SSL_REDIRECT = False
    settings.JSONRPC_THROTTLE = None
    assert [each.id for each in checks.check_configuration()] == ["jsonrpc.W002", "jsonrpc.W003"]


def test_the_proxy_works_as_shown(shop: Any, settings: Any, live_server: Any) -> None:
    shop("shop.rpc", python(TUTORIAL)[1])
    settings.ROOT_URLCONF = "tests.jsonrpc.docs_urls"
    [code] = python(CLIENTS)
    exec(code.replace("http://127.0.0.1:8000", live_server.url), {})
    first, describe = blocks(CLIENTS, "console")
    command, shown = first.text.removeprefix("$ ").strip().split("\n")
    assert said_by(command, live_server.url).strip() == shown
    if shutil.which("curl"):
        answer = said_by(describe.text.removeprefix("$ ").strip(), live_server.url)
        assert json.loads(answer)["result"]["methods"][0]["name"] == "app.sayHello"


def test_every_check_and_every_code_is_documented() -> None:
    documented = set(re.findall(r"^\| `(jsonrpc\.[EW]\d{3})` \|", REFERENCE, re.MULTILINE))
    assert documented == set(re.findall(r'"(jsonrpc\.[EW]\d{3})"', Path(checks.__file__).read_text()))
    codes = {each.code for each in errors.JSONRPCError.__subclasses__() if each.__module__ == errors.__name__}
    assert {int(code) for code in re.findall(r"^\| (-32\d{3}) \|", REFERENCE, re.MULTILINE)} == codes


def test_every_type_is_documented() -> None:
    table = REFERENCE.partition("## Types")[2].partition("\n## ")[0]
    for hint in SCALARS:
        assert f"`{'None' if hint is type(None) else hint.__name__}`" in table
    assert parameters.__doc__
