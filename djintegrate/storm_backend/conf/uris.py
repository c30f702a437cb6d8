"""What a Storm URI says, in the words of Django's DATABASES. Never connects to what it names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NamedTuple

from storm.exceptions import URIError
from storm.uri import URI

from djintegrate.common.errors import Misconfigured
from djintegrate.common.passwords import without_password
from djintegrate.common.types import did_you_mean

from . import drivers

NATIVE_BACKENDS = {
    "sqlite": "django.db.backends.sqlite3",
    "postgres": "django.db.backends.postgresql",
    "mysql": "django.db.backends.mysql",
}
ISOLATION_LEVELS = ("read-uncommitted", "read-committed", "repeatable-read", "serializable")
# Options of Django's own, which belong in the OPTIONS of a DATABASES entry.
DJANGO_OPTIONS = ("pool", "prepare_threshold", "server_side_binding")
# Options that a database may be named by, elsewhere: in libpq's or MariaDB's own files.
NAME_A_DATABASE = {"service", "db", "database", "read_default_file"}
TRANSACTION_MODES = ("DEFERRED", "IMMEDIATE", "EXCLUSIVE")
SQLITE_OPTIONS = ("journal_mode", "synchronous", "foreign_keys", "timeout", "transaction_mode")


# Of the many that servers have, those to guess at where one is misspelt.
SERVER_OPTIONS = ("isolation", "application_name", "connect_timeout", "options", "sslmode", "sslrootcert")


class Location(NamedTuple):
    """A store's database as a native Django backend names it."""

    backend: str
    settings: dict[str, Any]


def location(uri: str) -> Location:
    """Translate a Storm URI; Misconfigured says what is wrong with it."""
    parsed = parse(uri)
    if parsed.scheme != "sqlite" and not parsed.database and not NAME_A_DATABASE.intersection(parsed.options):
        raise _refused(parsed, f"no database. Write it after the host: {parsed.scheme}://user@host/database.")
    settings = {
        "NAME": parsed.database or (":memory:" if parsed.scheme == "sqlite" else ""),
        "USER": parsed.username or "",
        "PASSWORD": parsed.password or "",
        "HOST": parsed.host or "",
        "PORT": str(parsed.port or ""),
        "OPTIONS": OPTIONS_OF[parsed.scheme](parsed),
    }
    return Location(NATIVE_BACKENDS[parsed.scheme], settings)


def canonical(uri: str) -> str:
    """As Storm has it: PostgreSQL's own tools, and Django's, write postgresql:// as well."""
    return re.sub("^postgresql:", "postgres:", uri)


def parse(uri: str) -> URI:
    """Storm's own reading of `uri`, if it is of a kind this engine knows."""
    _refuse_at_signs(*canonical(uri).partition("?")[0].partition(":"))
    try:
        parsed = URI(canonical(uri))
    except (URIError, ValueError) as error:
        # What Python says of the error may hold a part of the password.
        reason = "the port is not a number, an option has no value, or a % is not followed by two hexadecimal digits"
        if isinstance(error, URIError):
            reason = "it has no scheme"
        raise Misconfigured(
            f"The Storm URI {without_password(uri)!r} cannot be read: {reason}. Write it as "
            "scheme://user:password@host:port/database?option=value, with %2F for a slash in the password."
        ) from None
    if parsed.scheme not in NATIVE_BACKENDS:
        question = did_you_mean(parsed.scheme.partition("+")[0], NATIVE_BACKENDS)
        raise Misconfigured(
            f"The Storm URI {without_password(uri)!r} has the scheme {parsed.scheme!r}. "
            f"Storm knows: {', '.join(NATIVE_BACKENDS)}. {question}".rstrip()
        )
    return parsed


