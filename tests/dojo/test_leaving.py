"""HTML that leaves the page and comes back, and copies of HTML whose controls have dijits.

It is as with plain HTML: what was typed stays, and what comes back can be used. So the same is done to a plain page.
"""

from __future__ import annotations

from typing import Any

import pytest
from django import forms

from djintegrate.dojo import models as dojo
from djintegrate.dojo.richtext import RichTextField
from tests.dojo import site
from tests.dojo.test_arriving import HTMX
from tests.dojo.test_browser import find, made, submit
from tests.dojo.test_scripts import All as Base
from tests.dojo.test_scripts import automatic, plain
from tests.support import npm
from tests.support.browser import complaints
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")


class All(Base):
    """A field of each way in which a dijit stands for a control."""

    story = RichTextField(required=False)
    ways = forms.MultipleChoiceField(choices=[("x", "X"), ("y", "Y")], required=False)
    mood = forms.ChoiceField(choices=[("g", "Good"), ("b", "Bad")], widget=forms.RadioSelect, required=False)
    file = forms.FileField(required=False, help_text="Any")


TEMPLATE = site.TEMPLATE.replace(
    "{% for form in forms %}{{ form.as_div }}{% endfor %}",
    "<div id='place'><div id='part'>{{ forms.0.as_div }}</div></div>",
)
WRITE = """const of = name => document.getElementById('id_' + name);
for (const [name, value] of Object.entries({
    title: 'x', note: 'y', seats: '7', steps: '15', price: '1.5', level: '12', day: '2026-02-03', born: '2026-02-04',
    start: '2026-02-03 10:30:00', room: 'b', hall: 'b', story: '<p>s</p>' })) { of(name).value = value; }
of('public').checked = true; of('mood_1').checked = true; of('ways').options[1].selected = true;"""
DATA = """return [...new FormData(document.getElementById('the-form'))].filter(one => one[0] !== 'file')
    .map(one => one.join('='))"""
CONTROLS = "querySelectorAll('input, select, textarea')"
ATTRIBUTES = f"""return Object.fromEntries([...document.getElementById('part').{CONTROLS}].filter(one => one.name)
    .map(one => [one.id, [...one.attributes].map(a => a.name + '=' + a.value).sort().join(' ')]))"""
LEAVE = "window.part = document.getElementById('part'); part.remove();"
COME = "document.getElementById('place').append(part);"


def pause(browser: Any) -> None:
    browser.execute_async_script("setTimeout(arguments[0], 150)")


def of_plain(show: Any, script: str, *questions: str, form: Any = All) -> list[Any]:
    browser = show(form, plain, state="", template=TEMPLATE)
    browser.execute_script(script)
    return [browser.execute_script(question) for question in questions]


def test_html_that_comes_back_has_what_was_typed_and_its_dijits(show: Any) -> None:
    [typed] = of_plain(show, WRITE, DATA)
    browser = show(All, automatic, template=TEMPLATE)
    first = made(browser)
    for _ in range(2):
        browser.execute_script(WRITE)
        pause(browser)
        browser.execute_script(LEAVE)
        pause(browser)
        browser.execute_script(COME)
        pause(browser)
        assert browser.execute_script(DATA) == typed
        assert made(browser) == first
    find(browser, "id_seats").send_keys("1")
    find(browser, "id_title").send_keys("!")
    browser.execute_script("require('dijit/registry').byId('id_room').set('value', 'a')")
    submit(browser)
    wait_until(lambda: site.submitted)
    [[form]] = site.submitted
    assert (form.cleaned_data["seats"], form.cleaned_data["title"], form.cleaned_data["room"]) == (71, "x!", "a")
    assert complaints(browser) == []


def test_html_that_has_left_is_plain(show: Any) -> None:
    [expected] = of_plain(show, "", ATTRIBUTES)
    browser = show(All, automatic, template=TEMPLATE)
    browser.execute_script(LEAVE)
    pause(browser)
    found = browser.execute_script(ATTRIBUTES.replace("document.getElementById('part')", "part"))
    assert found == expected
    assert browser.execute_script("return part.querySelectorAll('[class*=dijit], .djintegrateHidden').length") == 0
    assert "id_title" not in made(browser)


def test_html_that_is_written_anew_becomes_dijits(show: Any) -> None:
    again = "const place = document.getElementById('place'); place.innerHTML = place.innerHTML;"
    [expected] = of_plain(show, again, DATA)
    browser = show(All, automatic, template=TEMPLATE)
    first = made(browser)
    browser.execute_script(again)
    wait_until(lambda: made(browser) == first)
    assert browser.execute_script(DATA) == expected
    find(browser, "id_seats").send_keys("3")
    find(browser, "id_title").send_keys("!")
    submit(browser)
    wait_until(lambda: site.submitted)
    [[form]] = site.submitted
    assert (form.cleaned_data["seats"], form.cleaned_data["title"]) == (3, "!")
    assert complaints(browser) == []


