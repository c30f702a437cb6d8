"""The stores of the crash run, their databases, and what is in these when it begins. Every function wants a process
of its own: the one that forks never connects.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import django
import transaction
from django.conf import settings
from django.db import Error, connections

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.stores.registry import connections_of_all_stores
from djintegrate.storm_backend.two_phase import branches
from proofs.crash import forms
from proofs.crash.killing import Report

SITE = "crash"


FIRST_TRIAL = 1_000_000_000
"""The numbers from here on are no transaction's that is killed."""


class Store(NamedTuple):
    """A store has a database of its own. A shared one is Django's alias of the same name."""

    kind: str
    two_phase: bool
    shared: bool


STORES = {
    "ledger": Store("postgres", two_phase=True, shared=True),
    "plain_ledger": Store("postgres", two_phase=True, shared=False),
    "stock": Store("mysql", two_phase=True, shared=True),
    "plain_stock": Store("mysql", two_phase=True, shared=False),
    "journal": Store("postgres", two_phase=False, shared=True),
    "plain_journal": Store("postgres", two_phase=False, shared=False),
    "notes": Store("mysql", two_phase=False, shared=True),
    "plain_notes": Store("mysql", two_phase=False, shared=False),
    "file": Store("sqlite", two_phase=False, shared=False),
}
ON_SERVERS = [name for name, store in STORES.items() if store.kind != "sqlite"]
OF_SOMEBODY_ELSE = ("ledger", "stock")
"""One of each server: there somebody else's transaction is prepared, and has to stay so."""


def configure(postgres: str, mysql: str, folder: str, pooler: str | None = None) -> None:
    """`pooler`: the mode of the one that stands before PostgreSQL."""

    def configured(name: str, store: Store) -> dict[str, Any]:
        if store.kind == "sqlite":
            return {"URI": f"sqlite:{folder}/{name}.sqlite3"}
        server = postgres if store.kind == "postgres" else mysql
        uri = urlsplit(server)._replace(path=f"/crash_{name}").geturl()
        return {"URI": uri, "TWO_PHASE": store.two_phase, "POOLER": pooler if store.kind == "postgres" else None}

    shared = ["postgres", "mysql", *(name for name, store in STORES.items() if store.shared)]
    aliases = {name: {"ENGINE": "djintegrate.storm_backend", "NAME": name} for name in shared}
    settings.configure(
        STORM_SITE=SITE,
        STORM_STORES={
            **{name: configured(name, store) for name, store in STORES.items()},
            "postgres": {"URI": postgres, "POOLER": pooler},
            "mysql": mysql,
        },
        DATABASES={"default": aliases.pop("postgres"), **aliases},
        INSTALLED_APPS=["djintegrate.storm_backend", "proofs.crash"],
        LOGGING_CONFIG=None,
    )
    django.setup()


def make_databases(report: Report) -> None:
    drop_databases(report)
    for name in ON_SERVERS:
        _on_server(name, f"CREATE DATABASE crash_{name}")


def drop_databases(report: Report) -> None:
    for name in ON_SERVERS:
        # A pooler keeps connections of those who are gone.
        force = " WITH (FORCE)" if STORES[name].kind == "postgres" else ""
        _on_server(name, f"DROP DATABASE IF EXISTS crash_{name}{force}")


def make_tables(report: Report) -> None:
    """And one prepared transaction of somebody else in each server."""
    for name, store in STORES.items():
        for statement in [forms.TABLE, *forms.ROUTINES[store.kind]]:
            get_store(name).execute(statement, noresult=True)
            transaction.commit()
    for name in OF_SOMEBODY_ELSE:
        other = connections[name].copy()
        other.set_autocommit(False)
        branch = branches.branch(other, branches.Xid(branches.new_transaction("other"), "store:1"))
        branch.begin()
        branches.run(other, forms.INSERT.format(-1))
        branch.prepare()
        other.close()


def await_servers() -> None:
    """A pooler may need a moment until it asks a server anew that was down."""
    deadline = time.monotonic() + 10
    for connection in connections_of_all_stores().values():
        while True:
            try:
                with closing(connection):
                    connection.ensure_connection()
                break
            except Error:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def try_every_form(report: Report) -> None:
    """A form that fails by itself, or writes nothing, would say nothing of crashes."""
    for name, store in STORES.items():
        every = forms.forms(store.kind, store.shared)
        for number, form in enumerate(every, start=FIRST_TRIAL):
            form.write(name, number)
        transaction.commit()
        [found] = get_store(name).execute("SELECT count(*) FROM crash_row WHERE number >= ?", (FIRST_TRIAL,)).get_one()
        transaction.abort()
        assert found == len(every), f"{found} of {len(every)} forms have written to {name}"


def end_transactions_of_others(report: Report) -> None:
    for name in OF_SOMEBODY_ELSE:
        for xid in branches.all_prepared(connections[name]):
            if xid.transaction.startswith("other:"):
                branches.end(connections[name], xid, commit=False)


def _on_server(name: str, statement: str) -> None:
    with connections["mysql" if STORES[name].kind == "mysql" else "default"].cursor() as cursor:
        cursor.execute(statement)
