"""HTML that arrives after the page: by fetch, by HTMX, and as a row that a script makes of a formset's empty form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import RequestFactory
from django.views.generic import FormView

from djintegrate.dojo.page.page import Dojo
from djintegrate.dojo.views import DojoFormMixin
from tests.dojo import site
from tests.dojo.forms import CHOICES
from tests.dojo.test_browser import made, submit
from tests.support import npm
from tests.support.browser import complaints
from tests.support.helpers import wait_until

HTMX = {
    "htmx.org@2.0.9": "sha512-Vd8ZlGSshz2W2ej+gNpMqxX2PM0dfOn4lRgkTXgCT+cqZE/GwBQoYm3zGvlqf+hHXYCMYmmgae33m4/RPdTS0Q==",
    "htmx.org@4.0.1": "sha512-oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg==",
}
"""Both majors, which tell of what has come by other events."""


class Row(forms.Form):
    title = forms.CharField(required=False)
    room = forms.ChoiceField(choices=[("", "Any"), *CHOICES], required=False)
    day = forms.DateField(required=False)


PART = "{% load dojo %}<div id='part'>{{ form.as_div }}{% dojo_fragment request.dojo %}</div>"
PAGE = """{% load dojo %}<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">
<title>A page</title>{% dojo request.dojo %}
<meta name="htmx-config" content='{"includeIndicatorStyles": false}'>
<script src="/static/htmx/dist/htmx.min.js"></script></head><body><form method="post" id="the-form">
<div id="place" hx-get="?part" hx-trigger="load-it"></div>
<button id="submit">Send</button></form></body></html>"""


def view(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        form = Row(request.POST)
        form.is_valid()
        site.submitted.append([form])
        return HttpResponse("thanks")
    form = Row(initial={"room": "b"})
    if "part" in request.GET:
        request.dojo.dojo_form(form, auto=True)
        return HttpResponse(engines["django"].from_string(PART).render({"form": form}, request))
    return HttpResponse(engines["django"].from_string(PAGE).render({}, request))


@pytest.fixture(scope="module", params=HTMX)
def htmx(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """htmx.org from npm, pinned and checked by its hash."""
    folder = tmp_path_factory.mktemp("htmx")
    (folder / "dist").mkdir()
    (folder / "dist" / "htmx.min.js").write_text(npm.text(request.param, HTMX[request.param], "dist/htmx.min.js"))
    return folder


DIJITS = {
    "id_title": "dijit.form.ValidationTextBox", "id_room": "dijit.form.Select", "id_day": "dijit.form.DateTextBox"
}  # fmt: skip


FETCH = """fetch('?part').then(answer => answer.text()).then(html => {
    place.innerHTML = html; return djintegrate.dojo.dijitize(place); })"""


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("way", ["htmx.trigger('#place', 'load-it')", FETCH])
def test_a_form_that_arrives_becomes_dijits_and_is_sent(show: Any, settings: Any, htmx: Path, way: str) -> None:
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("htmx", htmx)]
    browser = show(view=view)
    assert made(browser) == {}
    browser.execute_script(way)
    wait_until(lambda: made(browser) == DIJITS)
    browser.execute_script("require('dijit/registry').byId('id_room').set('value', 'c')")
    submit(browser)
    wait_until(lambda: site.submitted)
    [[form]] = site.submitted
    assert form.cleaned_data["room"] == "c"


def under_a_policy(request: HttpRequest) -> HttpResponse:
    response = view(request)
    response["Content-Security-Policy"] = "style-src 'self'"
    return response


@pytest.mark.usefixtures("built")
def test_what_htmx_puts_in_the_place_of_dijits_has_no_styles_that_a_policy_forbids(
    show: Any, settings: Any, htmx: Path
) -> None:
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("htmx", htmx)]
    browser = show(view=under_a_policy)
    for _ in range(2):
        browser.execute_script("htmx.trigger('#place', 'load-it')")
        wait_until(lambda: browser.execute_script(f"const room = {ROOM}; return !!room && !room.isOld"))
        wait_until(lambda: made(browser) == DIJITS)
        browser.execute_script(f"{ROOM}.isOld = true")
    assert complaints(browser) == []


ROOM = "require('dijit/registry').byId('id_room')"


@pytest.mark.usefixtures("built")
def test_the_dijits_of_html_that_goes_are_destroyed(show: Any) -> None:
    browser = show(Row, lambda page, form: page.dojo_form(form, auto=True))
    assert made(browser) == DIJITS
    browser.execute_script("document.getElementById('id_room').closest('div').remove()")
    wait_until(lambda: "id_room" not in made(browser))
    assert complaints(browser) == []


@pytest.mark.usefixtures("built")
def test_a_row_that_a_script_adds_to_a_formset_becomes_dijits(show: Any) -> None:
    formset = forms.formset_factory(Row, extra=1)
    template = site.TEMPLATE.replace(
        "{% for form in forms %}{{ form.as_div }}{% endfor %}",
        "{% with forms.0 as rows %}{{ rows.management_form }}{% for row in rows %}{{ row.as_div }}{% endfor %}"
        "<template id='empty'><div>{{ rows.empty_form.as_div }}</div></template><div id='more'></div>{% endwith %}",
    )
    browser = show(
        lambda *data: formset(*data, prefix="r"), lambda page, rows: page.dojo_form(rows, auto=True), template=template
    )
    assert set(made(browser)) == {"id_r-0-title", "id_r-0-room", "id_r-0-day"}
    browser.execute_script(
        "more.innerHTML = empty.innerHTML.replace(/__prefix__/g, '1');"
        "document.getElementById('id_r-TOTAL_FORMS').value = '2'"
    )
    wait_until(lambda: {"id_r-1-title", "id_r-1-room", "id_r-1-day"} <= set(made(browser)))
    browser.execute_script("require('dijit/registry').byId('id_r-1-room').set('value', 'b')")
    submit(browser)
    wait_until(lambda: site.submitted)
    [[rows]] = site.submitted
    assert [row.cleaned_data.get("room") for row in rows] == [None, "b"]


def test_a_function_has_no_place_in_a_fragment() -> None:
    request = RequestFactory().get("/")
    request.dojo = Dojo(request)
    request.dojo.append_aol("function() {}")
    with pytest.raises(ImproperlyConfigured, match="no place in a fragment"):
        engines["django"].from_string("{% load dojo %}{% dojo_fragment request.dojo %}").render({}, request)


class Propose(DojoFormMixin, FormView):
    form_class = Row


def test_a_generic_views_form_becomes_dijits() -> None:
    request = RequestFactory().get("/")
    request.dojo = Dojo(request)
    view = Propose()
    view.setup(request)
    view.get_context_data()
    [step] = request.dojo.specification()["steps"]
    assert [field["id"] for field in step["fields"]] == ["id_title", "id_room", "id_day"]
