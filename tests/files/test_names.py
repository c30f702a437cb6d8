"""Names and paths that no file can have, that mean more than a file, and that are another way to say the same one."""

from __future__ import annotations

import os
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage
from django.core.management import call_command
from django.db.transaction import atomic

from djintegrate import files
from djintegrate.files import TransactionalStorage, TransactionError
from djintegrate.files.core.changes import Change, Kind, complete, undo
from djintegrate.files.core.places import FilePlace, PathPlace
from djintegrate.files.named import spellings
from tests.support.files import FILES, Site
from tests.support.files import site as site

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES


def changes(t: files.Transaction, source: Path, name: str) -> list[Any]:
    """Each verb that would change what is called so."""
    return [
        lambda: t.add_file(name),
        lambda: t.remove_file(name),
        lambda: t.copy_file(source, name),
        lambda: t.copy_file(name, source, remove_existing=True),
        lambda: t.move_file(name, source),
    ]


@pytest.mark.parametrize("name", ["", "a\0b", "a\0b/c", "\ud800"])
def test_a_path_that_no_file_can_have_is_refused_by_each_verb(site: Site, name: str) -> None:
    source = site.put("source")
    with files.transaction(site.alias) as t:
        for change in [*changes(t, source, name), lambda: t.copy_file(name, source), lambda: t.path(name)]:
            with pytest.raises((FileNotFoundError, ValueError)):
                change()
        assert list(site.journal.glob("*.journal")) == []
    assert site.files == {"source": "old"}


