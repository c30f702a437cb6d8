"""Where SQLite's files are, and are not. Nothing here connects."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

# Reads and writes a file that is there, and makes none. Without the right to write, it is read.
AS_IT_IS = "?mode=rw"


def missing_folder(name: object) -> Path | None:
    """The folder that the file of a database is to be in, if it is not there."""
    path = _path(name)
    return None if path is None or path.parent.is_dir() else path.parent


def missing(connection: Any) -> str:
    """What is not there of the database of a connection, in a sentence, or nothing. Other databases have no file."""
    if connection.vendor != "sqlite":
        return ""
    name = connection.settings_dict["NAME"]
    if folder := missing_folder(name):
        return f"The folder {str(folder)!r} is not there."
    path = _path(name)
    return "" if path is None or path.exists() else f"The file {str(path)!r} is not there yet."


def keep_as_it_is(connection: Any) -> None:
    """Have a connection that is not open yet make no file, and change nothing about one that is there."""
    settings = connection.settings_dict
    path = _path(settings["NAME"]) if connection.vendor == "sqlite" else None
    if path is not None:
        settings["NAME"] = f"file:{quote(str(path))}{AS_IT_IS}"
        # A pragma, for the journal say, is kept in the file.
        settings["OPTIONS"].pop("init_command", None)


def _path(name: object) -> Path | None:
    text = str(name or ":memory:")
    if text.startswith("file:/") and text.endswith(AS_IT_IS):
        text = unquote(text[len("file:") : -len(AS_IT_IS)])
    return None if text.startswith((":", "file:")) else Path(text).absolute()
