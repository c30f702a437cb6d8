"""A folder and what is in it, in one transaction: the calls do what they would do at once, or are refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db.transaction import atomic

from djintegrate import files
from djintegrate.files import Transaction, TransactionError
from tests.support.files import FILES, Site
from tests.support.files import site as site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES

BEFORE = {"dir/f": "f", "dir/g": "g", "dir/sub/h": "h", "other/f": "of the other", "new": "new"}
REST = {"dir/g": "g", "dir/sub/h": "h", "other/f": "of the other"}
MOVED = {"moved/g": "g", "moved/sub/h": "h", "other/f": "of the other"}
PROGRAMS: dict[str, tuple[list[tuple[str, ...]], dict[str, str]]] = {
    "replaced, then moved": (
        [("copy_file", "new", "dir/f"), ("move_file", "dir", "moved")],
        {**MOVED, "moved/f": "new", "new": "new"},
    ),
    "replaced, then copied": (
        [("copy_file", "new", "dir/f"), ("copy_file", "dir", "moved")],
        {**REST, **MOVED, "dir/f": "new", "moved/f": "new", "new": "new"},
    ),
    "removed, then moved": (
        [("remove_file", "dir/f"), ("move_file", "dir", "moved")],
        {**MOVED, "new": "new"},
    ),
    "made, then moved": (
        [("copy_file", "new", "dir/i"), ("move_file", "dir", "moved")],
        {**MOVED, "moved/f": "f", "moved/i": "new", "new": "new"},
    ),
    "replaced with its folder, then alone": (
        [("copy_file", "other", "dir"), ("copy_file", "new", "dir/f"), ("move_file", "new", "dir/i")],
        {"dir/f": "new", "dir/i": "new", "other/f": "of the other"},
    ),
    "replaced with its folder, then removed": (
        [("move_file", "new", "other/new"), ("copy_file", "other", "dir"), ("remove_file", "dir/f")],
        {"dir/new": "new", "other/f": "of the other", "other/new": "new"},
    ),
    "replaced alone, then with its folder": (
        [("copy_file", "new", "dir/f"), ("copy_file", "other", "dir")],
        {"dir/f": "of the other", "other/f": "of the other", "new": "new"},
    ),
    "replaced by something in it": (
        [("copy_file", "new", "dir/sub/h"), ("copy_file", "dir/sub", "dir")],
        {"dir/h": "new", "other/f": "of the other", "new": "new"},
    ),
    "removed, and a folder of the name made by a copy below": (
        [("remove_file", "dir"), ("copy_file", "other", "dir/deep/other"), ("move_file", "new", "dir")],
        {"dir/deep/other/f": "of the other", "dir/new": "new", "other/f": "of the other"},
    ),
    "swapped": (
        [("move_file", "dir", "away"), ("copy_file", "other", "dir"), ("move_file", "new", "dir/f")],
        {"dir/f": "new", "away/f": "f", "away/g": "g", "away/sub/h": "h", "other/f": "of the other"},
    ),
}


def put_everything(site: Site) -> None:
    for name, text in BEFORE.items():
        site.put(name, text)


def run(site: Site, t: Transaction, program: list[tuple[str, ...]]) -> None:
    for verb, *names in program:
        getattr(t, verb)(*(site.media / name for name in names))


@pytest.mark.parametrize("title", PROGRAMS)
def test_a_folder_and_what_is_in_it(site: Site, title: str) -> None:
    program, after = PROGRAMS[title]
    put_everything(site)
    with pytest.raises(Oops), files.transaction(site.alias) as t:
        run(site, t, program)
        raise Oops
    assert site.files == BEFORE
    with files.transaction(site.alias) as t:
        run(site, t, program)
        assert {name: Path(t.path(site.media / name)).read_text() for name in after} == after
        for name in BEFORE.keys() - after.keys():
            with pytest.raises(FileNotFoundError):
                Path(t.path(site.media / name)).read_text()
    assert site.files == after


@pytest.mark.parametrize("gone", [("remove_file", "dir"), ("move_file", "dir", "moved")])
def test_nothing_can_be_made_in_a_folder_that_is_gone(site: Site, gone: tuple[str, ...]) -> None:
    put_everything(site)
    with files.transaction(site.alias) as t:
        run(site, t, [gone])
        with pytest.raises(FileNotFoundError, match="no folder"):
            t.copy_file(site.media / "new", site.media / "dir/f")
        with pytest.raises(FileNotFoundError, match="dir/f to copy"):
            t.copy_file(site.media / "dir/f", site.media / "g")
        with pytest.raises(FileNotFoundError, match="has removed"):
            t.path(site.media / "dir/f")
        t.remove_file(site.media / "dir/f")
    assert not (site.media / "dir").exists()
    assert site.files["new"] == "new"


def test_folders_that_a_copy_needs_go_with_it(site: Site) -> None:
    put_everything(site)
    with pytest.raises(Oops), files.transaction(site.alias) as t:
        t.copy_file(site.media / "dir", site.media / "one/two/three")
        assert site.files["one/two/three/f"] == "f"
        raise Oops
    assert not (site.media / "one").exists()
    with pytest.raises(Oops), files.transaction(site.alias) as t:
        t.copy_file(site.media / "dir", site.media / "one/two/three")
        site.put("one/of somebody else")
        raise Oops
    assert site.files == {**BEFORE, "one/of somebody else": "old"}
    assert not (site.media / "one/two").exists()


def test_what_is_still_there_until_the_commit_cannot_be_made_anew(site: Site) -> None:
    put_everything(site)
    with files.transaction(site.alias) as t:
        run(site, t, [("remove_file", "dir/f"), ("copy_file", "new", "dir/g"), ("copy_file", "dir/sub", "other")])
        for name in ("dir/f", "dir/g", "other", "other/i"):
            with pytest.raises(TransactionError, match="use copy_file"):
                t.add_file(site.media / name)
    assert site.files == {"dir/g": "new", "dir/sub/h": "h", "other/h": "h", "new": "new"}


def test_a_storage_reads_in_a_folder_that_was_replaced_and_changes_nothing_there(site: Site) -> None:
    put_everything(site)
    with files.transaction(site.alias) as t:
        run(site, t, [("copy_file", "other", "dir"), ("copy_file", "new", "dir/i"), ("remove_file", "other")])
        assert site.storage.open("dir/f").read() == b"of the other"
        assert site.storage.open("dir/i").read() == b"new"
        assert not site.storage.exists("dir/g")
        assert not site.storage.exists("other/f")
        assert site.storage.listdir("") == (["dir"], ["new"])
        assert (site.storage.listdir("dir")[0], sorted(site.storage.listdir("dir")[1])) == ([], ["f", "i"])
        for change in (lambda name: site.save(name), site.storage.delete, lambda name: site.storage.open(name, "wb")):
            with pytest.raises(TransactionError, match="replaced or removed as a whole"):
                change("dir/f")
        with pytest.raises(TransactionError, match="replaced or removed as a whole"):
            site.save("other/g")
        # Django deletes in silence what is not there.
        site.storage.delete("other/f")
    assert site.files == {"dir/f": "of the other", "dir/i": "new", "new": "new"}


def test_a_file_of_a_storage_moves_with_its_folder(site: Site) -> None:
    put_everything(site)
    with files.transaction(site.alias) as t:
        site.save("dir/i")
        site.storage.delete("dir/f")
        t.move_file(site.media / "dir", site.media / "moved")
        assert site.storage.open("moved/i").read() == b"new"
        assert not site.storage.exists("dir/i")
    assert site.files == {**MOVED, "moved/i": "new", "new": "new"}


def test_a_storage_deletes_a_folder_that_its_transaction_has_emptied(site: Site) -> None:
    site.put("dir/f")
    with atomic(site.alias):
        with pytest.raises(OSError, match="not empty"):
            site.storage.delete("dir")
        site.storage.delete("dir/f")
        site.storage.delete("dir")
        assert not site.storage.exists("dir")
    assert list(site.media.iterdir()) == []


def test_a_folder_is_not_copied_into_itself_by_another_name(site: Site) -> None:
    site.put("a/sub/x")
    os.symlink(site.media / "a/sub", site.media / "link")
    with files.transaction(site.alias) as t, pytest.raises(shutil.Error, match="into itself"):
        t.copy_file(site.media / "a", site.media / "link/copy")
    assert site.files == {"a/sub/x": "old"}


def test_what_others_have_staged_is_not_copied(site: Site) -> None:
    site.put("dir/f")

    class Slow(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Any:
            yield b"half"
            site.in_thread(copies)
            yield b"half"

    def copies() -> None:
        with files.transaction(site.alias) as t:
            t.copy_file(site.media / "dir", site.media / "copy")

    if site.alias == "default" and os.environ["DB"] == "sqlite":
        pytest.skip("SQLite has one writer.")
    with atomic(site.alias):
        site.storage.save("dir/g", Slow(b""))
    assert site.files == {"copy/f": "old", "dir/f": "old", "dir/g": "halfhalf"}


def test_a_storage_deletes_what_a_verb_has_removed_or_put_in_the_place_of_a_folder(site: Site) -> None:
    put_everything(site)
    os.symlink("dir", site.media / "link")
    with files.transaction(site.alias) as t:
        run(site, t, [("move_file", "new", "away"), ("copy_file", "away", "other"), ("remove_file", "dir")])
        for name in ("other", "dir", "link"):
            site.storage.delete(name)
            assert not site.storage.exists(name)
    assert site.files == {"away": "new"}
    assert [path.name for path in site.media.iterdir()] == ["away"]


def test_a_link_that_is_replaced_still_leads_to_what_was_moved_out(site: Site) -> None:
    put_everything(site)
    os.symlink("dir", site.media / "link")
    with files.transaction(site.alias) as t:
        t.move_file(site.media / "link/sub", site.media / "away")
        t.copy_file(site.media / "other", site.media / "link")
        t.copy_file(site.media / "new", site.media / "link/sub")
    after = {**BEFORE, "away/h": "h", "link/f": "of the other", "link/sub": "new"}
    del after["dir/sub/h"]
    assert site.files == after
