"""Two-phase commit: when stores prepare, and that they commit all or none, whatever fails in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import transaction
from django.core.management import call_command
from django.db import Error, OperationalError, connection, connections
from django.db.transaction import atomic, on_commit

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.management.commands import storm_indoubt
from djintegrate.storm_backend.stores.registry import connections_of_all_stores
from djintegrate.storm_backend.two_phase import branches
from djintegrate.storm_backend.two_phase import decision_log as decisions
from djintegrate.storm_backend.two_phase import recovery as indoubt
from tests.settings import uri
from tests.support.faults import backend, end_connection
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    beside_pooler,
    django_add,
    django_names,
    is_mariadb,
    is_postgres,
    joined,
    storm_add,
    storm_insert,
    storm_names,
)
from tests.support.two_phase import names_in_both, prepared, records
from tests.support.two_phase import two_phase as two_phase

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("two_phase")]

LATE = "~~~"


def write_both(name: str = "ann") -> None:
    django_add(name)
    storm_add(name, "second")


def late(fails_at: str | None = None, **watch: Callable[[], Any]) -> Spy:
    """Somebody who votes after all stores, so that each of them has to prepare."""
    spy = joined(Spy(fails_at, sort_key=LATE))
    spy.watch.update(watch)
    return spy


class TestAllOrNone:
    def test_both_are_committed(self, outside: Outside) -> None:
        with transaction.manager:
            write_both()
        assert names_in_both(outside) == (["ann"], ["ann"])

    def test_both_are_prepared_when_others_vote_and_not_visible(self, outside: Outside) -> None:
        with transaction.manager:
            write_both()
            spy = late(tpc_vote=lambda: (prepared(), *names_in_both(outside)))
        assert spy.seen["tpc_vote"] == (["main", "second"], [], [])
        assert names_in_both(outside) == (["ann"], ["ann"])

    def test_one_that_refuses_after_them_rolls_both_back(self, outside: Outside) -> None:
        with pytest.raises(Oops), transaction.manager:
            write_both()
            late("tpc_vote")
        assert names_in_both(outside) == ([], [])

    def test_one_that_fails_before_any_has_committed_rolls_both_back(self, outside: Outside) -> None:
        with pytest.raises(Oops), transaction.manager:
            write_both()
            joined(Spy("tpc_finish", sort_key="a"))
            late()
        assert names_in_both(outside) == ([], [])

    def test_one_that_fails_after_the_decision_is_too_late(self, outside: Outside) -> None:
        with pytest.raises(Oops), transaction.manager:
            write_both()
            joined(Spy("tpc_finish", sort_key="a"))
        assert names_in_both(outside) == (["ann"], ["ann"])

    def test_an_aborted_or_doomed_one_leaves_nothing(self, outside: Outside) -> None:
        with pytest.raises(transaction.interfaces.DoomedTransaction), transaction.manager:
            write_both()
            transaction.doom()
        transaction.abort()
        with pytest.raises(Oops), transaction.manager:
            write_both()
            raise Oops
        assert names_in_both(outside) == ([], [])

    def test_a_store_that_cannot_prepare_makes_the_other_roll_back(self, outside: Outside) -> None:
        if is_mariadb():
            pytest.skip("What PostgreSQL refuses to prepare, a temporary table, MariaDB does not mind.")
        with pytest.raises(Error, match=r"'main' cannot prepare .* temporary"), transaction.manager:
            django_add("ann", using="second")
            with connection.cursor() as cursor:
                cursor.execute("CREATE TEMPORARY TABLE of_this_transaction (id INTEGER)")
            django_add("ann")
            late()
        transaction.abort()
        assert names_in_both(outside) == ([], [])
        with transaction.manager:
            write_both("next")
        assert names_in_both(outside) == (["next"], ["next"])

    def test_the_next_transactions_of_the_thread_work(self, outside: Outside) -> None:
        for number in range(5):
            with transaction.manager:
                write_both(f"ann {number}")
                late()
        assert len(outside.names()) == len(outside.names("second")) == 5


class TestDjango:
    def test_blocks_inside_are_savepoints(self, outside: Outside) -> None:
        with transaction.manager:
            write_both("kept")
            with pytest.raises(Oops), atomic(), atomic(using="second"):
                write_both("lost")
                get_store("second").flush()
                raise Oops
            savepoint = transaction.savepoint()
            write_both("lost too")
            savepoint.rollback()
            late()
        assert names_in_both(outside) == (["kept"], ["kept"])

    def test_an_outermost_block_commits_both(self, outside: Outside) -> None:
        with atomic():
            write_both()
            late()
        assert names_in_both(outside) == (["ann"], ["ann"])

    def test_an_inner_block_on_another_database_ends_alone(self, outside: Outside) -> None:
        with pytest.raises(Oops), atomic():
            django_add("outer")
            with atomic(using="second"):
                django_add("inner", using="second")
            raise Oops
        assert names_in_both(outside) == ([], ["inner"])

    def test_manual_mode(self, outside: Outside) -> None:
        connection.set_autocommit(False)
        write_both()
        connection.commit()
        write_both("lost")
        connection.rollback()
        connection.set_autocommit(True)
        assert names_in_both(outside) == (["ann"], ["ann"])

    def test_on_commit_runs_when_both_are_committed(self, outside: Outside) -> None:
        seen = []
        with transaction.manager:
            write_both()
            late()
            on_commit(lambda: seen.append(names_in_both(outside)))
            on_commit(lambda: seen.append(names_in_both(outside)), using="second")
        assert seen == [(["ann"], ["ann"])] * 2

    def test_tables_can_be_made_where_nothing_was_written_before(self) -> None:
        with atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TABLE made_in_a_block (id INTEGER)")
        with atomic(), connection.cursor() as cursor:
            cursor.execute("DROP TABLE made_in_a_block")

    def test_mariadb_refuses_a_table_that_would_commit_half(self, outside: Outside) -> None:
        if is_postgres():
            pytest.skip("PostgreSQL makes tables in transactions.")
        with pytest.raises(OperationalError, match="XAER_RMFAIL"), transaction.manager:
            write_both()
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE made_in_a_block (id INTEGER)")
        assert names_in_both(outside) == ([], [])


class TestCost:
    @pytest.fixture
    def steps(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What is done in two phases: who prepares, and who records."""
        steps: list[str] = []
        prepare, record = branches.Branch.prepare, decisions.record

        def noted_prepare(branch: branches.Branch) -> None:
            steps.append(f"prepare {branch.xid.branch.partition(':')[0]}")
            prepare(branch)

        def noted_record(wrapper: Any, store: str, name: str) -> None:
            steps.append(f"record {store}")
            record(wrapper, store, name)

        monkeypatch.setattr(branches.Branch, "prepare", noted_prepare)
        monkeypatch.setattr(decisions, "record", noted_record)
        return steps

    def test_one_store_commits_in_one_phase(self, steps: list[str], outside: Outside) -> None:
        with transaction.manager:
            django_add("ann")
            joined(Spy())
        with atomic():
            storm_insert("bob")
        assert outside.names() == ["ann", "bob"]
        assert steps == []

    def test_the_last_of_two_commits_at_once_with_the_record(self, steps: list[str]) -> None:
        with transaction.manager:
            write_both()
        assert steps == ["prepare main", "record second"]

    def test_one_that_only_read_is_not_prepared(self, steps: list[str], outside: Outside) -> None:
        with transaction.manager:
            django_names("second")
            django_add("ann")
        assert outside.names() == ["ann"]
        if is_postgres():
            assert steps == []
        else:
            # MariaDB does not tell whether a function that a SELECT calls has written.
            assert steps == ["prepare second", "record main"]

    @beside_pooler("what is in pg_temp is a session's")
    def test_a_function_that_writes_is_no_reading(self, steps: list[str], outside: Outside) -> None:
        if is_mariadb():
            pytest.skip("MariaDB does not tell, so it is always prepared.")
        connections["second"].cursor().execute(
            "CREATE FUNCTION pg_temp.add(text) RETURNS void LANGUAGE sql "
            "AS 'INSERT INTO people_person (name) VALUES ($1)'"
        )
        with transaction.manager:
            connections["second"].cursor().execute("SELECT pg_temp.add('cid')")
            late()
            django_add("ann")
        assert "prepare second" in steps
        assert names_in_both(outside) == (["ann"], ["cid"])

    def test_records_that_are_no_longer_needed_go(self, outside: Outside) -> None:
        for number in range(3 * decisions.FORGOTTEN_TOGETHER):
            with transaction.manager:
                write_both(f"ann {number}")
        assert 0 < len(records("second")) <= 2 * decisions.FORGOTTEN_TOGETHER
        assert records("main") == {}


