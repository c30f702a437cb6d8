"""Many threads in several processes over the same names and paths; a disk that is full; a folder without permission."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db.transaction import atomic

from djintegrate import files
from djintegrate.files.core.journal import Folder, Journal, entries_in
from tests.support.files import FILES, Site
from tests.support.files import site as site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES

PROCESSES, THREADS, ROUNDS = 4, 8, 3


@pytest.mark.skipif(os.environ["DB"] != "sqlite", reason="The database makes no difference.")
def test_32_threads_in_4_processes_lose_no_file_and_see_no_half(tmp_path: Path) -> None:
    """On SQLite, with a database of their own: what excludes them is not the database."""
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.files_crowd", str(tmp_path), str(number), str(THREADS), str(ROUNDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )
        for number in range(PROCESSES)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    results = [json.loads(child.communicate("go\n", timeout=120)[0]) for child in children]
    assert [problem for result in results for problem in result["problems"]] == []
    saved = {name: text for result in results for name, text in result["saved"].items()}
    assert len(saved) == sum(len(result["saved"]) for result in results) > PROCESSES * THREADS
    there = {path.name: path.read_text() for path in (tmp_path / "media").iterdir() if path.name != "shared"}
    assert there == saved
    assert len(set((tmp_path / "media" / "shared").read_text())) == 1
    assert [path for path in (tmp_path / "journal").glob("*.journal") if entries_in(path)] == []
    assert list((tmp_path / "journal" / "paths").iterdir()) == []


def test_a_full_disk_fails_the_transaction_and_leaves_nothing(site: Site) -> None:
    """The kernel refuses to let a file grow, as it does on a disk that is full."""
    site.put("one")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(OSError) as raised, atomic(site.alias):
            site.storage.delete("one")
            site.save("small")
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
            try:
                site.storage.save("big", ContentFile(b"x" * 200_000))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    finally:
        signal.signal(signal.SIGXFSZ, before)
    assert raised.value.errno in (errno.EFBIG, errno.ENOSPC)
    assert site.files == {"one": "old"}


def test_a_journal_that_cannot_be_written_fails_the_change_before_it_is_made(site: Site, monkeypatch: Any) -> None:
    def full(self: Journal, *entries: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with atomic(site.alias), monkeypatch.context() as patch:
        patch.setattr(Journal, "write", full)
        with pytest.raises(OSError, match="No space"):
            site.save("one")
    assert site.files == {}


def test_without_space_for_the_journals_next_line_nothing_is_lost(site: Site, monkeypatch: Any) -> None:
    original, left = Journal.write, [2]

    def almost_full(self: Journal, *entries: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(self, *entries)

    site.put("old")
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "write", almost_full)
        with pytest.raises(OSError, match="No space"), atomic(site.alias):
            site.save("one")
            site.storage.delete("old")
            site.save("two")
    assert site.files == {"old": "old"}


def test_what_the_journal_cannot_say_is_not_committed(site: Site, monkeypatch: Any, tmp_path: Path) -> None:
    """A removal was undone, and the journal cannot be told: recovery would remove the file."""
    site.put("old")

    def full(self: Journal, *entries: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(files.TransactionError, match="was not written"), atomic(site.alias):
        with pytest.raises(Oops), atomic(site.alias):
            site.storage.delete("old")
            monkeypatch.setattr(Journal, "write", full)
            raise Oops
        monkeypatch.undo()
    assert site.files == {"old": "old"}


def test_a_line_that_does_not_fit_is_taken_back_whole(tmp_path: Path, monkeypatch: Any) -> None:
    journal = Folder(tmp_path).begin("a" * 32, "default")
    original = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, text: original(descriptor, text[: len(text) // 2]))
        with pytest.raises(OSError, match="no space"):
            journal.write({"change": "create"})
    journal.write({"kept": 0})
    assert [set(entry) for entry in journal.entries()] == [{"version", "id", "journal", "using"}, {"kept"}]
    journal.finish()


def test_a_journal_that_cannot_be_begun_leaves_no_lock(site: Site, monkeypatch: Any) -> None:
    def full(self: Journal, *entries: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with atomic(site.alias):
        for _ in range(2):
            with monkeypatch.context() as patch:
                patch.setattr(Journal, "write", full)
                with pytest.raises(OSError, match="No space"):
                    site.save("one")
        assert site.save("one") == "one"
    assert site.files == {"one": "new"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_fails_the_transaction(site: Site) -> None:
    refuse(site)


def test_a_folder_that_is_a_file_fails_the_transaction(site: Site) -> None:
    """What root meets as well."""
    site.put("folder")
    with pytest.raises((FileExistsError, NotADirectoryError)), atomic(site.alias):
        site.save("one")
        site.save("folder/two")
    assert site.files == {"folder": "old"}


def refuse(site: Site) -> None:
    site.put("folder/one")
    (site.media / "folder").chmod(0o500)
    try:
        with pytest.raises(PermissionError), files.transaction(site.alias) as t:
            t.copy_file(site.media / "folder/one", site.media / "two")
            t.copy_file(site.media / "two", site.media / "folder/three")
        assert site.files == {"folder/one": "old"}
    finally:
        (site.media / "folder").chmod(0o700)


def test_a_user_without_permission_is_refused_in_a_process_of_its_own(site: Site) -> None:
    """Where the tests run as root, a child that is nobody finds out."""
    if os.geteuid() != 0:
        pytest.skip("The test above has it.")
    (site.media / "closed").mkdir(mode=0o700)
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        from djintegrate.files.core.places import PathPlace

        try:
            PathPlace(site.media / "closed" / "one").take_from(PathPlace(site.media / "closed" / "two"))
            (site.media / "closed" / "one").write_text("x")
        except PermissionError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
