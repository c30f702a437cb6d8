"""Sixteen stores on two servers: one transaction over all, patches for all, and one server down."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import transaction
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.utils import ConnectionHandler
from storm.locals import Int, Unicode

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.management.commands import storm_indoubt, storm_schema
from djintegrate.storm_backend.stores.registry import connections_of_all_stores
from djintegrate.storm_backend.transactions.thread import current
from djintegrate.storm_backend.two_phase import branches, decision_log
from djintegrate.storm_backend.two_phase.recovery import survey
from tests.support.helpers import TRANSACTIONS, Oops, beside_pooler, joined
from tests.support.helpers import Spy as SpyOf
from tests.support.two_phase import transaction_name
from tools.servers import Server, ServerUnavailable, running

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [
    *TRANSACTIONS,
    pytest.mark.usefixtures("unguarded"),
    beside_pooler("servers are stopped, which is what proofs.crash does"),
]

COMMANDS = {"storm_schema": storm_schema, "storm_indoubt": storm_indoubt}
NUMBER = 16
NAMES = [f"shard{number:02}" for number in range(NUMBER)]
HERE, THERE = NAMES[::2], NAMES[1::2]
SCHEMA = """
CREATES = ["CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)"]
DROPS = ["DROP TABLE account"]
DELETES = ["DELETE FROM account"]
"""


class Account:
    __storm_table__ = "account"
    id = Int(primary=True)
    name = Unicode()

    def __init__(self, number: int, name: str) -> None:
        self.id, self.name = number, name


def shard_of(key: int) -> str:
    return NAMES[key % NUMBER]


@pytest.fixture(scope="module")
def other_server(db_kind: str, server: Server | None) -> Iterator[Server]:
    if db_kind != "postgres" or server is None or connections["default"].Database.__name__ != "psycopg":
        pytest.skip("Wants two PostgreSQL servers of the tests' own: part of the run with psycopg 3.")
    try:
        with running("postgres", durable=False) as other:
            yield other
    except ServerUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema of every shard, with one patch."""
    folder = tmp_path_factory.mktemp("schema")
    (folder / "shard_schema").mkdir()
    (folder / "shard_schema" / "__init__.py").write_text(SCHEMA)
    (folder / "shard_schema" / "patch_1.py").write_text("def apply(store):\n    pass\n")
    sys.path.insert(0, str(folder))
    yield "shard_schema"
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.startswith("shard_schema")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def databases(server: Server, other_server: Server, django_db_blocker: Any) -> Iterator[None]:
    """Eight on each server."""
    handler = ConnectionHandler({"default": server.django("postgres"), "other": other_server.django("postgres")})

    def on_each(statement: str) -> None:
        for alias, names in (("default", HERE), ("other", THERE)):
            with django_db_blocker.unblock(), closing(handler[alias]), handler[alias].cursor() as cursor:
                for name in names:
                    cursor.execute(statement.format(name))

    on_each("CREATE DATABASE {}")
    yield
    on_each("DROP DATABASE {} WITH (FORCE)")


@pytest.fixture
def shards(server: Server, other_server: Server, databases: None, package: str, settings: Any) -> Iterator[None]:
    """Sixteen stores with their schema, which is empty."""
    entries = {}
    for name in NAMES:
        uri = f"{(server if name in HERE else other_server).uri(name)}?connect_timeout=3"
        entries[name] = {"URI": uri, "TWO_PHASE": True, "SCHEMA": package}
    # Without the file `plain`: as long as it is not there, what it may have recorded is not known.
    settings.STORM_STORES = {**{name: settings.STORM_STORES[name] for name in ("main", "second")}, **entries}
    run("storm_schema", "apply", all_stores=True, verbosity=0)
    yield
    transaction.abort()
    on_all("DELETE FROM account")
    let_go()


