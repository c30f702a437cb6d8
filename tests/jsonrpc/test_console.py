"""The console: who may see it, what it shows, and in Chromium how one works with it, under a strict policy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from djintegrate.jsonrpc import JSONRPCSite, jsonrpc_method
from tests.dojo.conftest import dojo_root as dojo_root
from tests.jsonrpc import methods
from tests.jsonrpc.caller import Caller
from tests.support import axe
from tests.support.browser import complaints, looks, prefer_dark, resize, wait_for
from tests.support.browser import kept_browser as kept_browser
from tests.support.browser import kept_windows as kept_windows

pytestmark = pytest.mark.django_db(transaction=True)

NASTY = "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>'\"&{{ x }}"
site = JSONRPCSite("Shop")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Item:
    name: str
    count: int = 1


@jsonrpc_method("shop.order", site=site)
def order(
    request: Any,
    title: Annotated[str, "what it is for"],
    count: int,
    price: Decimal,
    day: date,
    at: datetime,
    colour: Colour,
    is_gift: bool,
    items: list[Item],
    note: str | None = None,
    ratio: float = 0.5,
    extra: Any = None,
) -> dict[str, Any]:
    """Orders something.

    And says what came.
    """
    return {key: value for key, value in locals().items() if key != "request"}


@jsonrpc_method("shop.enter", site=site)
def enter(request: Any, name: str, password: str) -> str:
    return name


@jsonrpc_method("shop.mine", authenticated=True, site=site)
def mine(request: Any) -> str:
    return str(request.user.get_username())


@jsonrpc_method("shop.say", safe=True, site=site)
def say(request: Any, words: str = "") -> str:
    return words


site.methods["nasty"] = type(site.methods["shop.say"])(say, "nasty")
say.__doc__ = NASTY


def add_policy(get_response: Any) -> Any:
    def respond(request: HttpRequest) -> HttpResponse:
        request.csp_nonce = "n0nce"
        response: HttpResponse = get_response(request)
        response["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'nonce-n0nce'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return response

    return respond


urlpatterns = [path("json/", include(site.urls))]


@pytest.fixture
def console(settings: Any, rpc: Caller) -> Any:
    settings.ROOT_URLCONF = __name__
    settings.JSONRPC_CONSOLE = None
    settings.DEBUG = True
    return settings


def test_it_is_off_outside_of_debug_unless_asked_for(console: Any, client: Any) -> None:
    assert client.get("/json/browse/").status_code == 200
    console.DEBUG = False
    assert client.get("/json/browse/").status_code == 404
    console.DEBUG, console.JSONRPC_CONSOLE = True, False
    assert client.get("/json/browse/shop.say/").status_code == 404


def test_where_it_is_asked_for_it_takes_the_permission(console: Any, client: Any) -> None:
    for console.DEBUG in (False, True):
        console.JSONRPC_CONSOLE = True
        user = User.objects.create_user(f"ada {console.DEBUG}")
        client.logout()
        response = client.get("/json/browse/shop.say/")
        assert response.headers["Location"] == f"/accounts/login/?next={quote('/json/browse/shop.say/')}"
        client.force_login(user)
        assert client.get("/json/browse/").status_code == 403
        user.user_permissions.add(Permission.objects.get(codename="use_console", content_type__app_label="jsonrpc"))
        assert client.get("/json/browse/").status_code == 200
        assert client.post("/json/browse/").status_code == 405


def test_it_shows_each_method_with_its_documentation(console: Any, client: Any) -> None:
    console.MIDDLEWARE = [each for each in console.MIDDLEWARE if "dojo" not in each]
    overview = client.get("/json/browse/").content.decode()
    for name in ("shop.order", "shop.enter", "shop.say", "nasty"):
        assert f'href="/json/browse/{name}/"' in overview
    assert '<a class="site" href="/">View site</a>' in overview
    marked = 'class="lock" title="For those who are signed in"'
    assert (marked in overview, "for those who are signed in</p>" in overview) == (True, True)
    page = client.get("/json/browse/shop.order/").content.decode()
    for text in (
        "<p>Orders something.</p>",
        "<p>And says what came.</p>",
        "a whole number",
        "what it is for",
        "by default",
    ):
        assert text in page
    assert client.get("/json/browse/no.such/").status_code == 404
    assert client.get("/json/browse/rpc.discover/").status_code == 200
    assert "no-store" in client.get("/json/browse/")["Cache-Control"]
    assert "<script>window" not in client.get("/json/browse/nasty/").content.decode()


@pytest.fixture
def browser(kept_browser: Any) -> Any:
    """Each test's site has an address of its own."""
    return kept_browser


