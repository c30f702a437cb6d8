"""What the doctor says of Dojo: what is not well is said with its remedy, and what is not needed is not asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.management import call_command

from djintegrate.dojo import examination, models, places
from djintegrate.dojo.build import build, discovery, install
from djintegrate.dojo.page.release import MARK

from .test_places import DJANGOS, write

MANIFEST = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"


@pytest.fixture
def site(settings: Any, tmp_path: Path) -> Any:
    """A server: it has a build, and neither sources nor Node."""
    settings.DOJO_ROOT, settings.DOJO_BUILD_ROOT = tmp_path / "dojo", tmp_path / "made"
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STATICFILES_DIRS = []
    settings.STATICFILES_FINDERS = [*DJANGOS, places.FINDER]
    settings.DOJO_URL = "/static/dojo-release/dojo"
    settings.ROOT_URLCONF = "tests.dojo.site"
    settings.INSTALLED_APPS = ["django.contrib.staticfiles", "djintegrate.dojo"]
    settings.DEBUG = True
    make(settings.DOJO_BUILD_ROOT, discovery.discover().modules)
    return settings


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH without Node."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def make(folder: Path, modules: set[str]) -> None:
    write(folder / "dojo/dojo.js")
    (folder / MARK).write_text(json.dumps({"modules": sorted(modules), "texts": {}, "look": False}))


def said(*, well: bool) -> str:
    return "\n".join(f"{one.said} {one.remedy}" for one in examination.examine() if one.is_well is well)


def test_a_server_with_a_build_needs_neither_sources_nor_node(site: Any) -> None:
    assert said(well=False) == ""
    assert "needs neither them nor Node" in said(well=True)


@pytest.mark.parametrize("address", ["/static/dojo-relaese/dojo", "/static/dojo-release"])
def test_a_misspelt_address_is_not_well(site: Any, address: str) -> None:
    site.DOJO_URL = address
    assert f"there is no {address.removeprefix('/static/')}/dojo.js" in said(well=False)


def test_folders_that_no_finder_has_are_not_well(site: Any) -> None:
    site.STATICFILES_FINDERS = DJANGOS
    assert places.FINDER in said(well=False)


def test_a_list_of_finders_without_djangos_own_is_not_well(site: Any) -> None:
    site.STATICFILES_FINDERS = [places.FINDER]
    assert "djintegrate/dojo/boot.js is not among the static files" in said(well=False)


def test_a_build_that_is_older_than_the_forms_is_not_well(site: Any) -> None:
    make(site.DOJO_BUILD_ROOT, discovery.discover().modules - {"dijit/form/HorizontalSlider"})
    told = said(well=False)
    assert "lacks dijit/form/HorizontalSlider." in told and "dojo_build" in told


def test_a_module_that_there_is_not_is_no_reason_to_build_again(
    site: Any, dojo_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.DOJO_ROOT, site.DEBUG = dojo_root, False
    widget = forms.TextInput()
    widget.dojo = models.Dijit("dijit.form.NumberSpiner")  # type: ignore[attr-defined]
    # No form class: that would be found by the builds of other tests.
    form = type("Talk", (), {"base_fields": {"seats": forms.CharField(widget=widget)}})
    found = discovery.discover()
    found.add_form(form, automatic=False)
    monkeypatch.setattr(discovery, "discover", lambda: found)
    told = said(well=False)
    assert "The field 'seats' of Talk: there is no module dijit/form/NumberSpiner. Did you mean" in told
    assert "Correct the name" in told and "older than the forms" not in told


def test_what_was_not_collected_is_not_well_with_debug_off(site: Any) -> None:
    site.DEBUG = False
    assert "collectstatic" in said(well=False)
    site.STORAGES = {**site.STORAGES, "staticfiles": {"BACKEND": MANIFEST}}
    told = said(well=False)
    assert "Missing staticfiles manifest entry" in told and "collectstatic" in told
    call_command("collectstatic", interactive=False, verbosity=0)
    assert said(well=False) == ""


def test_what_was_collected_before_the_last_build_is_not_well(site: Any) -> None:
    site.DEBUG = False
    make(site.DOJO_BUILD_ROOT, discovery.discover().modules - {"dijit/form/HorizontalSlider"})
    call_command("collectstatic", interactive=False, verbosity=0)
    assert "older than the forms" in said(well=False)
    make(site.DOJO_BUILD_ROOT, discovery.discover().modules)
    (site.DOJO_BUILD_ROOT / "dojo/dojo.js").write_text("// the next build")
    told = said(well=False)
    assert "collected from another build" in told and "manage.py collectstatic" in told
    assert "dojo_build" not in told


def test_with_debug_what_was_collected_is_not_served(site: Any) -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
    shutil.rmtree(site.DOJO_BUILD_ROOT)
    assert "The build is not in" in said(well=False)


def test_a_build_that_is_not_there_is_not_well_nor_is_a_missing_node(site: Any, tmp_path: Path) -> None:
    site.DOJO_BUILD_ROOT = tmp_path / "none"
    told = said(well=False)
    assert "The build is not in" in told and "dojo_build" in told
    assert "Dojo's sources are not in" in told and "dojo_install" in told
    assert "no `node` in PATH" in told


def test_a_folder_that_is_misspelt_is_not_to_be_built_into(site: Any, tmp_path: Path) -> None:
    site.DOJO_BUILD_ROOT = tmp_path / "dojo-relaese"
    wrong = f"DOJO_BUILD_ROOT is {tmp_path}/dojo-relaese, and DOJO_URL says 'dojo-release'. Correct the one that is"
    assert f"The build is not in {tmp_path}/dojo-relaese. {wrong}" in said(well=False)
    site.STATICFILES_FINDERS, site.STATICFILES_DIRS = DJANGOS, [tmp_path]
    assert wrong in said(well=False)


def test_a_page_of_the_sources_needs_no_build(site: Any, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    node(path, "v20.1.0")
    site.DOJO_URL = "/static/dojo/dojo"
    site.DOJO_BUILD_ROOT = None
    assert "Dojo's sources are not in" in said(well=False)
    write(site.DOJO_ROOT / "dojo/dojo.js")
    monkeypatch.setattr(install, "installed", lambda root: True)
    assert said(well=False) == ""


@pytest.mark.parametrize(("version", "is_well"), [("v14.21.3", False), ("v20.1.0", True)])
def test_a_node_that_dojo_build_refuses_is_not_well_either(
    site: Any, monkeypatch: pytest.MonkeyPatch, path: Path, version: str, is_well: bool
) -> None:
    node(path, version)
    monkeypatch.setattr(install, "installed", lambda root: True)
    assert (said(well=False) == "") is is_well
    assert (f"Node {build.NODE_AT_LEAST} or later" in said(well=False)) is not is_well


def node(path: Path, version: str) -> None:
    (path / "node").write_text(f"#!/bin/sh\necho {version}\n")
    (path / "node").chmod(0o755)


def test_dojo_of_another_server_is_not_looked_for(site: Any) -> None:
    site.DOJO_URL = "https://cdn.example.com/dojo"
    assert said(well=False) == ""
    site.DOJO_ENABLED = False
    assert "plain HTML" in said(well=True)
