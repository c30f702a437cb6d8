"""Where a file or a folder is: a path, or a name in a storage. What can be done there is safe to do twice."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import posixpath
import re
import shutil
import stat
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Protocol

from django.core.files.storage import FileSystemStorage, Storage

logger = logging.getLogger("djintegrate.files")

STAGED = ".files-"
_IS_STAGED = re.compile(rf"{re.escape(STAGED)}[0-9a-f]{{32}}-[0-9]+(-old)?")
# What the system says of a path at which nothing can be.
_NOWHERE = {errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ, errno.EINVAL}
# What a storage says of a folder with files in it (POSIX allows either), and of a link to a folder.
_STAYS = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}


class Place(Protocol):
    has_below: bool
    """Whether it may be a folder, in which other places are."""
    removes_below: bool
    """Whether remove() removes those with it."""

    @property
    def key(self) -> str:
        """The same for the same file, whoever names it."""

    def exists(self) -> bool: ...

    def remove(self) -> None: ...

    def beside(self, name: str) -> Place:
        """A place in the same folder."""

    def take_from(self, staged: Any) -> None:
        """Put what is at `staged` here, in place of what is here. Nothing, if nothing is there any more."""

    def create_from(self, staged: Any) -> bool:
        """The same, but if anything is here already, leave all as it is, and say so."""

    def sync(self) -> None:
        """Have it outlast a loss of power."""

    def as_json(self) -> dict[str, str]: ...


class PathPlace:
    """A path on this machine."""

    has_below = True
    removes_below = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(os.fspath(path))

    @cached_property
    def key(self) -> str:
        # Two ways to one folder lead to the same file; a symbolic link itself is a file of its own.
        folder, name = os.path.split(self.path)
        return f"path:{_real(folder).rstrip(os.sep)}/{name}"

    @property
    def real(self) -> PathPlace:
        """The same place by the path that leads through no link: the transaction may change those."""
        path = self.key.removeprefix("path:")
        return self if path == self.path else PathPlace(path)

    def __repr__(self) -> str:
        return self.path

    def exists(self) -> bool:
        return os.path.lexists(self.path)

    def is_plain(self) -> bool:
        """Whether a file is there: neither a folder nor a link, which may become one or lead to one."""
        try:
            return stat.S_ISREG(os.lstat(self.path).st_mode)
        except (OSError, ValueError):
            return False

    def remove(self) -> None:
        if is_folder(self.path):
            shutil.rmtree(self.path)
            return
        with _nothing_is_there(self.path):
            os.unlink(self.path)

    def remove_empty(self) -> None:
        """Remove the folder, if nobody has put anything into it."""
        with _nothing_is_there(self.path):
            try:
                os.rmdir(self.path)
            except OSError as error:
                if error.errno not in _STAYS:
                    raise

    def beside(self, name: str) -> PathPlace:
        return PathPlace(os.path.join(os.path.dirname(self.path), name))

    def take_from(self, staged: PathPlace) -> None:
        old = staged.beside(os.path.basename(staged.path) + "-old")
        if staged.exists():
            if is_folder(self.path) or is_folder(staged.path):
                # A folder cannot be renamed onto another that has anything in it.
                with contextlib.suppress(FileNotFoundError):
                    os.rename(self.path, old.path)
            os.replace(staged.path, self.path)
        # Not a storage's folder, which would have to be empty.
        PathPlace(old.path).remove()

    def create_from(self, staged: PathPlace) -> bool:
        try:
            # Unlike rename, link() refuses to replace a file.
            os.link(staged.path, self.path, follow_symlinks=False)
        except FileExistsError:
            return False
        except OSError:
            # A folder, or a file system without links.
            if self.exists():
                return False
            os.rename(staged.path, self.path)
            return True
        os.unlink(staged.path)
        return True

    def sync(self) -> None:
        if is_folder(self.path):
            for folder, _, names in os.walk(self.path):
                for name in names:
                    sync_path(os.path.join(folder, name))
                sync_path(folder)
        elif not os.path.islink(self.path):
            with contextlib.suppress(FileNotFoundError):
                sync_path(self.path)
        sync_path(os.path.dirname(self.path))

    def as_json(self) -> dict[str, str]:
        return {"path": self.path}


class FilePlace(PathPlace):
    """A name in a storage whose files are on this machine."""

    # A storage removes no folder that has anything in it.
    removes_below = False

    def __init__(self, storage: Any, identity: str, name: str, path: str | None = None) -> None:
        self.path = _path_in(storage, name) if path is None else path
        self.storage = storage
        self.identity = identity
        # As it is: a file system may have a file with a backslash in its name, and that is another file.
        self.name = name

    @property
    def is_normal(self) -> bool:
        """Whether the name is the one that save() gives the file: some others lead to it as well."""
        return posixpath.normpath(self.name) == self.name != "." and not os.path.isabs(self.name)

    def remove(self) -> None:
        if self.exists():
            try:
                # A storage may do more than unlink.
                self.storage.delete(self.name)
            except OSError as error:
                if error.errno not in _STAYS:
                    raise
                logger.warning("%r is a folder that is not empty, or a link to one, and stays: %s", self, error)

    def save(self, content: Any) -> str:
        """Have the storage write this name, which nobody else has; the name that it was written under."""
        if type(self.storage).save is Storage.save:
            # save() would look for a free name, which this one is, and examine it three times.
            return str(self.storage._save(self.name, content))
        return str(self.storage.save(self.name, content))

    def beside(self, name: str) -> FilePlace:
        path = None
        if _has_djangos_paths(self.storage) and ".." not in self.name:
            # Where path() would find it, after a long examination.
            path = f"{self.path.rpartition('/')[0]}/{name}"
        return FilePlace(self.storage, self.identity, _beside(self.name, name), path)

    def as_json(self) -> dict[str, str]:
        return {"storage": self.identity, "name": self.name}


class StoredPlace:
    """A name in a storage that keeps its files anywhere."""

    has_below = False
    removes_below = False

    def __init__(self, storage: Any, identity: str, name: str) -> None:
        self.storage = storage
        self.identity = identity
        self.name = name
        self.key = f"storage:{identity}:{self.name}"

    def __repr__(self) -> str:
        return f"{self.name} in {type(self.storage).__name__}"

    @property
    def is_normal(self) -> bool:
        return normal(self.name) == self.name

    def exists(self) -> bool:
        return bool(self.storage.exists(self.name))

    def remove(self) -> None:
        # Not every storage takes it in good part if the file is gone.
        if self.exists():
            self.storage.delete(self.name)

    def save(self, content: Any) -> str:
        """The name that it was saved under. Some storages find names of their own."""
        return str(self.storage.save(self.name, content))

    def beside(self, name: str) -> StoredPlace:
        return StoredPlace(self.storage, self.identity, _beside(self.name, name))

    def take_from(self, staged: StoredPlace) -> None:
        if not staged.exists():
            return
        with staged.storage.open(staged.name) as content:
            if self.storage.get_available_name(self.name) != self.name:
                self.storage.delete(self.name)
            saved = self.storage.save(self.name, content)
        if saved != self.name:
            self.storage.delete(saved)
            raise OSError(f"{self!r} could not be replaced: the storage took the name {saved!r}. Does somebody use it?")
        staged.remove()

    def create_from(self, staged: StoredPlace) -> bool:
        if self.exists():
            return False
        self.take_from(staged)
        return True

    def sync(self) -> None:
        """Up to the storage."""

    def as_json(self) -> dict[str, str]:
        return {"storage": self.identity, "name": self.name}


def place_in(storage: Any, identity: str, name: str) -> FilePlace | StoredPlace:
    # A storage in memory has paths as well, at which there are no files.
    kind = FilePlace if isinstance(storage, FileSystemStorage) else StoredPlace
    return kind(storage, identity, name)


def stage_of(place: Any, transaction: str, number: int) -> Any:
    """A place beside this one, for what is to take its place."""
    return place.beside(f"{STAGED}{transaction}-{number}")


def normal(name: str) -> str:
    """The name under which a storage saves what it is given under this one."""
    return posixpath.normpath(name.replace("\\", "/"))


def is_staged(name: str) -> bool:
    """Whether a transaction gave this name to what is to take the place of something."""
    return name.startswith(STAGED) and _IS_STAGED.fullmatch(name) is not None


def is_folder(path: str) -> bool:
    """A link to a folder is none."""
    return os.path.isdir(path) and not os.path.islink(path)


@contextlib.contextmanager
def _nothing_is_there(path: str) -> Iterator[None]:
    """Is as good as removed. What raises each time would never end, and keep its paths locked."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in _NOWHERE:
            raise
        logger.warning("Nothing can be at the path %r: %s", path, error)


def _path_in(storage: Any, name: str) -> str:
    path = str(storage.path(name))
    return path if _has_djangos_paths(storage) else os.path.abspath(path)


def _has_djangos_paths(storage: Any) -> bool:
    """Whether they are absolute, and names in one folder lead to one folder."""
    return getattr(type(storage), "path", None) is FileSystemStorage.path


def _real(folder: str) -> str:
    """As os.path.realpath(), which takes several times as long where no link is in the way."""
    end = 0
    try:
        while end < len(folder):
            end = folder.find("/", end + 1)
            end = len(folder) if end < 0 else end
            if stat.S_ISLNK(os.lstat(folder[:end]).st_mode):
                return os.path.realpath(folder)
    except OSError:
        return os.path.realpath(folder)
    # POSIX has two slashes at the beginning mean what a system likes.
    return folder.replace("//", "/")


def _beside(name: str, other: str) -> str:
    folder = name.rpartition("/")[0]
    return f"{folder}/{other}" if folder else other


def sync_path(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
