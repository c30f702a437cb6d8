"""dojo_form(form, auto=True) in a real browser: what is typed arrives, in each language."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.dojo import site
from tests.dojo.forms import Every
from tests.dojo.test_browser import find, submit
from tests.support.browser import complaints
from tests.support.combinations import few
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def by_itself(page: Any, *all_forms: Any) -> None:
    for form in all_forms:
        page.dojo_form(form, auto=True)


@pytest.fixture
def elsewhere(browser: Any) -> Iterator[None]:
    """The browser is in a time zone where the hour after 2 o'clock of 8 March 2026 does not exist."""
    browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "America/New_York"})
    yield
    browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def refused(browser: Any) -> dict[str, str]:
    """What the dijits say is wrong, of the page as it is or of the next one."""
    found: list[dict[str, str] | None] = []

    def look() -> bool:
        # In one piece: between two looks the next page may have come.
        found.append(browser.execute_script(REFUSED))
        return found[-1] is not None

    wait_until(look)
    return found[-1] or {}


REFUSED = """
if (document.documentElement.dataset.djintegrate !== "ready") { return null; }
return Object.fromEntries(require("dijit/registry").toArray()
    .filter(dijit => dijit.state === "Error").map(dijit => [dijit.id, dijit.message]));
"""


def submitted(browser: Any, valid: bool = True) -> Any:
    """Submit, and the form that the server made of it."""
    submit(browser)
    if valid:
        assert refused(browser) == {}
    wait_until(lambda: site.submitted)
    [[form]] = site.submitted
    if valid:
        assert form.errors == {}
    return form


def choose(browser: Any, name: str, label: str) -> None:
    """In the menu of a dijit/form/Select."""
    find(browser, name).click()
    items: list[Any] = []

    def opened() -> bool:
        items[:] = browser.execute_script(LABELLED, f"#{name}_menu .dijitMenuItemLabel", label)
        return bool(items)

    wait_until(opened)
    [item] = items
    item.click()


LABELLED = """return Array.from(document.querySelectorAll(arguments[0]))
    .filter(item => item.checkVisibility({ visibilityProperty: true }) && item.innerText.trim() === arguments[1])"""


def write(browser: Any, name: str, text: str) -> None:
    """In a dijit/Editor."""
    wait_until(lambda: browser.find_elements("id", f"{name}_iframe"))
    browser.switch_to.frame(f"{name}_iframe")
    browser.find_element("id", "dijitEditorBody").send_keys(text)
    browser.switch_to.default_content()


# What is seen of each control: itself, or what stands beside it where the dijit hides it.
FACES = """return arguments[0].map(name => {
    const node = document.getElementById(name);
    return node && node.getClientRects().length ? node : require("dijit/registry").byId(name).focusNode;
});"""


def click_label(browser: Any, name: str) -> None:
    browser.find_element("css selector", f"label[for={name}]").click()


# What is seldom typed.
SET = """const chosen = { known: "false", born_year: "1999", born_month: "12", born_day: "31" };
for (const name in chosen) { require("dijit/registry").byId(`id_${name}`).set("value", chosen[name]); }
document.getElementById("id_colour").value = "#00ff00";"""

# How each language writes 1234567890.0123456789 and 2.5, 3 February 2026, half past two in the afternoon.
LANGUAGES = {
    "en-us": ("1,234,567,890.0123456789", "2.5", "2/3/2026", "2:30 PM", "3/8/2026", "2:30 AM"),
    "de": ("1234567890,0123456789", "2,5", "03.02.2026", "14:30", "08.03.2026", "02:30"),
    "fr": ("1 234 567 890,0123456789", "2,5", "03/02/2026", "14:30", "08/03/2026", "02:30"),
    # Django's own formats for Arabic: the month comes first, and a number has a comma.
    "ar": ("١٢٣٤٥٦٧٨٩٠,٠١٢٣٤٥٦٧٨٩", "٢,٥", "٠٢/٠٣/٢٠٢٦", "2:30 م", "03/08/2026", "02:30"),  # noqa: RUF001
    "ja": ("1,234,567,890.0123456789", "2.5", "2026/02/03", "14:30", "2026/03/08", "2:30"),
}


@pytest.mark.parametrize("language", few(LANGUAGES, "de", "ar"))
@pytest.mark.usefixtures("elsewhere")
def test_what_is_typed_arrives_in_each_language(show: Any, settings: Any, language: str, tmp_path: Path) -> None:
    settings.LANGUAGE_CODE = language
    settings.TIME_ZONE = "Europe/Berlin"
    price, ratio, day, hour, gap_day, gap_hour = LANGUAGES[language]
    rtl = ' dir="rtl"' if language == "ar" else ""
    template = site.TEMPLATE.replace('<html lang="{{ LANGUAGE_CODE }}">', f'<html lang="{language}"{rtl}>')
    browser = show(Every, by_itself, template=template)
    (tmp_path / "paper ü.txt").write_text("on paper")
    typed = {
        "text": " naïve 名前 🎈 ", "whole": "12345678901234567890", "ratio": ratio, "price": price, "local": ratio,
        "steps": "15", "day": day, "hour": hour, "start__date": gap_day, "start__time": gap_hour, "split_0": day,
        "split_1": hour, "length": "1 02:03:04", "mail": "ada@example.org", "link": "example.org/a?b=c",
        "slug": "a-b_c",
        "address": "2001:db8::1", "key": "{12345678123456781234567812345678}", "data": '{"a": [1, NaN]}',
        "note": "one\ntwo", "paper": str(tmp_path / "paper ü.txt"),
    }  # fmt: skip
    browser.find_element("id", "id_data").clear()  # of Django's "null"
    faces = browser.execute_script(FACES, [f"id_{name}" for name in typed])
    for face, text in zip(faces, typed.values(), strict=True):
        face.send_keys(text)
    find(browser, "id_level").send_keys("\ue014")
    click_label(browser, "id_public")
    click_label(browser, "id_way_1")
    click_label(browser, "id_ways_0")
    click_label(browser, "id_ways_2")
    browser.find_element("css selector", "#id_rooms option[value=b]").click()
    choose(browser, "id_room", "Court")
    browser.execute_script(SET)
    write(browser, "id_story", "So <it> went")
    found = submitted(browser).cleaned_data
    paper = found.pop("paper")
    assert (paper.name, paper.size) == ("paper ü.txt", 8)
    data = found.pop("data")
    assert data["a"][0] == 1 and data["a"][1] != data["a"][1]
    assert found == {
        "text": "naïve 名前 🎈", "whole": 12345678901234567890, "ratio": 2.5,
        "price": Decimal("1234567890.0123456789"), "local": Decimal("2.5"), "steps": 15,
        "level": 3 if language == "ar" else 5,
        "day": date(2026, 2, 3), "hour": time(14, 30), "start": datetime(2026, 3, 8, 2, 30, tzinfo=BERLIN),
        "split": datetime(2026, 2, 3, 14, 30, tzinfo=BERLIN), "born": date(1999, 12, 31),
        "length": timedelta(days=1, hours=2, minutes=3, seconds=4), "public": True, "known": False, "room": "c",
        "way": 2, "rooms": ["b"], "ways": ["a", "c"], "mail": "ada@example.org", "link": "https://example.org/a?b=c",
        "slug": "a-b_c",
        "address": "2001:db8::1", "key": UUID("12345678123456781234567812345678"),
        "note": "one\r\ntwo", "story": "So &lt;it&gt; went", "colour": "#00ff00",
    }  # fmt: skip
    assert [said for said in complaints(browser) if "RichText should not" not in said] == []
