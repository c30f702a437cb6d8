"""A call is part of the request's transaction, or has one; an error undoes it; each call of a batch is a savepoint.

The same on the engine with its middleware and without, with ATOMIC_REQUESTS, and on Django's native backends.
"""

from __future__ import annotations

from typing import Any

import pytest
import transaction
from django.db import connections

from djintegrate.jsonrpc import transactions
from djintegrate.jsonrpc.transactions import RequestTransaction
from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.jsonrpc.caller import Caller, calls, method
from tests.support.helpers import TRANSACTIONS

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

ZOPE = "djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"


def names() -> list[str]:
    with transaction.manager:
        return sorted(Person.objects.values_list("name", flat=True))


def test_what_a_call_wrote_with_both_orms_is_committed(service: Caller) -> None:
    service.result("people.add", "django")
    service.result("people.add", "storm")
    assert names() == ["django", "storm"]


@pytest.mark.parametrize("then", ["fail", "crash"])
@pytest.mark.parametrize("name", ["django", "storm"])
def test_an_error_undoes_the_call_though_its_status_is_200(name: str, then: str, service: Caller) -> None:
    assert service.error("people.add", name, then)["code"] in (7, -32603)
    assert service.response.status_code == 200
    assert names() == []


def test_each_call_of_a_batch_is_a_savepoint(service: Caller) -> None:
    answers = service([
        *calls("a", "storm b"), *calls("c", "storm d", then="crash"), *calls("e"), *calls("storm f", then="fail"),
        {"jsonrpc": "2.0", "method": "people.add", "params": ["quiet"]},
        {"jsonrpc": "2.0", "method": "people.add", "params": ["undone", "fail"]},
        *calls("a"), *calls("storm g"),
    ])  # fmt: skip
    assert [each["id"] for each in answers if "result" in each] == ["a", "storm b", "e", "storm g"]
    assert answers[-1]["result"] == 5  # with the notification's
    assert names() == ["a", "e", "quiet", "storm b", "storm g"]


def test_a_broken_statement_in_a_batch_leaves_the_others(service: Caller) -> None:
    answers = service(calls("a", "a", "b"))
    assert ["result" in each for each in answers] == [True, False, True]
    assert names() == ["a", "b"]


def test_a_notification_that_fails_is_undone_and_logged(service: Caller, caplog: pytest.LogCaptureFixture) -> None:
    for then in ("fail", "crash"):
        assert service({"jsonrpc": "2.0", "method": "people.add", "params": ["a", then]}) is None
    assert names() == []
    assert [record.levelname for record in caplog.records if record.name == "djintegrate.jsonrpc"] == [
        "WARNING",
        "ERROR",
    ]


def test_a_result_that_is_no_json_undoes_the_call(service: Caller) -> None:
    def bad(request: Any) -> Any:
        Person.objects.create(name="a")
        return object()

    with method(bad):
        assert service.error("bad")["code"] == -32603
    assert names() == []


def test_a_query_that_is_a_result_runs_within_the_transaction(service: Caller) -> None:
    service.result("people.add", "a")
    assert service.result("people.names") == ["a"]


def test_a_retryable_error_is_tried_again_with_the_request_and_only_then_answered(rpc: Caller, settings: Any) -> None:
    from transaction.interfaces import TransientError

    tried: list[int] = []

    def flaky(request: Any, good_at: int) -> int:
        Person.objects.create(name=f"try {len(tried)}")
        tried.append(1)
        if len(tried) < good_at:
            raise TransientError
        return len(tried)

    settings.STORM_RETRY_ATTEMPTS = 3
    settings.MIDDLEWARE = [ZOPE]
    with method(flaky):
        assert rpc.result("flaky", 3) == 3
        assert names() == ["try 2"]
        Person.objects.all().delete()
        tried.clear()
        assert rpc.error("flaky", 9)["code"] == -32603
        assert len(tried) == 3
        assert names() == []
        tried.clear()
        batch = [{"jsonrpc": "2.0", "method": "flaky", "params": [2], "id": 1}, *calls("a")]
        assert [each["result"] for each in rpc(batch)] == [2, 2]
        assert names() == ["a", "try 1"]


