"""manage.py dojo_build: what it says, and that a build that fails leaves the one before it in place."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import CommandError, call_command
from django.test import override_settings

from djintegrate.dojo.build import served, workshop
from tests.support.processes import heed_interrupts


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


class Made(NamedTuple):
    """A folder with a build, and what was said while it was made."""

    release: Path
    said: str


@pytest.fixture(scope="module")
def made(dojo_root: Path, release: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """In place of another one, with modules of the site's own."""
    folder = tmp_path_factory.mktemp("made")
    shutil.copytree(release, folder / "releases" / "dojo-release")
    own = folder / "static" / "own"
    own.mkdir(parents=True)
    used = 'define(["dojo/topic", "./other"], () => { const { a, ...b } = {}; return `the used ${"one"}`; });'
    (own / "used.js").write_text(used)
    (own / "other.js").write_text('define([], function () { return "the other one"; });')
    (own / "unused.js").write_text('define(["no/such/module"], function () { return "the unused one"; });')
    with override_settings(
        DOJO_BUILD_ROOT=folder / "releases" / "dojo-release",
        ROOT_URLCONF="tests.dojo.site",
        LANGUAGES=[("en", "English"), ("de", "German")],
        STATICFILES_DIRS=[own.parent],
        DOJO_DJCONFIG={"paths": {"own": "/static/own"}},
        DOJO_BUILD_MODULES=["dijit.Dialog", "own.used"],
        DOJO_BUILD_STYLESHEETS=["dijit/themes/dijit.css"],
    ):
        return Made(folder / "releases" / "dojo-release", run())


def test_the_command_finds_builds_and_tells(made: Made) -> None:
    release, out = made
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
    site_settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    assert run("--verbosity", "0") == ""
    assert not [name for name in tree(site_settings.DOJO_BUILD_ROOT) if name.endswith((".gz", ".br"))]
    call_command("collectstatic", interactive=False, verbosity=0)
    assert not [name for name in staticfiles_storage.hashed_files if name.endswith((".gz", ".br"))]
    hashed = staticfiles_storage.hashed_files["dojo-release/dojo/dojo.js"]
    packed = {path.name for path in (tmp_path / "collected/dojo-release/dojo").glob("dojo*.gz")}
    assert packed == {"dojo.js.gz", Path(hashed).name + ".gz"}


@pytest.fixture
def own_modules(site_settings: Any, tmp_path: Path) -> Path:
    """A folder of the site's own modules, called `own`."""
    folder = tmp_path / "static" / "own"
    folder.mkdir(parents=True)
    site_settings.STATICFILES_DIRS = [folder.parent]
    site_settings.DOJO_DJCONFIG = {"paths": {"own": "/static/own"}}
    return folder


def test_modules_of_the_sites_own_are_built_in(made: Made) -> None:
    text = (made.release / "dojo/dojo.js").read_text()
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
