"""The engine: how it is made, and used in threads, event loops, on other stores, and on connections that die."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from weakref import ref

import pytest
import sqlalchemy as sa
import transaction
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.db import connection, connections
from django.db.transaction import TransactionManagementError
from django.db.utils import DatabaseError
from django.test.utils import CaptureQueriesContext
from sqlalchemy.orm import Session

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.sqlalchemy import engine
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    Oops,
    Outside,
    beside_pooler,
    connections_left,
    django_add,
    django_names,
    in_thread,
    marked,
    storm_add,
)

from .people import PEOPLE, AlchemyPerson, Base, alchemy_add, alchemy_names, session

pytest_plugins = ["tests.support.fixtures"]
ROOT = Path(__file__).resolve().parents[3]


# ##### Making one #####


def test_it_is_one_engine_for_all_threads() -> None:
    assert engine("main") is engine("main")
    assert in_thread(lambda: engine("main")) is engine("main")
    assert engine("main", echo=False) is not engine("main")


def test_a_store_that_is_not_there_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match="Did you mean 'main'"):
        engine("mian")


@pytest.mark.parametrize("option", ["creator", "isolation_level", "pool", "poolclass"])
def test_an_option_that_would_mean_another_connection_is_refused(option: str) -> None:
    with pytest.raises(TypeError, match=option):
        engine("main", **{option: object()})


def test_it_can_be_made_where_an_event_loop_runs() -> None:
    async def make() -> sa.Engine:
        return engine("second")

    assert asyncio.run(make()) is engine("second")


def test_nothing_of_sqlalchemy_is_imported_without_it() -> None:
    """And whoever imports it where it is not installed is told what to do."""
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "import django; django.setup()\n"
        "from djintegrate.storm_backend import get_store; import djintegrate.storm_backend.middleware\n"
        "assert not [name for name in sys.modules if name.startswith('sqlalchemy.')]\n"
        "import djintegrate.storm_backend.sqlalchemy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().endswith('pip install "djintegrate[sqlalchemy]"')


# ##### Threads and event loops #####


@beside_pooler("the server counts the pooler's connections")
@marked
def test_each_thread_has_a_connection_of_its_own_which_its_end_frees(outside: Outside) -> None:
    def work() -> int:
        with transaction.manager:
            alchemy_add("of the thread")
            session.flush()
        return id(connection.connection)

    before = connections_left()
    assert in_thread(work) != id(connection.connection)
    in_thread(lambda: session().execute(sa.select(PEOPLE)) and None)
    assert connections_left() == before
    assert outside.names() == ["of the thread"]


@marked
def test_nothing_is_kept_of_what_is_over() -> None:
    def work() -> Any:
        with transaction.manager, Session(engine("main")) as used:
            used.add(AlchemyPerson(name="x"))
            used.flush()
            borrowed = used.connection().connection.dbapi_connection
            used.commit()
        return [ref(borrowed), ref(used), ref(connections["default"])]

    kept = in_thread(work)
    gc.collect()
    assert [each() for each in kept] == [None, None, None]


@marked
def test_ten_threads_at_once(outside: Outside) -> None:
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for attempt in transaction.attempts(20):
                with attempt:
                    # SQLite has one writer, who waits at the first write.
                    alchemy_add(f"{number}a")
                    session.flush()
                    django_add(f"{number}d")
                    storm_add(f"{number}s")
        except BaseException as error:
            failed.append(error)
        finally:
            session.remove()

    threads = [threading.Thread(target=work, args=[number]) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert outside.names() == sorted(f"{number}{which}" for number in range(10) for which in "ads")


@marked
def test_a_session_is_not_to_be_used_in_another_thread() -> None:
    with transaction.manager:
        shared = session()
        assert alchemy_names(shared) == []
        with pytest.raises(DatabaseError, match="thread"):
            in_thread(lambda: alchemy_names(shared))


@marked
def test_in_an_event_loop_it_is_refused_as_djangos_orm_is() -> None:
    async def use() -> None:
        with engine("main").connect() as by_core:
            by_core.execute(sa.select(PEOPLE))

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(use())

    async def attach() -> None:
        session.add(AlchemyPerson(name="x"))

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(attach())


# ##### Statements #####


@marked
def test_its_statements_are_counted_and_shown(outside: Outside) -> None:
    alchemy_names()
    with CaptureQueriesContext(connection) as queries, transaction.manager:
        alchemy_add("what? 100%")
        session.flush()
        session.execute(sa.select(PEOPLE).where(PEOPLE.c.name == "what? 100%"))
    assert [query["sql"].split()[0] for query in queries if "people_person" in query["sql"]] == ["INSERT", "SELECT"]
    if connection.Database.__name__ != "psycopg":
        # Its cursors send values apart, and Django shows the statement alone then.
        assert "'what? 100%'" in next(query["sql"] for query in queries if query["sql"].startswith("SELECT"))
    assert outside.names() == ["what? 100%"]


@marked
def test_a_first_connection_asks_the_database_past_who_counts() -> None:
    fresh = engine("main", echo=False)
    with CaptureQueriesContext(connection) as queries, transaction.manager, fresh.connect() as by_core:
        by_core.execute(sa.select(PEOPLE))
    assert [query["sql"] for query in queries if "people_person" not in query["sql"]] in (
        [],
        ["BEGIN"],
        ["BEGIN", "COMMIT"],
    )


@marked
def test_rows_that_stream_while_others_speak() -> None:
    with transaction.manager:
        Person.objects.bulk_create(Person(name=f"{number:03}") for number in range(100))
        rows = session().execute(sa.select(PEOPLE.c.name).order_by("name").execution_options(yield_per=10))
        read = []
        for (name,) in rows:
            read.append(name)
            if name == "005":
                storm_add("storm")
                assert Person.objects.count() == 101
        assert read[:100] == [f"{number:03}" for number in range(100)]


@marked
def test_many_rows_at_once_with_their_keys(outside: Outside) -> None:
    with transaction.manager:
        people = [AlchemyPerson(name=f"{number:04}") for number in range(1500)]
        session.add_all(people)
        session.flush()
        assert len({person.id for person in people}) == 1500
        with engine("main").connect() as by_core:
            by_core.execute(sa.insert(PEOPLE), [{"name": f"core {number}"} for number in range(1500)])
            by_core.commit()
        assert Person.objects.count() == 3000
    assert len(outside.names()) == 3000


@marked
def test_all_tables_can_be_read_from_the_database() -> None:
    found = sa.MetaData()
    with transaction.manager:
        found.reflect(engine("main"), only=["people_person", "people_visit"])
    assert set(found.tables["people_person"].columns.keys()) == {"id", "name"}


# ##### Errors #####


@marked
def test_errors_are_sqlalchemys_with_the_drivers_in_them() -> None:
    django_add("taken")
    with pytest.raises(TransactionManagementError), transaction.manager:
        with pytest.raises(sa.exc.IntegrityError) as error, engine("main").begin() as by_core:
            by_core.execute(sa.insert(PEOPLE).values(name="taken"))
        assert isinstance(error.value.orig, connection.Database.IntegrityError)
        assert not isinstance(error.value.orig, DatabaseError)


@marked
def test_a_failed_transaction_takes_no_statement() -> None:
    with pytest.raises(TransactionManagementError), transaction.manager:
        connection.set_rollback(True)
        session.execute(sa.select(PEOPLE))


@marked
def test_an_error_that_asks_for_a_retry_is_known_as_one(outside: Outside) -> None:
    error = sa.exc.OperationalError("UPDATE", {}, Exception())
    error.__cause__ = retryable()
    with transaction.manager:
        session.execute(sa.select(PEOPLE))
        assert transaction.get().isRetryableError(error)


def retryable() -> BaseException:
    if connection.vendor == "sqlite":
        return connection.Database.OperationalError("database is locked")
    if connection.vendor == "mysql":
        return connection.Database.OperationalError(1213, "Deadlock found")
    from django.db.backends.postgresql.psycopg_any import errors

    return errors.DeadlockDetected() if hasattr(errors.DeadlockDetected, "sqlstate") else pgcode_error(errors)


def pgcode_error(errors: Any) -> BaseException:
    class Deadlock(errors.DeadlockDetected):
        pgcode = "40P01"

    return Deadlock()


@marked
def test_a_connection_that_dies_fails_the_transaction_and_the_next_one_has_another(outside: Outside) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("It has no server.")
    with transaction.manager:
        assert alchemy_names() == []
        number = session.scalar(sa.text(MYSELF[connection.vendor]))
    with pytest.raises((sa.exc.DBAPIError, DatabaseError)), transaction.manager:
        alchemy_add("lost")
        session.flush()
        outside.rows(KILL[connection.vendor].format(number))
        session.execute(sa.select(PEOPLE))
    transaction.abort()
    with transaction.manager:
        alchemy_add("kept")
    assert outside.names() == ["kept"]


MYSELF = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT connection_id()"}
KILL = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}


@marked
def test_djangos_connection_may_be_closed_between_transactions(outside: Outside) -> None:
    keeps = Session(engine("main"))
    with transaction.manager:
        keeps.add(AlchemyPerson(name="one"))
        keeps.commit()
    connection.close()
    with transaction.manager:
        keeps.add(AlchemyPerson(name="two"))
        keeps.commit()
    keeps.close()
    assert outside.names() == ["one", "two"]


# ##### Several stores #####


@marked
def test_one_session_on_two_stores(outside: Outside) -> None:
    class SecondBase(sa.orm.DeclarativeBase):
        pass

    class SecondPerson(SecondBase):
        __table__ = PEOPLE.to_metadata(SecondBase.metadata)

    with transaction.manager, Session(binds={Base: engine("main"), SecondBase: engine("second")}) as both:
        both.add_all([AlchemyPerson(name="main"), SecondPerson(name="second")])
        assert django_names("default") == ["main"]
        assert django_names("second") == ["second"]
        Person.objects.using("second").update(name="changed")
        assert both.scalars(sa.select(SecondPerson)).one().name == "changed"
        both.commit()
    assert (outside.names(), outside.names("second")) == (["main"], ["changed"])


@marked
def test_a_store_that_no_alias_names(plain: None) -> None:
    with transaction.manager:
        person = get_store("plain").add(StormPerson("storm"))
        with engine("plain").connect() as by_core:
            assert by_core.scalar(sa.select(PEOPLE.c.name)) == "storm"
            by_core.execute(sa.update(PEOPLE).values(name="changed"))
            by_core.commit()
        assert person.name == "changed"
    with pytest.raises(Oops), transaction.manager:
        with engine("plain").begin() as by_core:
            by_core.execute(sa.update(PEOPLE).values(name="undone"))
        raise Oops
    with transaction.manager:
        assert get_store("plain").find(StormPerson).one().name == "changed"


@marked
def test_each_alias_has_sessions_of_its_own(outside: Outside) -> None:
    with transaction.manager, Session(engine("second")) as second:
        alchemy_add("main")
        second.add(AlchemyPerson(name="second"))
        assert django_names() == ["main"]
        assert django_names("second") == ["second"]
        second.commit()
    assert connections["second"].data_manager is None
    assert (outside.names(), outside.names("second")) == (["main"], ["second"])
