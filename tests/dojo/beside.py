"""The harness: one form twice, plain and as dijits, under a strict policy. The same is done to both, and compared.

What is compared: what the browser would send, and whether it would, what cleaned_data becomes, the native events that
a listener heard, the accessible name and description of each control, the order of the focus, the attributes, and
validity.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template import engines
from django.utils import translation
from selenium.common.exceptions import ElementNotInteractableException, InvalidElementStateException
from selenium.webdriver.common.keys import Keys

from tests.dojo import site
from tests.dojo.beside_scripts import COLLECT, FOCUS, LISTEN, MARK, SCRIPT, SEEN, WALK

PAGE = """{% load dojo %}<!DOCTYPE html>
<html lang="{{ language }}"{% if rtl %} dir="rtl"{% endif %}>
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>A form</title>
{% if dijits %}{% dojo request.dojo %}{% endif %}</head>
<body><main>{% for case in cases %}<form id="form{{ forloop.counter0 }}" method="post">
{{ case.before|safe }}{{ case.html }}{{ case.after|safe }}<button type="submit">Send</button></form>
{% endfor %}</main>
<script nonce="n">{{ listen|safe }}</script></body></html>"""
POLICY = "default-src 'none'; img-src data: 'self'; connect-src 'self'; style-src 'self'; script-src 'self' 'nonce-n'"
STATES = ("required", "readonly", "disabled")
AT_ONCE = 60
"""Cases on a page. With each key the browser may lay out all of it, so several short pages take less time than one."""


@dataclass
class Case:
    """A field with its name, and what is done to it. `act(page, id)` does it by keys and clicks, as anybody would."""

    field: forms.Field
    act: Callable[[Any, str], None] | None = None
    typed: str = ""
    #: What a script of the page's does to it after that: JavaScript, of a `node`, its `form`, tell() and send().
    script: Sequence[str] = ()
    initial: Any = None
    name: str = "f"
    before: str = ""
    after: str = ""
    #: How the form is written: as_div, or another way that a template might choose.
    html: Callable[[forms.Form], str] = forms.Form.as_div
    #: Keys of what is compared that are the point of the dijit, with the reason in the case's comment.
    differs: Sequence[str] = ()

    def form(self, number: int, data: Any = None) -> forms.Form:
        initial = {} if self.initial is None else {self.name: self.initial}
        cls = type("Form", (forms.Form,), {self.name: self.field})
        return cls(data, prefix=f"p{number}", initial=initial, label_suffix="")


@dataclass
class Page:
    """The cases of one language, all on one page; `dijits` or plain."""

    cases: Sequence[Case]
    language: str = "en-us"
    dijits: bool = False

    def view(self, request: HttpRequest) -> HttpResponse:
        with translation.override(self.language):
            made = []
            for number, case in enumerate(self.cases):
                form = case.form(number)
                if self.dijits:
                    request.dojo.dojo_form(form, auto=True)
                made.append({"html": case.html(form), "before": case.before, "after": case.after})
            request.csp_nonce = "n"
            context = {"cases": made, "dijits": self.dijits, "language": self.language, "listen": LISTEN}
            context["rtl"] = translation.get_language_bidi()
            response = HttpResponse(engines["django"].from_string(PAGE).render(context, request))
        response["Content-Security-Policy"] = POLICY
        return response


def look(open_page: Callable[..., Any], cases: Sequence[Case], language: str, dijits: bool) -> list[dict[str, Any]]:
    """Open the page, do to each case what it says, and collect what there is to compare, a dictionary for each case."""
    page = Page(cases, language, dijits)
    browser = open_page(view=page.view, state="ready" if dijits else "")
    assert browser.title == "A form", browser.page_source
    # Whatever else is on the screen, this page has the focus.
    browser.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    told = accessible(browser)
    for number, case in enumerate(cases):
        identifier = f"id_p{number}-{case.name}"
        if case.typed:
            type_text(browser, identifier, case.typed)
        if case.act:
            case.act(browser, identifier)
        if case.script:
            browser.execute_script(SCRIPT + ";".join(case.script), identifier)
    browser.execute_script("document.activeElement && document.activeElement.blur()")
    # Dijits tell of some changes a moment later.
    browser.execute_async_script("setTimeout(arguments[0], 100)")
    result = browser.execute_script(COLLECT)
    # The places of values in messages are private characters, which nobody is to see.
    assert not browser.execute_script("return document.documentElement.outerHTML.match(/>[^<]*[\ue000\ue001]/)")
    found = []
    stops = walk(browser)
    for number, case in enumerate(cases):
        one = result[f"form{number}"]
        with translation.override(language):
            one["cleaned"] = cleaned(case, number, one["sent"])
        one["told"] = told.get(f"form{number}", [])
        # From which control to which the Tab key leads here.
        one["focus"] = [(a, b) for a, b in zip(["", *stops], stops, strict=False) if f"p{number}-" in b]
        found.append(one)
    return found


def accessible(browser: Any) -> dict[str, list[Any]]:
    """By form: what the browser tells assistive technology of each control."""
    marks = browser.execute_script(MARK)
    ask = browser.execute_cdp_cmd
    ask("DOM.enable", {})
    nodes = ask("DOM.getFlattenedDocument", {"depth": -1})["nodes"]
    ask("Accessibility.enable", {})
    tree = {node.get("backendDOMNodeId"): node for node in ask("Accessibility.getFullAXTree", {})["nodes"]}
    ask("Accessibility.disable", {})
    ask("DOM.disable", {})
    found: dict[str, list[Any]] = {}
    faces = {}
    for node in nodes:
        attributes = node.get("attributes", [])
        if "data-face" in attributes[::2]:
            faces[int(attributes[attributes.index("data-face") + 1])] = tree.get(node["backendNodeId"], {})
    for number, (form, identifier, attributes, called) in enumerate(marks):
        face = faces[number]
        name = face.get("name", {}).get("value", "")
        # What is hidden has no name.
        assert not name or name.endswith(called)
        states = {one["name"]: one["value"].get("value") for one in face.get("properties", [])}
        found.setdefault(form, []).append([
            identifier, name.removesuffix(called).strip(), face.get("description", {}).get("value", ""),
            *(bool(states.get(state)) for state in STATES), attributes,
        ])  # fmt: skip
    return {form: once(rows) for form, rows in found.items()}


def once(rows: list[Any]) -> list[Any]:
    """What two parts of one control have in common is said once."""
    return [row for number, row in enumerate(rows) if row not in rows[:number]]


def walk(browser: Any) -> list[str]:
    """The controls in the order in which the Tab key comes to them, from the first to the last of the page."""
    browser.execute_script(WALK)
    body = browser.find_element("css selector", "body")
    while True:
        before: int = browser.execute_script("return walked.length")
        body.send_keys(Keys.TAB * 40)
        stops: list[str] = browser.execute_script("return walked")
        if len(stops) == before or stops[0] in stops[1:]:
            return stops[: stops.index(stops[0], 1)] if stops[0] in stops[1:] else stops


def type_text(browser: Any, identifier: str, text: str) -> None:
    face = browser.execute_script(FOCUS, identifier)
    # What is hidden or switched off takes no keys, and that is compared as well.
    with suppress(ElementNotInteractableException, InvalidElementStateException):
        face.send_keys(text)
    browser.execute_script("arguments[0].blur()", face)


def seen(browser: Any, identifier: str) -> Any:
    """What is seen of the control: itself, or the dijit beside it."""
    return browser.execute_script(SEEN, identifier)


def cleaned(case: Case, number: int, sent: Sequence[Sequence[str]]) -> str:
    data = QueryDict(mutable=True)
    for name, value in sent:
        data.appendlist(name, value)
    form = case.form(number, data)
    return repr(form.cleaned_data) if form.is_valid() else "refused"


def differences(plain: Sequence[dict[str, Any]], dijits: Sequence[dict[str, Any]], cases: Sequence[Case]) -> list[str]:
    """What is not equal, a line for each."""
    found = []
    for case, one, other in zip(cases, plain, dijits, strict=True):
        for key in one:
            if key not in case.differs and not is_as_good(key, one, other):
                kind = f"{type(case.field).__name__} with {type(case.field.widget).__name__}"
                done = f"{case.typed!r} {list(case.script) or ''}"
                found.append(f"{kind}, {done}: {key}: {json.dumps(one[key])} beside {json.dumps(other[key])}")
    return found


def is_as_good(key: str, plain: dict[str, Any], dijits: dict[str, Any]) -> bool:
    """Equal, or more than HTML does in one of the two ways that are the point of a dijit."""
    if plain[key] == dijits[key]:
        return True
    if key == "valid":
        # What the HTML forbids, the dijit forbids; what Django refuses, it may forbid; it accepts all else.
        return not all(dijits[key].values()) and (not all(plain[key].values()) or plain["cleaned"] == "refused")
    if key == "submits":
        return dijits[key] < plain[key] and plain["cleaned"] == "refused"
    if key == "handlers" and plain["submits"] != dijits["submits"]:
        # What is refused has the focus.
        return True
    if key == "told":
        return len(plain[key]) == len(dijits[key]) and all(map(is_told, plain[key], dijits[key]))
    return False


def is_told(plain: list[Any], dijit: list[Any]) -> bool:
    """The same, but that a part without a label has the legend's name, and a dijit says it is required or read-only.

    HTML cannot say the one of a <select> whose first choice is not empty, nor Chromium the other of a number.
    """
    identifier, name, description, required, read_only, *rest = plain
    return dijit == [identifier, name or dijit[1], description, required or dijit[3], read_only or dijit[4], *rest]


def compare(open_page: Callable[..., Any], cases: Sequence[Case], language: str = "en-us") -> list[str]:
    found = []
    for start in range(0, len(cases), AT_ONCE):
        some = cases[start : start + AT_ONCE]
        plain = look(open_page, some, language, False)
        dijits = look(open_page, some, language, True)
        found += differences(plain, dijits, some)
    return found


__all__ = ["Case", "compare", "look", "seen", "site", "type_text"]
