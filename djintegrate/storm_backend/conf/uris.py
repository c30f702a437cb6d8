"""What a Storm URI says, in the words of Django's DATABASES.

The URI is the only place that says where a store's database is; this module never
connects to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from storm.exceptions import URIError
from storm.uri import URI

NATIVE_BACKENDS = {
    "sqlite": "django.db.backends.sqlite3",
    "postgres": "django.db.backends.postgresql",
    "mysql": "django.db.backends.mysql",
}
ISOLATION_LEVELS = (
    "read-uncommitted",
    "read-committed",
    "repeatable-read",
    "serializable",
)
# Django's, of whole connections: they are for an alias to say, in its OPTIONS.
DJANGO_OPTIONS = ("pool", "prepare_threshold", "server_side_binding")
SQLITE_PRAGMAS = ("journal_mode", "synchronous", "foreign_keys")
SQLITE_OPTIONS = (*SQLITE_PRAGMAS, "timeout", "transaction_mode")


@dataclass(frozen=True)
class Location:
    """A store's database as a native Django backend names it."""

    backend: str
    settings: dict[str, Any]


def location(uri: str) -> Location:
    """Translate a Storm URI; ImproperlyConfigured says what is wrong with it."""
    parsed = parse(uri)
    options = {
        "sqlite": _sqlite_options,
        "postgres": _postgres_options,
        "mysql": _mysql_options,
    }[parsed.scheme](parsed)
    name = parsed.database or ""
    if parsed.scheme == "sqlite":
        name = name or ":memory:"
    return Location(
        NATIVE_BACKENDS[parsed.scheme],
        {
            "NAME": name,
            "USER": parsed.username or "",
            "PASSWORD": parsed.password or "",
            "HOST": parsed.host or "",
            "PORT": str(parsed.port or ""),
            "OPTIONS": options,
        },
    )


def parse(uri: str) -> URI:
    """Storm's own reading of `uri`, if it is of a kind this engine knows."""
    try:
        parsed = URI(uri)
    except (URIError, ValueError) as error:
        raise ImproperlyConfigured(
            f"The Storm URI {without_password(uri)!r} cannot be read ({error}). Write it "
            "as scheme://user:password@host:port/database?option=value."
        ) from error
    if parsed.scheme not in NATIVE_BACKENDS:
        raise ImproperlyConfigured(
            f"The Storm URI {without_password(uri)!r} has the scheme {parsed.scheme!r}. "
            f"Storm knows: {', '.join(NATIVE_BACKENDS)}."
        )
    return parsed


def without_password(uri: str) -> str:
    """`uri` as it may be shown in a message or a log."""
    return re.sub(r"(//[^:/@]*:)[^/]*@", r"\1***@", uri)


def _sqlite_options(uri: URI) -> dict[str, Any]:
    _refuse_unknown(uri, SQLITE_OPTIONS)
    options: dict[str, Any] = {}
    pragmas = []
    for name, value in uri.options.items():
        if name == "timeout":
            options["timeout"] = _number(uri, name, value)
        elif name == "transaction_mode":
            options["transaction_mode"] = value
        elif re.fullmatch(r"\w+", value):
            pragmas.append(f"PRAGMA {name} = {value}")
        else:
            raise _bad_option(uri, name, value, "a single word or number")
    if pragmas:
        options["init_command"] = "; ".join(pragmas)
    return options


def _postgres_options(uri: URI) -> dict[str, Any]:
    # Everything but `isolation` is a parameter of libpq, as it is for Storm.
    options = dict(uri.options)
    for name in DJANGO_OPTIONS:
        if name in options:
            raise ImproperlyConfigured(
                f"The Storm URI {without_password(str(uri))!r} has the option {name!r}, which is Django's and no text. "
                "Move it to the OPTIONS of the DATABASES entry."
            )
    isolation = options.pop("isolation", None)
    if isolation is not None:
        from django.db.backends.postgresql.psycopg_any import IsolationLevel

        level = _isolation(uri, isolation).replace("-", "_").upper()
        options["isolation_level"] = IsolationLevel[level]
    return options


def _mysql_options(uri: URI) -> dict[str, Any]:
    # Everything but `isolation` is a parameter of MySQLdb.connect().
    options: dict[str, Any] = {name: int(value) if value.isdigit() else value for name, value in uri.options.items()}
    isolation = options.pop("isolation", None)
    if isolation is not None:
        options["isolation_level"] = _isolation(uri, isolation).replace("-", " ")
    return options


def _isolation(uri: URI, value: str) -> str:
    if value not in ISOLATION_LEVELS:
        raise _bad_option(uri, "isolation", value, "one of " + ", ".join(ISOLATION_LEVELS))
    return value


def _number(uri: URI, name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise _bad_option(uri, name, value, "a number of seconds") from None


def _refuse_unknown(uri: URI, known: tuple[str, ...]) -> None:
    for name in uri.options:
        if name not in known:
            raise ImproperlyConfigured(
                f"The Storm URI {without_password(str(uri))!r} has the unknown option "
                f"{name!r}. Known for {uri.scheme}: {', '.join(known)}."
            )


def _bad_option(uri: URI, name: str, value: str, wanted: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"The Storm URI {without_password(str(uri))!r} has {name}={value!r}. Make it {wanted}.")
