"""A SQLite file in a folder that is not there: Django's backend says that it cannot open a file, and not which."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import OperationalError


class FolderMissing(OperationalError, CommandError):
    """The error of a connection that Django knows; a management command ends with its one line."""


class NamesItsFolder:
    """Mixed in before Django's DatabaseWrapper for SQLite."""

    settings_dict: dict[str, Any]

    def ensure_connection(self) -> None:
        try:
            super().ensure_connection()  # type: ignore[misc]
        except OperationalError as error:
            file = str(self.settings_dict["NAME"])
            folder = Path(file).absolute().parent
            if file.startswith("file:") or folder.is_dir():
                raise
            message = f"The folder {str(folder)!r} is not there, and the SQLite store {file!r} is to be in it. Make it."
            # Storm's callers get the driver's error, which is the cause.
            cause = sqlite3.OperationalError(message)
            cause.__cause__ = error
            raise FolderMissing(message) from cause
