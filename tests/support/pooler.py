"""A PgBouncer with one session for all its clients: what one of them leaves in it, the next one finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils.connection import ConnectionProxy

from djintegrate.storm_backend import get_store_uri
from tests.support.helpers import extra_alias
from tools.servers import Server, ServerUnavailable, pooled


@pytest.fixture(scope="session")
def pooler(db_kind: str, server: Server | None) -> Iterator[Server]:
    if db_kind != "postgres" or server is None:
        pytest.skip("Wants a PostgreSQL server of the tests' own.")
    try:
        with pooled(server, default_pool_size=1) as pooler:
            yield pooler
    except ServerUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def pooled_uri(pooler: Server, transactional_db: None) -> str:
    """The database of the store `main`, through the pooler."""
    return pooler.uri(urlsplit(get_store_uri("main")).path.lstrip("/"))


@pytest.fixture
def lent(pooled_uri: str, settings: Any, unguarded: None) -> Iterator[ConnectionProxy]:
    """An alias and a store, `extra`, behind the pooler."""
    with extra_alias(settings, {"URI": pooled_uri, "POOLER": "transaction"}) as connection:
        yield connection
