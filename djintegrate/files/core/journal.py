"""A journal: what one transaction is about to do to files, written down before it does it.

One file for each transaction at a time, locked for as long as the process that writes it lives. When everything in it
was either done or undone, its last line says so, and the next transaction's lines come after that.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from . import places
from .idle import Idle
from .locks import Locks, digest_of

SUFFIX = ".journal"
IDENTITY = "identity"
MARKERS = "paths"
VERSION = 2
THROUGH = b'"through"\n'
"""A line that no other is like: what came before it is nobody's business any more."""
LONGEST = 16384
"""So many bytes of what is through are kept, since to cut a file off costs more than to write one line."""


class Journal:
    """The file of this name in this folder, in this process's hands from `make` or `take` to `remove` or `leave`."""

    def __init__(self, folder: Folder, name: str) -> None:
        self.folder = folder
        self.name = name
        self.path = f"{folder.path}/{name}{SUFFIX}"
        self._lock = digest_of(f"journal:{name}")
        self._file: int | None = None
        self._size = 0
        self._head: dict[str, Any] = {}
        self._has_head = False
        self._is_copied = False
        # Whether it would be found there after a loss of power.
        self._is_in_folder = False

    def make(self) -> None:
        self.folder.make()
        self.folder.locks.take(self._lock, self)
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        except BaseException:
            self.leave()
            raise

    def begin(self, transaction: str, using: str) -> None:
        """The next transaction. Until it writes something, nothing is known of it."""
        self._head = {"version": VERSION, "id": transaction, "journal": self.name, "using": using}
        self._has_head = False

    def link(self, path: str) -> bool:
        """Have the journal by another name as well, by which journal_in() finds it. False if something is there."""
        try:
            os.link(self.path, path)
        except FileExistsError:
            return False
        except OSError:
            # A file system without links, or one more than it allows for one file.
            self._is_copied = True
            try:
                with open(path, "xb") as file:
                    file.write(_line([self._head]))
            except FileExistsError:
                return False
        return True

    def take(self, seconds: float = 0) -> bool:
        """Whether the journal is there, and nobody who lives has it."""
        if not self.exists():
            return False
        if not self.folder.locks.wait(self._lock, self, seconds, stop=lambda: not self.exists()):
            return False
        if self.exists():
            return True
        self.leave()
        return False

    def write(self, *entries: dict[str, Any]) -> None:
        """Whoever reads the journal after this sees all of these, or none."""
        self._append(_line(entries if self._has_head else [self._head, *entries]))
        self._has_head = True

    def sync(self) -> None:
        assert self._file is not None
        os.fsync(self._file)
        if not self._is_in_folder:
            places.sync_path(str(self.folder.path))
            self._is_in_folder = True

    def entries(self) -> list[dict[str, Any]]:
        """Of the transaction that is not through. Its head is the first."""
        return entries_in(self.path)

    def finish(self) -> None:
        """Everything was done, or everything undone."""
        if not (self._mark_through() and self.folder.idle.keep(self)):
            self.remove()

    def remove(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.leave()

    def exists(self) -> bool:
        return os.path.exists(self.path)

    def has_one_name(self) -> bool:
        """Whether the file is there still, and no marker is a link to it."""
        assert self._file is not None
        return os.fstat(self._file).st_nlink == 1

    def leave(self) -> None:
        """To whoever recovers what is left to do."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self.folder.locks.release(self._lock, self)

    def _mark_through(self) -> bool:
        """Have the file say so. False if it cannot, or must not be written into any more."""
        if self._file is None or self._is_copied:
            # A marker that is a copy would name the next transaction's journal.
            return False
        try:
            if self._size > LONGEST:
                os.ftruncate(self._file, 0)
                self._size = 0
            elif self._has_head:
                self._append(THROUGH)
        except OSError:
            return False
        return True

    def _append(self, text: bytes) -> None:
        assert self._file is not None
        try:
            if os.write(self._file, text) < len(text):
                raise OSError(errno.ENOSPC, "There is no space left for the journal", self.path)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(text)


def entries_in(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Of the transaction that is not through, in the journal that is there, by whatever name.

    Its writer may have died in the middle of a line, and then did nothing of it.
    """
    try:
        text = Path(path).read_bytes()
    except FileNotFoundError:
        return []
    *lines, _ = text.rpartition(THROUGH)[2].split(b"\n")
    found = map(json.loads, lines)
    # Version 1 had a line for each entry.
    return [entry for line in found for entry in (line if isinstance(line, list) else [line])]


def journal_in(path: str) -> str:
    """The name of the journal that is there, by whatever name. Empty if none is there, or one that is through."""
    entries = entries_in(path)
    # In version 1, each transaction had a journal that was named after it.
    return str(entries[0].get("journal", entries[0]["id"])) if entries else ""


def _line(entries: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps(entries).encode() + b"\n"


class Folder:
    """FILES_JOURNAL: the journals, the locks, and for each locked path the name of the journal that it is in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.locks = Locks(path)
        self.idle: Idle[Journal] = Idle()
        self._identity: str | None = None
        self._is_made = False

    def make(self) -> None:
        if not self._is_made:
            (self.path / MARKERS).mkdir(parents=True, exist_ok=True)
            self._is_made = True

    @property
    def identity(self) -> str:
        """Tells the decisions of this folder's journals from those of another machine's."""
        if self._identity is None:
            self.make()
            with contextlib.suppress(FileExistsError):
                # Nobody is to see it empty.
                draft = self.path / f"{IDENTITY}-{uuid.uuid4().hex}"
                draft.write_text(uuid.uuid4().hex)
                try:
                    os.link(draft, self.path / IDENTITY)
                finally:
                    draft.unlink()
            self._identity = (self.path / IDENTITY).read_text()
        return self._identity

    def journals(self) -> Iterator[Journal]:
        if self.path.is_dir():
            for entry in sorted(self.path.iterdir()):
                if entry.suffix == SUFFIX:
                    yield Journal(self, entry.stem)

    def journal(self, name: str) -> Journal:
        return Journal(self, name)

    def begin(self, transaction: str, using: str) -> Journal:
        """A journal for this transaction."""
        journal = self.idle.take()
        if journal is None:
            journal = self.journal(uuid.uuid4().hex)
            journal.make()
        journal.begin(transaction, using)
        return journal

    def sync(self) -> None:
        """Have it outlast a loss of power that the transactions of the journals are through."""
        for journal in self.journals():
            with contextlib.suppress(FileNotFoundError):
                places.sync_path(journal.path)
        places.sync_path(str(self.path))

    def transactions(self) -> set[str]:
        """Those of which a journal knows."""
        written = (journal.entries() for journal in self.journals())
        return {entries[0]["id"] for entries in written if entries}
