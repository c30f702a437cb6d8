"""A journal: what one transaction is about to do to files, written down before it does it.

One file for each transaction, locked for as long as the process that writes it lives. It is gone when everything in it
was either done or undone.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import uuid
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from . import places
from .locks import Locks, digest_of
from .spares import Spares

SUFFIX = ".journal"
IDENTITY = "identity"
MARKERS = "paths"
VERSION = 1


class Journal:
    """The journal of this id in this folder, in this process's hands from `begin` or `take` to `finish` or `leave`."""

    def __init__(self, folder: Folder, name: str) -> None:
        self.folder = folder
        self.name = name
        self.path = f"{folder.path}/{name}{SUFFIX}"
        self._file: int | None = None
        self._size = 0
        self._head: dict[str, Any] = {}

    def begin(self, using: str) -> None:
        self.folder.make()
        self.folder.locks.take(self._lock, self)
        try:
            self._file = self.folder.spares.take(self.path)
            if self._file is None:
                self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
            self._head = {"version": VERSION, "id": self.name, "using": using}
            self.write(self._head)
        except BaseException:
            self.finish()
            raise

    def link(self, path: str) -> bool:
        """Have the journal by another name as well, by which id_in() finds its own. False if something is there."""
        try:
            os.link(self.path, path)
        except FileExistsError:
            return False
        except OSError:
            # A file system without links, or one more than it allows for one file.
            try:
                with open(path, "xb") as file:
                    file.write(_line(self._head))
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
        assert self._file is not None
        text = b"".join(map(_line, entries))
        try:
            if os.write(self._file, text) < len(text):
                raise OSError(errno.ENOSPC, "There is no space left for the journal", self.path)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(text)

    def sync(self) -> None:
        assert self._file is not None
        os.fsync(self._file)
        places.sync_folder(self.folder.path)

    def entries(self) -> list[dict[str, Any]]:
        """What the journal says. Its writer may have died in the middle of a line, and then did nothing of it."""
        *lines, _ = Path(self.path).read_bytes().split(b"\n")
        return [json.loads(line) for line in lines]

    def finish(self) -> None:
        """Everything was done, or everything undone."""
        if self._file is not None and self.folder.spares.keep(self._file, self.path):
            self._file = None
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
        self.leave()

    def exists(self) -> bool:
        return os.path.exists(self.path)

    def leave(self) -> None:
        """To whoever recovers what is left to do."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self.folder.locks.release(self._lock, self)

    @cached_property
    def _lock(self) -> str:
        return digest_of(f"journal:{self.name}")


def id_in(path: str) -> str:
    """Of the journal that is there, by whatever name. Empty if nothing is there, or only a beginning."""
    try:
        with open(path, "rb") as file:
            line = file.readline()
    except FileNotFoundError:
        return ""
    return str(json.loads(line)["id"]) if line.endswith(b"\n") else ""


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry).encode() + b"\n"


class Folder:
    """FILES_JOURNAL: the journals, the locks, and for each locked path the name of the journal that it is in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.locks = Locks(path)
        self.spares = Spares(path, self.locks)
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