CLONE = """const copy = document.getElementById('part').cloneNode(true); copy.id = 'copy';
for (const name of ['id', 'name', 'for']) { for (const one of copy.querySelectorAll('[' + name + ']')) {
    one.setAttribute(name, 'x' + one.getAttribute(name)); } }
document.getElementById('place').append(copy);"""
COPIED = ATTRIBUTES.replace("'part'", "'copy'")
SEEN = f"""return [...document.getElementById('copy').{CONTROLS}].filter(one => one.checkVisibility())
    .map(one => one.name)"""


def test_a_copy_that_no_specification_is_known_of_is_plain_html(show: Any) -> None:
    expected = of_plain(show, CLONE, COPIED, SEEN)
    browser = show(All, automatic, template=TEMPLATE)
    first = made(browser)
    browser.execute_script(CLONE)
    pause(browser)
    assert [browser.execute_script(COPIED), browser.execute_script(SEEN)] == expected
    assert made(browser) == first


@pytest.mark.parametrize("where", ["append", "prepend"])
def test_a_copy_with_the_ids_of_what_is_still_there_leaves_that_alone(show: Any, where: str) -> None:
    browser = show(All, automatic, template=TEMPLATE)
    first = made(browser)
    browser.execute_script(f"place.{where}(document.getElementById('part').cloneNode(true))")
    pause(browser)
    assert made(browser) == first
    copied = "return [...document.getElementsByName('seats')].filter(one => one.checkVisibility()).length"
    assert browser.execute_script(copied) == 1
    assert complaints(browser) == []


class Row(forms.Form):
    title = forms.CharField(required=False)
    seats = forms.IntegerField(required=False)
    day = forms.DateField(required=False)
    room = dojo.dojo_field(
        forms.ChoiceField(choices=[("", "Any"), ("b", "Bar")], required=False), "dijit.form.FilteringSelect"
    )


def test_a_copy_of_a_row_with_another_number_becomes_dijits(show: Any) -> None:
    formset = forms.formset_factory(Row, extra=1)
    template = site.TEMPLATE.replace(
        "{% for form in forms %}{{ form.as_div }}{% endfor %}",
        "{% with forms.0 as rows %}{{ rows.management_form }}<div id='rows'>{% for row in rows %}"
        "<div>{{ row.as_div }}</div>{% endfor %}</div>{% endwith %}",
    )
    browser = show(
        lambda *data: formset(*data, prefix="r"), lambda page, rows: page.dojo_form(rows, auto=True), template=template
    )
    find(browser, "id_r-0-seats").send_keys("3")
    browser.execute_script("""const copy = rows.firstElementChild.cloneNode(true);
        for (const name of ['id', 'name', 'for']) { for (const one of copy.querySelectorAll('[' + name + ']')) {
            one.setAttribute(name, one.getAttribute(name).replace('r-0', 'r-1')); } }
        rows.append(copy); document.getElementById('id_r-TOTAL_FORMS').value = '2';""")
    wait_until(lambda: "id_r-1-room" in made(browser))
    find(browser, "id_r-1-seats").send_keys("4")
    find(browser, "id_r-1-day").send_keys("2026-02-03")
    submit(browser)
    wait_until(lambda: site.submitted)
    [[rows]] = site.submitted
    assert [row.cleaned_data.get("seats") for row in rows] == [3, 34]
    assert str(rows[1].cleaned_data["day"]) == "2026-02-03"
    assert complaints(browser) == []


def test_a_page_that_swaps_its_html_many_times_does_not_grow(show: Any) -> None:
    browser = show(Row, automatic, template=TEMPLATE)
    count = "return [require('dijit/registry').length, document.querySelectorAll('*').length]"
    first = browser.execute_script(count)
    browser.execute_async_script("""const done = arguments[0], place = document.getElementById('place'); let times = 0;
        (function next() {
            if (times++ === 200) { return setTimeout(done, 100); }
            place.innerHTML = place.innerHTML;
            setTimeout(next);
        })();""")
    assert browser.execute_script(count) == first
    assert complaints(browser) == []


def test_what_htmx_takes_from_its_history_becomes_dijits(show: Any, settings: Any, tmp_path: Any) -> None:
    version = "htmx.org@2.0.9"  # the next one keeps no HTML
    (tmp_path / "htmx.js").write_text(npm.text(version, HTMX[version], "dist/htmx.min.js"))
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("htmx", tmp_path)]
    template = TEMPLATE.replace("</head>", "<script src='/static/htmx/htmx.js'></script></head>").replace(
        "</form>",
        "</form><a id='go' hx-get='/page/?away' hx-push-url='true' hx-target='#the-form' hx-select='#submit'>Go</a>",
    )
    browser = show(All, automatic, template=template)
    first = made(browser)
    browser.execute_script("document.getElementById('go').click()")
    wait_until(lambda: "away" in browser.current_url)
    wait_until(lambda: "id_seats" not in made(browser))
    browser.execute_script("history.back()")
    wait_until(lambda: "away" not in browser.current_url)
    wait_until(lambda: made(browser) == first)
    pause(browser)
    find(browser, "id_seats").send_keys("3")
    find(browser, "id_day").send_keys("2026-02-03")
    submit(browser)
    wait_until(lambda: site.submitted)
    [[form]] = site.submitted
    assert (form.cleaned_data["seats"], str(form.cleaned_data["day"])) == (3, "2026-02-03")
