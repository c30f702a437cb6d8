"""The four verbs as they were posted, on files and on folders, inside of a transaction and alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import transaction
from django.db.transaction import atomic

from djintegrate import files
from djintegrate.files import PathLocked, TransactionError
from tests.apps.people.models import Person
from tests.support.files import FILES, Site
from tests.support.files import site as site
from tests.support.helpers import Oops, Outside

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES


def test_the_example_as_posted_commits(site: Site) -> None:
    process(site, fails=False)
    assert site.files == {"new": "new", "copy": "source", "source": "source", "moved": "to move"}


def test_the_example_as_posted_rolls_back(site: Site) -> None:
    with pytest.raises(Oops):
        process(site, fails=True)
    assert site.files == {"delete": "delete", "source": "source", "move": "to move"}


def process(site: Site, fails: bool) -> None:
    new_file, delete_file, src_file = site.media / "new", site.put("delete", "delete"), site.put("source", "source")
    dest_file, mov_src_file, mov_dest_file = site.media / "copy", site.put("move", "to move"), site.media / "moved"
    t = files.Transaction(site.alias)
    t.begin()
    try:
        t.add_file(new_file)
        new_file.write_text("new")
        t.remove_file(delete_file)
        t.copy_file(src_file, dest_file)
        t.move_file(mov_src_file, mov_dest_file)
        if fails:
            raise Oops
        t.commit()
    except BaseException:
        t.rollback()
        raise


def test_alone_it_is_a_transaction_of_rows_and_files(site: Site, outside: Outside) -> None:
    with pytest.raises(Oops), files.transaction(site.alias) as t:
        Person.objects.using(site.alias).create(name="lost")
        t.add_file(site.put("lost"))
        raise Oops
    with files.transaction(site.alias) as t:
        Person.objects.using(site.alias).create(name="kept")
        t.add_file(site.put("kept"))
    assert (outside.names(), list(site.files)) == (["kept"], ["kept"])


def test_inside_of_a_transaction_it_is_a_part_of_it(site: Site) -> None:
    with pytest.raises(Oops), atomic(site.alias):
        with files.transaction(site.alias) as t:
            t.add_file(site.put("one"))
            t.remove_file(site.put("two"))
        assert list(site.files) == ["one", "two"]
        raise Oops
    assert list(site.files) == ["two"]


@pytest.mark.parametrize("outer", [atomic, files.transaction])
def test_a_nested_one_is_a_savepoint(site: Site, outer: Callable) -> None:
    with outer(site.alias):
        with files.transaction(site.alias) as t:
            t.add_file(site.put("kept"))
        with pytest.raises(Oops), files.transaction(site.alias) as t:
            t.add_file(site.put("lost"))
            raise Oops
        assert list(site.files) == ["kept"]
    assert list(site.files) == ["kept"]


def test_in_zopes_transaction_a_nested_one_is_a_savepoint(site: Site) -> None:
    with transaction.manager:
        with files.transaction(site.alias) as t:
            t.add_file(site.put("kept"))
            with pytest.raises(Oops), files.transaction(site.alias) as inner:
                inner.add_file(site.put("lost"))
                raise Oops
        assert list(site.files) == ["kept"]
    assert list(site.files) == ["kept"]


def test_begin_can_be_nested_as_posted(site: Site) -> None:
    t = files.Transaction(site.alias)
    t.begin()
    t.add_file(site.put("kept"))
    t.begin()
    t.add_file(site.put("lost"))
    t.rollback()
    t.commit()
    assert list(site.files) == ["kept"]


def test_a_file_that_is_moved_is_at_both_places_until_the_commit(site: Site) -> None:
    source, target = site.put("one", "text"), site.media / "two"
    source.chmod(0o600)
    with files.transaction(site.alias) as t:
        t.move_file(source, target)
        assert site.files == {"one": "text", "two": "text"}
    assert site.files == {"two": "text"}
    assert target.stat().st_mode & 0o777 == 0o600


def test_moving_into_a_folder_keeps_the_name(site: Site) -> None:
    source = site.put("one", "text")
    (site.media / "folder").mkdir()
    with files.transaction(site.alias) as t:
        t.move_file(source, site.media / "folder")
    assert site.files == {"folder/one": "text"}


@pytest.mark.parametrize("verb", ["copy", "copy and remove", "move"])
def test_onto_a_file_it_is_a_replacement_after_the_commit(site: Site, verb: str) -> None:
    def work(t: files.Transaction) -> None:
        if verb == "move":
            t.move_file(source, target)
        else:
            t.copy_file(source, target, remove_existing=verb != "copy")
        assert target.read_text() == "old"
        assert Path(t.path(target)).read_text() == "source"

    source, target = site.put("source", "source"), site.put("target", "old")
    with pytest.raises(Oops), files.transaction(site.alias) as t:
        work(t)
        raise Oops
    assert site.files == {"source": "source", "target": "old"}
    with files.transaction(site.alias) as t:
        work(t)
    assert site.files == ({"source": "source"} if verb == "copy" else {}) | {"target": "source"}


def test_what_follows_sees_what_came_before(site: Site) -> None:
    one, two, three = site.put("one", "one"), site.put("two", "two"), site.media / "three"
    with files.transaction(site.alias) as t:
        t.move_file(one, two)
        t.move_file(two, three)
        with pytest.raises(FileNotFoundError, match="one to copy"):
            t.copy_file(one, site.media / "four")
        with pytest.raises(FileNotFoundError, match="has removed"):
            t.path(one)
    assert site.files == {"three": "one"}


def test_folders_are_copied_moved_and_removed_whole(site: Site) -> None:
    for name in ("a/x", "a/b/y", "old/z"):
        site.put(name, name)
    os.symlink("x", site.media / "a/link")
    before = site.files
    with pytest.raises(Oops), files.transaction(site.alias) as t:
        folders(site, t)
        raise Oops
    assert site.files == before
    with files.transaction(site.alias) as t:
        folders(site, t)
    assert site.files == {
        **{f"copy/{name}": text for name, text in [("x", "a/x"), ("b/y", "a/b/y"), ("link", "a/x")]},
        **{f"moved/{name}": text for name, text in [("x", "a/x"), ("b/y", "a/b/y"), ("link", "a/x")]},
    }
    assert (site.media / "copy/link").is_symlink()


def folders(site: Site, t: files.Transaction) -> None:
    t.copy_file(site.media / "a", site.media / "copy", directory=True)
    t.move_file(site.media / "a", site.media / "moved")
    t.remove_file(site.media / "old", directory=True)


def test_a_folder_is_replaced_whole(site: Site) -> None:
    site.put("new/x", "new")
    site.put("old/y", "old")
    with files.transaction(site.alias) as t:
        t.copy_file(site.media / "new", site.media / "old", remove_existing=True, directory=True)
        assert site.files["old/y"] == "old"
    assert site.files == {"old/x": "new"}


def test_a_folder_that_was_added_goes_with_all_that_is_in_it(site: Site) -> None:
    with pytest.raises(Oops), files.transaction(site.alias) as t:
        (site.media / "folder").mkdir()
        t.add_file(site.media / "folder", directory=True)
        site.put("folder/one")
        raise Oops
    assert list(site.media.iterdir()) == []


def test_what_is_not_there_needs_no_removal(site: Site) -> None:
    with files.transaction(site.alias) as t:
        t.remove_file(site.media / "nothing")
        t.add_file(site.media / "never made")
    assert site.files == {}


def test_mistakes_say_what_is_wrong(site: Site, tmp_path: Path) -> None:
    one = site.put("folder/one")
    with files.transaction(site.alias) as t:
        with pytest.raises(shutil.SameFileError):
            t.copy_file(one, one)
        with pytest.raises(shutil.Error, match="into itself"):
            t.move_file(site.media / "folder", site.media / "folder/inner")
        with pytest.raises(FileNotFoundError, match="nowhere to copy"):
            t.copy_file(site.media / "nowhere", site.media / "two")
        with pytest.raises(TransactionError, match="directory=True says that it is a folder"):
            t.add_file(one, directory=True)
        with pytest.raises(TransactionError, match="directory=False says that it is a file"):
            t.copy_file(site.media / "folder", site.media / "two", directory=False)
        with pytest.raises(FileNotFoundError):
            t.copy_file(one, site.media / "no folder/two")
    assert site.files == {"folder/one": "old"}
    with pytest.raises(TransactionError, match="not active"):
        t.add_file(one)
    with pytest.raises(TransactionError, match="not active"):
        t.commit()


def test_a_link_to_a_folder_leads_to_the_same_lock(site: Site) -> None:
    site.put("folder/one")
    os.symlink("folder", site.media / "link")

    def other() -> None:
        with files.transaction(site.alias) as t:
            t.remove_file(site.media / "link/one")

    with files.transaction(site.alias) as t:
        t.remove_file(site.media / "folder/one")
        with pytest.raises(PathLocked, match="link/one"):
            site.in_thread(other)


def test_a_storage_and_a_verb_exclude_each_other(site: Site) -> None:
    path = site.put("one")

    def other() -> None:
        with files.transaction(site.alias) as t:
            t.remove_file(path)

    with atomic(site.alias):
        site.storage.delete("one")
        with pytest.raises(PathLocked):
            site.in_thread(other)
