"""The database of the sample site: where it is, as DATABASE_URL says, and what to do where it cannot be used."""

from __future__ import annotations

from storm.uri import URI

from djintegrate.storm_backend.conf import uris

SERVERS = {"postgres": "PostgreSQL", "mysql": "MariaDB"}
OURS = " (the store 'main')"
"""What the engine adds, for sites that have more than one store."""
ANOTHER = "or name another database in DATABASE_URL"

# What a driver's text has in it, in lower case, and what to do then: the first that fits, for of a role that is missing
# PostgreSQL too says that it "does not exist". Drivers give no number for a connection that fails.
REMEDIES = {
    ("role", "password", "authentication", "access denied", "permission denied", "no pg_hba.conf entry"): (
        "Write the user and the password of an account that may use that database into DATABASE_URL."
    ),
    ("does not exist", "unknown database", "no such database"): f"Make that database, {ANOTHER}.",
    ("refused", "can't connect", "resolve", "unknown server host", "timeout", "timed out", "no such file"): (
        f"Start the server, correct its host and port, {ANOTHER}."
    ),
    ("folder", "unable to open database file", "readonly database"): (
        "Name a file in DATABASE_URL that you may write, in a folder that is there: sqlite:/folder/file.sqlite3"
    ),
}
OTHERWISE = f"Put that right, {ANOTHER}."


def location(text: str) -> URI:
    """Storm's own reading of the URI. Misconfigured says in one line what is wrong with it, without its password."""
    uris.location(text)
    return uris.parse(text)


def is_local(uri: URI) -> bool:
    return uri.scheme == "sqlite" or not uri.host or uri.host in ("127.0.0.1", "::1", "[::1]", "localhost")


def place(uri: URI) -> str:
    """Where the database is, without its password."""
    if uri.scheme == "sqlite":
        return f"SQLite, {uri.database or 'in memory'}"
    port = f":{uri.port}" if uri.port else ""
    return f"{SERVERS[uri.scheme]}, {uri.database} at {uri.host or 'a local socket'}{port}"


def explained(uri: URI, error: Exception) -> str:
    """What the database said, and what to do."""
    said = _said(error)
    return f"Cannot use {place(uri)}: {said}\n{remedy(said)}"


def remedy(said: str) -> str:
    return next((do for marks, do in REMEDIES.items() if any(mark in said.lower() for mark in marks)), OTHERWISE)


def _said(error: Exception) -> str:
    """The text alone, where the driver gives a number too."""
    text = error.args[1] if len(error.args) == 2 and isinstance(error.args[0], int) else error
    return str(text).replace(OURS, "").strip()
