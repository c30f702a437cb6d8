"""Where Dojo is among the static files: DojoFinder, and the checks that tell of an address where nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.checks import run_checks
from django.core.management import call_command

from djintegrate.dojo import places
from djintegrate.dojo.checks import TAG, check_configuration
from djintegrate.dojo.management.commands.dojo_build import Command

DJANGOS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("/* */")
    return path


@pytest.fixture
def site(settings: Any, tmp_path: Path) -> Any:
    """A site with sources and a build, of a few files."""
    write(tmp_path / "sources/dojo/dojo.js")
    write(tmp_path / "sources/util/buildscripts/tests/broken.css")
    write(tmp_path / "made/dojo/dojo.js")
    settings.DOJO_ROOT, settings.DOJO_BUILD_ROOT = tmp_path / "sources", tmp_path / "made"
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STATICFILES_DIRS = []
    settings.STATICFILES_FINDERS = [*DJANGOS, places.FINDER]
    settings.DOJO_URL = "/static/dojo-release/dojo"
    settings.INSTALLED_APPS = ["django.contrib.staticfiles", "djintegrate.dojo"]
    return settings


def ids() -> list[str | None]:
    return [message.id for message in check_configuration()]


def test_the_finder_shows_both_and_only_the_build_is_collected(site: Any, tmp_path: Path) -> None:
    assert finders.find("dojo/dojo/dojo.js") == str(tmp_path / "sources/dojo/dojo.js")
    assert finders.find("dojo-release/dojo/dojo.js", find_all=True) == [str(tmp_path / "made/dojo/dojo.js")]
    assert finders.find("dojo/dojo/nothing.js") is None and finders.find("other/dojo/dojo.js") is None
    assert finders.find("dojo/dojo/nothing.js", find_all=True) == []
    call_command("collectstatic", interactive=False, verbosity=0)
    collected = {str(path.relative_to(site.STATIC_ROOT)) for path in site.STATIC_ROOT.glob("dojo*/**/*.*")}
    assert collected == {"dojo-release/dojo/dojo.js"}
    assert ids() == []


def test_the_finder_wants_neither_folder(site: Any, tmp_path: Path) -> None:
    site.DOJO_ROOT, site.DOJO_BUILD_ROOT = tmp_path / "none", None
    assert finders.find("dojo/dojo/dojo.js") is None
    call_command("collectstatic", interactive=False, verbosity=0)
    del site.DOJO_ROOT
    assert places.folders() == {} and finders.find("dojo/dojo/dojo.js") is None


def test_before_the_first_build_no_check_misses_its_folder(site: Any, tmp_path: Path) -> None:
    site.DOJO_BUILD_ROOT = tmp_path / "to be made"
    assert [message.id for message in run_checks(tags=["staticfiles", TAG])] == []
    site.STATICFILES_DIRS = [("dojo-release", site.DOJO_BUILD_ROOT)]
    site.STATICFILES_FINDERS = DJANGOS
    assert [message.id for message in run_checks(tags=["staticfiles"])] == ["staticfiles.W004"]
    # The command that makes the folder does not complain that it is not there.
    assert Command.requires_system_checks == [TAG]
    assert [message.id for message in run_checks(tags=Command.requires_system_checks)] == []


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("/static/dojo-relaese/dojo", "/static/dojo-release/dojo"),
        ("/static/dojo-release", "/static/dojo-release/dojo"),
        ("/static/dojo/doj", "/static/dojo/dojo"),
    ],
)
@pytest.mark.parametrize("by_finder", [True, False])
def test_an_address_where_no_dojo_is_is_a_warning(site: Any, address: str, meant: str, by_finder: bool) -> None:
    if not by_finder:
        site.STATICFILES_FINDERS = DJANGOS
        site.STATICFILES_DIRS = [("dojo", site.DOJO_ROOT), ("dojo-release", site.DOJO_BUILD_ROOT)]
        site.STATIC_ROOT = None
    site.DOJO_URL = address
    [found] = check_configuration()
    assert found.id == "dojo.W004"
    assert f"there is no {address.removeprefix('/static/')}/dojo.js among the static files" in found.msg
    assert f"Did you mean {meant}?" in found.msg
    site.DOJO_URL = meant
    assert ids() == []


def test_folders_that_no_finder_has_are_said_to_be_missing(site: Any) -> None:
    site.STATICFILES_FINDERS = DJANGOS
    [found] = check_configuration()
    assert found.id == "dojo.W004" and places.FINDER in str(found.hint)


def test_what_was_collected_is_found_where_its_source_is_gone(site: Any) -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
    site.STATICFILES_FINDERS = DJANGOS
    assert ids() == []


def test_a_folder_around_both_gives_the_addresses_too(site: Any, tmp_path: Path) -> None:
    site.STATICFILES_FINDERS, site.STATICFILES_DIRS, site.STATIC_ROOT = DJANGOS, [str(tmp_path)], None
    assert set(places.addresses()) == {"/static/sources/dojo", "/static/made/dojo"}


def test_a_list_of_finders_without_djangos_own_is_a_warning(site: Any) -> None:
    site.STATICFILES_FINDERS = [places.FINDER]
    [found] = check_configuration()
    assert found.id == "dojo.W008" and "djintegrate/dojo/boot.js is not among the static files" in found.msg
    assert all(repr(finder) in str(found.hint) for finder in DJANGOS)
    site.STATICFILES_FINDERS = [DJANGOS[1], places.FINDER]
    assert ids() == []
    # Then nothing asks for them.
    site.STATICFILES_FINDERS, site.DOJO_ENABLED = [places.FINDER], False
    assert ids() == []


def test_a_site_that_builds_nothing_is_told_nothing(site: Any) -> None:
    del site.DOJO_ROOT
    site.DOJO_BUILD_ROOT = None
    site.DOJO_URL = "/static/elsewhere/dojo"
    assert ids() == []


def test_sources_that_collectstatic_would_take_are_a_warning(site: Any) -> None:
    site.STATICFILES_DIRS = [("dojo", site.DOJO_ROOT)]
    [found] = [message for message in run_checks(tags=["staticfiles"]) if message.id == "dojo.W005"]
    assert str(site.DOJO_ROOT) in found.msg and places.FINDER in str(found.hint)
    # Where nothing is ever collected, they are in nobody's way.
    site.STATIC_ROOT = None
    assert "dojo.W005" not in ids()
