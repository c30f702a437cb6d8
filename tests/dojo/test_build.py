"""dojo_build: what it makes is enough for the pages, and a build that fails leaves the one before it in place."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import CommandError, call_command

from djintegrate.dojo import grid
from djintegrate.dojo.build import served, workshop
from djintegrate.dojo.page.names import THEMES
from tests.dojo.forms import Every, Many, Talk
from tests.dojo.test_browser import made
from tests.support.browser import complaints
from tests.support.processes import heed_interrupts


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
    window.found = [typeof require, typeof define, document.documentElement.dataset.djintegrate];
    require(["dijit/registry", "dojo/json"], (registry, json) => found.push(json.stringify([registry.length])));
});
"""


def test_dojo_does_nothing_before_the_plain_page_is_painted_and_keeps_what_scripts_ask_for(
    show: Any, built: None, browser: Any
) -> None:
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": UNPAINTED})
    try:
        show(Talk)
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert browser.execute_script("return found") == ["function", "undefined", "loading", "[0]"]
    assert complaints(browser) == []


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


def test_from_the_sources_the_same_page_shows_the_same_dijits(show: Any) -> None:
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


# The command


@pytest.fixture
def site_settings(settings: Any, dojo_root: Path, release: Path, tmp_path: Path) -> Any:
    """A build is in place, and another one is about to be made there."""
    settings.DOJO_BUILD_ROOT = tmp_path / "dojo-release"
    shutil.copytree(release, settings.DOJO_BUILD_ROOT)
    settings.ROOT_URLCONF = "tests.dojo.site"
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    return settings


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("dojo_build", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def tree(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_the_command_finds_builds_and_tells(site_settings: Any) -> None:
    site_settings.DOJO_BUILD_MODULES = ["dijit.Dialog"]
    site_settings.DOJO_BUILD_STYLESHEETS = ["dijit/themes/dijit.css"]
    out = run()
    release = site_settings.DOJO_BUILD_ROOT
    modules = json.loads((release / served.MARK).read_text())["modules"]
    assert {"dijit/Dialog", "dijit/form/FilteringSelect", "djintegrate/start"} <= set(modules)
    assert "dijit/layout/TabContainer" not in modules
    assert sorted(path.name for path in (release / "dojo/nls").glob("*.js")) == [
        "dojo_ROOT.js", "dojo_de.js", "dojo_en-us.js", "dojo_en.js"
    ]  # fmt: skip
    assert (release / "dijit/themes/dijit.css").is_file()
    assert "  starting processing resource AST\n" in out  # progress
    row = re.search(r"^Modules +(\d+) +([\d,]+) +1 +([\d,]+) +([\d,]+) +([\d,]+)$", out, re.MULTILINE)
    assert row, out
    files, before, after, gzipped, _ = (int(text.replace(",", "")) for text in row.groups())
    assert files > 100 and before > 3 * after > 9 * gzipped
    assert gzipped == (release / "dojo/dojo.js.gz").stat().st_size
    assert [path.name for path in release.parent.iterdir()] == [release.name]


def test_with_hashed_names_no_file_is_compressed_twice(site_settings: Any, tmp_path: Path) -> None:
    storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    site_settings.STORAGES = {**site_settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    site_settings.STATIC_ROOT = tmp_path / "collected"
    site_settings.STATICFILES_DIRS = [("dojo-release", site_settings.DOJO_BUILD_ROOT)]
    run()
    assert not [name for name in tree(site_settings.DOJO_BUILD_ROOT) if name.endswith((".gz", ".br"))]
    call_command("collectstatic", interactive=False, verbosity=0)
    assert not [name for name in staticfiles_storage.hashed_files if name.endswith((".gz", ".br"))]
    hashed = staticfiles_storage.hashed_files["dojo-release/dojo/dojo.js"]
    packed = {path.name for path in (tmp_path / "collected/dojo-release/dojo").glob("dojo*.gz")}
    assert packed == {"dojo.js.gz", Path(hashed).name + ".gz"}


def test_with_verbosity_0_nothing_is_said(site_settings: Any) -> None:
    assert run("--verbosity", "0") == ""


@pytest.fixture
def own_modules(site_settings: Any, tmp_path: Path) -> Path:
    """A folder of the site's own modules, called `own`."""
    folder = tmp_path / "static" / "own"
    folder.mkdir(parents=True)
    site_settings.STATICFILES_DIRS = [folder.parent]
    site_settings.DOJO_DJCONFIG = {"paths": {"own": "/static/own"}}
    return folder


def test_modules_of_the_sites_own_are_built_in(site_settings: Any, own_modules: Path) -> None:
    site_settings.DOJO_BUILD_MODULES = ["own.used"]
    used = 'define(["dojo/topic", "./other"], () => { const { a, ...b } = {}; return `the used ${"one"}`; });'
    (own_modules / "used.js").write_text(used)
    (own_modules / "other.js").write_text('define([], function () { return "the other one"; });')
    (own_modules / "unused.js").write_text('define(["no/such/module"], function () { return "the unused one"; });')
    run()
    text = (site_settings.DOJO_BUILD_ROOT / "dojo/dojo.js").read_text()
    assert "the used one" in text and "the other one" in text
    assert "the unused one" not in text


@pytest.mark.parametrize("missing", ["own.nowhere", "own.lacking"])
def test_a_missing_module_leaves_the_old_build(site_settings: Any, own_modules: Path, missing: str) -> None:
    before = tree(site_settings.DOJO_BUILD_ROOT)
    site_settings.DOJO_BUILD_MODULES = [missing]
    (own_modules / "lacking.js").write_text('define(["./nowhere"], function () {});')
    with pytest.raises(CommandError, match=r"(?s)own/lacking|own/nowhere.* was changed"):
        run()
    assert tree(site_settings.DOJO_BUILD_ROOT) == before
    assert {path.name for path in site_settings.DOJO_BUILD_ROOT.parent.iterdir()} == {"dojo-release", "static"}


@pytest.mark.parametrize("profile", ["var profile = {", "throw new Error('mine');"])
def test_a_broken_profile_leaves_the_old_build(site_settings: Any, tmp_path: Path, profile: str) -> None:
    before = tree(site_settings.DOJO_BUILD_ROOT)
    file = tmp_path / "my.profile.js"
    file.write_text(profile)
    with pytest.raises(CommandError, match=r"(?s)with the profile .*my\.profile\.js:.* was changed"):
        run("--profile", str(file))
    assert tree(site_settings.DOJO_BUILD_ROOT) == before


PROFILE = """
var profile = {
    basePath: "%s", optimize: "", layerOptimize: "uglify",
    packages: [{ name: "own", location: "own" }],
    layers: { "own/layer": { include: ["own/used"] } }
};
"""


def test_a_profile_of_ones_own_decides_alone(site_settings: Any, own_modules: Path, tmp_path: Path) -> None:
    (own_modules / "used.js").write_text("define([], function () { return 'the used one'; });")
    file = tmp_path / "my.profile.js"
    file.write_text(PROFILE % own_modules.parent)
    out = run("--profile", str(file))
    assert re.search(r"^All files +3 ", out, re.MULTILINE), out  # the layer, its map, the module
    files = tree(site_settings.DOJO_BUILD_ROOT)
    assert {"own/layer.js", "own/layer.js.gz", "own/layer.js.br", "own/used.js"} <= set(files)
    assert "dojo/dojo.js" not in files and not any("uncompressed" in name for name in files)


def test_a_profile_that_is_not_there_is_said(site_settings: Any) -> None:
    with pytest.raises(CommandError, match=r"There is no profile nowhere.js"):
        run("--profile", "nowhere.js")


def test_without_node_the_old_build_stays(site_settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = tree(site_settings.DOJO_BUILD_ROOT)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match=r"there is no `node` in PATH. Install it"):
        run()
    assert tree(site_settings.DOJO_BUILD_ROOT) == before


def test_without_dojo_the_remedy_is_said(site_settings: Any, tmp_path: Path) -> None:
    site_settings.DOJO_ROOT = tmp_path / "empty"
    with pytest.raises(CommandError, match=r"empty has no Dojo.* Run `manage.py dojo_install` first"):
        run()


def test_a_folder_of_somebody_elses_is_not_replaced(site_settings: Any, tmp_path: Path) -> None:
    site_settings.DOJO_BUILD_ROOT = tmp_path / "mine"
    site_settings.DOJO_BUILD_ROOT.mkdir()
    (site_settings.DOJO_BUILD_ROOT / "thesis.txt").write_text("all of it")
    with pytest.raises(CommandError, match="has something in it that dojo_build did not put there"):
        run()
    assert list(tree(site_settings.DOJO_BUILD_ROOT)) == ["thesis.txt"]


PROGRAM = """
import resource, sys
from pathlib import Path
from djintegrate.dojo.build import build
limit, root, release = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
order = build.Order(root, release, ["dijit/form/DateTextBox"], {}, ["de"])
try:
    build.build(order, lambda text: print(text, flush=True))
except build.BuildError as error:
    sys.exit(str(error))
"""


def test_a_full_disk_leaves_the_old_build(site_settings: Any, dojo_root: Path) -> None:
    """No file may grow beyond 100 kB: that is as a disk that is full, to Node and to Python."""
    release = site_settings.DOJO_BUILD_ROOT
    before = tree(release)
    command = [sys.executable, "-c", PROGRAM, "100000", str(dojo_root), str(release)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stdout
    assert "was changed" in done.stderr
    assert tree(release) == before
    assert [path.name for path in release.parent.iterdir()] == [release.name]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_leaves_the_old_one(site_settings: Any, dojo_root: Path, number: int) -> None:
    release = site_settings.DOJO_BUILD_ROOT
    before = tree(release)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.dojo.build_settings", "BUILD_ROOT": str(release)}
    process = subprocess.Popen(
        [sys.executable, "-m", "django", "dojo_build"], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if "starting" in line:
            break
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert tree(release) == before
    if number == signal.SIGKILL:
        # Nobody could tidy up, so the next build does.
        assert len(list(release.parent.iterdir())) > 1
        with workshop.workshop(release, "build") as folder:
            assert set(release.parent.glob(".dojo-release-build-*")) == {folder}
    else:
        assert [path.name for path in release.parent.iterdir()] == [release.name]
    if number == signal.SIGINT:
        assert "Interrupted. Nothing in" in said