class InTheBrowser:
    """The page of one method."""

    def __init__(self, browser: Any, address: str) -> None:
        self.browser, self.address = browser, address

    def open(self, method: str = "") -> InTheBrowser:
        self.browser.get(f"{self.address}/json/browse/{method + '/' if method else ''}")
        return self

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def fill(self, **values: Any) -> None:
        for name, value in values.items():
            self.browser.execute_script(
                "const field = document.querySelector(`#call [name=${arguments[0]}]`);"
                "if (field.type === 'checkbox') field.checked = arguments[1]; else field.value = arguments[1];"
                "field.dispatchEvent(new Event('input', {bubbles: true}));",
                name, value,
            )  # fmt: skip

    def request(self) -> Any:
        return json.loads(self.find("#body").get_property("value"))

    def send(self) -> Any:
        self.browser.execute_script("document.getElementById('status').textContent = ''")
        self.find("#send").click()
        wait_for(self.browser, lambda: "HTTP" in self.find("#status").text, "no answer came")
        text = self.find("#answer").get_property("textContent")
        return json.loads(text) if text.startswith(("{", "[")) else text

    def history(self) -> str:
        kept = self.browser.execute_script("return JSON.stringify(sessionStorage) + JSON.stringify(localStorage)")
        return self.find(".history").get_property("textContent") + str(kept)


@pytest.fixture
def page(console: Any, server: str, browser: Any) -> InTheBrowser:
    console.MIDDLEWARE = [f"{__name__}.add_policy", *(each for each in console.MIDDLEWARE if "dojo" not in each)]
    return InTheBrowser(browser, server)


ORDER = {
    "title": "A", "count": "12345678901234567890", "price": "12.50", "day": "2026-01-31", "at": "2026-01-31T12:00",
    "colour": '"blue"',
    "is_gift": True, "items": '[{"name": "x"}]', "extra": '{"a": 1}', "ratio": "0.25",
}  # fmt: skip
ORDERED = {
    "title": "A", "count": 12345678901234567890, "price": "12.50", "day": "2026-01-31", "colour": "blue",
    "is_gift": True,
    "items": [{"name": "x", "count": 1}], "note": None, "ratio": 0.25, "extra": {"a": 1},
}  # fmt: skip


def test_a_form_becomes_a_call_and_its_answer_is_shown(page: InTheBrowser) -> None:
    page.open("shop.order").fill(**ORDER)
    assert page.request()["params"]["items"] == [{"name": "x"}]
    answer = page.send()
    assert answer["result"].pop("at").startswith("2026-01-31T12:00:00")
    assert answer["result"] == ORDERED
    assert "12345678901234567890" in page.find("#answer").text
    assert page.find("#status").text.startswith("✓ HTTP 200 · ")
    assert "shop.order" in page.history()
    assert complaints(page.browser) == []


def test_what_is_missing_or_wrong_is_said_at_its_field(page: InTheBrowser) -> None:
    page.open("shop.order").find("#send").click()
    problem = page.find("[data-name=count] .problem")
    assert problem.text.endswith("This is missing.")
    page.fill(**{**ORDER, "items": "[{"})
    page.find("#send").click()
    assert page.find("[data-name=items] .problem").text.endswith("This is not JSON yet.")
    page.fill(items='[{"name": 5}]')
    assert page.send()["error"]["code"] == -32602
    assert "items[0].name is 5, and should be a string" in page.find("[data-name=items] .problem").text
    assert page.find("[data-name=items] [name=items]").get_attribute("aria-invalid") == "true"
    assert "-32602" in page.find("#error h3").text


def test_a_request_may_be_written_by_hand_in_each_version(page: InTheBrowser) -> None:
    from selenium.webdriver.common.keys import Keys

    page.open("shop.say").fill(words="Hi")
    page.browser.execute_script(
        "const version = document.getElementById('version'); version.value = '1.1';"
        "version.dispatchEvent(new Event('change', {bubbles: true}));"
    )
    assert page.send() == {"version": "1.1", "result": "Hi", "id": 1}
    page.find("#body").send_keys(Keys.CONTROL, "a", Keys.NULL, '[{"method": "shop.say", "params": ["a"], "id": 7}]')
    assert page.send() == [{"result": "a", "error": None, "id": 7}]
    page.find("#reset").click()
    assert page.request()["params"] == {"words": "Hi"}
    page.find("#notification").click()
    assert "id" not in page.request()
    page.browser.execute_script(
        "const version = document.getElementById('version'); version.value = '2.0';"
        "version.dispatchEvent(new Event('change', {bubbles: true}));"
    )
    assert page.send() == "No answer, as none was wanted."


