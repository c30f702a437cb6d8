"""storm_indoubt beside a store that takes no writes, as a standby: it ends what it can, and says what it skipped."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from djintegrate.storm_backend.management.commands import storm_indoubt
from tests.support.helpers import TRANSACTIONS, Outside, beside_pooler, is_postgres, start_afresh
from tests.support.two_phase import leave_committed, leave_prepared, names_in_both, prepared, transaction_name
from tests.support.two_phase import two_phase as two_phase

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("two_phase")]


def run(**options: Any) -> str:
    """What the command says, on both streams and in its error."""
    out = io.StringIO()
    try:
        call_command(storm_indoubt.Command(), stdout=out, stderr=out, no_color=True, **options)
    except SystemExit:
        pass
    except CommandError as error:
        return out.getvalue() + str(error)
    return out.getvalue()


class ReadOnly:
    """Has every new connection to the database of `second` be read-only, and back."""

    def __init__(self, outside: Outside) -> None:
        self._outside, self._name = outside, connections["second"].settings_dict["NAME"]

    def on(self) -> None:
        start_afresh()
        self._outside.rows(f'ALTER DATABASE "{self._name}" SET default_transaction_read_only = on')

    def off(self) -> None:
        start_afresh()
        self._outside.rows(f'ALTER DATABASE "{self._name}" RESET default_transaction_read_only')


@pytest.fixture
def read_only(outside: Outside) -> Iterator[ReadOnly]:
    if not is_postgres():
        pytest.skip("MariaDB's read_only does not bind who may everything, as the tests' user may.")
    it = ReadOnly(outside)
    yield it
    it.off()


def test_the_list_works(read_only: ReadOnly) -> None:
    name = transaction_name()
    leave_prepared(name, "main", "ann")
    read_only.on()
    text = run()
    assert name in text
    assert "rolled back" in text
    read_only.off()
    run(all=True)


@beside_pooler("a session keeps what the database was set to when it began")
def test_what_is_not_recorded_anywhere_is_rolled_back_in_the_others(read_only: ReadOnly, outside: Outside) -> None:
    name = transaction_name()
    leave_prepared(name, "main", "ann")
    read_only.on()
    text = run(all=True)
    left = prepared()
    assert f"{name}  rolled back in main" in text
    assert_skipped(text)
    read_only.off()
    run(all=True)
    assert left == []
    assert names_in_both(outside) == ([], [])


def test_what_the_read_only_store_has_recorded_is_committed_in_the_others(
    read_only: ReadOnly, outside: Outside
) -> None:
    name = transaction_name()
    leave_prepared(name, "main", "ann")
    leave_committed(name, "second", "ann")
    read_only.on()
    text = run(all=True)
    left = prepared()
    read_only.off()
    run(all=True)
    assert f"{name}  committed in main" in text
    assert left == []
    assert names_in_both(outside) == (["ann"], ["ann"])


@beside_pooler("a session keeps what the database was set to when it began")
def test_records_of_the_read_only_store_stay_and_do_not_stop_the_command(read_only: ReadOnly, outside: Outside) -> None:
    leave_committed(transaction_name(), "second", "ann")
    read_only.on()
    text = run(all=True)
    rows = outside.rows("SELECT xid FROM storm_backend_decision", "second")
    read_only.off()
    assert "0 transactions ended." in text
    assert_skipped(text)
    assert len(rows) == 1


def assert_skipped(text: str) -> None:
    (line,) = [line for line in text.splitlines() if "'second'" in line]
    assert "read-only" in line or "skipped" in line


def test_beside_a_file_that_may_only_be_read(tmp_path: Path, settings: Any, outside: Outside) -> None:
    if os.geteuid() == 0:
        pytest.skip("Root may write into every file.")
    file = tmp_path / "read-only.sqlite3"
    file.touch()
    file.chmod(0o444)
    tmp_path.chmod(0o555)
    stores = settings.STORM_STORES
    name = transaction_name()
    leave_prepared(name, "main", "ann")
    settings.STORM_STORES = {**stores, "file": f"sqlite:{file}"}
    text = run(all=True)
    settings.STORM_STORES = stores
    tmp_path.chmod(0o755)
    assert f"{name}  rolled back in main" in text
    assert "'file'" in text
    assert prepared() == []
