"""What the doctor is told of the stores: whether each can be reached, what stands before it, what it is short of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections, router

from djintegrate.common.engine import MIDDLEWARE
from djintegrate.common.examination import Finding, first_line, ill
from djintegrate.common.sqlite import keep_as_it_is, missing

from . import conf
from .checks import HOW_TO_TELL_OF_POOLER, check_replicas, has_untold_pooler
from .references import StormForeignKey
from .schema import SchemaError, StoreSchema
from .stores.registry import alias_of, another_connection, connections_of_all_stores, get_store
from .two_phase.recovery import survey


def examine() -> Iterator[Finding]:
    stores = conf.stores()
    for name in stores:
        yield from _store(f"store {name}", name)
    if any(store.two_phase for store in stores.values()):
        yield _doubts()
    yield from _outside()


def before_migrate(alias: str) -> list[str]:
    """The schemas whose tables a model's column in this database points at."""
    names = [name for name in conf.stores() if alias_of(name) == alias and conf.store(name).schema]
    return [f"storm_schema apply {name}" for name in names if _is_pointed_at(alias) and _lacks_patches(name)]


def _lacks_patches(name: str) -> bool:
    connection = another_connection(name)
    try:
        if missing(connection):
            return True
    finally:
        connection.close()
    status = _status(name)
    return not status.created or bool(status.pending)


def _status(name: str) -> Any:
    keep_as_it_is(get_store(name).django_connection)
    return StoreSchema(name).status()


def _outside() -> Iterator[Finding]:
    """Databases in which a request that fails leaves what it wrote: no fault, where they are only read, say."""
    if MIDDLEWARE not in settings.MIDDLEWARE:
        return
    for alias, entry in connections.settings.items():
        if entry["ENGINE"] not in (conf.ENGINE, "django.db.backends.dummy") and not entry["ATOMIC_REQUESTS"]:
            why = f"It is not on {conf.ENGINE}, and has no ATOMIC_REQUESTS"
            said = f"{why}: what a request writes there stays when the request fails."
            yield Finding(f"database {alias}", said)


def _store(subject: str, name: str) -> Iterator[Finding]:
    place = f"the URI in STORM_STORES[{name!r}]"
    connection: Any = None
    try:
        connection = another_connection(name)
        if said := missing(connection):
            what = "Make it" if said.startswith("The folder") else _how_to_make(name)
            yield ill(subject, said, f"{what}; or correct {place}.")
            return
        keep_as_it_is(connection)
        connection.ensure_connection()
        yield from _reached(subject, name, connection)
        yield from _replicas(subject, name)
    except ImproperlyConfigured as error:
        yield ill(subject, error, "Correct this in the settings.")
    except Exception as error:
        # Each driver has its own ways to say that nobody answers, or that the server has no such database.
        said = first_line(error)
        yield ill(subject, said, f"{_how_to_be_let_in(said, connection)}, or correct {place}.")
    finally:
        if connection is not None:
            connection.close()


def _how_to_be_let_in(said: str, connection: Any) -> str:
    database, user = (connection.settings_dict[key] if connection else "" for key in ("NAME", "USER"))
    if re.search(r'role ".*" does not exist', said):
        return f"Create the role {user!r}"
    if re.search(r'database ".*" does not exist|Unknown database', said):
        return f"Create the database {database!r}"
    if re.search(
        r"authentication failed|no password supplied|no pg_hba.conf entry|permission denied|Access denied", said
    ):
        return f"The server answers: have it let the user {user!r} in"
    return "Start the server"


def _how_to_make(name: str) -> str:
    alias = alias_of(name)
    if conf.store(name).schema is not None and (alias is None or _is_pointed_at(alias)):
        return _how_to_apply(name)
    if alias is not None:
        return "Run: python manage.py migrate" + (f" --database {alias}" if alias != DEFAULT_DB_ALIAS else "")
    return "Make its tables with SQL"


def _how_to_apply(name: str) -> str:
    alias = alias_of(name)
    order = ", then migrate: a StormForeignKey wants its tables" if alias is not None and _is_pointed_at(alias) else ""
    return f"Run: python manage.py storm_schema apply {name}{order}"


def _is_pointed_at(alias: str) -> bool:
    """Whether a model in this database has a column that points at a Storm class."""
    models = (model for model in apps.get_models() if router.allow_migrate_model(alias, model))
    return any(isinstance(field, StormForeignKey) for model in models for field in model._meta.local_fields)


def _reached(subject: str, name: str, connection: Any) -> Iterator[Finding]:
    version = ".".join(map(str, connection.get_database_version()))
    driver = getattr(connection.Database, "__name__", "")
    yield Finding(subject, f"{connection.display_name} {version} answers, by {driver}.")
    if alias_of(name) is None:
        yield Finding(subject, "It is Storm's alone: no entry of DATABASES names it, and Django's ORM does not use it.")
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
        yield Finding(subject, f"Prepared transactions are allowed: {allowed} at a time.")
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
        status = _status(name)
    except SchemaError as error:
        return ill(subject, error, "Correct the package that SCHEMA names.")
    if status.up_to_date:
        return Finding(subject, "Its schema is up to date.")
    if status.unknown and not status.pending:
        unknown = ", ".join(map(str, status.unknown))
        return ill(subject, f"Patches are applied that the code does not have: {unknown}.", "Deploy newer code.")
    what = f"Patches wait: {', '.join(map(str, status.pending))}" if status.created else "Its schema is not there"
    return ill(subject, f"{what}.", f"{_how_to_apply(name)}.")


def _doubts() -> Finding:
    with survey(connections_of_all_stores()) as found:
        doubts = len(found.doubts())
    if doubts:
        return ill("two-phase", f"Transactions are in doubt: {doubts}.", "Run: python manage.py storm_indoubt")
    return Finding("two-phase", "No transaction is in doubt.")


def _one(connection: Any, query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]
