"""A plain store has no test database: where tests use its real one, the log says so."""

from __future__ import annotations

import logging
from typing import Any

from django.db import connections

from djintegrate.common.passwords import without_password
from djintegrate.common.sqlite import AS_IT_IS

from ..conf import StoreSettings, uris

logger = logging.getLogger("djintegrate.storm_backend")

_warned: set[str] = set()


def warn_of_real_database(store: StoreSettings) -> None:
    """Once for each plain store, while others have test databases; not of a database that is called a test's."""
    database = uris.location(store.uri).settings["NAME"]
    is_for_tests = database == ":memory:" or "test" in database.rpartition("/")[2].lower()
    if is_for_tests or store.name in _warned or not any(map(has_test_database, connections.settings.values())):
        return
    _warned.add(store.name)
    logger.warning(
        "Tests use the real database of the store %r, %s: no entry of DATABASES names the store, so it has no test "
        "database, and nothing undoes what they commit. Give the tests another URI, with `test` in the name of the "
        "database: see docs/how-to/testing.md, Plain stores.",
        store.name,
        without_password(store.uri),
    )


def has_test_database(entry: dict[str, Any]) -> bool:
    """Whether a test database is in the place of the one that the store's URI names."""
    uri, name = entry.get("STORM_SECRET_URI"), entry["NAME"]
    # The doctor puts a name of its own in that place.
    return uri is not None and name != uris.location(uri).settings["NAME"] and not str(name).endswith(AS_IT_IS)
