"""What the tests of files share: a folder and a journal of each test's own, and looks into both."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connections

from djintegrate.files import TransactionalStorage
from djintegrate.files.core.journal import entries_in
from tests.support.following import native_alias
from tests.support.helpers import in_thread

FILES = [
    pytest.mark.django_db(
        transaction=True,
        databases=["default", "second"],
        available_apps=["tests.apps.people", "tests.apps.documents", "djintegrate.files"],
    ),
    pytest.mark.usefixtures("nothing_left"),
]
"""For `pytestmark`, as `helpers.TRANSACTIONS`."""


class Site:
    """One alias, a storage that belongs to it, and the folders behind."""

    def __init__(self, alias: str, folder: Path) -> None:
        self.alias = alias
        self.media = folder / "media"
        self.journal = folder / "journal"
        self.media.mkdir(exist_ok=True)
        self.storage = self.around(BACKEND="django.core.files.storage.FileSystemStorage", OPTIONS=self.location)

    @property
    def location(self) -> dict[str, Any]:
        return {"location": str(self.media), "base_url": "/media/"}

    def around(self, **storage: Any) -> TransactionalStorage:
        return TransactionalStorage(storage=storage, using=self.alias)

    def put(self, name: str, text: str = "old") -> Path:
        """A file that was there before."""
        path = self.media / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def save(self, name: str, text: str = "new") -> str:
        return self.storage.save(name, ContentFile(text.encode()))

    def in_thread(self, work: Callable[[], Any]) -> Any:
        """`work` in a thread of its own, which has the alias too."""

        def with_alias() -> Any:
            with contextlib.nullcontext() if self.alias == "default" else native_alias():
                try:
                    return work()
                finally:
                    connections[self.alias].close()

        return in_thread(with_alias)

    @property
    def files(self) -> dict[str, str]:
        """What is in the folder, leftovers included."""
        paths = sorted(path for path in self.media.rglob("*") if path.is_file())
        return {path.relative_to(self.media).as_posix(): path.read_text(errors="replace") for path in paths}

    def assert_through(self) -> None:
        """No transaction has left anything behind."""
        assert [path.name for path in self.journal.glob("*.journal") if entries_in(path)] == []
        assert [path.name for path in (self.journal / "paths").glob("*")] == []
        assert [name for name in self.files if ".files-" in name] == []


@pytest.fixture(params=["native", "engine"])
def site(request: pytest.FixtureRequest, tmp_path: Path, settings: Any, outside: Any) -> Iterator[Site]:
    """With Django's native backend, and with the engine."""
    settings.FILES_JOURNAL = tmp_path / "journal"
    settings.FILES_LOCK_TIMEOUT = 0.3
    if request.param == "engine":
        site = Site("default", tmp_path)
        yield site
    else:
        with native_alias() as alias:
            site = Site(alias, tmp_path)
            yield site
    site.assert_through()


def decisions(alias: str = "default") -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM files_decision")
        return int(cursor.fetchone()[0])
