"""Sessions and connections that nobody registered with zope.sqlalchemy: in the transaction, they end nothing."""

from __future__ import annotations

from contextlib import suppress

import pytest
import sqlalchemy as sa
import transaction
from django.db import connection
from django.db.transaction import TransactionManagementError, atomic
from sqlalchemy.orm import Session
from transaction.interfaces import DoomedTransaction

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.sqlalchemy import engine
from tests.apps.people.models import Person
from tests.support.helpers import TRANSACTIONS, Oops, Outside, django_add, django_names, names_in_both, storm_add

from .people import PEOPLE, AlchemyPerson, alchemy_names

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


def insert(name: str) -> sa.Insert:
    return sa.insert(PEOPLE).values(name=name)


# ##### commit() ends nothing #####


def test_the_commit_of_a_session_flushes_and_ends_nothing(outside: Outside) -> None:
    with transaction.manager:
        with Session(engine("main")) as session:
            session.add(AlchemyPerson(name="alchemy"))
            session.commit()
        assert django_names() == ["alchemy"]
        assert outside.names() == []
    assert outside.names() == ["alchemy"]


def test_what_a_session_has_committed_is_undone_by_an_abort(outside: Outside) -> None:
    with pytest.raises(Oops), transaction.manager:
        with Session(engine("main")) as session:
            session.add(AlchemyPerson(name="alchemy"))
            session.commit()
        raise Oops
    assert outside.names() == []


def test_where_nothing_is_begun_it_is_the_implicit_transaction_that_ends(outside: Outside) -> None:
    with engine("main").begin() as by_core:
        by_core.execute(insert("core"))
    assert outside.names() == []
    transaction.commit()
    assert outside.names() == ["core"]


def test_a_pending_object_needs_no_commit_of_its_session(outside: Outside) -> None:
    session = Session(engine("main"))
    with transaction.manager:
        session.add(AlchemyPerson(name="pending"))
    session.close()
    assert outside.names() == ["pending"]


def test_a_session_goes_on_in_the_next_transaction(outside: Outside) -> None:
    session = Session(engine("main"))
    with transaction.manager:
        person = AlchemyPerson(name="one")
        session.add(person)
    Person.objects.update(name="changed")
    with transaction.manager:
        assert person.name == "changed"
        person.name = "two"
        session.commit()
    assert outside.names() == ["two"]
    session.close()


def test_after_an_abort_the_objects_of_a_session_are_as_before(outside: Outside) -> None:
    session = Session(engine("main"))
    with transaction.manager:
        kept = AlchemyPerson(name="kept")
        session.add(kept)
    with pytest.raises(Oops), transaction.manager:
        kept.name = "changed"
        made = AlchemyPerson(name="made")
        session.add(made)
        session.commit()
        session.add(AlchemyPerson(name="pending"))
        raise Oops
    assert sa.inspect(made).transient
    assert not session.new
    with transaction.manager:
        assert kept.name == "kept"
        assert alchemy_names(session) == ["kept"]
    session.close()


# ##### rollback() undoes nothing alone #####


@pytest.mark.parametrize("how", ["rollback", "close", "with", "core"])
def test_what_was_written_and_rolled_back_is_not_committed(outside: Outside, how: str) -> None:
    session = Session(engine("main"))
    with pytest.raises(TransactionManagementError), transaction.manager:
        django_add("django")
        if how == "core":
            with engine("main").connect() as by_core:
                by_core.execute(insert("core"))
        else:
            session.add(AlchemyPerson(name="alchemy"))
            session.flush()
            getattr(session, "close" if how == "with" else how)()
    session.close()
    assert outside.names() == []


def test_the_error_says_what_has_happened() -> None:
    with pytest.raises(TransactionManagementError) as error, transaction.manager:
        with suppress(Oops), engine("main").begin() as by_core:
            by_core.execute(insert("core"))
            raise Oops
        django_names()
    assert "A session or a connection of SQLAlchemy's was rolled back" in str(error.value.__cause__)


def test_reading_and_rolling_back_harms_nobody(outside: Outside) -> None:
    with transaction.manager:
        django_add("django")
        with Session(engine("main")) as session:
            assert alchemy_names(session) == ["django"]
            session.rollback()
            assert alchemy_names(session) == ["django"]
    assert outside.names() == ["django"]


def test_the_atomic_block_around_undoes_it_and_the_rest_goes_on(outside: Outside) -> None:
    with transaction.manager:
        django_add("before")
        with pytest.raises(Oops), atomic(), Session(engine("main")) as session:
            session.add(AlchemyPerson(name="undone"))
            session.flush()
            raise Oops
        assert names_in_both() == ["before"]
        storm_add("after")
    assert outside.names() == ["after", "before"]


