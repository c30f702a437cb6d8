"""The File that a TransactionalStorage opens: opened again, it asks the storage again.

Django's own would go past the transaction then: it opens the path that it had, whatever the file is by now.
"""

from __future__ import annotations

from typing import Any

from django.core.files.base import File


class OpenedFile(File):
    """`name` is the file's in `storage`, `now` the one under which the inner storage has it until the commit."""

    def __init__(self, storage: Any, name: str, mode: str, now: str, content: Any) -> None:
        shown = getattr(content, "name", None)
        if now != name and isinstance(shown, str) and shown.endswith(now):
            shown = shown.removesuffix(now) + name
        super().__init__(_plain(content), shown)
        self._storage = storage
        self._name = name
        self._now = now
        self._opened_as = mode
        self._is_open = True

    def open(self, mode: str | None = None) -> OpenedFile:
        if self._is_open and not self.closed and (mode is None or self._reads_as(mode)):
            self.seek(0)
            return self
        self.close()
        again = self._storage.open(self._name, mode or self._opened_as)
        self.__dict__.pop("size", None)
        self.__dict__.update(vars(again))
        return self

    def close(self) -> None:
        # A file in memory is never closed.
        self._is_open = False
        super().close()

    def _reads_as(self, mode: str) -> bool:
        """Whether it does already. What is written goes to the transaction of now, which may be another one."""
        if mode != self._opened_as or writes(mode):
            return False
        return bool(self._storage.name_now(self._name) == self._now)


class WrappedFile(OpenedFile):
    """Around a File of another kind than Django's plain one, which may do more."""

    @property
    def size(self) -> int:
        return int(self.file.size)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "file":
            raise AttributeError(name)
        return getattr(self.file, name)


def opened(storage: Any, name: str, mode: str, now: str) -> OpenedFile:
    content = storage.inner.open(now, mode)
    kind = OpenedFile if type(content) is File else WrappedFile
    return kind(storage, name, mode, now, content)


def writes(mode: str) -> bool:
    return not set(mode).isdisjoint("wax+")


def _plain(content: Any) -> Any:
    """Django's plain File is only a shell."""
    return content.file if type(content) is File else content