class TestAOnePhaseStoreBesideThem:
    def test_it_commits_last_and_has_the_record(self, plain: None, outside: Outside) -> None:
        with transaction.manager:
            write_both()
            storm_add("ann", "plain")
            joined(spy := Spy(sort_key="~a"))
            spy.watch["tpc_vote"] = prepared
        assert spy.seen["tpc_vote"] == ["main", "second"]
        assert names_in_both(outside) == (["ann"], ["ann"])
        found = get_store("plain").execute(f"SELECT committed FROM {decisions.TABLE}").get_all()
        transaction.abort()
        assert len(found) >= 1

    def test_its_refusal_rolls_the_others_back(self, plain: None, outside: Outside) -> None:
        with transaction.manager:
            storm_add("ann", "plain")
        with pytest.raises(Exception, match=r"(?i)unique"), transaction.manager:
            write_both()
            storm_add("ann", "plain")
        transaction.abort()
        assert names_in_both(outside) == ([], [])

    def test_no_warning_of_one_phase_stores_is_given(self, plain: None, caplog: pytest.LogCaptureFixture) -> None:
        with transaction.manager:
            write_both()
            storm_add("ann", "plain")
        assert not caplog.records


@beside_pooler("a session that has ended is replaced, mostly without a word: proofs.crash has such crashes")
class TestLostConnections:
    @pytest.mark.parametrize("alias", ["default", "second"])
    def test_one_lost_between_prepare_and_commit_is_committed_on_another(self, alias: str, outside: Outside) -> None:
        ran: list[int] = []
        with transaction.manager:
            write_both()
            on_commit(lambda: ran.append(1), using=alias)
            number = backend_of(alias)
            late(tpc_vote=lambda: end(alias, number))
        assert names_in_both(outside) == (["ann"], ["ann"])
        assert ran == [1]
        with transaction.manager:
            write_both("next")
        assert outside.names() == ["ann", "next"]

    @pytest.mark.parametrize("alias", ["default", "second"])
    def test_one_lost_between_prepare_and_abort_is_rolled_back_on_another(self, alias: str, outside: Outside) -> None:
        with pytest.raises(Oops), transaction.manager:
            write_both()
            number = backend_of(alias)
            late("tpc_vote", tpc_vote=lambda: end(alias, number))
        transaction.abort()
        assert prepared() == []
        assert names_in_both(outside) == ([], [])

    def test_one_lost_in_an_atomic_block_of_the_user(self, outside: Outside) -> None:
        with atomic():
            write_both()
            number = backend_of("default")
            late(tpc_vote=lambda: end("default", number))
        assert names_in_both(outside) == (["ann"], ["ann"])

    def test_one_lost_before_the_decision_leaves_nothing(
        self, outside: Outside, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = decisions.record

        def lost_after_record(wrapper: Any, store: str, name: str) -> None:
            number = backend_of("second")
            record(wrapper, store, name)
            end("second", number)

        monkeypatch.setattr(decisions, "record", lost_after_record)
        with pytest.raises(Exception, match=r"(?i)connection|server|gone"), transaction.manager:
            write_both()
        transaction.abort()
        assert names_in_both(outside) == ([], [])
        assert list(records("second").values()) == [False]

    def test_one_lost_after_the_decision_was_sent_counts_as_committed(
        self, outside: Outside, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        end_branch, numbers = branches.Branch.end, []

        def lost_after_commit(branch: branches.Branch, commit: bool) -> None:
            end_branch(branch, commit)
            if commit and branch.xid.branch.startswith("second"):
                branch.ended = False
                end("second", numbers[0])
                raise OperationalError("the answer was lost")

        monkeypatch.setattr(branches.Branch, "end", lost_after_commit)
        with transaction.manager:
            write_both()
            numbers.append(backend_of("second"))
        monkeypatch.undo()
        assert names_in_both(outside) == (["ann"], ["ann"])

    def test_what_cannot_be_ended_stays_in_doubt_and_is_logged_and_the_others_commit(
        self, outside: Outside, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        real = decisions.another

        def unreachable(wrapper: Any) -> Any:
            if wrapper.alias == "default":
                raise OperationalError("no route to host")
            return real(wrapper)

        monkeypatch.setattr(decisions, "another", unreachable)
        with transaction.manager:
            write_both()
            number = backend_of("default")
            late(tpc_vote=lambda: end("default", number))
        assert prepared() == ["main"]
        assert names_in_both(outside) == ([], ["ann"])
        assert [record.levelname for record in caplog.records] == ["CRITICAL"]
        for said in ("'main'", "to be committed", "no route to host", "manage.py storm_indoubt --all"):
            assert said in caplog.text
        monkeypatch.undo()
        (name,) = records("second")
        assert name in caplog.text
        call_command(storm_indoubt.Command(), all=True, older_than=0)
        assert names_in_both(outside) == (["ann"], ["ann"])


class TestPlainStores:
    @pytest.fixture(autouse=True)
    def vault(self, two_phase: None, settings: Any) -> Iterator[None]:
        """A plain store that is TWO_PHASE, in a database that no alias names."""
        settings.STORM_STORES = {**settings.STORM_STORES, "vault": {"URI": uri("test"), "TWO_PHASE": True}}
        store = get_store("vault")
        store.execute(
            "CREATE TABLE people_person (id SERIAL PRIMARY KEY, name VARCHAR(100) UNIQUE NOT NULL)", noresult=True
        )
        transaction.commit()
        yield
        transaction.abort()
        store.execute("DROP TABLE people_person", noresult=True)
        transaction.commit()
        store.execute(f"DROP TABLE IF EXISTS {decisions.TABLE}", noresult=True)
        transaction.commit()

        store.close()

    def write(self, name: str = "ann") -> None:
        django_add(name)
        storm_add(name, "vault")

    def in_vault(self) -> list[str]:
        transaction.abort()
        names = storm_names("vault")
        transaction.abort()
        return names

    def test_it_commits_with_a_shared_one(self, outside: Outside) -> None:
        with transaction.manager:
            self.write("last at once")
        with transaction.manager:
            self.write("all prepared")
            late()
        assert outside.names() == self.in_vault() == ["all prepared", "last at once"]

    def test_a_refusal_rolls_both_back(self, outside: Outside) -> None:
        with pytest.raises(Oops), transaction.manager:
            self.write()
            late("tpc_vote")
        assert outside.names() == self.in_vault() == []

    def test_a_connection_lost_between_prepare_and_commit_is_replaced(self, outside: Outside) -> None:
        with transaction.manager:
            self.write()
            number = get_store("vault").execute(
                "SELECT pg_backend_pid()" if is_postgres() else "SELECT connection_id()"
            ).get_one()[0]  # fmt: skip
            late(tpc_vote=lambda: end("vault", number))
        assert outside.names() == self.in_vault() == ["ann"]

    def test_a_savepoint_of_both_is_rolled_back(self, outside: Outside) -> None:
        with transaction.manager:
            self.write("kept")
            savepoint = transaction.savepoint()
            self.write("lost")
            savepoint.rollback()
            late()
        assert outside.names() == self.in_vault() == ["kept"]

    def test_storm_indoubt_asks_it_too(self, outside: Outside) -> None:
        with transaction.manager:
            self.write()
        with indoubt.survey(connections_of_all_stores()) as found:
            assert "vault" in [place.name for place in found.places]
            assert found.doubts() == []


def backend_of(alias: str) -> int:
    """What the server calls the connection of `alias`."""
    if alias == "default":
        return backend()
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()" if is_postgres() else "SELECT connection_id()")
        return int(cursor.fetchone()[0])


def end(alias: str, number: int) -> None:
    end_connection(number)
