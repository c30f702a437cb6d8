"""What dojo_build makes is enough for the pages."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command

from djintegrate.dojo import grid
from djintegrate.dojo.build import served
from djintegrate.dojo.page.names import THEMES
from tests.dojo.forms import Every, Many, Talk
from tests.dojo.test_browser import made
from tests.support.browser import complaints


def requested(browser: Any) -> list[str]:
    """The JavaScript and CSS of the page, by its names under the static files."""
    urls = browser.execute_script(
        "return performance.getEntriesByType('resource').map(e => e.name).filter(n => /[.](js|css)([?]|$)/.test(n))"
    )
    return [url.partition("/static/")[2] for url in urls]


@pytest.mark.parametrize("theme", THEMES)
def test_a_page_of_many_dijits_takes_three_requests_in_each_theme(show: Any, built: None, theme: str) -> None:
    browser = show(Many, lambda page, form: [setattr(page, "theme", theme), page.dojo_form(form)])
    assert len(made(browser)) == 18  # three of them radio buttons
    assert set(requested(browser)) == {
        f"dojo-release/dijit/themes/{theme}/{theme}.css",
        "dojo-release/dojo/dojo.js",
        "dojo-release/dojo/nls/dojo_en-us.js",
    }
    assert complaints(browser) == []
    border = "return getComputedStyle(document.getElementById('widget_id_word')).borderTopWidth"
    assert browser.execute_script(border) == "1px"


@pytest.mark.parametrize("has_look", [False, True])
def test_the_theme_of_a_build_holds_up_the_first_paint_only_with_the_look(
    show: Any, built: None, settings: Any, has_look: bool
) -> None:
    settings.FORM_RENDERER = "djintegrate.dojo.forms.DijitRenderer" if has_look else settings.FORM_RENDERER
    browser = show(Many)
    blocking = browser.execute_script(
        "return performance.getEntriesByType('resource').filter(e => e.renderBlockingStatus === 'blocking')"
        ".map(e => e.name)"
    )
    assert [url.rpartition("/")[2] for url in blocking] == ["claro.css"] * has_look
    assert len(requested(browser)) == 3
    assert complaints(browser) == []


# A page that is not painted at first, and a script of its own that asks for a module.
UNPAINTED = """
performance.getEntriesByType = () => [];
window.PerformanceObserver = class { observe() {} disconnect() {} };
document.addEventListener("DOMContentLoaded", () => {
    const fetched = performance.getEntries().map(one => one.name).filter(name => /[.](js|css)([?]|$)/.test(name));
    window.found = [typeof require, typeof define, document.documentElement.dataset.djintegrate,
        fetched.map(name => name.replace(/.*[/]/, "")).join()];
    require(["dijit/registry", "dojo/json"], (registry, json) => found.push(json.stringify([registry.length])));
    require(["dojo/topic"], topic => topic.subscribe("djintegrate/ready", () => found.push("heard")));
});
"""


@pytest.mark.parametrize("has_look", [False, True])
def test_dojo_is_not_fetched_before_the_plain_page_is_painted_and_what_scripts_ask_for_is_kept(
    show: Any, built: None, browser: Any, settings: Any, has_look: bool
) -> None:
    settings.FORM_RENDERER = "djintegrate.dojo.forms.DijitRenderer" if has_look else settings.FORM_RENDERER
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": UNPAINTED})
    try:
        show(Talk)
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    fetched = "claro.css,dojo_en-us.js" if has_look else "dojo_en-us.js"
    assert browser.execute_script("return found") == ["function", "undefined", "loading", fetched, "[0]", "heard"]
    assert complaints(browser) == []


# Shown at one field, and at another while the first one fades.
TOOLTIPS = """const [done] = arguments, seen = [];
require(["dijit/Tooltip", "dojo/dom"], function (Tooltip, dom) {
    const text = () => document.querySelector(".dijitTooltipContents").textContent;
    const opacity = () => getComputedStyle(document.querySelector(".dijitTooltip")).opacity;
    const until = (is, then) => is() ? then() : setTimeout(() => until(is, then), 5);
    const word = dom.byId("widget_id_word"), day = dom.byId("widget_id_day");
    Tooltip.show("first", word);
    seen.push(text(), opacity());
    until(() => opacity() === "1", () => {
        Tooltip.hide(word);
        Tooltip.show("second", day);
        seen.push(text());
        until(() => text() === "second" && opacity() === "1", () => {
            Tooltip.hide(day);
            seen.push(text());
            until(() => text() === "", () => done(seen));
        });
    });
});"""


def test_a_tooltip_fades_with_nothing_of_dojos_that_animates(show: Any, built: None, release: Path) -> None:
    assert show(Many).execute_async_script(TOOLTIPS) == ["first", "0", "first", "second"]
    layer = (release / "dojo" / "dojo.js").read_text()
    asked = re.search(r'"dijit/Tooltip":function\(\)\{define\(\[(.*?)\]', layer)
    assert asked and "dojo/_base/fx" not in asked[1]


@pytest.mark.parametrize("has_editor", [False, True])
def test_an_editor_is_fetched_by_the_pages_that_have_one(show: Any, built: None, has_editor: bool) -> None:
    browser = show(Every if has_editor else Many, lambda page, form: page.dojo_form(form, auto=True))
    found = [name for name in requested(browser) if "Editor" in name]
    texts = "dojo-release/djintegrate/nls/Editor_en-us.js"
    assert sorted(found) == ["dojo-release/djintegrate/Editor.js", texts] * has_editor
    assert not any("grid" in name for name in requested(browser))
    assert complaints(browser) == []


def test_a_page_that_does_not_know_its_build_takes_a_request_more(
    show: Any, built: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("djintegrate.dojo.page.page.release", lambda: None)
    browser = show(Every, lambda page, form: page.dojo_form(form, auto=True))
    assert "djintegrate/dojo/boot.js" in requested(browser)
    assert "dojo-release/djintegrate/Editor.js" in requested(browser)
    assert complaints(browser) == []


def test_from_the_sources_the_same_page_shows_the_same_dijits(sources: None, show: Any) -> None:
    browser = show(Many)
    assert len(made(browser)) == 18
    assert len(requested(browser)) > 150
    assert complaints(browser) == []


@pytest.mark.parametrize(
    ("language", "months", "file"),
    [("de", "Januar", "de"), ("de-at", "Januar", "de"), ("zh-hans", "一月", "zh-cn"), ("cy", "January", "en")],
)
def test_the_texts_are_in_the_language_of_the_page(
    show: Any, built: None, settings: Any, language: str, months: str, file: str
) -> None:
    settings.LANGUAGE_CODE = language
    browser = show(Many)
    assert f"dojo-release/dojo/nls/dojo_{file}.js" in requested(browser)
    name = browser.execute_script("return require('dojo/cldr/supplemental') && require('dojo/date/locale')"
                                  ".getNames('months', 'wide')[0]")  # fmt: skip
    assert name == months
    assert complaints(browser) == []


def test_a_module_that_the_build_lacks_is_named(show: Any, built: None) -> None:
    browser = show(Talk, lambda page, form: page.append_module("dijit.Calendar2"), state="failed")
    said = "".join(complaints(browser))
    assert "dijit/Calendar2" in said and "DOJO_BUILD_MODULES" in said
    # The server knows that it is not there, and the browser need not ask.
    assert not any("Calendar2" in name for name in requested(browser)) and "404" not in said
    assert made(browser) == {}


def test_a_module_of_the_sites_own_that_is_not_there_is_named(show: Any, built: None) -> None:
    browser = show(Talk, lambda page, form: page.append_module("mine.nowhere"), state="failed")
    said = "".join(complaints(browser))
    assert "mine/nowhere" in said and "DOJO_BUILD_MODULES" in said


def test_an_error_of_the_pages_own_is_not_blamed_on_the_build(show: Any, built: None) -> None:
    function = "function() { throw new Error('mine'); }"
    browser = show(Talk, lambda page, form: page.append_aol(function), state="failed")
    said = "".join(complaints(browser))
    assert "mine" in said and "DOJO_BUILD_MODULES" not in said


@pytest.mark.parametrize("debug", [False, True])
def test_collected_files_have_hashed_names_and_compressed_ones_beside_them(
    show: Any, built: None, settings: Any, tmp_path: Path, debug: bool
) -> None:
    settings.DEBUG = debug
    settings.STATIC_ROOT = tmp_path
    storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    settings.INSTALLED_APPS = ["djintegrate.dojo", "django.contrib.staticfiles"]
    call_command("collectstatic", interactive=False, verbosity=0)
    stored = staticfiles_storage.hashed_files
    for name in ("dojo-release/dojo/dojo.js", "dojo-release/dijit/themes/claro/claro.css"):
        file = tmp_path / stored[name]
        assert gzip.decompress(file.with_name(file.name + ".gz").read_bytes()) == file.read_bytes()
        assert file.with_name(file.name + ".br").is_file()
    settings.DEBUG = False
    # The site now has the collected files alone.
    settings.STATICFILES_DIRS = [tmp_path]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    browser = show(Many)
    assert len(made(browser)) == 18
    assert len(requested(browser)) == 3
    assert all(re.search(r"\.[0-9a-f]{12}\.(js|css)$", name) for name in requested(browser)), requested(browser)
    assert complaints(browser) == []


# What is in the folder


def test_the_build_holds_what_pages_ask_for_and_nothing_more(release: Path) -> None:
    files = {str(path.relative_to(release)) for path in release.rglob("*") if path.is_file()}
    assert {
        "dojo/dojo.js",
        "dojo/dojo.js.gz",
        "dojo/dojo.js.br",
        "dojo/nls/dojo_ROOT.js",
        "dojo/nls/dojo_de.js",
    } <= files
    assert "dojo/resources/blank.gif" in files
    scripts = [name for name in files if name.endswith(".js")]
    layer = r"(dojo/dojo|djintegrate/Editor|djintegrate/grid)\.js"
    texts = r"(dojo/nls/dojo|djintegrate/nls/(Editor|grid))_[\w-]+\.js"
    assert all(re.fullmatch(f"{layer}|{texts}", name) for name in scripts)
    styles = [name for name in files if name.endswith(".css")]
    assert sorted(styles) == sorted([*served.THEMES, *grid.STYLESHEETS])
    for name in styles:
        text = (release / name).read_text()
        assert "@import" not in text and "/*" not in text
        for url in served._URL.findall(text):
            assert ((release / name).parent / url.strip()).is_file(), (name, url)


def test_compressed_files_are_their_originals(release: Path) -> None:
    import brotli

    for name in ("dojo/dojo.js", "dijit/themes/claro/claro.css"):
        plain = (release / name).read_bytes()
        assert gzip.decompress((release / f"{name}.gz").read_bytes()) == plain
        assert brotli.decompress((release / f"{name}.br").read_bytes()) == plain
