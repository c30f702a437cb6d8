"""What a page knows of the build behind DOJO_URL, and writes because of it."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from djintegrate.dojo.page.page import Dojo
from djintegrate.dojo.page.release import MARK, Release, parents, release
from tests.dojo.forms import Talk
from tests.dojo.test_page import Elements, head

MADE = {
    "modules": ["djintegrate/start", "dijit/form/ValidationTextBox"],
    "texts": {"dojo/dojo": ["ROOT", "de", "en"], "djintegrate/Editor": ["ROOT"], "djintegrate/grid": []},
    "look": False,
}
numbers = itertools.count()


@pytest.fixture
def site(settings: Any, tmp_path: Path) -> Any:
    """A site that serves a build, of which there is what the pages know of it."""
    # A name of its own each time, for a process reads it once.
    name = f"release{next(numbers)}"
    settings.DOJO_URL = f"/static/{name}/dojo"
    settings.STATICFILES_DIRS = [(name, tmp_path)]
    settings.STATIC_ROOT = None
    note(tmp_path)
    return settings


def note(folder: Path, **changes: Any) -> None:
    (folder / MARK).write_text(json.dumps({**MADE, **changes}))


@pytest.fixture
def page(rf: Any, site: Any) -> Dojo:
    return Dojo(rf.get("/"))


def elements(page: Dojo) -> list[tuple[str, dict[str, str | None]]]:
    return [(tag, {**given, **({"href": re.sub(r"release\d+", "r", given["href"] or "")} if "href" in given else {})})
            for tag, given in Elements(head(page)).found]  # fmt: skip


THEME = "/static/r/dijit/themes/claro/claro.css"
LATE = ("link", {"id": "djintegrate-theme", "rel": "stylesheet", "href": THEME})
LOOK = ("link", {"rel": "stylesheet", "href": "/static/djintegrate/dojo/form.css"})


def test_a_page_of_a_build_begins_with_its_texts_and_has_dojo_and_the_theme_aside(page: Dojo) -> None:
    assert page.boot.endswith("/dojo/nls/dojo_en.js")
    assert elements(page) == [
        ("template", {"id": "djintegrate-late"}),
        LATE,
        ("script", {"src": page.src}),
        ("script", {"id": "djintegrate-dojo", "type": "application/json"}),
        ("script", {"defer": None, "fetchpriority": "low", "src": page.boot}),
    ]
    assert re.search(r'<template id="djintegrate-late">.*dojo\.js.*</template>.*/nls/', head(page), re.DOTALL)


@pytest.mark.parametrize("is_old", [False, True])
def test_without_the_texts_that_start_a_page_boot_js_does(page: Dojo, tmp_path: Path, is_old: bool) -> None:
    """Such as with a build of a version that started pages otherwise."""
    note(tmp_path, texts={})
    if is_old:
        (tmp_path / MARK).write_text((tmp_path / MARK).read_text().replace('"texts"', '"locales"'))
    assert [given["src"] for tag, given in elements(page) if "src" in given] == [page.boot, page.src]
    assert page.boot.endswith("/boot.js")
    assert LATE[1]["href"] in [given.get("href") for tag, given in elements(page)]
    assert "<template" not in head(page)


def test_stylesheets_of_the_sites_own_come_after_the_theme(page: Dojo) -> None:
    page.append_stylesheet("/static/a.css")
    assert [given for given in elements(page) if given[0] == "link"] == [
        LATE,
        ("link", {"rel": "stylesheet", "href": "/static/a.css"}),
    ]


@pytest.mark.parametrize("has_look", [True, False])
def test_the_look_is_in_the_theme_or_beside_it(page: Dojo, site: Any, tmp_path: Path, has_look: bool) -> None:
    site.FORM_RENDERER = "djintegrate.dojo.forms.DijitRenderer"
    note(tmp_path, look=has_look)
    found = [(tag, given) for tag, given in elements(page) if given.get("href", "").endswith(".css")]  # type: ignore
    assert found == ([("link", {"rel": "stylesheet", "href": THEME})] if has_look else [LATE, LOOK])


def test_a_layer_that_the_page_asks_for_is_fetched_beside_dojo(page: Dojo) -> None:
    from django import forms

    from djintegrate.dojo.richtext import RichTextField

    class Story(forms.Form):
        story = RichTextField()

    page.dojo_form(Story(), auto=True)
    hrefs = [given["href"] for tag, given in elements(page) if given.get("as") == "script"]
    assert hrefs == [
        "/static/r/djintegrate/Editor.js", "/static/r/djintegrate/nls/Editor_ROOT.js"
    ]  # fmt: skip


def test_a_module_that_the_build_lacks_is_named_in_the_log(
    rf: Any, site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    page = Dojo(rf.get("/orders/?page=2"))
    page.append_module("dijit.Dialog")
    page.append_module("mine.own")
    page.dojo_form(Talk())
    head(page)
    [record] = caplog.records
    assert "no dijit/Dialog" in record.getMessage() and "so /orders/ stays plain HTML" in record.getMessage()
    assert "dojo_build --list" in record.getMessage() and "DOJO_BUILD_MODULES" in record.getMessage()
    assert "mine" not in record.getMessage() and "dijit/form/ValidationTextBox" not in record.getMessage()


def test_the_page_and_its_parts_are_told_what_the_build_lacks(page: Dojo) -> None:
    assert "lacking" not in page.specification()
    page.append_module("dijit.Dialog")
    for said in (page.specification(), page.fragment()):
        assert said["lacking"].startswith("The build of Dojo has no dijit/Dialog.")


def test_of_dojos_sources_nothing_is_known_and_nothing_is_said(
    page: Dojo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / MARK).unlink()
    page.append_module("dijit.Dialog")
    assert [given["src"] for tag, given in elements(page) if "src" in given] == [page.boot, page.src]
    assert caplog.records == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"profile": "my.profile.js"}'])
def test_what_cannot_be_read_is_as_if_it_were_not_there(page: Dojo, tmp_path: Path, text: str) -> None:
    (tmp_path / MARK).write_text(text)
    assert release() is None
    assert page.boot


def test_dojo_of_another_server_is_not_looked_for(site: Any) -> None:
    site.DOJO_URL = "https://cdn.example.com/dojo"
    assert release() is None


@pytest.mark.parametrize("is_hashed", [False, True])
def test_it_is_known_from_the_collected_files_alone(site: Any, tmp_path: Path, is_hashed: bool) -> None:
    site.STATIC_ROOT = tmp_path.parent / f"{tmp_path.name}-collected"
    site.INSTALLED_APPS = ["django.contrib.staticfiles"]
    storage = "ManifestStaticFilesStorage" if is_hashed else "StaticFilesStorage"
    backend = f"django.contrib.staticfiles.storage.{storage}"
    site.STORAGES = {**site.STORAGES, "staticfiles": {"BACKEND": backend}}
    call_command("collectstatic", interactive=False, verbosity=0)
    if is_hashed:
        # As WhiteNoise with WHITENOISE_KEEP_ONLY_HASHED_FILES.
        [plain] = site.STATIC_ROOT.rglob(MARK)
        plain.unlink()
    site.STATICFILES_DIRS = []
    known = release()
    assert known and known.modules == set(MADE["modules"])  # type: ignore[call-overload]


def test_the_storage_is_asked_once(site: Any, tmp_path: Path) -> None:
    first = release()
    note(tmp_path, look=True)
    assert release() is first
    site.DEBUG = True
    assert release() != first


def test_locales_stand_in_for_each_other_as_dojos_loader_has_it() -> None:
    assert parents("zh-Hant-tw") == ["zh-hant-tw", "zh-hant", "zh", "ROOT"]
    known = Release(frozenset(), {"dojo/dojo": ["ROOT", "de"]}, False)
    assert known.texts("dojo/dojo", "de-at") == ["dojo/nls/dojo_de.js"]
    assert known.texts("dojo/dojo", "fr") == ["dojo/nls/dojo_ROOT.js"]
    assert known.texts("djintegrate/grid", "de") == []