def let_go() -> None:
    """Of what this thread has open to the shards."""
    transaction.abort()
    for alias, connection in list(current().connections.items()):
        if alias.startswith("store shard"):
            if connection.store is not None:
                connection.store.close()
            current().connections.pop(alias, None)


def on_all(statement: str) -> None:
    with transaction.manager:
        for name in NAMES:
            get_store(name).execute(statement, noresult=True)


def run(command: str, *arguments: str, **options: Any) -> str:
    """What a command says, on both streams and in its error."""
    out = io.StringIO()
    try:
        call_command(COMMANDS[command].Command(), *arguments, stdout=out, stderr=out, no_color=True, **options)
    except SystemExit:
        pass
    except CommandError as error:
        return f"{out.getvalue()}{error}"
    return out.getvalue()


def write(names: list[str], number: int, name: str = "ann") -> None:
    for shard in names:
        get_store(shard).add(Account(number, f"{name} {number}"))


def having(number: int, names: list[str] = NAMES) -> list[str]:
    found = [name for name in names if get_store(name).find(Account, id=number).count()]
    transaction.abort()
    return found


@pytest.mark.usefixtures("shards")
class TestOneTransaction:
    def test_over_all_of_them_is_committed_in_all_or_in_none(self) -> None:
        with transaction.manager:
            write(NAMES, 1)
        with pytest.raises(Oops), transaction.manager:
            write(NAMES, 2)
            raise Oops
        assert having(1) == NAMES
        assert having(2) == []

    def test_that_one_of_them_refuses_is_in_none(self) -> None:
        with transaction.manager:
            get_store(NAMES[11]).add(Account(99, "ann 3"))
        with pytest.raises(Exception, match="duplicate"), transaction.manager:
            write(NAMES, 3)
        transaction.abort()
        assert having(3) == []

    def test_that_somebody_refuses_in_the_end_is_in_none(self) -> None:
        with pytest.raises(Oops), transaction.manager:
            write(NAMES, 4)
            joined(SpyOf("tpc_vote", sort_key="~~~"))
        transaction.abort()
        assert having(4) == []
        with survey(connections_of_all_stores()) as found:
            assert found.doubts() == []

    def test_prepares_in_the_order_of_their_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        order: list[str] = []
        prepare = branches.Branch.prepare

        def noted(branch: branches.Branch) -> None:
            order.append(branch.xid.branch.partition(":")[0])
            prepare(branch)

        monkeypatch.setattr(branches.Branch, "prepare", noted)
        with transaction.manager:
            write(NAMES[::-1], 5)
        # The last one commits with the record of the decision.
        assert order == NAMES[:-1]

    def test_touches_the_shard_of_a_key_alone(self) -> None:
        with transaction.manager:
            get_store(shard_of(21)).add(Account(21, "bob"))
        assert having(21) == [NAMES[5]]