def test_passwords_are_neither_kept_nor_written_into_curl(page: InTheBrowser, settings: Any) -> None:
    User.objects.create_user("ada", password="hunter3")
    page.open("shop.enter").fill(name="ada", password="hunter2")
    page.find(".credentials summary").click()
    page.find("#name").send_keys("ada")
    page.find("#password").send_keys("hunter3")
    assert page.send()["result"] == "ada"
    assert "shop.enter" in page.history()
    assert "hunter" not in page.history()
    page.browser.execute_script(
        "navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }"
    )
    page.find("#curl").click()
    copied = page.browser.execute_script("return window.copied")
    assert copied.startswith("curl 'http")
    assert "-u 'ada'" in copied
    assert "hunter3" not in copied


def test_a_call_of_the_history_is_had_again(page: InTheBrowser) -> None:
    page.open("shop.say").fill(words="first")
    page.send()
    page.open("shop.say").fill(words="second")
    page.send()
    links = page.browser.find_elements("css selector", "#history a")
    assert len(links) == 2
    links[1].click()
    wait_for(page.browser, lambda: page.request()["params"] == {"words": "first"}, "not the first")
    page.find("#forget").click()
    assert not page.find(".history").is_displayed()


def test_all_of_it_works_by_keyboard(page: InTheBrowser) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys: str) -> None:
        ActionChains(page.browser).send_keys(*keys).perform()

    page.open()
    press("/")
    press("say")
    shown = [each.text for each in page.browser.find_elements("css selector", ".list li") if each.is_displayed()]
    assert shown == ["say"]
    press(Keys.ENTER)
    wait_for(page.browser, lambda: page.find("h1").text == "shop.say", "not there")
    page.find("#param_words").send_keys("typed")
    ActionChains(page.browser).key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()
    wait_for(page.browser, lambda: '"typed"' in page.find("#answer").text, "not sent")
    press(Keys.ESCAPE)
    page.find("h1").click()
    press("/")
    press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert page.browser.switch_to.active_element.tag_name == "a"


@pytest.mark.parametrize("method", ["", "shop.order"])
def test_it_fits_phones_and_is_accessible_light_and_dark(method: str, page: InTheBrowser) -> None:
    page.open(method)
    if method:
        page.fill(**{**ORDER, "items": "[5]"})
        page.send()
    for size, schemes in looks().items():
        resize(page.browser, size)
        assert page.browser.execute_script("return document.documentElement.scrollWidth") <= size[0]
        for is_dark in schemes:
            prefer_dark(page.browser, is_dark)
            assert axe.violations(page.browser) == []


def test_texts_stay_texts(page: InTheBrowser) -> None:
    page.open("nasty").fill(words=NASTY)
    assert page.send()["result"] == NASTY
    assert page.find(".docs").text.startswith("</script>")
    page.open()
    assert page.browser.execute_script("return window.broken") is None
    assert complaints(page.browser) == []


def test_with_dojos_middleware_the_form_is_of_dijits(console: Any, server: str, browser: Any, dojo_root: Path) -> None:
    page = InTheBrowser(browser, server).open("shop.order")
    wait_for(
        browser,
        lambda: browser.execute_script("return document.documentElement.dataset.djintegrate") == "ready",
        "no dijits",
    )
    assert len(browser.find_elements("css selector", "#call .dijit")) > 5
    browser.execute_script(
        "const registry = require('dijit/registry');"
        "const set = (name, value) => registry.byId('param_' + name).set('value', value);"
        "set('title', 'A'); set('count', 5); set('price', '12.50'); set('day', new Date(2026, 0, 31));"
        "set('colour', '\"blue\"');"
        "set('items', '[{\"name\": \"x\"}]');"
    )
    wait_for(browser, lambda: page.request()["params"].get("day") == "2026-01-31", "the date was not taken over")
    assert page.request()["params"] == {
        "title": "A", "count": 5, "price": "12.50", "day": "2026-01-31", "colour": "blue", "is_gift": False,
        "items": [{"name": "x"}],
    }  # fmt: skip


def test_where_passwords_may_be_parameters_those_written_by_hand_are_not_kept(
    page: InTheBrowser, settings: Any
) -> None:
    settings.JSONRPC_PASSWORD_PARAMETERS = True
    User.objects.create_user("ada", password="hunter2")
    page.open("shop.mine")
    by_hand = '{"method": "shop.mine", "params": ["ada", "hunter2"], "id": 7}'
    page.browser.execute_script(
        "const body = document.getElementById('body'); body.value = arguments[0];"
        "body.dispatchEvent(new Event('input', {bubbles: true}));",
        by_hand,
    )
    assert page.send()["result"] == "ada"
    assert "shop.mine" in page.history()
    assert "hunter2" not in page.history()


def test_the_service_is_called_where_the_console_is(page: InTheBrowser) -> None:
    methods.heard.clear()
    page.open("shop.say")
    assert page.find(".service").text == f"{page.address}/json/"
