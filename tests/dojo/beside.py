"""The harness: one form twice, plain and as dijits, in frames of one page. The same is done to both, and compared.

What is compared: what the browser would send, what cleaned_data becomes, the native events that a listener heard, the
accessible name of each control, the order of the focus, and validity.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template import engines
from django.utils import translation
from selenium.common.exceptions import ElementNotInteractableException, InvalidElementStateException

from tests.dojo import site

PAGE = """{% load dojo %}<!DOCTYPE html>
<html lang="{{ language }}"{% if rtl %} dir="rtl"{% endif %}>
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>A form</title>
{% if dijits %}{% dojo request.dojo %}{% endif %}</head>
<body><main>{% for case in cases %}<form id="form{{ forloop.counter0 }}" method="post">
{{ case.before }}{{ case.form.as_div }}{{ case.after }}<button type="submit">Send</button></form>
{% endfor %}</main>
<script nonce="{{ request.csp_nonce|default:'' }}">
window.heard = [];
for (const type of ["input", "change"]) {
    document.addEventListener(type, event => {
        const node = event.target;
        heard.push([type, node.form && node.form.id, node.name, node.type === "checkbox" ? node.checked : node.value]);
    });
}
</script></body></html>"""
POLICY = "default-src 'none'; img-src data: 'self'; connect-src 'self'; style-src 'self'; script-src 'self' 'nonce-n'"

COLLECT = """
const names = node => {
    const byId = node.getAttribute("aria-labelledby");
    if (byId) { return byId.split(" ").map(id => document.getElementById(id).textContent.trim()).join(" "); }
    const labels = Array.from(node.labels || [], label => label.textContent.trim()).join(" ");
    return node.getAttribute("aria-label") || labels || node.title;
};
const result = {};
for (const form of document.forms) {
    const controls = Array.from(form.elements).filter(node => node.name && node.type !== "submit");
    result[form.id] = {
        sent: Array.from(new FormData(form), ([name, value]) => [name, value.name === undefined ? value : value.name]),
        valid: Object.fromEntries(controls.map(node => [node.id || node.name, node.checkValidity()])),
        disabled: controls.filter(node => node.matches(":disabled")).map(node => node.id),
        attributes: Object.fromEntries(controls.map(node => [node.id, Object.fromEntries(
            Array.from(node.attributes).filter(a => !/^(class|style|role|widgetid|id|aria-.*)$/.test(a.name))
                .map(a => [a.name, a.value]))])),
        heard: heard.filter(one => one[1] === form.id).map(one => [one[0], one[2], one[3]]),
    };
}
return result;
"""


@dataclass
class Case:
    """A field with its name, and what is done to it. `act(page, id)` does it by keys and clicks, as anybody would."""

    field: forms.Field
    act: Callable[[Any, str], None] | None = None
    typed: str = ""
    initial: Any = None
    name: str = "f"
    before: str = ""
    after: str = ""
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
    found: dict[str, Any] = field(default_factory=dict)

    def view(self, request: HttpRequest) -> HttpResponse:
        with translation.override(self.language):
            made = []
            for number, case in enumerate(self.cases):
                form = case.form(number)
                if self.dijits:
                    request.dojo.dojo_form(form, auto=True)
                made.append({"form": form, "before": case.before, "after": case.after})
            request.csp_nonce = "n"
            context = {"cases": made, "dijits": self.dijits, "language": self.language}
            context["rtl"] = translation.get_language_bidi()
            html = engines["django"].from_string(PAGE.replace(
                "{{ case.before }}", "{{ case.before|safe }}").replace("{{ case.after }}", "{{ case.after|safe }}")
            ).render(context, request)  # fmt: skip
        response = HttpResponse(html)
        response["Content-Security-Policy"] = POLICY
        return response


def look(open_page: Callable[..., Any], cases: Sequence[Case], language: str, dijits: bool) -> list[dict[str, Any]]:
    """Open the page, do to each case what it says, and collect what there is to compare, a dictionary for each case."""
    page = Page(cases, language, dijits)
    browser = open_page(view=page.view, state="ready" if dijits else "")
    for number, case in enumerate(cases):
        identifier = f"id_p{number}-{case.name}"
        if case.typed:
            type_text(browser, identifier, case.typed)
        if case.act:
            case.act(browser, identifier)
    browser.execute_script("document.activeElement && document.activeElement.blur()")
    # Dijits tell of some changes a moment later.
    browser.execute_async_script("setTimeout(arguments[0], 100)")
    result = browser.execute_script(COLLECT)
    found = []
    for number, case in enumerate(cases):
        one = result[f"form{number}"]
        with translation.override(language):
            one["cleaned"] = cleaned(case, number, one["sent"])
        one["name"] = browser.execute_script(NAME, f"id_p{number}-{case.name}")
        found.append(one)
    return found


def type_text(browser: Any, identifier: str, text: str) -> None:
    face = seen(browser, identifier)
    browser.execute_script("arguments[0].focus(); if (arguments[0].select) arguments[0].select();", face)
    # What is hidden or switched off takes no keys, and that is compared as well.
    with suppress(ElementNotInteractableException, InvalidElementStateException):
        face.send_keys(text)
    browser.execute_script("arguments[0].blur()", face)


def seen(browser: Any, identifier: str) -> Any:
    """What is seen of the control: itself, or the dijit beside it."""
    return browser.execute_script(SEEN, identifier)


SEEN = """
const id = arguments[0], node = document.getElementById(id) || document.getElementById(id + "_0"),
    dijit = window.require && require("dijit/registry").byId(node.id.replace(/["'\\\\\\]\\s]/g, "_"));
return node.getClientRects().length || !dijit ? node : dijit.focusNode || dijit.domNode;
"""
NAME = """
const id = arguments[0], node = document.getElementById(id) || document.getElementById(id + "_0"),
    dijit = window.require && require("dijit/registry").byId(node.id.replace(/["'\\\\\\]\\s]/g, "_")),
    face = node.getClientRects().length || !dijit ? node : dijit.focusNode || dijit.domNode,
    ids = face.getAttribute("aria-labelledby");
if (face.getAttribute("aria-label")) { return face.getAttribute("aria-label"); }
if (ids) { return ids.split(" ").map(one => document.getElementById(one).firstChild.textContent.trim()).join(" "); }
return Array.from(face.labels || [], label => label.firstChild.textContent.trim()).join(" ") || face.title;
"""


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
            if key not in case.differs and one[key] != other[key]:
                kind = f"{type(case.field).__name__} with {type(case.field.widget).__name__}"
                found.append(f"{kind}, {case.typed!r}: {key}: {json.dumps(one[key])} beside {json.dumps(other[key])}")
    return found


def compare(open_page: Callable[..., Any], cases: Sequence[Case], language: str = "en-us") -> list[str]:
    plain = look(open_page, cases, language, False)
    dijits = look(open_page, cases, language, True)
    return differences(plain, dijits, cases)


__all__ = ["Case", "compare", "look", "seen", "site", "type_text"]
