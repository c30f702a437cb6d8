"""Pages from right to left: in each theme the arrows, handles and signs of dijits are on their other side."""

from __future__ import annotations

from typing import Any

import pytest

from djintegrate.dojo.page.names import RTL_APART, THEMES
from tests.dojo import site
from tests.dojo.forms import Many
from tests.support.browser import complaints
from tests.support.combinations import few

TEMPLATE = site.TEMPLATE.replace("<html ", '<html dir="rtl" ')
ARROWS = {
    "id_day": ".dijitArrowButtonContainer", "id_hall": ".dijitArrowButtonContainer",
    "id_steps": ".dijitSpinnerButtonContainer", "id_room": ".dijitArrowButton",
}  # fmt: skip
MIDDLES = """
const within = require("dijit/registry").byId(arguments[0]).domNode, arrow = within.querySelector(arguments[1]);
return [within, arrow].map(node => node.getBoundingClientRect()).map(box => box.left + box.width / 2);
"""
SLIDER = """
const slider = require("dijit/registry").byId("id_level"), box = node => node.getBoundingClientRect();
return [box(slider.domNode).left, box(slider.sliderHandle).left, box(slider.sliderHandle).right,
        box(slider.domNode).right];
"""
MONTHS = """
const dijit = require("dijit/registry").byId("id_day"), done = arguments[0];
dijit.loadAndOpenDropDown().then(() => done(["decrementMonth", "incrementMonth"].map(name => {
    const sign = dijit.dropDown[name].querySelector(".dijitCalendarIncrementControl");
    return [sign.getBoundingClientRect().left, parseFloat(getComputedStyle(sign).backgroundPosition)];
})));
"""


def show_from_right_to_left(show: Any, theme: str) -> Any:
    def prepare(dojo: Any, form: Any) -> None:
        dojo.theme = theme
        dojo.dojo_form(form)

    return show(Many, prepare, template=TEMPLATE)


@pytest.mark.parametrize("theme", few(THEMES, "claro"))
def test_what_stands_at_the_end_of_a_box_stands_at_its_left(show: Any, built: None, theme: str) -> None:
    check(show_from_right_to_left(show, theme))


def test_dojos_sources_are_no_different(sources: None, show: Any) -> None:
    check(show_from_right_to_left(show, RTL_APART[0]))


def check(browser: Any) -> None:
    for name, arrow in ARROWS.items():
        whole, part = browser.execute_script(MIDDLES, name, arrow)
        assert part < whole, name
    places = browser.execute_script(SLIDER)
    assert places == sorted(places)
    root = browser.execute_script("return [document.documentElement].map(it => [it.scrollWidth, it.clientWidth])[0]")
    assert root[0] == root[1]
    assert complaints(browser) == []


@pytest.mark.parametrize("theme", few(RTL_APART))
def test_the_sign_of_the_month_before_is_the_other_way_round(show: Any, built: None, theme: str) -> None:
    before, after = show_from_right_to_left(show, theme).execute_async_script(MONTHS)
    assert before[0] > after[0]
    browser = show(Many, lambda dojo, form: [setattr(dojo, "theme", theme), dojo.dojo_form(form)])
    others = browser.execute_async_script(MONTHS)
    assert others[0][0] < others[1][0]
    assert [before[1], after[1]] == [others[1][1], others[0][1]]
