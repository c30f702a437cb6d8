"""What the doctor is told of the stores: whether each can be reached, what stands before it, what it is short of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connections

from djintegrate.common.examination import Finding, ill

from . import conf
from .checks import HOW_TO_TELL_OF_POOLER, check_replicas, has_untold_pooler
from .schema import SchemaError, StoreSchema
from .stores.registry import alias_of, connections_of_all_stores
from .two_phase.recovery import survey


def examine() -> Iterator[Finding]:
    for name, connection in connections_of_all_stores().items():
        subject = f"store {name}"
        try:
            connection.ensure_connection()
            yield from _reached(subject, name, connection)
            yield from _replicas(subject, name)
        except Exception as error:
            # Each driver has its own ways to say that nobody answers.
            first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            yield ill(subject, first_line, f"Start the server, or correct the URI in STORM_STORES[{name!r}].")
        finally:
            connection.close()
    if any(conf.store(name).two_phase for name in conf.stores()):
        yield _doubts()


def _reached(subject: str, name: str, connection: Any) -> Iterator[Finding]:
    version = ".".join(map(str, connection.get_database_version()))
    driver = getattr(connection.Database, "__name__", "")
    yield Finding(subject, f"{connection.display_name} {version} answers, by {driver}.")
    if connection.vendor == "postgresql":
        yield from _before_postgresql(subject, name, connection)
        yield from _prepared(subject, name, connection)
    if conf.store(name).schema:
        yield _schema(subject, name)


def _before_postgresql(subject: str, name: str, connection: Any) -> Iterator[Finding]:
    if has_untold_pooler(connection):
        yield ill(
            subject,
            "A pooler in transaction mode stands before the server, and the settings do not say so.",
            HOW_TO_TELL_OF_POOLER.format(name),
        )
        return
    wanted = str(connection.settings_dict["PORT"] or 5432)
    served = _one(connection, "SELECT inet_server_port()")
    if served is not None and str(served) != wanted:
        yield Finding(subject, f"Something stands between: port {wanted} is asked, and port {served} answers.")


def _prepared(subject: str, name: str, connection: Any) -> Iterator[Finding]:
    if not conf.store(name).two_phase:
        return
    allowed = int(_one(connection, "SHOW max_prepared_transactions"))
    if allowed:
        yield Finding(subject, f"{allowed} prepared transactions are allowed at a time.")
    else:
        yield ill(
            subject, "TWO_PHASE is set, and the server allows no prepared transactions.",
            "Set max_prepared_transactions in postgresql.conf to at least max_connections, and restart the server.",
        )  # fmt: skip


def _replicas(subject: str, name: str) -> Iterator[Finding]:
    alias = alias_of(name)
    number = len(conf.store(name).replicas)
    if alias is None or not number:
        return
    found = list(check_replicas(connections[alias]))
    yield from (ill(subject, message.msg, message.hint or "") for message in found)
    if not found:
        yield Finding(subject, f"{number} replica{'s follow' if number > 1 else ' follows'} its primary.")


def _schema(subject: str, name: str) -> Finding:
    try:
        status = StoreSchema(name).status()
    except SchemaError as error:
        return ill(subject, error, "Correct the package that SCHEMA names.")
    if status.up_to_date:
        return Finding(subject, f"All {len(status.applied)} patches of its schema are applied.")
    if status.unknown and not status.pending:
        return ill(subject, f"Patches are applied that the code does not have: {status.unknown}.", "Deploy newer code.")
    what = f"{len(status.pending)} patches wait" if status.created else "Its schema is not there"
    return ill(subject, f"{what}.", f"Run: python manage.py storm_schema apply {name}")


def _doubts() -> Finding:
    with survey(connections_of_all_stores()) as found:
        doubts = len(found.doubts())
    if doubts:
        return ill("two-phase", f"{doubts} transactions are in doubt.", "Run: python manage.py storm_indoubt")
    return Finding("two-phase", "No transaction is in doubt.")


def _one(connection: Any, query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]
