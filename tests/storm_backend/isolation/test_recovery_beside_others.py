"""What the histories of two stores found: storm_indoubt, run while others commit, may meet a deadlock."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from djintegrate.storm_backend.management.commands.storm_indoubt import Command
from djintegrate.storm_backend.two_phase.recovery import Survey
from tests.support.helpers import TRANSACTIONS

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


def test_a_deadlock_while_decisions_are_forgotten_is_no_traceback(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadlock(*args: Any) -> None:
        raise OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")

    monkeypatch.setattr(Survey, "forget", deadlock)
    try:
        call_command(Command(), all=True, older_than=0)
    except CommandError as error:
        assert "Deadlock" in str(error)
