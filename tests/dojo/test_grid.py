"""`{% dojo_grid %}`: a table of a StoreView's rows on the server, and the dgrid that it becomes in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timezone
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import engines
from django.test import Client, RequestFactory

from djintegrate.dojo.build.discovery import Found
from djintegrate.dojo.grid import Column, Grid
from djintegrate.dojo.rows import formats
from tests.apps.people.models import Sample
from tests.dojo import site
from tests.dojo.grid_site import COLUMNS, TEMPLATE, grid
from tests.dojo.test_csp import NASTY
from tests.dojo.test_csp import policy as policy
from tests.dojo.test_discovery import project as project
from tests.support import axe
from tests.support.browser import complaints, without_javascript
from tests.support.helpers import MIDDLEWARE, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.dojo.grid_site"
    settings.MIDDLEWARE = [*MIDDLEWARE, "djintegrate.dojo.middleware.DojoMiddleware"]
    site.page = site.Page(view=lambda request: page_of(request, grid()))


@pytest.fixture
def samples() -> list[Sample]:
    """Text 00 to text 34; the numbers run the other way."""
    return [sample(f"Text {number:02}", number=1000 - number) for number in range(35)]


def sample(text: str, **values: Any) -> Sample:
    given = {
        "flag": True, "number": 1, "ratio": 1.0, "amount": Decimal("12.5"), "day": date(2026, 3, 2),
        "moment": datetime(2026, 1, 5, 23, 30, tzinfo=timezone.utc), "clock": time(14, 5), "raw": b"",
    }  # fmt: skip
    return Sample.objects.create(text=text, **{**given, **values})


def page_of(request: Any, *grids: Grid) -> Any:
    from django.http import HttpResponse

    return HttpResponse(engines["django"].from_string(TEMPLATE).render({"grids": grids}, request))


def page(query: str = "", *grids: Grid) -> str:
    """The HTML of a page with these grids."""
    site.page = site.Page(view=lambda request: page_of(request, *(grids or [grid()])))
    response = Client().get(f"/page/{query}")
    assert response.status_code == 200
    return response.content.decode()


def texts(html: str) -> list[str]:
    """The first column."""
    return [unescape(text) for text in re.findall(r"<tr><td>(?:<a [^>]*>)?([^<]*)", html)]


def link(html: str, what: str) -> str:
    [address] = re.findall(rf'<a (?:rel="\w+" )?href="(\?[^"]*)">{what}</a>', html)
    return unescape(address)


class TestTheTable:
    @pytest.mark.parametrize("url", ["samples", "storm", "/samples/"])
    def test_it_shows_the_first_rows_of_either_orm(self, samples: list[Sample], url: str) -> None:
        html = page("", grid(url))
        assert texts(html) == [f"Text {number:02}" for number in range(10)]
        assert "<span>1 to 10 of 35</span>" in html
        assert "<caption>All samples</caption>" in html
        assert re.findall(r"<th [^>]*>(?:<a[^>]*>)?([^<]*)", html) == [
            "What", "Number", "Amount", "Day", "Moment", "Clock", "Flag"
        ]  # fmt: skip

    @pytest.mark.parametrize("url", ["samples", "storm"])
    def test_links_lead_to_pages_orders_and_back(self, samples: list[Sample], url: str) -> None:
        html = page("?other=1&other=2", grid(url))
        html = page(link(html, "Next"), grid(url))
        assert texts(html)[0] == "Text 10"
        assert link(html, "Previous") == "?other=1&other=2"
        html = page(link(html, "Number"), grid(url))
        assert texts(html)[0] == "Text 34"
        assert '<th scope="col" aria-sort="ascending"><a href="?other=1&amp;other=2&amp;grid-sort=-number">' in html
        html = page(link(html, "Number"), grid(url))
        assert texts(html)[0] == "Text 00" and 'aria-sort="descending"' in html
        html = page("?grid-start=30", grid(url))
        assert len(texts(html)) == 5 and ">Next<" not in html

    @pytest.mark.parametrize("url", ["samples", "storm"])
    def test_the_search_takes_texts_and_no_patterns(self, samples: list[Sample], url: str) -> None:
        sample("Te*xt")
        assert len(texts(page("?grid-search=text+0", grid(url)))) == 10
        assert texts(page("?grid-search=te*", grid(url))) == ["Te*xt"]
        html = page("?grid-search=text+1&other=%22", grid(url))
        assert 'name="grid-search" value="text 1"' in html
        assert '<input type="hidden" name="other" value="&quot;">' in html
        assert "grid-search=text+1" in link(html, "What")

    @pytest.mark.parametrize(
        "query",
        ["grid-start=x", "grid-start=-1", "grid-start=99999999", "grid-sort=password", "grid-sort=", "grid-start="],
    )
    def test_an_address_that_asks_for_nonsense_gets_the_first_page(self, samples: list[Sample], query: str) -> None:
        assert texts(page(f"?{query}"))[0] == "Text 00"

    def test_no_rows_are_said_to_be_none(self) -> None:
        html = page()
        assert '<td colspan="7">There are no rows.</td>' in html
        assert "<span>0 to 0 of 0</span>" in html

    def test_the_views_permissions_hold(self, samples: list[Sample]) -> None:
        html = page("", grid("guarded"))
        assert "You may not see these rows." in html
        assert "Text" not in html and "djintegrate-grid" not in html.partition("<main>")[2].replace(
            'class="djintegrate-grid"', ""
        )

    def test_values_are_in_the_format_of_the_language_and_the_time_zone(self, settings: Any) -> None:
        settings.USE_TZ, settings.TIME_ZONE, settings.LANGUAGE_CODE = True, "Asia/Tokyo", "de"
        sample("a", number=1234567)
        html = page()
        cells = re.findall(r"<td>(?:<a[^>]*>)?([^<]*)", html)
        assert cells == ["a", "1234567", "12,5000", "2. März 2026", "6. Januar 2026 08:30", "14:05", "Ja"]

    def test_what_is_no_text_of_the_format_is_shown_as_it_is(self) -> None:
        values = [("x", "number"), ("x", "date"), (5, "date"), ("25:00", "time"), (None, "date"), ([1], "datetime")]
        assert [formats.text(*value) for value in values] == ["x", "x", "5", "25:00", "", "[1]"]

    def test_texts_are_escaped_and_no_link_runs_anything(self) -> None:
        sample(NASTY, flag=False)
        html = page("", grid(columns=[Column("text", NASTY, link="url")], caption=NASTY))
        assert texts(html) == [NASTY]
        assert "<script>window" not in html.replace("</script><script>window", "") or NASTY not in html
        assert "<img" not in html and "script:window" not in html

    def test_the_markup_is_clean(self, samples: list[Sample]) -> None:
        html = page()
        assert "data-dojo" not in html and not re.search(r"\son\w+=", html) and "style=" not in html

    @pytest.mark.parametrize(
        ("value", "is_kept"),
        [
            ("/a?b=1", True), ("https://example.com/", True), ("HTTP://x", True), ("a:b/c", False), ("", False),
            ("a b", True), ("javascript:1", False), (" java\nscript:1", False), ("\x01javascript:1", False),
            ("data:text/html,x", False), ("//example.com", True), (None, False), ("vbscript:x", False),
        ],
    )  # fmt: skip
    def test_a_link_is_an_address_of_the_web(self, value: Any, is_kept: bool) -> None:
        assert formats.safe_url(value) == (value if is_kept else "")

    def test_several_grids_share_a_page(self, samples: list[Sample]) -> None:
        html = page("?b-start=10", grid(prefix="a"), grid(prefix="b"))
        assert texts(html) == [f"Text {number:02}" for number in range(20)]
        assert html.count("dgrid.css") == 1

    def test_switched_off_only_the_table_is_there(self, samples: list[Sample], settings: Any) -> None:
        settings.DOJO_ENABLED = False
        html = page()
        assert len(texts(html)) == 10
        assert "<script" not in html and '<link rel="stylesheet"' not in html


class TestWrongUse:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"columns": []}, r"given the columns \[\]. Give it a list of Column"),
            ({"columns": ["text"]}, "Give it a list of Column"),
            ({"prefix": "a b"}, "the prefix 'a b'. Make it letters"),
            ({"page_size": 0}, "the page_size 0 and"),
            ({"query_expr": "x"}, r"say in the second with \$\{0\}"),
        ],
    )
    def test_a_grid_that_cannot_be(self, options: dict[str, Any], said: str) -> None:
        with pytest.raises((ValueError, TypeError), match=said):
            grid(**options)

    def test_a_column_that_cannot_be(self) -> None:
        with pytest.raises(ValueError, match=r"the format 'money'. Use one of 'boolean', 'date'"):
            Column("a", format="money")
        with pytest.raises(ValueError, match="is not the name of a module"):
            Column("a", formatter=("no name", "x"))

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"columns": [Column("secret")]}, "to show 'secret', which Samples does not. .* 'amount', .*`fields`"),
            ({"columns": [Column("text", link="nowhere")]}, "wants to show 'nowhere'"),
            ({"search": "number"}, "wants to search 'number', which Samples does not. There is: 'text'.*`search`"),
            ({"sort": "-day"}, "wants to sort by '-day', .*There is: 'number', 'text'"),
            ({"page_size": 500}, "page_size 500, and Samples gives at most 200"),
            ({"url": "plain"}, "At /plain/ is not a StoreView"),
            ({"url": "/nowhere/"}, "There is nothing at /nowhere/, where the grid 'grid' looks"),
        ],
    )  # fmt: skip
    def test_what_the_view_has_not(self, options: dict[str, Any], said: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=said):
            page("", grid(**options))

    def test_what_is_no_grid_and_a_page_without_the_middleware(self, settings: Any) -> None:
        with pytest.raises(
            ImproperlyConfigured, match=r"dojo_grid %} was given ''. Give it a djintegrate.dojo.grid.Grid"
        ):
            page("", "")  # type: ignore[arg-type]
        template = engines["django"].from_string("{% load dojo %}{% dojo_grid grid %}")
        with pytest.raises(ImproperlyConfigured, match=r"finds no request.dojo for the grid 'grid'. Add 'djint"):
            template.render({"grid": grid()}, RequestFactory().get("/"))

    def test_two_grids_of_one_prefix(self) -> None:
        with pytest.raises(ValueError, match="Two grids of this page have the prefix 'grid'"):
            page("", grid(), grid())


def test_every_build_has_what_grids_need(project: Callable[..., Found]) -> None:
    found = project()
    assert {"djintegrate/grid", "dgrid/Grid", "dstore/Rest"} <= found.modules


@pytest.mark.django_db(transaction=True)
def test_from_the_sources_the_grid_is_the_same(sources: None, show: Any, settings: Any, samples: list[Sample]) -> None:
    settings.ROOT_URLCONF, settings.ALLOWED_HOSTS = "tests.dojo.grid_site", ["127.0.0.1"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *MIDDLEWARE]
    browser = show(view=lambda request: page_of(request, grid()))
    assert len(browser.find_elements("css selector", "#grid-dgrid .dgrid-row")) == 10
    width = "return getComputedStyle(document.querySelector('.dgrid')).borderTopWidth"
    assert browser.execute_script(width) == "1px"  # dgrid's own stylesheet
    assert complaints(browser) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("built")
class TestInTheBrowser:
    @pytest.fixture
    def visit(self, server: str, show: Any, settings: Any) -> Any:
        settings.ROOT_URLCONF = "tests.dojo.grid_site"
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, *MIDDLEWARE]
        settings.ALLOWED_HOSTS = ["127.0.0.1"]

        def visit(*grids: Grid, prepare: Any = None, **options: Any) -> Any:
            def view(request: Any) -> Any:
                if prepare:
                    prepare(request.dojo)
                return page_of(request, *(grids or [grid()]))

            return show(view=view, **options)

        return visit

    def shown(self, browser: Any, prefix: str = "grid") -> list[str]:
        return browser.execute_script(
            "return Array.from(document.querySelectorAll('#' + arguments[0] + '-dgrid .dgrid-row .field-text'),"
            " cell => cell.textContent)",
            prefix,
        )

    def head(self, browser: Any, name: str) -> Any:
        return browser.find_element("css selector", f"#grid-dgrid .dgrid-header .field-{name}")

    def wait_for(self, browser: Any, *first: str) -> None:
        wait_until(lambda: self.shown(browser)[: len(first)] == list(first))

    def test_the_table_becomes_a_dgrid_that_pages_sorts_and_searches(self, visit: Any, samples: list[Sample]) -> None:
        browser = visit()
        assert browser.find_elements("css selector", "table#grid-table, #grid-pages") == []
        assert self.shown(browser) == [f"Text {number:02}" for number in range(10)]
        browser.find_element("css selector", "#grid .dgrid-next").click()
        self.wait_for(browser, "Text 10", "Text 11")
        self.head(browser, "number").click()
        self.wait_for(browser, "Text 34", "Text 33")
        assert self.head(browser, "number").get_attribute("aria-sort") == "ascending"
        self.head(browser, "number").click()
        self.wait_for(browser, "Text 00")
        assert self.head(browser, "number").get_attribute("aria-sort") == "descending"
        browser.find_element("id", "grid-search").send_keys("text 2")
        wait_until(lambda: self.shown(browser) == [f"Text {number}" for number in range(20, 30)])
        browser.find_element("id", "grid-search").send_keys("9x")
        wait_until(lambda: "There are no rows." in browser.find_element("id", "grid").text)
        assert complaints(browser) == []

    def test_the_keyboard_is_enough(self, visit: Any, samples: list[Sample]) -> None:
        from selenium.webdriver.common.keys import Keys

        browser = visit()
        browser.find_element("css selector", "#grid .dgrid-next").send_keys(" ")
        self.wait_for(browser, "Text 10")
        head = self.head(browser, "text")
        browser.execute_script("arguments[0].focus()", head)
        head.send_keys(Keys.SPACE)
        self.wait_for(browser, "Text 00")

    def test_the_keys_of_a_grid_move_the_focus_from_cell_to_cell(self, visit: Any, samples: list[Sample]) -> None:
        """W3C's Authoring Practices; Home and End are those of dgrid, see test_keyboard.py."""
        from selenium.webdriver.common.keys import Keys

        browser = visit()
        cells = browser.find_elements("css selector", "#grid-dgrid .dgrid-row td")
        width = len(COLUMNS)
        assert len([cell for cell in cells if cell.get_attribute("tabindex") == "0"]) == 1  # one stop of the Tab key
        browser.execute_script("arguments[0].focus()", cells[0])
        for key, row, column in (
            (Keys.ARROW_RIGHT, 0, 1), (Keys.ARROW_DOWN, 1, 1), (Keys.ARROW_LEFT, 1, 0),
            (Keys.ARROW_UP, 0, 0), (Keys.ARROW_UP, 0, 0), (Keys.END, 9, 0), (Keys.ARROW_DOWN, 9, 0), (Keys.HOME, 0, 0),
            (Keys.PAGE_DOWN, 9, 0), (Keys.PAGE_UP, 0, 0), (Keys.ARROW_RIGHT * (width - 1), 0, width - 1),
        ):  # fmt: skip
            browser.switch_to.active_element.send_keys(key)
            assert browser.switch_to.active_element == cells[row * width + column], (key, row, column)

    def test_what_the_address_asks_for_is_shown_first(self, visit: Any, server: str, samples: list[Sample]) -> None:
        browser = visit()
        browser.get(f"{server}/page/?grid-start=20&grid-sort=-text")
        self.wait_for(browser, "Text 14", "Text 13")
        assert browser.find_element("css selector", "#grid .dgrid-status").text == "21 - 30 of 35 results"
        assert self.head(browser, "text").get_attribute("aria-sort") == "descending"

    def test_cells_are_in_the_pages_language_and_formats(self, visit: Any, settings: Any) -> None:
        settings.USE_TZ, settings.TIME_ZONE, settings.LANGUAGE_CODE = True, "Asia/Tokyo", "de"
        sample("a", number=1234567)
        browser = visit(grid(columns=[*COLUMNS, Column("id", formatter=("djintegrate.cells", "none"))][:-1]))
        cells = browser.find_elements("css selector", "#grid-dgrid .dgrid-row td")
        assert [cell.text for cell in cells] == [
            "a", "1234567", "12,5000", "02.03.2026", "06.01.2026, 08:30", "14:05", "Ja"
        ]  # fmt: skip
        assert "1 - 1 von 1" in browser.find_element("css selector", "#grid .dgrid-status").text

    def test_a_row_has_its_link_and_none_that_runs_something(self, visit: Any) -> None:
        sample("good")
        sample("bad", flag=False)
        browser = visit()
        links = browser.find_elements("css selector", "#grid-dgrid .dgrid-row a")
        assert [link.text for link in links] == ["good"]
        assert links[0].get_attribute("href").endswith(f"/samples/{Sample.objects.get(text='good').pk}")

    def test_texts_stay_texts_under_a_strict_policy(self, visit: Any, policy: None, settings: Any) -> None:
        settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, site.STATIC]
        sample(NASTY, number=2)
        columns = [
            Column("text", NASTY, link="url"),
            Column("number", formatter=("tests.formats", "stars")),
            Column("id", formatter=("tests.formats", "loud")),
        ]
        browser = visit(
            grid(columns=columns, caption=NASTY),
            prepare=lambda dojo: dojo.set_module_path("tests", "/static/tests"),
        )
        [row] = browser.find_elements("css selector", "#grid-dgrid .dgrid-row")
        cells = [cell.get_property("textContent") for cell in row.find_elements("css selector", "td")]
        assert cells == [NASTY, "**" + NASTY, f"<b>{Sample.objects.get().pk}</b>"]
        assert self.head(browser, "text").get_property("textContent").strip() == NASTY
        browser.find_element("id", "grid-search").send_keys("</script>")
        wait_until(lambda: len(self.shown(browser)) == 1)
        assert browser.execute_script("return window.broken") is None
        assert complaints(browser) == []

    def test_axe_finds_nothing_in_the_table_nor_in_the_dgrid(
        self, visit: Any, browser: Any, samples: list[Sample], settings: Any
    ) -> None:
        visit()
        assert browser.find_elements("css selector", ".dgrid")
        assert axe.violations(browser) == []
        settings.DOJO_ENABLED = False
        visit(state="")
        # The plain table has no style of ours: how large its links are is the site's to say.
        assert [said for said in axe.violations(browser) if not said.startswith("target-size")] == []

    def test_if_the_rows_cannot_be_loaded_the_table_stays(self, visit: Any, samples: list[Sample]) -> None:
        broken = (
            "function() { var open = XMLHttpRequest.prototype.open; XMLHttpRequest.prototype.open = function(m, url) {"
        )
        broken += "arguments[1] = url.replace('/samples/', '/nowhere/'); return open.apply(this, arguments); }; }"
        browser = visit(prepare=lambda dojo: dojo.append_aol(broken))
        assert browser.find_element("id", "grid-table").is_displayed()
        assert browser.find_elements("css selector", ".dgrid, .dgrid-footer") == []

    def test_without_javascript_the_table_pages_and_searches(
        self, visit: Any, browser: Any, samples: list[Sample]
    ) -> None:
        with without_javascript(browser):
            visit(state="")
            browser.find_element("link text", "Next").click()
            wait_until(lambda: "Text 10" in browser.page_source)
            browser.find_element("id", "grid-search").send_keys("text 33\n")
            wait_until(lambda: "1 to 1 of 1" in browser.page_source)
