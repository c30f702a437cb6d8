"""What a crash left prepared: what storm_indoubt says of it, and does with it, and what it never touches."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections

from djintegrate.storm_backend import conf
from djintegrate.storm_backend.management.commands import storm_indoubt
from djintegrate.storm_backend.stores.registry import connections_of_all_stores
from djintegrate.storm_backend.two_phase import branches
from djintegrate.storm_backend.two_phase import decision_log as decisions
from djintegrate.storm_backend.two_phase import recovery as indoubt
from tests.support.helpers import TRANSACTIONS, Outside, in_thread, is_mariadb, is_postgres
from tests.support.two_phase import leave_committed, leave_prepared, names_in_both, prepared, records, transaction_name
from tests.support.two_phase import two_phase as two_phase

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("two_phase")]

SOME_LEFT, FAILED = 1, 2


def run(**options: Any) -> tuple[str, int]:
    """What the command prints, on both streams, and its exit code."""
    out = io.StringIO()
    try:
        call_command(storm_indoubt.Command(), stdout=out, stderr=out, no_color=True, **options)
    except SystemExit as error:
        return out.getvalue(), int(error.code or 0)
    except CommandError as error:
        return out.getvalue() + str(error), error.returncode
    return out.getvalue(), 0


def row(text: str, name: str) -> list[str]:
    """The cells of the line about a transaction."""
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


class TestTheList:
    def test_nothing_in_doubt(self) -> None:
        assert run() == ("Nothing is in doubt.\n", 0)

    def test_one_whose_commit_is_recorded_should_be_committed(self) -> None:
        name = transaction_name(age=7200)
        leave_prepared(name, "main", "ann")
        leave_committed(name, "second", "ann")
        text, code = run()
        assert row(text, name) == [name, "2 h", "main", "committed", "'second' has recorded its commit."]
        assert code == SOME_LEFT
        assert "1 transaction in doubt" in text
        run(all=True)

    def test_one_whose_commit_is_not_recorded_should_be_rolled_back(self) -> None:
        name = transaction_name()
        leave_prepared(name, "main", "ann")
        leave_prepared(name, "second", "ann", record=True)
        text, code = run()
        assert row(text, name)[2:] == ["main, second", "rolled back", "No store has recorded its commit."]
        assert code == SOME_LEFT
        run(all=True)

    def test_it_changes_nothing(self, outside: Outside) -> None:
        name = transaction_name()
        leave_prepared(name, "main", "ann")
        run()
        assert prepared() == ["main"]
        assert records("main") == records("second") == {}
        run(all=True)

    def test_one_that_may_be_at_its_commit_is_left_alone(self) -> None:
        name = transaction_name(age=20)
        leave_prepared(name, "main", "ann")
        text, code = run()
        assert row(text, name)[3] == "left alone"
        assert code == 0
        for options in ({"all": True}, {"rollback": name}):
            run(**options)
            assert prepared() == ["main"]
        assert run(all=True, older_than=10)[1] == 0
        assert prepared() == []

    def test_while_a_store_cannot_be_asked_nothing_is_presumed(self, settings: Any, outside: Outside) -> None:
        name = transaction_name()
        leave_prepared(name, "main", "ann")
        stores = settings.STORM_STORES
        settings.STORM_SITE = conf.site()
        settings.STORM_STORES = {**stores, "gone": "postgres://nobody@127.0.0.1:1/gone?connect_timeout=2"}
        if is_mariadb():
            settings.STORM_STORES = {**stores, "gone": "mysql://nobody@127.0.0.1:1/gone"}
        text, code = run()
        assert row(text, name)[3:] == ["unknown", "'gone' cannot be asked."]
        assert "'gone' cannot be reached" in text
        assert code == FAILED
        assert run(all=True)[1] == FAILED
        assert run(rollback=name)[1] == FAILED
        assert prepared() == ["main"]
        assert run(rollback=name, force=True)[1] == 0
        settings.STORM_STORES = stores
        assert prepared() == []
        assert outside.names() == []

    def test_nor_while_a_file_that_may_hold_the_decision_is_not_there(self, settings: Any, tmp_path: Path) -> None:
        settings.STORM_SITE = conf.site()
        stores, file = settings.STORM_STORES, tmp_path / "not-mounted.sqlite3"
        settings.STORM_STORES = {**stores, "file": f"sqlite:{file}"}
        assert run() == ("Nothing is in doubt.\n", 0)
        name = transaction_name()
        leave_prepared(name, "main", "ann")
        text, code = run(all=True)
        assert "'file' cannot be asked" in text
        assert code == FAILED
        assert str(file) in run()[0]
        assert not file.exists()
        assert prepared() == ["main"]
        file.touch()
        assert run(all=True) == (f"{name}  rolled back in main\n1 transaction ended.\n", 0)
        settings.STORM_STORES = stores
        assert prepared() == []

    def test_what_is_recorded_counts_even_then(self, settings: Any, outside: Outside) -> None:
        name = transaction_name()
        leave_prepared(name, "main", "ann")
        leave_committed(name, "second", "ann")
        settings.STORM_SITE = conf.site()
        scheme = "mysql" if is_mariadb() else "postgres"
        stores = settings.STORM_STORES
        settings.STORM_STORES = {**stores, "gone": f"{scheme}://nobody@127.0.0.1:1/gone"}
        assert run(all=True)[1] == FAILED
        settings.STORM_STORES = stores
        assert names_in_both(outside) == (["ann"], ["ann"])


class TestEnding:
    def test_all_commits_what_is_recorded(self, outside: Outside) -> None:
        name = transaction_name()
        leave_prepared(name, "main", "ann")
        leave_committed(name, "second", "ann")
        text, code = run(all=True)
        assert f"{name}  committed in main" in text
        assert code == 0
        assert names_in_both(outside) == (["ann"], ["ann"])

    @pytest.mark.parametrize("stores", [["main"], ["second"], ["main", "second"]])
    @pytest.mark.parametrize("record", [False, True])
    def test_all_rolls_back_what_is_not(self, stores: list[str], record: bool, outside: Outside) -> None:
        name = transaction_name()
        for store in stores:
            leave_prepared(name, store, "ann", record=record and store == stores[-1])
        text, code = run(all=True)
        assert f"{name}  rolled back in {', '.join(stores)}" in text
        assert code == 0
        assert prepared() == []
        assert names_in_both(outside) == ([], [])

    def test_a_process_that_is_alive_cannot_commit_what_was_rolled_back(self, outside: Outside) -> None:
        name = transaction_name()
        leave_prepared(name, "main", "ann")
        run(all=True)
        with pytest.raises(IntegrityError):
            leave_committed(name, "second", "ann")
        assert names_in_both(outside) == ([], [])

    def test_a_process_that_commits_meanwhile_is_followed(self, outside: Outside) -> None:
        name = transaction_name()
        leave_prepared(name, "main", "ann")
        with indoubt.survey(connections_of_all_stores()) as found:
            (doubt,) = found.doubts()
            assert doubt.verdict is indoubt.Verdict.ROLLBACK
            leave_committed(name, "second", "ann")
            assert found.end(doubt, commit=False) is True
        assert names_in_both(outside) == (["ann"], ["ann"])

    def test_one_that_is_just_being_committed_is_left_alone(self, outside: Outside) -> None:
        name = transaction_name()
        leave_prepared(name, "main", "ann")
        leave_committed(transaction_name(), "second", "bob")
        other = connections["second"].copy()
        other.set_autocommit(False)
        decisions.record(other, "second", name)
        text, code = in_thread(lambda: run(all=True))
        assert "committing it just now" in text
        assert code == FAILED
        other.commit()
        other.close()
        assert run(all=True)[1] == 0
        assert outside.names() == ["ann"]

    def test_one_by_its_name(self, outside: Outside) -> None:
        first, second = transaction_name(), transaction_name()
        leave_prepared(first, "main", "ann")
        leave_prepared(second, "main", "bob")
        leave_committed(second, "second", "bob")
        assert run(rollback=first)[1] == 0
        assert prepared() == ["main"]
        assert run(commit=second)[1] == 0
        assert names_in_both(outside) == (["bob"], ["bob"])

    @pytest.mark.parametrize("wish", ["commit", "rollback"])
    def test_against_the_record_only_by_force(self, wish: str, outside: Outside) -> None:
        name = transaction_name()
        leave_prepared(name, "main", "ann")
        if wish == "rollback":
            leave_committed(name, "second", "ann")
        text, code = run(**{wish: name})
        assert "--force" in text
        assert code == FAILED
        assert prepared() == ["main"]
        assert run(**{wish: name}, force=True)[1] == 0
        assert outside.names() == (["ann"] if wish == "commit" else [])

    @pytest.mark.parametrize("options", [{}, {"all": True}])
    def test_force_wants_the_name_of_one(self, options: dict[str, Any]) -> None:
        text, code = run(force=True, **options)
        assert "--force goes with --commit or --rollback" in text
        assert code == FAILED

    def test_a_name_that_is_not_there(self) -> None:
        text, code = run(commit="site:1:0123456789abcdef")
        assert "'site:1:0123456789abcdef'" in text
        assert code == FAILED

    def test_records_are_kept_as_long_as_anything_is_prepared(self) -> None:
        name, other = transaction_name(), transaction_name()
        leave_committed(name, "second", "ann")
        leave_committed(other, "second", "bob")
        leave_prepared(name, "main", "ann")
        with indoubt.survey(connections_of_all_stores()) as found:
            found.forget(older_than=60)
        assert records("second") == {name: True}
        run(all=True)
        run(all=True)
        assert records("second") == {}

    def test_a_refusal_is_kept_for_a_day(self) -> None:
        for age, kept in ((3600, {False}), (90000, set())):
            name = transaction_name(age=age)
            leave_prepared(name, "main", "ann")
            run(all=True)
            run(all=True)
            assert {value for key, value in records("second").items() if key == name} == kept


class TestOfOthers:
    @pytest.fixture
    def of_another_program(self) -> Iterator[None]:
        """A prepared transaction that has nothing to do with this project."""
        other = connections["default"].copy()
        statements = {
            True: ("BEGIN", "INSERT INTO people_person (name) VALUES ('x')", "PREPARE TRANSACTION 'another program'"),
            False: ("XA START 'x'", "INSERT INTO people_person (name) VALUES ('x')", "XA END 'x'", "XA PREPARE 'x'"),
        }[is_postgres()]
        for statement in statements:
            branches.run(other, statement)
        other.close()
        other = connections["default"].copy()
        yield
        # It is there still, or this fails.
        branches.run(other, "ROLLBACK PREPARED 'another program'" if is_postgres() else "XA ROLLBACK 'x'")
        other.close()

    def test_what_another_program_has_prepared_is_not_even_seen(self, of_another_program: None) -> None:
        assert run() == ("Nothing is in doubt.\n", 0)
        assert run(all=True)[1] == 0

    def test_what_another_site_has_prepared_is_named_and_left_alone(self) -> None:
        name = transaction_name(site="other-site")
        leave_prepared(name, "main", "ann")
        text, code = run(all=True)
        assert code == 0
        assert prepared() == ["main"]
        text, code = run()
        assert name in text
        assert "1 prepared transaction of other sites" in text
        assert code == 0
        assert run(rollback=name, force=True)[1] == FAILED
        other = connections["default"].copy()
        branches.end(other, branches.Xid(name, branches.branch_of("main", other)), commit=False)
        other.close()


def test_the_names_of_transactions_say_site_and_time() -> None:
    name = branches.new_transaction("our-site")
    assert branches.is_of_site(name, "our-site")
    assert not branches.is_of_site(name, "our")
    assert branches.begun_at(name) > 1_700_000_000
    assert len(name) <= 64