def test_a_commit_that_fails_is_an_answer(alone: Caller) -> None:

    class Refuses:
        transaction_manager = transaction.manager

        def sortKey(self) -> str:
            return "spy"

        def _nothing(self, txn: Any) -> None:
            pass

        abort = tpc_begin = commit = tpc_finish = tpc_abort = _nothing

        def tpc_vote(self, txn: Any) -> None:
            raise RuntimeError("refused")

    def refused(request: Any) -> None:
        Person.objects.create(name="a")
        transaction.get().join(Refuses())

    with method(refused):
        assert alone.error("refused")["code"] == -32603
        answers = alone([{"jsonrpc": "2.0", "method": "refused", "id": 1}, *calls("b"), 5])
    assert [each["error"]["code"] for each in answers] == [-32603, -32603, -32600]
    assert names() == []


def test_a_transaction_that_somebody_began_is_left_to_them(alone: Caller) -> None:
    with transaction.manager:
        alone.result("people.add", "a")
        transaction.doom()
        transaction.abort()
    assert names() == []
    transaction.begin()
    alone.error("people.add", "a", "fail")
    assert transaction.isDoomed()
    transaction.abort()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
    transaction.abort()


def test_a_transaction_that_was_only_asked_for_is_nobodys(alone: Caller) -> None:
    transaction.get()
    alone.error("people.add", "a", "fail")
    assert names() == []


def test_with_atomic_requests_an_error_undoes_the_request(alone: Caller) -> None:
    connection = connections["default"]
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        alone.result("people.add", "a")
        alone.error("people.add", "b", "fail")
        alone([*calls("c"), *calls("d", then="fail"), *calls("storm e"), *calls("storm f", then="crash")])
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert names() == ["a", "c", "storm e"]


# Django's native backends


def native_names(connection: Any) -> list[str]:
    return sorted(Person.objects.using("native").values_list("name", flat=True))


def test_a_native_connection_that_nobody_asks_is_left_alone(native: Any) -> None:
    native.close()
    with RequestTransaction() as work:
        assert connections["native"] is not native
        with work.savepoint():
            assert connections["native"] is not native
    assert connections["native"] is native
    assert native.connection is None


@pytest.mark.parametrize("first", ["a statement", "a block", "on_commit", "a question"])
def test_whatever_comes_first_finds_a_block_of_a_native_connection(first: str, native: Any) -> None:
    from django.db import transaction as django

    ran: list[int] = []
    with pytest.raises(ZeroDivisionError), RequestTransaction():
        if first == "a block":
            with django.atomic(using="native"):
                Person.objects.using("native").create(name="a")
        elif first == "on_commit":
            django.on_commit(lambda: ran.append(1), using="native")
        elif first == "a question":
            assert not django.get_autocommit(using="native")
        Person.objects.using("native").create(name="b")
        assert connections["native"] is native
        assert native.in_atomic_block
        raise ZeroDivisionError
    assert native_names(native) == []
    assert ran == []
    assert not native.in_atomic_block


def test_a_native_connections_work_is_committed_doomed_and_taken_back_to_savepoints(native: Any) -> None:
    people = Person.objects.using("native")
    with RequestTransaction():
        people.create(name="a")
    with RequestTransaction() as work:
        people.create(name="b")
        work.doom()
    with RequestTransaction() as work:
        with pytest.raises(ZeroDivisionError), work.savepoint():
            people.create(name="c")
            raise ZeroDivisionError
        with work.savepoint():
            people.create(name="d")
        with work.savepoint():
            pass
    assert native_names(native) == ["a", "d"]


def test_a_native_connections_own_block_is_doomed_not_ended(native: Any) -> None:
    from django.db import transaction as django

    people = Person.objects.using("native")
    with django.atomic(using="native"):
        people.create(name="a")
        with RequestTransaction() as work:
            people.create(name="b")
            work.doom()
        assert native.needs_rollback
    assert native_names(native) == []


# Stores that are no database of Django's


@pytest.mark.parametrize("where", ["beside the engine's", "alone"])
def test_what_a_call_wrote_to_a_plain_store_is_committed_or_undone(
    where: str, alone: Caller, plain: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def store(request: Any, name: str, then: str = "") -> str:
        get_store("plain").add(StormPerson(name))
        if then:
            raise RuntimeError(then)
        return "ok"

    if where == "alone":
        # As on a site whose databases are on Django's native backends, of which the call uses none.
        monkeypatch.setattr(transactions, "connections", {})
    with method(store):
        assert alone.result("store", "a") == "ok"
        assert alone.error("store", "b", "crash")["code"] == -32603
        batch = [("c",), ("d", "crash"), ("e",)]
        alone([{"jsonrpc": "2.0", "method": "store", "params": each, "id": 1} for each in batch])
    with transaction.manager:
        assert sorted(get_store("plain").find(StormPerson).values(StormPerson.name)) == ["a", "c", "e"]
