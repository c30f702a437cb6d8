"""Makes the SQLAlchemy engine of a store. It opens nothing: each of its connections is lent by this thread's Django."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects import registry

from .. import conf
from ..conf import uris
from . import listeners

REFUSED = {
    "creator": "the connection is Django's",
    "isolation_level": "the connection is Django's: say it in the URI of the store",
    "module": "the driver is the one that Django uses",
    "pool": "the connection is Django's",
    "poolclass": "the connection is Django's",
}
"""Options of create_engine() that would mean another connection, each with its reason."""


def engine(name: str, **options: Any) -> Engine:
    """The SQLAlchemy engine on the connection of the store `name`, in whichever thread it is used.

    Without options it is the same one each time. The options are those of create_engine(), `echo` or
    `json_serializer` say.
    """
    for option in REFUSED.keys() & options.keys():
        raise TypeError(f"engine({name!r}) takes no {option!r}: {REFUSED[option]}.")
    if options:
        return _made(name, options)
    with _making:
        if name not in _engines:
            _engines[name] = _made(name, {})
        return _engines[name]


def _made(name: str, options: dict[str, Any]) -> Engine:
    # Nothing here asks for a connection: engines are made where modules are imported, in an event loop even.
    backend = uris.location(conf.store(name).uri).backend
    vendor = {"sqlite3": "sqlite"}.get(scheme := backend.rpartition(".")[2], scheme)
    registry.register(f"{vendor}.djintegrate", f"{__package__}.dialects", _dialect(vendor))
    listeners.listen()
    return create_engine(f"{vendor}+djintegrate:///{name}", **options)


def _dialect(vendor: str) -> str:
    """The class in `dialects` for the driver that Django uses."""
    if vendor != "postgresql":
        return {"sqlite": "SQLiteDialect", "mysql": "MySQLDialect"}[vendor]
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    return "PsycopgDialect" if is_psycopg3 else "Psycopg2Dialect"


_engines: dict[str, Engine] = {}
_making = threading.Lock()