@pytest.mark.parametrize("name", [".", "..", "/", "folder/..", "link/.", "journal", "journal/locks"])
def test_what_the_process_stands_on_stays(site: Site, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    source = site.put("cwd/folder/one")
    site.journal.mkdir(exist_ok=True)
    os.symlink("../../journal", site.media / "cwd/journal")
    os.symlink(".", site.media / "cwd/link")
    monkeypatch.chdir(site.media / "cwd")
    path = str(site.journal / name.partition("/")[2]) if name.startswith("journal") else name
    path = os.path.join(os.getcwd(), "folder/../../cwd") if name == "link/." else path
    before = site.files
    with files.transaction(site.alias) as t:
        for change in changes(t, source, path)[:3]:
            with pytest.raises(TransactionError, match="It stays"):
                change()
        t.copy_file(".", site.media / "copy")
        t.move_file(source, ".")
    assert (site.media / "copy/folder/one").read_text() == "old"
    assert (site.media / "cwd/one").read_text() == "old"
    assert "cwd/folder/one" in before


@pytest.mark.parametrize("name", ["a" * 300, "file/below", "loop/below"])
def test_a_copy_to_where_nothing_can_be_locks_nothing(site: Site, name: str) -> None:
    source = site.put("source", "text")
    site.put("file")
    os.symlink("loop", site.media / "loop")
    for _ in range(2):
        with files.transaction(site.alias) as t, pytest.raises(OSError):
            t.copy_file(source, site.media / name)
    with files.transaction(site.alias) as t:
        t.copy_file(source, site.media / "copy")
    assert site.files == {"copy": "text", "file": "old", "source": "text"}


@pytest.mark.parametrize("path", ["/tmp/a\0b", "/" + "a" * 300, "/etc/passwd/below"])
def test_a_journal_with_such_a_path_is_ended(path: str, caplog: pytest.LogCaptureFixture) -> None:
    for kind in (Kind.CREATE, Kind.REMOVE, Kind.REPLACE, Kind.FOLDER):
        change = Change(kind, PathPlace(path), PathPlace(path + "2") if kind is Kind.REPLACE else None)
        complete([change], lambda place: False)
        undo([change])
    assert ("Nothing can be at the path" in caplog.text) is not path.endswith("below")


def test_a_row_that_names_a_folder_leaves_it_and_nothing_waits(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.put("docs/one")
    os.symlink("docs", site.media / "link")
    for name in ("docs", "link", "."):
        with atomic(site.alias):
            site.storage.delete_unless_named(name)
        with pytest.raises(OSError):
            site.storage.delete(name)
    assert "is a folder" in caplog.text
    call_command("files_recover", stdout=StringIO())
    assert site.files["docs/one"] == "old"


def test_a_folder_that_is_filled_before_the_commit_stays(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    (site.media / "docs").mkdir()
    with atomic(site.alias):
        site.storage.delete("docs")
        site.put("docs/of somebody else")
    assert "stays" in caplog.text
    assert site.files == {"docs/of somebody else": "old"}


@pytest.mark.parametrize("inner", [FileSystemStorage, InMemoryStorage])
def test_a_backslash_is_a_letter_of_a_name(site: Site, inner: Any) -> None:
    storage = TransactionalStorage(inner(location=str(site.media)), using=site.alias)
    for name in ("a\\b.txt", "a/b.txt"):
        opened = storage.inner.open(name, "wb") if inner is InMemoryStorage else site.put(name, name).open("rb")
        opened.close()
    with atomic(site.alias):
        storage.delete("a\\b.txt")
        assert storage.exists("a/b.txt")
    assert storage.exists("a/b.txt")
    assert not storage.exists("a\\b.txt")


@pytest.mark.parametrize(
    ("name", "saved"),
    [("./c.txt", "c.txt"), ("a//b.txt", "a/b.txt"), ("a/./b.txt", "a/b.txt"), ("a\\b.txt", "a/b.txt")],
)
def test_a_file_is_saved_under_one_name(site: Site, name: str, saved: str) -> None:
    assert site.save(name) == saved
    with atomic(site.alias):
        site.storage.delete(saved)
        assert site.save(name, "second") == saved
        assert site.storage.open(saved).read() == b"second"
    assert site.files == {saved: "second"}


def test_a_row_may_spell_a_name_in_many_ways(site: Site) -> None:
    site.put("a/b/c.txt")
    place = FilePlace(site.storage.inner, "identity", "a/b/c.txt")
    for spelling in spellings(place.name, place):
        path = FilePlace(site.storage.inner, "identity", spelling)
        assert path.key == place.key or "\\" in spelling
        assert path.is_normal is (spelling == place.name) or "\\" in spelling
    with atomic(site.alias):
        # Rows that name the file would not be found.
        site.storage.delete_unless_named("a//b/c.txt")
    assert site.files == {"a/b/c.txt": "old"}


@pytest.mark.parametrize("mode", ["ab", "r+b", "wb"])
def test_who_writes_in_place_keeps_the_permissions(site: Site, mode: str) -> None:
    site.put("one").chmod(0o600)
    for _ in range(2):
        with atomic(site.alias), site.storage.open("one", mode) as opened:
            opened.write(b"!")
        assert stat.S_IMODE((site.media / "one").stat().st_mode) == 0o600


def test_who_overwrites_keeps_the_permissions_where_the_storage_sets_none(site: Site, settings: Any) -> None:
    settings.FILE_UPLOAD_PERMISSIONS = None
    storage = site.around(
        BACKEND="django.core.files.storage.FileSystemStorage", OPTIONS={**site.location, "allow_overwrite": True}
    )
    site.put("one").chmod(0o600)
    with atomic(site.alias):
        storage.save("one", ContentFile(b"new"))
    assert stat.S_IMODE((site.media / "one").stat().st_mode) == 0o600


def test_a_file_of_somebodys_own_is_listed(site: Site) -> None:
    site.put(".files-x")
    site.put(f".files-{'0' * 32}-1")
    assert site.storage.listdir("") == ([], [".files-x"])
    for path in site.media.iterdir():
        path.unlink()


@pytest.mark.parametrize("name", ["plain", "plain/inside", "link", "link/inside", "loop/inside", "nothing/inside", ""])
@pytest.mark.parametrize("start", ["", "/"])
def test_a_place_is_known_by_the_path_that_leads_through_no_link(tmp_path: Path, start: str, name: str) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "link").symlink_to("plain")
    (tmp_path / "loop").symlink_to("loop")
    path = f"{start}{tmp_path}/{name}/file"
    assert PathPlace(path).key == f"path:{os.path.realpath(os.path.dirname(path))}/file"
    assert PathPlace("//file").key == PathPlace("/file").key == "path:/file"
