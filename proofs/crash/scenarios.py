"""Which stores take part in a transaction of the crash run, and how each of them is written."""

from __future__ import annotations

import random
from typing import NamedTuple

import transaction

from proofs.crash.forms import Form, forms, insert
from proofs.crash.killing import LateVoter, Steps
from proofs.crash.stores import STORES


class Scenario(NamedTuple):
    """The stores that take part. Those that commit in one phase are written by every form of statement."""

    names: tuple[str, ...]
    # Somebody votes after them, so that the last one has to prepare as well.
    late: bool = False
    # The others are written so, too.
    every_form: bool = False

    def steps(self, kill_at: int) -> Steps:
        return Steps(len(self.names), self.late, kill_at)

    def write(self, number: int) -> None:
        """One transaction that writes `number` to each of the stores."""
        with transaction.manager:
            for name in self.names:
                form = self.forms(number).get(name) or insert(STORES[name].shared)
                form.write(name, number)
            if self.late:
                transaction.get().join(LateVoter(transaction.manager))

    def forms(self, number: int) -> dict[str, Form]:
        """What `number` is written by where that may be any form: whoever asks is told the same."""
        free = [name for name in self.names if self.every_form or not STORES[name].two_phase]
        return {
            name: random.Random(f"{name} {number}").choice(forms(STORES[name].kind, STORES[name].shared))
            for name in free
        }


SCENARIOS = {
    "both shared with Django": Scenario(("ledger", "stock")),
    "both shared, and a late voter": Scenario(("ledger", "stock"), late=True),
    "both plain": Scenario(("plain_ledger", "plain_stock")),
    "both plain, and a late voter": Scenario(("plain_ledger", "plain_stock"), late=True),
    "four stores": Scenario(("ledger", "plain_ledger", "stock", "plain_stock"), late=True),
    "two PostgreSQL databases": Scenario(("ledger", "plain_ledger")),
    "two MariaDB databases, and a late voter": Scenario(("stock", "plain_stock"), late=True),
    "both, and SQLite in one phase": Scenario(("ledger", "stock", "file")),
    "both, and PostgreSQL in one phase": Scenario(("ledger", "stock", "journal")),
    "both, and MariaDB in one phase": Scenario(("ledger", "stock", "notes")),
    "MariaDB, and PostgreSQL in one phase": Scenario(("stock", "journal")),
    "PostgreSQL, and MariaDB in one phase": Scenario(("ledger", "notes")),
    "both plain, and PostgreSQL in one phase": Scenario(("plain_ledger", "plain_stock", "plain_journal")),
    "plain PostgreSQL, and MariaDB in one phase": Scenario(("plain_ledger", "plain_notes")),
    "both, and PostgreSQL in one phase, all by every form": Scenario(("ledger", "stock", "journal"), every_form=True),
}
