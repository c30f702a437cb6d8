"""The process of one database: zope.sqlalchemy's tests, whose engine is that of a store.

What they make outside of transactions is committed, and their look from outside is on an engine of SQLAlchemy's own.
"""

from __future__ import annotations

import doctest
import importlib.util
import sys
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import transaction
from django.conf import settings
from django.db.transaction import TransactionManagementError

from proofs.isolation.peers.__main__ import SOURCES, flat
from proofs.isolation.peers.found import Found

LEFT_OUT = {
    "testTwoPhase": "It wants two-phase commit of SQLAlchemy's own, which a store has instead.",
    "MultipleEngineTests": "It is for SQLAlchemy 1.4.",
    "RetryTests": "It wants two transaction managers in one thread; a connection is in its thread's transaction.",
}


def main(uri: str, source: Path) -> int:
    settings.configure(
        STORM_STORES={"main": uri},
        DATABASES={"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}},
        INSTALLED_APPS=["djintegrate.storm_backend"],
        LOGGING_CONFIG=None,
        USE_TZ=True,
    )
    django.setup()
    found = Found()
    outside = engine_of_its_own()
    with engines_are_ours():
        tests = load(source / "src" / "zope" / "sqlalchemy" / "tests.py")
        prepare(tests, outside)
        suite = unittest.TestSuite([unittest.defaultTestLoader.loadTestsFromModule(tests), read_me(source)])
        for test in flat(suite):
            name = test.id().rpartition(".")[2]
            if reason := LEFT_OUT.get(name) or LEFT_OUT.get(type(test).__name__):
                found.left_out.append((test.id(), reason))
            else:
                test.run(found)
    return found.report(SOURCES["zope_sqlalchemy"])


@contextmanager
def engines_are_ours() -> Iterator[None]:
    """Whoever makes an engine gets ours."""
    import sqlalchemy

    from djintegrate.storm_backend.sqlalchemy import engine

    module: Any = sqlalchemy
    original, module.create_engine = module.create_engine, lambda dsn: engine("main")
    try:
        yield
    finally:
        module.create_engine = original


def load(path: Path) -> Any:
    """Their module, which makes an engine and sessions."""
    spec = importlib.util.spec_from_file_location("zope_sqlalchemy_tests", path)
    assert spec is not None and spec.loader is not None
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    assert tests.engine.url.drivername.endswith("+djintegrate")
    return tests


def prepare(tests: Any, outside: Any) -> None:
    case = tests.ZopeSQLAlchemyTests
    set_up, tear_down = case.setUp, case.tearDown

    def set_up_committed(test: Any) -> None:
        set_up(test)
        transaction.commit()
        test.conn.close()
        test.conn = outside.connect()

    def tear_down_committed(test: Any) -> None:
        test.conn.close()
        tear_down(test)
        transaction.commit()

    case.setUp, case.tearDown = set_up_committed, tear_down_committed
    # A transaction whose commit has failed takes no statement: Django's own error says so, before zope.sqlalchemy does.
    tests.TransactionFailedError = (tests.TransactionFailedError, TransactionManagementError)


def read_me(source: Path) -> unittest.TestSuite:
    """Their documentation is a test as well."""

    def tear_down(test: Any) -> None:
        transaction.abort()
        test.globs["Base"].metadata.drop_all(test.globs["engine"])
        transaction.commit()

    return doctest.DocFileSuite(
        str(source / "src" / "zope" / "sqlalchemy" / "README.rst"), module_relative=False, tearDown=tear_down,
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS, globs={"TEST_DSN": "ours", "TEST_TWOPHASE": False},
    )  # fmt: skip


def engine_of_its_own() -> Any:
    """SQLAlchemy's own engine on the same database, with a connection of its own."""
    from django.db import connection
    from sqlalchemy import URL, NullPool, create_engine

    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return create_engine(f"sqlite:///{given['NAME']}", poolclass=NullPool)
    driver = {"MySQLdb": "mysqldb"}.get(connection.Database.__name__, connection.Database.__name__)
    url = URL.create(
        f"{connection.vendor}+{driver}",
        given["USER"],
        given["PASSWORD"],
        given["HOST"],
        int(given["PORT"]),
        given["NAME"],
    )
    return create_engine(url, poolclass=NullPool)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