def test_a_savepoint_around_undoes_it_as_well(outside: Outside) -> None:
    with transaction.manager:
        django_add("before")
        savepoint = transaction.savepoint()
        with suppress(Oops), engine("main").begin() as by_core:
            by_core.execute(insert("undone"))
            raise Oops
        savepoint.rollback()
        assert names_in_both() == ["before"]
    assert outside.names() == ["before"]


def test_a_block_that_was_opened_later_cannot_undo_it(outside: Outside) -> None:
    with pytest.raises(DoomedTransaction), transaction.manager:
        session = Session(engine("main"))
        session.add(AlchemyPerson(name="outside of the block"))
        session.flush()
        with suppress(Oops), atomic():
            session.rollback()
            raise Oops
    transaction.abort()
    assert outside.names() == []


def test_a_savepoint_that_was_taken_later_cannot_undo_it_either(outside: Outside) -> None:
    with pytest.raises(DoomedTransaction), transaction.manager, engine("main").connect() as by_core:
        by_core.execute(insert("before the savepoint"))
        savepoint = transaction.savepoint()
        by_core.rollback()
        savepoint.rollback()
    transaction.abort()
    assert outside.names() == []


def test_a_nested_transaction_of_a_connection_undoes_what_others_did_in_it(outside: Outside) -> None:
    with transaction.manager, engine("main").connect() as by_core:
        by_core.execute(insert("before"))
        with suppress(Oops), by_core.begin_nested():
            by_core.execute(insert("undone"))
            storm_add("undone too")
            assert django_names() == ["before", "undone", "undone too"]
            raise Oops
        by_core.commit()
        assert names_in_both() == ["before"]
    assert outside.names() == ["before"]


# ##### The DB-API connection itself #####


def test_a_raw_connection_is_in_the_transaction_and_ends_nothing(outside: Outside) -> None:
    with transaction.manager:
        person = storm_add("before")
        raw = engine("main").raw_connection()
        cursor = raw.cursor()
        cursor.execute("UPDATE people_person SET name = 'after'")
        raw.commit()
        cursor.execute("SELECT name FROM people_person")
        assert [name for (name,) in cursor.fetchall()] == ["after"]
        cursor.close()
        raw.close()
        assert person.name == "after"
        assert outside.names() == []
    assert outside.names() == ["after"]


def test_the_drivers_own_connection_is_djangos() -> None:
    with transaction.manager, engine("main").connect() as by_core:
        assert by_core.connection.driver_connection is connection.connection


def test_a_pool_that_is_disposed_of_ends_nothing(outside: Outside) -> None:
    with transaction.manager:
        session = Session(engine("main"))
        session.add(AlchemyPerson(name="alchemy"))
        session.flush()
        engine("main").dispose()
        assert django_names() == ["alchemy"]
        session.commit()
    assert outside.names() == ["alchemy"]


def test_a_connection_that_is_invalidated_or_detached_stays_djangos(outside: Outside) -> None:
    with transaction.manager:
        django_add("django")
        with engine("main").connect() as by_core:
            assert by_core.scalar(sa.select(PEOPLE.c.name)) == "django"
            by_core.invalidate()
        with engine("main").connect() as by_core:
            by_core.detach()
            assert by_core.scalar(sa.select(PEOPLE.c.name)) == "django"
    assert outside.names() == ["django"]


@pytest.mark.parametrize("level", ["AUTOCOMMIT", "SERIALIZABLE"])
def test_the_isolation_level_is_not_to_be_set(level: str) -> None:
    with pytest.raises(sa.exc.ArgumentError, match="say it in the URI"), transaction.manager:
        engine("main").connect().execution_options(isolation_level=level)


def test_tables_are_made_in_the_transaction(outside: Outside) -> None:
    table = sa.Table("alchemy_made", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    try:
        table.create(engine("main"))
        assert "alchemy_made" in connection.introspection.table_names()
        transaction.abort()
        # MariaDB commits before and after it makes a table.
        assert ("alchemy_made" in connection.introspection.table_names()) == (connection.vendor == "mysql")
        table.create(engine("main"), checkfirst=True)
        transaction.commit()
        assert "alchemy_made" in outside.connection().introspection.table_names()
    finally:
        table.drop(engine("main"), checkfirst=True)
        transaction.commit()


def test_a_function_or_statement_that_may_write_anything_makes_all_be_read_anew() -> None:
    with transaction.manager, engine("main").connect() as by_core:
        person = storm_add("before")
        by_core.execute(sa.text("WITH x AS (SELECT 1) SELECT * FROM x"))
        by_core.exec_driver_sql("/* a comment */ UPDATE people_person SET name = 'after'")
        by_core.commit()
        assert person.name == "after"
        assert get_store("main").find(type(person)).count() == 1
