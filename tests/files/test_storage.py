"""TransactionalStorage around the file system: what it saves, replaces and deletes, and when."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
import transaction
from django.core.exceptions import ImproperlyConfigured, SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import transaction as django_transaction
from django.db.transaction import atomic

from djintegrate.files import PathLocked, TransactionalStorage
from tests.support.files import FILES, Site
from tests.support.files import site as site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES


def test_without_a_transaction_everything_happens_at_once(site: Site) -> None:
    assert site.save("a/one.txt") == "a/one.txt"
    assert site.files == {"a/one.txt": "new"}
    site.storage.delete("a/one.txt")
    assert site.files == {}


def test_a_saved_file_is_there_at_once_and_stays_after_the_commit(site: Site) -> None:
    with atomic(site.alias):
        name = site.save("a/one.txt")
        assert site.storage.exists(name)
        assert site.storage.open(name).read() == b"new"
        assert site.storage.size(name) == 3
        assert site.files == {"a/one.txt": "new"}
    assert site.files == {"a/one.txt": "new"}


def test_a_saved_file_goes_with_the_transaction(site: Site) -> None:
    with pytest.raises(Oops), atomic(site.alias):
        site.save("one.txt")
        raise Oops
    assert site.files == {}


def test_a_saved_file_goes_with_its_savepoint(site: Site) -> None:
    with atomic(site.alias):
        site.save("one.txt")
        with pytest.raises(Oops), atomic(site.alias):
            site.save("two.txt")
            raise Oops
        assert site.files == {"one.txt": "new"}
        assert site.save("two.txt", "later") == "two.txt"
    assert site.files == {"one.txt": "new", "two.txt": "later"}


def test_a_file_is_deleted_after_the_commit(site: Site) -> None:
    site.put("one.txt")
    with atomic(site.alias):
        site.storage.delete("one.txt")
        assert site.files == {"one.txt": "old"}
        assert not site.storage.exists("one.txt")
        with pytest.raises(FileNotFoundError):
            site.storage.open("one.txt")
        with pytest.raises(FileNotFoundError):
            site.storage.size("one.txt")
        assert site.storage.listdir("") == ([], [])
    assert site.files == {}


def test_a_file_stays_if_its_deletion_is_undone(site: Site) -> None:
    site.put("one.txt")
    with atomic(site.alias):
        with pytest.raises(Oops), atomic(site.alias):
            site.storage.delete("one.txt")
            raise Oops
        assert site.storage.exists("one.txt")
    with pytest.raises(Oops), atomic(site.alias):
        site.storage.delete("one.txt")
        raise Oops
    assert site.files == {"one.txt": "old"}


def test_a_name_that_is_taken_is_changed_as_by_the_storage_inside(site: Site) -> None:
    site.put("one.txt")
    with atomic(site.alias):
        name = site.save("one.txt")
    assert name.startswith("one_")
    assert site.files == {"one.txt": "old", name: "new"}


def test_who_saves_under_a_name_that_was_deleted_replaces_the_file_after_the_commit(site: Site) -> None:
    site.put("one.txt")
    with atomic(site.alias):
        site.storage.delete("one.txt")
        assert site.save("one.txt") == "one.txt"
        assert (site.media / "one.txt").read_text() == "old"
        assert site.storage.open("one.txt").read() == b"new"
        assert Path(site.storage.path("one.txt")).read_text() == "new"
        assert site.storage.listdir("") == ([], ["one.txt"])
    assert site.files == {"one.txt": "new"}


def test_a_replacement_that_is_undone_leaves_the_old_file(site: Site) -> None:
    site.put("one.txt")
    with pytest.raises(Oops), atomic(site.alias):
        site.storage.delete("one.txt")
        site.save("one.txt")
        raise Oops
    assert site.files == {"one.txt": "old"}


def test_a_file_that_is_saved_and_deleted_is_gone_whatever_comes(site: Site) -> None:
    for fails in (False, True):
        with pytest.raises(Oops) if fails else contextlib.nullcontext(), atomic(site.alias):
            site.storage.delete(site.save("one.txt"))
            if fails:
                raise Oops
        assert site.files == {}


def test_a_storage_that_overwrites_replaces_after_the_commit(site: Site) -> None:
    site.storage = site.around(
        BACKEND="django.core.files.storage.FileSystemStorage", OPTIONS={**site.location, "allow_overwrite": True}
    )
    with atomic(site.alias):
        site.save("one.txt", "first")
    with atomic(site.alias):
        assert site.save("one.txt", "second") == "one.txt"
        assert site.files.pop("one.txt") == "first"
        assert site.storage.open("one.txt").read() == b"second"
        site.save("one.txt", "third")
        assert site.storage.open("one.txt").read() == b"third"
    assert site.files == {"one.txt": "third"}
    with pytest.raises(Oops), atomic(site.alias):
        site.save("one.txt", "lost")
        raise Oops
    assert site.files == {"one.txt": "third"}
    site.save("one.txt", "at once")
    assert site.files == {"one.txt": "at once"}


def test_who_overwrites_waits_for_a_name_that_another_transaction_is_about_to_use(site: Site) -> None:
    site.storage = site.around(
        BACKEND="django.core.files.storage.FileSystemStorage", OPTIONS={**site.location, "allow_overwrite": True}
    )

    class Slow(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Any:
            with pytest.raises(PathLocked):
                site.in_thread(lambda: site.save("one.txt", "other"))
            return super().chunks(chunk_size)

    with atomic(site.alias):
        assert site.storage.save("one.txt", Slow(b"new")) == "one.txt"
    assert site.in_thread(lambda: site.save("one.txt", "other")) == "one.txt"
    assert site.files == {"one.txt": "other"}


def test_an_upload_from_a_temporary_file_is_moved(site: Site) -> None:
    upload = TemporaryUploadedFile("one.txt", "text/plain", 3, None)
    upload.write(b"new")
    upload.seek(0)
    with atomic(site.alias):
        site.storage.save("one.txt", upload)
    upload.close()
    assert site.files == {"one.txt": "new"}


def test_permissions_are_those_of_the_storage_inside(site: Site) -> None:
    site.storage = site.around(
        BACKEND="django.core.files.storage.FileSystemStorage",
        OPTIONS={**site.location, "file_permissions_mode": 0o640, "directory_permissions_mode": 0o750},
    )
    with atomic(site.alias):
        site.save("a/one.txt")
    assert (site.media / "a/one.txt").stat().st_mode & 0o777 == 0o640
    assert (site.media / "a").stat().st_mode & 0o777 == 0o750


def test_names_are_those_of_the_storage_inside(site: Site) -> None:
    inner = FileSystemStorage(location=site.media)
    for name in ("a b.txt", "x/../y.txt"[:1] + ".txt", "ä/ö.txt"):
        assert site.storage.generate_filename(name) == inner.generate_filename(name)
        assert site.storage.get_valid_name(name) == inner.get_valid_name(name)
    assert site.storage.url("a b.txt") == "/media/a%20b.txt"
    assert site.storage.base_url == "/media/"


@pytest.mark.parametrize("name", ["../out.txt", "/etc/passwd", "a/../../out.txt", ""])
def test_names_that_leave_the_folder_are_refused(site: Site, name: str) -> None:
    from django.core.exceptions import SuspiciousFileOperation

    with atomic(site.alias), pytest.raises((SuspiciousFileOperation, ValueError)):
        site.storage.save(name, ContentFile(b"x"))
    with atomic(site.alias), pytest.raises((SuspiciousFileOperation, ValueError)):
        site.storage.delete(name)


def test_the_longest_name_is_kept_to(site: Site) -> None:
    site.put("a" * 16 + ".txt")
    with atomic(site.alias):
        name = site.storage.save("a" * 16 + ".txt", ContentFile(b"new"), max_length=20)
    assert len(name) <= 20
    with pytest.raises(Exception, match="available filename"), atomic(site.alias):
        site.storage.save("a.txt", ContentFile(b"new"), max_length=3)


@pytest.mark.parametrize("mode", ["wb", "ab", "r+b", "w"])
def test_a_file_that_is_opened_to_write_is_replaced_after_the_commit(site: Site, mode: str) -> None:
    site.put("one.txt")
    content: Any = "!" if mode == "w" else b"!"
    with atomic(site.alias):
        with site.storage.open("one.txt", mode) as opened:
            opened.write(content)
        assert site.files["one.txt"] == "old"
        expected = site.storage.open("one.txt").read().decode()
    assert site.files == {"one.txt": expected} == {"one.txt": {"a": "old!", "r": "!ld", "w": "!"}[mode[0]]}


def test_a_file_that_is_opened_to_be_made_goes_with_the_transaction(site: Site) -> None:
    with pytest.raises(Oops), atomic(site.alias):
        with site.storage.open("one.txt", "wb") as opened:
            opened.write(b"new")
        assert site.storage.open("one.txt").read() == b"new"
        raise Oops
    assert site.files == {}
    with site.storage.open("one.txt", "wb") as opened:
        opened.write(b"at once")
    assert site.files == {"one.txt": "at once"}


def test_two_transactions_on_one_file_exclude_each_other(site: Site) -> None:
    site.put("one.txt")

    def other() -> None:
        with atomic(site.alias):
            site.storage.delete("one.txt")

    with atomic(site.alias):
        site.storage.delete("one.txt")
        with pytest.raises(PathLocked, match=r"one\.txt is used by another transaction.*0\.3 seconds"):
            site.in_thread(other)
        assert site.files == {"one.txt": "old"}
    site.in_thread(other)


def test_a_name_that_another_transaction_is_about_to_use_is_not_waited_for(site: Site) -> None:
    seen: list[str] = []

    class Slow(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Any:
            seen.append(site.in_thread(lambda: site.save("one.txt", "other")))
            return super().chunks(chunk_size)

    with atomic(site.alias):
        name = site.storage.save("one.txt", Slow(b"new"))
    assert name == "one.txt"
    assert seen[0].startswith("one_")
    assert site.files == {"one.txt": "new", seen[0]: "other"}


def test_nobody_sees_half_a_file(site: Site) -> None:
    seen: list[dict[str, str]] = []

    class Slow(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Any:
            for letter in (b"a", b"b"):
                seen.append({name: text for name, text in site.files.items() if ".files-" not in name})
                yield letter

    with atomic(site.alias):
        site.storage.save("one.txt", Slow(b"ab"))
    assert seen == [{}, {}]
    assert site.files == {"one.txt": "ab"}


class Meanwhile(ContentFile):
    """While it is saved as one.txt, somebody takes that name outside of all transactions."""

    site: Site

    def chunks(self, chunk_size: int | None = None) -> Any:
        self.site.put("one.txt", "of somebody else")
        return super().chunks(chunk_size)


def test_a_file_from_outside_of_all_transactions_is_not_overwritten(site: Site) -> None:
    Meanwhile.site = site
    with pytest.raises(Oops), atomic(site.alias):
        name = site.storage.save("one.txt", Meanwhile(b"new"))
        assert name.startswith("one_")
        assert site.storage.open(name).read() == b"new"
        raise Oops
    assert site.files == {"one.txt": "of somebody else"}


@pytest.mark.parametrize("around", [atomic, contextlib.nullcontext])
def test_what_finds_no_other_name_then_leaves_nothing(site: Site, around: Any) -> None:
    Meanwhile.site = site
    with around(site.alias):
        with pytest.raises(SuspiciousFileOperation, match="available filename"):
            site.storage.save("one.txt", Meanwhile(b"new"), max_length=7)
        site.save("two.txt")
    assert site.files == {"one.txt": "of somebody else", "two.txt": "new"}


def test_a_content_that_fails_leaves_nothing(site: Site) -> None:
    class Broken(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Any:
            yield b"half"
            raise OSError(28, "No space left on device")

    with atomic(site.alias):
        with pytest.raises(OSError, match="No space"):
            site.storage.save("one.txt", Broken(b"new"))
        assert site.files == {}
        assert site.save("one.txt") == "one.txt"
    with pytest.raises(OSError, match="No space"):
        site.storage.save("two.txt", Broken(b"new"))
    assert site.files == {"one.txt": "new"}


def test_zopes_transaction_and_its_savepoints_count(site: Site) -> None:
    site.put("old.txt")
    with transaction.manager:
        site.save("one.txt")
        savepoint = transaction.savepoint()
        site.save("two.txt")
        site.storage.delete("old.txt")
        savepoint.rollback()
        assert site.files == {"old.txt": "old", "one.txt": "new"}
        site.storage.delete("old.txt")
    assert site.files == {"one.txt": "new"}
    transaction.begin()
    site.save("two.txt")
    site.storage.delete("one.txt")
    transaction.abort()
    assert site.files == {"one.txt": "new"}


def test_manual_mode_counts(site: Site) -> None:
    django_transaction.set_autocommit(False, using=site.alias)
    try:
        site.save("one.txt")
        django_transaction.rollback(using=site.alias)
        assert site.files == {}
        site.save("two.txt")
        django_transaction.commit(using=site.alias)
    finally:
        django_transaction.rollback(using=site.alias)
        django_transaction.set_autocommit(True, using=site.alias)
    assert site.files == {"two.txt": "new"}


def test_many_files_take_no_more_open_files_than_one(site: Site) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with atomic(site.alias):
        site.save("one.txt")
        for number in range(50):
            site.save(f"{number}.txt")
            assert len(os.listdir("/proc/self/fd")) <= before + 4
    assert len(site.files) == 51


def test_it_can_be_written_into_a_migration() -> None:
    storage = TransactionalStorage(storage={"BACKEND": "x", "OPTIONS": {"a": 1}}, using="second")
    path, args, kwargs = storage.deconstruct()
    assert path == "djintegrate.files.TransactionalStorage"
    assert TransactionalStorage(*args, **kwargs).deconstruct() == storage.deconstruct()


def test_a_wrong_storage_inside_says_what_is_wrong() -> None:
    with pytest.raises(ImproperlyConfigured, match="Give it BACKEND"):
        _ = TransactionalStorage(storage={"OPTION": {}}).inner


def test_a_path_and_a_plain_file_can_be_saved(site: Site, tmp_path: Any) -> None:
    source = tmp_path / "source"
    source.write_text("new")
    with atomic(site.alias), source.open("rb") as content:
        site.storage.save("one.txt", content)
        content.seek(0)
        site.storage.save(None, File(content, name="two.txt"))
    assert site.files == {"one.txt": "new", "two.txt": "new"}
