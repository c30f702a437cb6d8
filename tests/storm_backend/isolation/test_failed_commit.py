"""What zope.sqlalchemy's testFailedJoin found when it ran on our data manager."""

from __future__ import annotations

from typing import Any

import pytest
import transaction
from django.db.transaction import TransactionManagementError

from djintegrate.storm_backend import get_store
from proofs.crash.killing import LateVoter
from tests.support.helpers import TRANSACTIONS

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


class Objector(LateVoter):
    def tpc_vote(self, txn: Any) -> None:
        raise ValueError("on purpose")


@pytest.fixture
def failed(transactional_db: None) -> Any:
    """The transaction's commit has failed, and nobody has aborted it."""
    transaction.begin()
    transaction.get().join(Objector(transaction.manager))
    with pytest.raises(ValueError, match="on purpose"):
        transaction.commit()
    yield
    transaction.abort()


def test_a_transaction_whose_commit_has_failed_takes_no_statement(failed: None) -> None:
    with pytest.raises(TransactionManagementError, match=r"Call transaction\.abort\(\) first"):
        get_store("main").execute("SELECT 1")


def test_the_error_does_not_blame_a_savepoint_for_a_commit_that_failed(failed: None) -> None:
    with pytest.raises(TransactionManagementError) as error:
        get_store("main").execute("SELECT 1")
    assert "savepoint" not in str(error.value)
