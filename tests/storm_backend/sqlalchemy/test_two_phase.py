"""Sessions on stores that are TWO_PHASE: in all of them, or in none."""

from __future__ import annotations

from typing import Any

import pytest
import transaction
from sqlalchemy import select
from sqlalchemy.orm import Session

from djintegrate.storm_backend.sqlalchemy import engine
from proofs.crash.killing import LateVoter
from tests.support.helpers import TRANSACTIONS, Oops, Outside, django_add, django_names, storm_add
from tests.support.two_phase import prepared

from .people import AlchemyPerson, alchemy_add, alchemy_names, session

pytest_plugins = ["tests.support.fixtures", "tests.support.two_phase"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("two_phase")]


def write_on_both() -> Session:
    second = Session(engine("second"))
    alchemy_add("main")
    second.add(AlchemyPerson(name="second"))
    django_add("django", "second")
    storm_add("storm")
    return second


def test_both_commit(outside: Outside) -> None:
    with transaction.manager:
        second = write_on_both()
    second.close()
    assert outside.names() == ["main", "storm"]
    assert outside.names("second") == ["django", "second"]


def test_both_abort(outside: Outside) -> None:
    with pytest.raises(Oops), transaction.manager:
        write_on_both().flush()
        session.flush()
        raise Oops
    assert outside.names() == outside.names("second") == []


def test_a_late_refusal_undoes_what_is_prepared(outside: Outside) -> None:
    class Objector(LateVoter):
        def tpc_vote(self, txn: Any) -> None:
            assert prepared()
            raise Oops

    with pytest.raises(Oops), transaction.manager:
        write_on_both()
        transaction.get().join(Objector(transaction.manager))
    assert outside.names() == outside.names("second") == []


def test_an_engine_that_is_new_to_the_database_asks_it_within_the_branch(outside: Outside) -> None:
    with transaction.manager:
        storm_add("storm")
        assert django_names() == ["storm"]
        with engine("main", echo=False).connect() as connection:
            assert connection.scalars(select(AlchemyPerson.name)).all() == ["storm"]
    assert outside.names() == ["storm"]


def test_savepoints(outside: Outside) -> None:
    with transaction.manager:
        alchemy_add("before")
        nested = session.begin_nested()
        django_add("undone")
        nested.rollback()
        savepoint = transaction.savepoint()
        storm_add("undone")
        alchemy_add("undone too")
        savepoint.rollback()
        assert alchemy_names() == ["before"]
    assert outside.names() == ["before"]


def test_sqlalchemys_own_two_phase_commit_is_left_to_the_store(outside: Outside) -> None:
    with transaction.manager, Session(engine("main"), twophase=True) as own:
        own.add(AlchemyPerson(name="own"))
        own.commit()
    assert outside.names() == ["own"]