def _refuse_at_signs(scheme: str, colon: str, place: str) -> None:
    """Storm takes what it does not understand of them for a host, or for a database."""
    has_slashes = place.startswith("//")
    if scheme not in NATIVE_BACKENDS or scheme == "sqlite" or place.count("@") <= has_slashes:
        return
    what = "more than one @: write %40 for one in the user's name or the password"
    if not has_slashes:
        place, what = f"***{place[place.rindex('@') :]}", f"no //: write {scheme}://user@host/database"
    raise Misconfigured(f"The Storm URI {without_password(scheme + colon + place)!r} has {what}.")


def holds_password(uri: str) -> bool:
    """Whether the URI has a password in it, for the server or for a key. One that cannot be read has none."""
    try:
        parsed = parse(uri)
    except Misconfigured:
        return False
    return bool(parsed.password) or any(name.endswith(("password", "passwd")) for name in parsed.options)


def _sqlite_options(uri: URI) -> dict[str, Any]:
    options: dict[str, Any] = {}
    pragmas = []
    for name, value in uri.options.items():
        if name not in SQLITE_OPTIONS:
            known = ", ".join(SQLITE_OPTIONS)
            raise _refused(uri, f"the unknown option {name!r}. Known for sqlite: {known}.")
        if name == "timeout":
            if not re.fullmatch(r"\d+(\.\d+)?", value):
                raise _refused(uri, f"{name}={value!r}. Make it a number of seconds.")
            options["timeout"] = float(value)
        elif name == "transaction_mode":
            options["transaction_mode"] = _one_of(uri, name, value.upper(), TRANSACTION_MODES)
        elif re.fullmatch(r"\w+", value):
            pragmas.append(f"PRAGMA {name} = {value}")
        else:
            raise _refused(uri, f"{name}={value!r}. Make it a single word or number.")
    if pragmas:
        options["init_command"] = "; ".join(pragmas)
    return options


def _postgres_options(uri: URI) -> dict[str, Any]:
    # Everything but `isolation` is a parameter of libpq, as it is for Storm.
    options = dict(uri.options)
    for name in filter(options.__contains__, DJANGO_OPTIONS):
        where = "the OPTIONS of the DATABASES entry"
        raise _refused(uri, f"the option {name!r}, which is Django's and not a string. Move it to {where}.")
    isolation = options.pop("isolation", None)
    _refuse_unknown(uri, drivers.unknown_to_libpq(options.keys() - {"assume_role"}))
    if isolation is not None:
        drivers.native_base(NATIVE_BACKENDS["postgres"])
        from django.db.backends.postgresql.psycopg_any import IsolationLevel

        level = _one_of(uri, "isolation", isolation, ISOLATION_LEVELS)
        options["isolation_level"] = IsolationLevel[level.replace("-", "_").upper()]
    return options


def _mysql_options(uri: URI) -> dict[str, Any]:
    # Everything but `isolation` is a parameter of MySQLdb.connect().
    options: dict[str, Any] = {name: int(value) if value.isdecimal() else value for name, value in uri.options.items()}
    isolation = options.pop("isolation", None)
    # MySQLdb has no list of what it takes; whatever it does not, it says when it connects.
    _refuse_unknown(uri, get_close_matches("isolation", options, n=1, cutoff=0.8))
    if isolation is not None:
        options["isolation_level"] = _one_of(uri, "isolation", isolation, ISOLATION_LEVELS).replace("-", " ")
    return options


def _refuse_unknown(uri: URI, unknown: Iterable[str]) -> None:
    for name in unknown:
        question = did_you_mean(name, SERVER_OPTIONS)
        raise _refused(uri, f"the unknown option {name!r}. {question}".rstrip())


OPTIONS_OF = {"sqlite": _sqlite_options, "postgres": _postgres_options, "mysql": _mysql_options}


def _one_of(uri: URI, name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise _refused(uri, f"{name}={value!r}. Make it one of {', '.join(choices)}.")
    return value


def _refused(uri: URI, what: str) -> Misconfigured:
    return Misconfigured(f"The Storm URI {without_password(str(uri))!r} has {what}")
