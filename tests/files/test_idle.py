"""Journals that are through, and wait for the next transaction."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db.transaction import atomic

from djintegrate.files import upkeep, world
from djintegrate.files.core import decisions
from djintegrate.files.core.idle import AT_MOST
from djintegrate.files.core.journal import LONGEST, Folder, Journal, journal_in
from djintegrate.files.core.recovery import Recovery
from tests.support.files import FILES, Site
from tests.support.files import site as site

pytest_plugins = ["tests.support.fixtures"]


def begun(folder: Folder, transaction: str, *entries: dict[str, int]) -> Journal:
    journal = folder.begin(transaction, "default")
    journal.write(*entries or [{"kept": 0}])
    return journal


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


def recovery_of(folder: Folder) -> Recovery:
    return Recovery(folder, lambda place: None, lambda place, using: False)


def test_the_next_transaction_is_written_into_the_journal_of_one_that_is_through(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = begun(folder, "a" * 32)
    assert folder.transactions() == {"a" * 32}
    first.finish()
    assert folder.transactions() == set()
    second = begun(folder, "b" * 32, {"kept": 1}, {"kept": 2})
    assert second.path == first.path
    assert folder.transactions() == {"b" * 32}
    assert [entry.get("kept") for entry in second.entries()] == [None, 1, 2]
    second.finish()
    assert len(files_of(tmp_path)) == 1


def test_what_is_through_is_not_read_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    begun(folder, "a" * 32).finish()
    second = folder.begin("b" * 32, "default")
    # It has noted nothing yet.
    assert second.entries() == []
    second.finish()


def test_a_journal_does_not_grow_for_good(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for number in range(1000):
        begun(folder, f"{number}").finish()
    (path,) = files_of(tmp_path)
    assert path.stat().st_size < 2 * LONGEST


def test_a_file_that_has_another_name_still_is_not_written_into(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = begun(folder, "a" * 32)
    marker = tmp_path / "a marker that could not be removed"
    assert first.link(str(marker))
    first.finish()
    second = begun(folder, "b" * 32)
    assert journal_in(str(marker)) == ""
    assert files_of(tmp_path) == [Path(second.path)]
    second.finish()


def test_a_journal_whose_markers_are_copies_has_one_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*names: str) -> None:
        raise PermissionError

    folder = Folder(tmp_path)
    first = begun(folder, "a" * 32)
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", link)
        assert first.link(str(tmp_path / "a marker that could not be removed"))
    assert journal_in(str(tmp_path / "a marker that could not be removed")) == first.name
    first.finish()
    assert files_of(tmp_path) == []


def test_a_journal_that_cannot_say_that_it_is_through_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, text: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    journal = begun(Folder(tmp_path), "a" * 32)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        journal.finish()
    assert files_of(tmp_path) == []


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    journals = [begun(folder, str(number)) for number in range(AT_MOST + 3)]
    for journal in journals:
        journal.finish()
    assert len(files_of(tmp_path)) == AT_MOST


def test_a_folder_that_was_removed_is_no_trouble(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal")
    begun(folder, "a" * 32).finish()
    for path in files_of(folder.path):
        path.unlink()
    second = begun(folder, "b" * 32)
    assert second.exists()
    shutil.rmtree(folder.path)
    second.finish()
    assert second.exists() is False


def test_those_of_a_process_that_was_killed_are_removed(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KEEP, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=os.getcwd()
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "kept\n"
    ours = Folder(tmp_path)
    begun(ours, "b" * 32).finish()
    recovery = recovery_of(ours)
    list(recovery.all())
    # Of the living nothing is taken, nor from this process itself.
    assert len(files_of(tmp_path)) == 2
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert list(recovery.all()) == []
    assert len(files_of(tmp_path)) == 1


def test_a_forked_child_leaves_those_of_its_parent_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    begun(folder, "a" * 32).finish()
    kept = files_of(tmp_path)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            begun(folder, "b" * 32).finish()
            status = int(not (len(files_of(tmp_path)) == 2 and kept[0] in files_of(tmp_path)))
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    list(recovery_of(folder).all())
    assert files_of(tmp_path) == kept
    parents = begun(folder, "c" * 32)
    assert [parents.path] == [str(path) for path in kept]
    parents.finish()


def what_is_done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From now on: the suffix of each file that the disk was waited for, a journal that is through, a deletion."""
    done: list[str] = []
    fsync, finish, delete = os.fsync, Journal.finish, decisions._delete

    def noted_fsync(descriptor: int) -> None:
        done.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).suffix)
        fsync(descriptor)

    def noted_finish(journal: Journal) -> None:
        finish(journal)
        done.append("through")

    def noted_delete(using: str, numbers: list[int]) -> None:
        done.append("deleted")
        delete(using, numbers)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Journal, "finish", noted_finish)
    monkeypatch.setattr(decisions, "_delete", noted_delete)
    return done


class TestInTransactions:
    pytestmark = FILES

    @pytest.mark.parametrize("fails", [False, True])
    def test_one_file_is_enough_for_transactions_one_after_the_other(self, site: Site, fails: bool) -> None:
        for number in range(5):
            try:
                with atomic(site.alias):
                    site.storage.save(f"{number}", ContentFile(b"content"))
                    assert 1 // (not fails)
            except ZeroDivisionError:
                pass
        assert len(files_of(site.journal)) == 1
        assert len(site.files) == (0 if fails else 5)
        assert list(upkeep.waiting()) == []
        site.assert_through()

    def test_a_transaction_that_died_in_a_file_of_another_is_undone_alone(self, site: Site) -> None:
        with atomic(site.alias):
            site.storage.save("stays", ContentFile(b"stays"))
        folder = world.current().folder
        journal = folder.begin("d" * 32, site.alias)
        (site.media / "goes").write_text("goes")
        journal.write({"change": "create", "place": {"path": str(site.media / "goes")}})
        # As the death of the process leaves it.
        journal.leave()
        assert [str(outcome) for outcome in upkeep.recover()] == [f"{'d' * 32}: undone, 1 change"]
        assert site.files == {"stays": "stays"}
        site.assert_through()

    def test_with_fsync_rows_are_deleted_when_the_disk_has_it_that_their_transactions_are_through(
        self, site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.FILES_FSYNC = True
        monkeypatch.setattr(decisions, "AT_ONCE", 1)
        monkeypatch.setattr(decisions, "_through", {})
        done = what_is_done(monkeypatch)
        with atomic(site.alias):
            site.storage.save("one", ContentFile(b"content"))
        after = done[done.index("through") :]
        assert ".journal" in after[: after.index("deleted")]

    def test_with_fsync_so_it_is_with_the_rows_that_files_recover_deletes(
        self, site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.FILES_FSYNC = True
        monkeypatch.setattr(decisions, "_through", {})
        with atomic(site.alias):
            site.storage.save("one", ContentFile(b"content"))
        done = what_is_done(monkeypatch)
        upkeep.sweep()
        assert ".journal" in done[: done.index("deleted")]


KEEP = """
import sys, time
from pathlib import Path
from djintegrate.files.core.journal import Folder
journal = Folder(Path(sys.argv[1])).begin("a" * 32, "default")
journal.write({"kept": 0})
journal.finish()
print("kept", flush=True)
time.sleep(60)
"""
