"""Files of journals that are through, kept for those to come."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db.transaction import atomic

from djintegrate.files import upkeep, world
from djintegrate.files.core.journal import Folder, Journal
from djintegrate.files.core.recovery import Recovery
from djintegrate.files.core.spares import AT_MOST
from tests.support.files import FILES, Site
from tests.support.files import site as site

pytest_plugins = ["tests.support.fixtures"]


def begun(folder: Folder, name: str) -> Journal:
    journal = folder.journal(name)
    journal.begin("default")
    return journal


def spares(folder: Path) -> list[Path]:
    return list(folder.glob("*.spare"))


def test_the_next_journal_is_written_into_the_file_of_one_that_is_through(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = begun(folder, "a" * 32)
    first.write({"kept": 0})
    file = os.stat(first.path).st_ino
    first.finish()
    second = begun(folder, "b" * 32)
    assert os.stat(second.path).st_ino == file
    assert [entry.get("id") for entry in second.entries()] == ["b" * 32]
    assert not first.exists()
    assert spares(tmp_path) == []
    second.finish()


def test_what_is_through_is_empty(tmp_path: Path) -> None:
    begun(Folder(tmp_path), "a" * 32).finish()
    (spare,) = spares(tmp_path)
    assert spare.read_bytes() == b""


def test_a_file_that_has_another_name_still_is_not_written_into(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = begun(folder, "a" * 32)
    marker = tmp_path / "a marker that could not be removed"
    assert first.link(str(marker))
    first.finish()
    second = begun(folder, "b" * 32)
    assert marker.read_bytes() == b""
    assert spares(tmp_path) == []
    second.finish()


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    journals = [begun(folder, str(number)) for number in range(AT_MOST + 3)]
    for journal in journals:
        journal.finish()
    assert len(spares(tmp_path)) == AT_MOST
    assert list(folder.journals()) == []


def test_a_folder_that_was_removed_is_no_trouble(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "journal")
    begun(folder, "a" * 32).finish()
    begun(folder, "b" * 32).finish()
    for spare in spares(folder.path):
        spare.unlink()
    third = begun(folder, "c" * 32)
    shutil.rmtree(folder.path)
    third.finish()
    assert third.exists() is False


def test_those_of_a_process_that_was_killed_are_swept(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KEEP, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=os.getcwd()
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "kept\n"
    ours = Folder(tmp_path)
    begun(ours, "b" * 32).finish()
    recovery = Recovery(ours, lambda place: None, lambda place, using: False)
    list(recovery.all())
    # Of the living nothing is taken, nor from this process itself.
    assert len(spares(tmp_path)) == 2
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert list(recovery.all()) == []
    assert len(spares(tmp_path)) == 1


def test_a_forked_child_leaves_those_of_its_parent_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    begun(folder, "a" * 32).finish()
    kept = spares(tmp_path)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            begun(folder, "b" * 32).finish()
            status = int(not (len(spares(tmp_path)) == 2 and kept[0] in spares(tmp_path)))
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    folder.spares.sweep()
    assert spares(tmp_path) == kept
    parents = begun(folder, "c" * 32)
    assert spares(tmp_path) == []
    parents.finish()


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
        assert len(spares(site.journal)) == 1
        assert len(site.files) == (0 if fails else 5)
        assert list(upkeep.waiting()) == []
        site.assert_through()

    def test_a_transaction_that_died_in_a_file_of_another_is_undone_alone(self, site: Site) -> None:
        with atomic(site.alias):
            site.storage.save("stays", ContentFile(b"stays"))
        folder = world.current().folder
        journal = begun(folder, "d" * 32)
        (site.media / "goes").write_text("goes")
        journal.write({"change": "create", "place": {"path": str(site.media / "goes")}})
        # As the death of the process leaves it.
        journal.leave()
        assert [str(outcome) for outcome in upkeep.recover()] == [f"{'d' * 32}: undone, 1 change"]
        assert site.files == {"stays": "stays"}
        site.assert_through()


KEEP = """
import sys, time
from pathlib import Path
from djintegrate.files.core.journal import Folder
journal = Folder(Path(sys.argv[1])).journal("a" * 32)
journal.begin("default")
journal.finish()
print("kept", flush=True)
time.sleep(60)
"""