@pytest.mark.usefixtures("shards")
class TestCommands:
    def test_schema_tells_how_far_it_is(self, package: str) -> None:
        folder = Path(sys.modules[package].__file__ or "").parent
        patch = folder / "patch_2.py"
        patch.write_text("def apply(store):\n    store.execute('ALTER TABLE account ADD COLUMN age INTEGER')\n")
        try:
            said = run("storm_schema", "apply", all_stores=True).splitlines()
            assert said == [f"[{number}/{NUMBER}] {name}: Applied patch 2." for number, name in enumerate(NAMES, 1)]
            said_again = run("storm_schema", "status", all_stores=True, check=True)
            assert said_again.count("[X] 2") == NUMBER
        finally:
            patch.unlink()
            on_all("ALTER TABLE account DROP COLUMN age")
            on_all("DELETE FROM patch WHERE version = 2")

    def test_schema_goes_on_past_a_server_that_is_down_and_names_its_shards(self, other_server: Server) -> None:
        let_go()
        other_server.stop()
        try:
            said = run("storm_schema", "apply", all_stores=True)
        finally:
            other_server.start()
        assert f"[1/{NUMBER}] {NAMES[0]}: Nothing to apply." in said
        assert f"[{NUMBER}/{NUMBER}] {NAMES[-1]}: failed." in said
        assert "8 of 16 stores failed, the others are done:" in said
        for name in THERE:
            assert f"(the store {name!r})" in said
        for name in HERE:
            assert f"{name}: Nothing to apply." in said
        assert run("storm_schema", "apply", all_stores=True).count("Nothing to apply.") == NUMBER

    @pytest.mark.parametrize(
        ("arguments", "options", "said"),
        [
            (["apply"], {}, "Say which store, or --all-stores."),
            (["apply", NAMES[0]], {"all_stores": True}, "Say which store, or --all-stores."),
            (["drop"], {"all_stores": True}, "one store at a time"),
        ],
    )
    def test_schema_wants_to_know_which(self, arguments: list[str], options: dict[str, Any], said: str) -> None:
        assert said in run("storm_schema", *arguments, **options)

    def test_indoubt_ends_what_is_prepared_in_all_and_tells_of_each(self) -> None:
        left, kept = transaction_name(), transaction_name()
        for name in NAMES:
            _leave(name, left, 31)
        for name in NAMES[:-1]:
            _leave(name, kept, 32)
        other = connections_of_all_stores()[NAMES[-1]]
        decision_log.record(other, NAMES[-1], kept)
        other.cursor().execute("INSERT INTO account VALUES (32, 'left 32')")
        other.close()
        said = run("storm_indoubt", all_stores=True, all=True)
        for number, name in enumerate(sorted(connections_of_all_stores()), start=1):
            if name in NAMES:
                expected = 1 if name == NAMES[-1] else 2
                assert f"{name}: {expected} prepared" in said, number
        assert "2 transactions ended." in said
        assert having(31) == []
        assert having(32) == NAMES

    def test_indoubt_names_the_shards_that_cannot_be_asked(self, other_server: Server) -> None:
        let_go()
        other_server.stop()
        try:
            said = run("storm_indoubt", all_stores=True)
        finally:
            other_server.start()
        for name in THERE:
            assert f"{name}: cannot be reached" in said
            assert f"The store {name!r} cannot be reached" in said


@pytest.mark.usefixtures("shards")
class TestOneServerDown:
    def test_the_others_work_and_the_error_names_the_shard(self, other_server: Server) -> None:
        let_go()
        other_server.stop()
        try:
            with transaction.manager:
                write(HERE, 41)
            assert having(41, HERE) == HERE
            with pytest.raises(Exception, match=rf"\(the store {THERE[3]!r}\)"), transaction.manager:
                write([HERE[0]], 42)
                get_store(THERE[3]).find(Account).count()
            transaction.abort()
        finally:
            other_server.start()
        with transaction.manager:
            write(NAMES, 43)
        assert having(43) == NAMES
        assert having(42) == []

    @pytest.mark.parametrize("by", ["Storm", "Django"])
    def test_one_that_is_lost_in_the_middle_is_named(self, other_server: Server, by: str) -> None:
        with pytest.raises(Exception, match=rf"\(the store {THERE[2]!r}\)"), transaction.manager:
            write([HERE[1], THERE[2]], 51)
            get_store(THERE[2]).flush()
            other_server.kill()
            other_server.start()
            if by == "Storm":
                get_store(THERE[2]).find(Account).count()
            else:
                connections[f"store {THERE[2]}"].cursor().execute("SELECT 1")
        transaction.abort()
        let_go()
        assert having(51) == []


def _leave(name: str, gtrid: str, number: int) -> None:
    """What a crash leaves: a prepared branch that has added an account."""
    other = connections_of_all_stores()[name]
    other.set_autocommit(False)
    branch = branches.branch(other, branches.Xid(gtrid, branches.branch_of(name, other)))
    branch.begin()
    branches.run(other, f"INSERT INTO account VALUES ({number}, 'left {number}')")
    branch.prepare()
    other.close()
