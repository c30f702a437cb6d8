"""A call whose work cannot be committed has an error for its answer, and no result; the other calls have theirs.

What it did is sent and looked at within its own savepoint: on the engine, and on Django's native backends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import transaction
from asgiref.sync import sync_to_async
from django.db import DatabaseError, IntegrityError, connections
from django.db.transaction import atomic, set_rollback

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.jsonrpc.caller import Caller, calls, method
from tests.support.helpers import TRANSACTIONS

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


def names(alias: str = "default") -> list[str]:
    with transaction.manager:
        return sorted(Person.objects.using(alias).values_list("name", flat=True))


def twice(alias: str) -> None:
    for _ in range(2):
        Person.objects.using(alias).create(name="twice")


def broken(request: Any, how: str, alias: str = "default") -> str:
    """Answers "ok", whatever becomes of what it did."""
    people = Person.objects.using(alias)
    if how == "pending in Storm":
        people.create(name="twice")
        get_store("main").add(StormPerson("twice"))
    elif how == "caught of Storm's flush":
        people.create(name="twice")
        get_store("main").add(StormPerson("twice"))
        try:
            get_store("main").flush()
        except Exception:
            return "ok"
    elif how == "caught of Django's":
        try:
            twice(alias)
        except IntegrityError:
            return "ok"
    elif how == "caught of a cursor's":
        people.get_or_create(name="twice")
        try:
            connections[alias].cursor().execute("SELECT nothing FROM nowhere")
        except DatabaseError:
            return "ok"
    elif how == "asked for":
        people.create(name="twice")
        set_rollback(True, using=alias)
    return "ok"


async def broken_later(request: Any, how: str, alias: str = "default") -> str:
    return await sync_to_async(broken)(request, how, alias)


ANYWHERE = ["caught of Django's", "asked for"]


@pytest.fixture(autouse=True)
def methods() -> Iterator[None]:
    with method(broken), method(broken_later):
        yield


def entry(name: str, *params: str) -> Any:
    return {"jsonrpc": "2.0", "method": name, "params": params, "id": name}


def has_result(answers: Any) -> list[bool]:
    return ["result" in each for each in answers]


@pytest.mark.parametrize("how", [*ANYWHERE, "pending in Storm", "caught of Storm's flush"])
@pytest.mark.parametrize("name", ["broken", "broken_later"])
def test_on_the_engine_only_the_broken_call_has_an_error(name: str, how: str, service: Caller) -> None:
    assert service.error(name, how)["code"] == -32603
    assert names() == []
    answers = service([entry(name, how), *calls("a"), entry(name, how), *calls("storm b"), entry(name, how)])
    assert has_result(answers) == [False, True, False, True, False]
    assert names() == ["a", "storm b"]


@pytest.mark.parametrize("how", [*ANYWHERE, "pending in Storm", "caught of Storm's flush"])
def test_with_atomic_requests_only_the_broken_call_has_an_error(how: str, alone: Caller) -> None:
    settings = connections["default"].settings_dict
    settings["ATOMIC_REQUESTS"] = True
    try:
        assert alone.error("broken", how)["code"] == -32603
        assert names() == []
        answers = alone([*calls("a"), entry("broken", how), *calls("storm b")])
    finally:
        settings["ATOMIC_REQUESTS"] = False
    assert has_result(answers) == [True, False, True]
    assert names() == ["a", "storm b"]


@pytest.mark.parametrize("how", ANYWHERE)
@pytest.mark.parametrize("name", ["broken", "broken_later"])
def test_on_a_native_backend_only_the_broken_call_has_an_error(
    name: str, how: str, alone: Caller, native: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def add(request: Any, who: str) -> str:
        return Person.objects.using("native").create(name=who).name

    assert alone.error(name, how, "native")["code"] == -32603
    assert "'native' cannot be committed" in caplog.text
    assert "atomic() block" in caplog.text
    assert names("native") == []
    with method(add):
        answers = alone([entry("add", "a"), entry(name, how, "native"), entry("add", "b")])
    assert has_result(answers) == [True, False, True]
    assert names("native") == ["a", "b"]


@pytest.mark.parametrize("how", ANYWHERE)
def test_in_a_native_block_of_somebody_elses_the_broken_call_has_an_error(how: str, alone: Caller, native: Any) -> None:
    with atomic(using="native"):
        assert alone.error("broken", how, "native")["code"] == -32603
    assert names("native") == []


def test_a_statement_that_postgresql_gave_the_transaction_up_at_is_an_error(
    db_kind: str, alone: Caller, native: Any
) -> None:
    how = "caught of a cursor's"
    for alias in ("native", "default"):
        answers = [alone.call("broken", how, alias), *alone([*calls(f"a {alias}"), entry("broken", how, alias)])]
        assert has_result(answers) == [db_kind != "postgres", True, db_kind != "postgres"]


def test_what_is_undone_in_a_block_of_its_own_breaks_nothing(service: Caller) -> None:
    def tried(request: Any) -> int:
        with atomic():
            Person.objects.create(name="tried")
            found = Person.objects.count()
            set_rollback(True)
        return found

    with method(tried):
        assert service.result("tried") == 1
    assert names() == []


def test_a_call_that_dooms_the_transaction_of_a_batch_has_all_answered_with_an_error(service: Caller) -> None:
    def doomed(request: Any) -> None:
        transaction.doom()

    with method(doomed):
        assert service.error("doomed")["code"] == -32603
        answers = service([*calls("a"), entry("doomed"), *calls("b")])
    assert has_result(answers) == [False, False, False]
    assert names() == []
