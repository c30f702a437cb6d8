"""DojoFinder: Dojo's sources and the build are among the static files, without an entry of STATICFILES_DIRS for each.

collectstatic takes the build alone. The sources are thirteen thousand files, of which only pages in development ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import utils
from django.contrib.staticfiles.finders import BaseFinder, searched_locations
from django.core.files.storage import FileSystemStorage
from django.utils._os import safe_join

from . import places


class DojoFinder(BaseFinder):
    """For STATICFILES_FINDERS, after Django's own two: DOJO_ROOT is `dojo/…`, and DOJO_BUILD_ROOT `dojo-release/…`."""

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        found = [str(file) for name, folder in places.folders().items() if (file := self._in(folder, name, path))]
        # Nothing is an empty list either way: None would be taken for a match.
        return found[0] if found and not find_all else found

    def _in(self, folder: Path, name: str, path: str) -> Path | None:
        first, _, rest = path.partition("/")
        if str(folder) not in searched_locations:
            searched_locations.append(str(folder))
        file = Path(safe_join(folder, rest)) if first == name else None
        return file if file and file.exists() else None

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        folder = places.folders().get(places.BUILD)
        if folder and folder.is_dir():
            storage = FileSystemStorage(location=folder)
            storage.prefix = places.BUILD
            for path in utils.get_files(storage, list(ignore_patterns or [])):
                yield path, storage
