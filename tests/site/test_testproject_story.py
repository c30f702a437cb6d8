"""The sample site in a browser, from end to end: what people do there, over the served site with its dijits."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from tests.support import axe
from tests.support.browser import (
    NARROW,
    WIDE,
    complaints,
    page_text,
    prefer_dark,
    resize,
    wait_for,
    without_javascript,
)
from tests.support.combinations import THOROUGH
from tests.support.processes import one_at_a_time
from tests.support.sample_site import free_port, new_database, serving

if TYPE_CHECKING:
    from selenium import webdriver


class Visitor:
    """Somebody at the site."""

    def __init__(self, browser: webdriver.Chrome, url: str) -> None:
        self.browser, self.url = browser, url

    def go(self, path: str) -> None:
        self.browser.get(self.url + path)
        self._settle()

    def click(self, text: str) -> None:
        """The link or the button of this text, and until what follows is there."""
        here = f"//main//*[self::a or self::button][normalize-space()='{text}']"
        found = self.browser.find_elements(By.XPATH, here) or self.browser.find_elements(
            By.XPATH, here.replace("//main", "")
        )
        assert found, f"No {text!r} in {page_text(self.browser)}"
        self.browser.execute_script("window.before = true")
        found[0].click()
        wait_for(self.browser, lambda: not self.browser.execute_script("return window.before"), "The page changes")
        self._settle()

    def write(self, field: str, text: str) -> None:
        """Into a dijit, or a plain field, in place of what it says."""
        # What stands beside a hidden control has a name of its own.
        beside = self.browser.find_elements(By.ID, f"id_{field}__face")
        found = beside[0] if beside else self.browser.find_element(By.ID, f"id_{field}")
        found.send_keys(Keys.CONTROL, "a")
        found.send_keys(text, Keys.TAB)

    def choose(self, field: str, text: str) -> None:
        """In a FilteringSelect: type its beginning, and take what the menu offers."""
        found = self.browser.find_element(By.ID, f"id_{field}__face")
        found.send_keys(Keys.CONTROL, "a")
        found.send_keys(text[:4])
        item = f"//*[@id='id_{field}_popup']//*[normalize-space()='{text}']"
        wait_for(self.browser, lambda: self.browser.find_element(By.XPATH, item).click() or True, "The menu offers it")

    def follow(self, label: str) -> None:
        """The link of this name, which is not its text alone."""
        self.browser.execute_script("window.before = true")
        self.browser.find_element(By.XPATH, f"//a[@aria-label='{label}']").click()
        wait_for(self.browser, lambda: not self.browser.execute_script("return window.before"), "The page changes")
        self._settle()

    def fits(self, size: tuple[int, int]) -> None:
        width = self.browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= size[0], f"{self.browser.current_url} is {width} wide on {size[0]}"

    def sees(self, *texts: str) -> None:
        page = page_text(self.browser)
        assert [text for text in texts if text not in page] == [], page

    def misses(self, text: str) -> None:
        page = page_text(self.browser)
        assert text not in page, page

    def sign_in(self, name: str) -> None:
        self.go("/openid/login/?next=/")
        self.click("Sign in with the sample provider")  # who asks
        self.browser.find_element(By.XPATH, f"//label[contains(., '{name}')]").click()
        self.click("Sign in")
        # The name alone is on the provider's page as well, and a form that sends itself may come in between.
        wait_for(self.browser, lambda: "Sign out" in page_text(self.browser), f"{name} is signed in")
        self.sees(name)

    def sign_out(self) -> None:
        self.go("/")
        self.click("Sign out")
        self.misses("Sign out")

    def join(self, team: str) -> None:
        self.go("/provider/")
        self.browser.find_element(By.CSS_SELECTOR, f"input[value='{team}']").click()
        self.click("Save")

    def _settle(self) -> None:
        ready = (
            "return document.readyState === 'complete' && document.documentElement.dataset.djintegrate !== 'loading'"
        )
        wait_for(self.browser, lambda: self.browser.execute_script(ready), "The page is ready")


@pytest.mark.beside("sqlite", "postgres")
def test_a_session_from_the_proposal_to_the_schedule(visitor: Visitor) -> None:
    visitor.sign_in("Bruno Keller")
    visitor.go("/at/lisbon/")
    visitor.click("Propose a session")
    visitor.write("title", "Looms and threads")
    visitor.choose("track", "Pages")
    visitor.write("seats", "12")
    describe(visitor, "Bring a thread.")
    visitor.click("Propose")
    visitor.sees("Not on the schedule yet; 60 minutes")
    visitor.sees("Bring a thread.")
    visitor.sees("0 of 12 taken")
    session = visitor.browser.current_url.removeprefix(visitor.url)
    visitor.misses("Put it on the schedule")

    visitor.join("sprint-schedulers")
    visitor.sign_out()
    visitor.sign_in("Bruno Keller")
    visitor.go(session)
    visitor.click("Put it on the schedule")
    visitor.choose("room", "Library (40 seats)")
    visitor.write("time", "10:30")
    visitor.click("Put it on the schedule")
    visitor.sees("Library is taken by “Two ORMs on one connection”, 10:00 to 11:30.")
    visitor.sees("Bruno Keller proposed it, and is at “Dijits without attributes” from 10:30 to 11:30.")
    assert ["400 (Bad Request)" in told for told in complaints(visitor.browser)] == [True]  # the form that was refused
    visitor.sees("What is free on Monday")
    visitor.follow("Aula at 18:00")
    visitor.click("Put it on the schedule")
    visitor.sees("The session is on the schedule.")
    visitor.sees("18:00 to 19:00")
    visitor.click("Attend")
    visitor.sees("1 of 12 taken")
    visitor.go("/at/lisbon/grid/")
    visitor.sees("Looms and threads")

    visitor.go("/one-transaction/")
    before = counts(visitor)[-1]
    visitor.click("Write both, then fail")
    visitor.sees("Rolled back.")
    written = tuple(count + 1 for count in before)
    assert counts(visitor) == [before, written, before]
    visitor.click("Write both, and commit")
    assert counts(visitor) == [before, written, written]
    visitor.sign_out()
    visitor.go(session)
    visitor.sees("Sign in to attend")

    visitor.sign_in("Chiara Neri")
    visitor.click("Admin")
    visitor.go("/admin/sprints/sessionrow/?q=Looms")
    visitor.sees("1 session")
    visitor.go("/admin/sprints/activity/?q=Looms")
    visitor.sees("in Aula, on")
    visitor.go("/admin/openid_auth/useropenid/")
    visitor.sees("bruno")
    assert complaints(visitor.browser) == []


def test_all_of_it_works_without_javascript(visitor: Visitor) -> None:
    visitor.sign_in("Ada Okoye")
    with without_javascript(visitor.browser):
        visitor.browser.get(f"{visitor.url}/at/lisbon/propose/")
        find = visitor.browser.find_element
        find(By.ID, "id_title").send_keys("Plainly")
        Select(find(By.ID, "id_proposer")).select_by_visible_text("Dmitri Lund")
        find(By.ID, "id_description").send_keys("One & two")
        find(By.CSS_SELECTOR, "main form button").click()
        wait_for(visitor.browser, lambda: "Plainly" in find(By.TAG_NAME, "h1").text, "The session is shown")
        assert "One & two" in find(By.TAG_NAME, "main").text
        visitor.browser.get(f"{visitor.browser.current_url}schedule/")
        Select(find(By.ID, "id_room")).select_by_visible_text("Aula (120 seats)")
        find(By.ID, "id_time").send_keys("0800AM")
        find(By.CSS_SELECTOR, "main form button").click()
        wait_for(visitor.browser, lambda: "08:00 to 09:00" in find(By.TAG_NAME, "main").text, "It is on the schedule")


PAGES = [
    "/",
    "/people/",
    "/one-transaction/",
    "/at/lisbon/",
    "/at/lisbon/grid/",
    "/at/lisbon/sessions/",
    "/at/lisbon/2/",
    "/at/lisbon/2/withdraw/",
    "/at/krakow/",
]
FORMS = ["/at/lisbon/propose/", "/at/lisbon/2/edit/", "/at/lisbon/2/schedule/", "/openid/identities/"]
IS_STILL = "return document.getAnimations().length === 0"
ERRORS = ["/nowhere/", "/at/lisbon/2/attend/", "/at/krakow/propose/"]


def test_each_page_fits_a_phone_and_a_desk_and_can_be_read_by_all(visitor: Visitor) -> None:
    visitor.sign_in("Ada Okoye")
    for number, path in enumerate(PAGES + FORMS + ERRORS):
        resize(visitor.browser, WIDE)
        visitor.go(path)
        visitor.fits(WIDE)
        resize(visitor.browser, NARROW)
        visitor.fits(NARROW)
        for dark in (False, True) if THOROUGH else (number % 2 == 1,):
            prefer_dark(visitor.browser, dark)
            wait_for(visitor.browser, lambda: visitor.browser.execute_script(IS_STILL), "The colours have changed")
            assert axe.violations(visitor.browser) == [], (path, dark)
    told = complaints(visitor.browser)
    assert [message for message in told if "Failed to load resource" not in message] == []
    assert len(told) == len(ERRORS)


def test_a_word_without_an_end_breaks_nothing(visitor: Visitor) -> None:
    visitor.sign_in("Ada Okoye")
    visitor.go("/at/lisbon/propose/")
    visitor.write("title", "Donaudampfschifffahrt" * 5)
    describe(visitor, "Rhabarberbarbara" * 20)
    visitor.click("Propose")
    session = visitor.browser.current_url.removeprefix(visitor.url)
    visitor.go(f"{session}schedule/")
    visitor.follow("Aula at 15:00")
    visitor.click("Put it on the schedule")
    resize(visitor.browser, NARROW)
    for path in ("/", "/at/lisbon/", "/at/lisbon/sessions/", session, f"{session}edit/", f"{session}withdraw/"):
        visitor.go(path)
        visitor.fits(NARROW)
    visitor.go("/at/lisbon/grid/")
    too_wide = "return [...document.querySelectorAll('.block')].filter(e => e.scrollWidth > e.clientWidth).length"
    assert visitor.browser.execute_script(too_wide) == 0


def test_the_room_picker_takes_what_one_types(visitor: Visitor) -> None:
    visitor.sign_in("Ada Okoye")
    find = visitor.browser.find_element
    ask = visitor.browser.execute_script
    valid = "return dijit.byId('id_room').isValid() && dijit.byId('id_room').get('value') !== ''"

    def room() -> str | None:
        return find(By.ID, "id_room__face").get_attribute("value")

    for typed in ("Library", "lib", "40 seats", "brar"):
        visitor.go("/at/lisbon/18/schedule/")
        wait_for(visitor.browser, lambda: find(By.ID, "id_room__face").click() or True, "The picker is a dijit")
        find(By.ID, "id_room__face").send_keys(typed)
        wait_for(visitor.browser, lambda: room() == "Library (40 seats)", f"{typed} is completed")
        find(By.ID, "id_room__face").send_keys(Keys.TAB)
        wait_for(visitor.browser, lambda: ask(valid), "The room is taken")
        assert room() == "Library (40 seats)"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, db_kind: str, django_db_blocker: Any) -> Iterator[str]:
    """Of the site, whose people come one after the other."""
    if not shutil.which("node"):
        why = "There is no Node in PATH, which builds Dojo. On Debian, as root: apt-get install nodejs"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(why)
        pytest.skip(why)
    from django.conf import settings

    root, port, folder = Path(settings.DOJO_ROOT), free_port(), tmp_path_factory.mktemp("site")
    variables = {"DOJO_ROOT": str(root), "PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(root.parent)}
    with one_at_a_time(root.parent):
        running = serving(port, new_database(folder, db_kind, django_db_blocker, "visited_site"), folder, **variables)
        running.__enter__()
    try:
        assert (root.with_name("dojo-site") / "made-for").exists(), (folder / "said").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        running.__exit__(None, None, None)


@pytest.fixture
def visitor(browser: webdriver.Chrome, address: str) -> Visitor:
    return Visitor(browser, address)


def describe(visitor: Visitor, text: str) -> None:
    """Into the editor, which is a page of its own."""
    visitor.browser.switch_to.frame("id_description_iframe")
    visitor.browser.find_element(By.ID, "dijitEditorBody").send_keys(text)
    visitor.browser.switch_to.default_content()


def counts(visitor: Visitor) -> list[tuple[int, ...]]:
    """The rows of both tables: of Storm's, and of Django's."""
    rows = visitor.browser.find_elements(By.CSS_SELECTOR, ".counts tbody tr")
    return [tuple(int(cell.text.split()[-2]) for cell in row.find_elements(By.TAG_NAME, "td")) for row in rows]
