"""System checks: what is wrong with the settings, with the value and the remedy. Only `check_databases` connects."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from itertools import chain
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.module_loading import import_string

from djintegrate.common.checks import unknown_names, wrong_values
from djintegrate.common.engine import MIDDLEWARE, is_engines
from djintegrate.common.sqlite import missing_folder

from . import conf, schema
from .conf import drivers, entries, limit, pooler, uris

HOW_TO_TELL_OF_POOLER = 'Add "POOLER": "transaction" to STORM_STORES[{!r}].'
VIEW_ERRORS = "djintegrate.storm_backend.middleware.ViewErrorMiddleware"
FILTER = "djintegrate.storm_backend.reports.StoreHidingFilter"


def check_configuration(**kwargs: Any) -> Iterator[CheckMessage]:
    """Everything about STORM_STORES, DATABASES and the middleware."""
    wrong_stores = list(wrong_values([conf.configured_stores], "storm_backend.E001"))
    yield from wrong_stores
    others = [setting for setting in conf.DECLARED if setting is not conf.configured_stores]
    yield from wrong_values(others, "storm_backend.E008")
    yield from unknown_names(conf.DECLARED, "storm_backend.W008")
    if not wrong_stores:
        stores = conf.stores()
        yield from chain(_stores(stores), _reports(stores), _databases(stores), _middleware(stores))


def check_databases(databases: Collection[str] | None = None, **kwargs: Any) -> Iterator[CheckMessage]:
    """What only a server can tell; run for the databases that Django asks about."""
    for connection in map(connections.__getitem__, databases or ()):
        yield from check_replicas(connection)
        if connection.vendor == "postgresql" and getattr(connection, "two_phase", False):
            with connection.cursor() as cursor:
                cursor.execute("SHOW max_prepared_transactions")
                (limit,) = cursor.fetchone()
            if limit == "0":
                yield Error(
                    f"STORM_STORES[{connection.store_name!r}] has TWO_PHASE, but its PostgreSQL server prepares no "
                    "transactions: max_prepared_transactions is 0.",
                    hint="Set max_prepared_transactions in postgresql.conf to at least max_connections, and restart "
                    "the server.",
                    id="storm_backend.E202",
                )
        if connection.vendor == "postgresql" and is_engines(connection):
            yield from _poolers(connection)


def _poolers(connection: Any) -> Iterator[CheckMessage]:
    """A pooler is known by what it does: it lends one session to two connections."""
    name = connection.store_name
    if has_untold_pooler(connection):
        yield Warning(
            f"Something stands before the PostgreSQL of STORM_STORES[{name!r}] that lends its sessions for the length "
            "of a transaction, as PgBouncer does in transaction mode. Server-side cursors fail there, and what one "
            "request sets in its session, another finds.",
            hint=HOW_TO_TELL_OF_POOLER.format(name),
            id="storm_backend.W010",
        )


def has_untold_pooler(connection: Any) -> bool:
    """Whether a pooler stands before PostgreSQL of which the settings say nothing."""
    # A site without PostgreSQL imports nothing of poolers.
    from .connection.pooled import shares_sessions

    return conf.store(connection.store_name).pooler is None and shares_sessions(connection)


def check_replicas(connection: Any) -> Iterator[CheckMessage]:
    """Whether the replicas of a store can be reached, follow a primary, and notice soon enough when they do not."""
    store = conf.stores().get(getattr(connection, "store_name", ""))
    for number in range(len(store.replicas) if store is not None and hasattr(connection, "primary") else 0):
        where, replica = f"STORM_STORES[{connection.store_name!r}]['REPLICAS'][{number}]", connection.replica(number)
        try:
            answer, timeout = replica.answer(), replica.receiver_timeout()
        except Exception as error:
            # Each driver has its own ways to say that nobody answers.
            said = f"{where} cannot be reached: {str(error).strip().partition(chr(10))[0]}"
            yield Warning(said, hint="Start the server, or correct the URI.", id="storm_backend.W301")
            continue
        if answer.receiver is None:
            yield Warning(
                f"{where} receives nothing from a primary, and no request reads from it.",
                hint="Make it a standby by streaming replication: pg_basebackup -R.",
                id="storm_backend.W301",
            )
        elif not answer.is_read_only:
            yield Warning(
                f"{where} would take writes once promoted, and no request reads from it: a pooler does not pass on "
                "default_transaction_read_only.",
                hint="Set default_transaction_read_only = on in the standby's postgresql.conf, until it is promoted.",
                id="storm_backend.W303",
            )
        elif not 0 < timeout < store.sticky_seconds:  # type: ignore[union-attr]
            yield Warning(
                f"{where} notices after {timeout:g} seconds that the way to its primary is cut (0: never). By then "
                f"browsers that wrote read from it again: STICKY_SECONDS is {store.sticky_seconds:g}.",  # type: ignore[union-attr]
                hint="Make wal_receiver_timeout in the standby's postgresql.conf less than STICKY_SECONDS.",
                id="storm_backend.W302",
            )


def _replicas(store: conf.StoreSettings, where: str) -> Iterator[CheckMessage]:
    for number, given in enumerate(store.replicas):
        try:
            uri = uris.parse(given)
            uris.location(given)
        except ImproperlyConfigured as error:
            yield Error(f"{where}['REPLICAS'][{number}]: {error}", hint="Correct the URI.", id="storm_backend.E002")
            continue
        if uri.scheme != "postgres" or not store.uri.startswith("postgres:"):
            yield Error(
                f"{where} has REPLICAS, which only PostgreSQL's standbys can be.",
                hint="Remove REPLICAS.",
                id="storm_backend.E301",
            )
            return
        if given == store.uri:
            yield Error(
                f"{where} has its own URI among its REPLICAS.",
                hint="Name standbys of it, or remove REPLICAS.",
                id="storm_backend.E303",
            )
    if store.sticky_seconds <= store.max_lag_seconds:
        yield Error(
            f"{where} has STICKY_SECONDS = {store.sticky_seconds:g} and MAX_LAG_SECONDS = {store.max_lag_seconds:g}: a "
            "browser would read from a replica that does not have yet what it wrote.",
            hint="Make STICKY_SECONDS greater than MAX_LAG_SECONDS.",
            id="storm_backend.E302",
        )


def _stores(stores: dict[str, conf.StoreSettings]) -> Iterator[CheckMessage]:
    for store in stores.values():
        where = f"STORM_STORES[{store.name!r}]"
        try:
            uri = uris.parse(store.uri)
            drivers.native_base(uris.NATIVE_BACKENDS[uri.scheme])
            uris.location(store.uri)
        except drivers.DriverMissing as error:
            said = f"{where} is a {uri.scheme} store, but no driver for it can be used: {error.reason}."
            yield Error(said, hint=error.remedy, id="storm_backend.E003")
            continue
        except ImproperlyConfigured as error:
            yield Error(f"{where}: {error}", hint="Correct the URI.", id="storm_backend.E002")
            continue
        for what, remedy in pooler.objections(store, uri.options):
            yield Error(f"{where} has POOLER = 'transaction', but {what}.", hint=remedy, id="storm_backend.E012")
        yield from _replicas(store, where)
        if store.two_phase and uri.scheme == "sqlite":
            yield Error(
                f"{where} has TWO_PHASE, but SQLite cannot prepare a transaction.",
                hint="Remove TWO_PHASE. Beside stores that can, one that cannot is safe too, as long as it is the only "
                "one that a transaction writes.",
                id="storm_backend.E201",
            )
        if store.schema is not None:
            try:
                schema.load(store)
            except ImproperlyConfigured as error:
                yield Error(str(error), hint="Correct SCHEMA, or the package.", id="storm_backend.E009")
        if uri.scheme == "sqlite" and uri.database and not uri.database.startswith(("/", ":")):
            yield Warning(
                f"{where} is the file {uri.database!r}, relative to the directory that the process is started in.",
                hint="Write an absolute path after one slash: sqlite:/srv/site/db.sqlite3 "
                "(in sqlite:///x, x is relative).",
                id="storm_backend.W001",
            )
        elif uri.scheme == "sqlite" and (folder := missing_folder(uri.database)):
            yield Warning(
                f"{where} is to be a file in the folder {str(folder)!r}, which is not there.",
                hint="Make the folder, or correct the URI.",
                id="storm_backend.W011",
            )


def _reports(stores: dict[str, conf.StoreSettings]) -> Iterator[CheckMessage]:
    try:
        reporter_filter = import_string(settings.DEFAULT_EXCEPTION_REPORTER_FILTER)
    except ImportError:
        # Without its filter an error report fails, and shows nothing.
        return
    if reporter_filter.hidden_settings.search("STORM_STORES"):
        return
    for store in stores.values():
        if any(map(uris.holds_password, (store.uri, *store.replicas))):
            yield Warning(
                f"STORM_STORES[{store.name!r}] has a password in its URI, and Django's error reports, by mail too, "
                "show it.",
                hint=f'Set DEFAULT_EXCEPTION_REPORTER_FILTER = "{FILTER}", or leave the password to ~/.pgpass, or '
                "to a file that the option read_default_file of a mysql URI names.",
                id="storm_backend.W004",
            )


def _databases(stores: dict[str, conf.StoreSettings]) -> Iterator[CheckMessage]:
    aliases = defaultdict(list)
    for alias, entry in connections.settings.items():
        if entry["ENGINE"] != conf.ENGINE:
            continue
        where = f"DATABASES[{alias!r}]"
        name = conf.named_by(entry)
        aliases[name].append(alias)
        mistakes = list(entries.mistakes(alias, entry))
        yield from chain(mistakes, entries.slips(alias, entry))
        if any(mistake.id == entries.WRONG_TYPE for mistake in mistakes):
            continue
        if entry["OPTIONS"].get("pool") and name in stores and stores[name].uri.startswith("postgres:"):
            for reason, remedy in _objections_to_pool(entry):
                yield Error(f"{where} has the option 'pool', {reason}", hint=remedy, id="storm_backend.E010")
        if name in stores and stores[name].uri.startswith("postgres:") and "STORM_STORE" not in entry:
            for what, remedy in pooler.objections(stores[name], entry["OPTIONS"]):
                said = f"{where}: the store {name!r} has POOLER = 'transaction', but {what}."
                yield Error(said, hint=remedy, id="storm_backend.E012")
        if name in stores:
            for what, remedy in limit.objections(stores[name], entry):
                yield Error(limit.said(alias, stores[name], what), hint=remedy, id="storm_backend.E013")
        if entry["ATOMIC_REQUESTS"] and MIDDLEWARE in settings.MIDDLEWARE:
            yield Error(
                f"{where} has ATOMIC_REQUESTS together with ZopeTransactionMiddleware: both would end the transaction "
                "of a request.",
                hint="Remove ATOMIC_REQUESTS: the middleware does the same for both ORMs.",
                id="storm_backend.E006",
            )
        if not entry["AUTOCOMMIT"]:
            yield Warning(
                f"{where} has AUTOCOMMIT = False. Every statement outside of a transaction "
                "then begins one that somebody must commit.",
                hint="Remove AUTOCOMMIT, unless your code calls commit() itself.",
                id="storm_backend.W002",
            )
    for name, names in aliases.items():
        if len(names) > 1 and name in stores:
            yield Error(
                f"The DATABASES entries {', '.join(map(repr, names))} all name the store "
                f"{name!r}. A store shares the connection of one.",
                hint="Give each entry a store of its own in STORM_STORES.",
                id="storm_backend.E007",
            )


def _objections_to_pool(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Why this entry cannot have a pool of connections, and what to do."""
    if (age := entry["CONN_MAX_AGE"]) != 0:
        said = f"and CONN_MAX_AGE = {age!r}: a connection goes back to the pool after each request."
        yield said, "Remove CONN_MAX_AGE."
    try:
        driver = drivers.native_base("django.db.backends.postgresql").Database.__name__
    except drivers.DriverMissing:
        # The driver is missing for the store as well, and is reported there.
        return
    if driver != "psycopg":
        yield "which only psycopg 3 has.", 'Run: python -m pip install "psycopg[binary,pool]"'
    elif importlib.util.find_spec("psycopg_pool") is None:
        yield "but psycopg_pool is not installed.", 'Run: python -m pip install "psycopg[pool]"'


def _middleware(stores: Collection[str]) -> Iterator[CheckMessage]:
    middleware = list(settings.MIDDLEWARE)
    misspelt = [(path, *near) for path in middleware if (near := _meant(path))]
    for path, near in misspelt:
        yield Error(
            f"MIDDLEWARE names {path!r}, which cannot be imported. Did you mean {near!r}?",
            hint="Correct the path.",
            id="storm_backend.E015",
        )
    has_shared = any(entry["ENGINE"] == conf.ENGINE for entry in connections.settings.values())
    if MIDDLEWARE not in middleware:
        if has_shared and not misspelt:
            yield Warning(
                "A database is on the Storm engine, and ZopeTransactionMiddleware is not in MIDDLEWARE. Storm's work "
                "in a request is committed where the code calls transaction.commit(), and else aborted at its end.",
                hint=f"Put {MIDDLEWARE!r} first in MIDDLEWARE; or, where the code ends its transactions itself, add "
                "'storm_backend.W009' to SILENCED_SYSTEM_CHECKS.",
                id="storm_backend.W009",
            )
        return
    if middleware.count(MIDDLEWARE) > 1:
        yield Error(
            "ZopeTransactionMiddleware is in MIDDLEWARE more than once. A request has one transaction.",
            hint="Leave it in the first place only.",
            id="storm_backend.E016",
        )
    if stores and not has_shared:
        yield Warning(
            "ZopeTransactionMiddleware is in MIDDLEWARE, and no DATABASES entry is on the Storm engine: when a request "
            "fails, what Storm wrote is undone, and what Django wrote is kept.",
            hint=f"Make the ENGINE of DATABASES['default'] {conf.ENGINE!r}, and its NAME a store's; or, where Django "
            "is to have a database of its own, add 'storm_backend.W012' to SILENCED_SYSTEM_CHECKS.",
            id="storm_backend.W012",
        )
    before = middleware[: middleware.index(MIDDLEWARE)]
    if before:
        yield Warning(
            f"ZopeTransactionMiddleware is not the first in MIDDLEWARE: what {', '.join(map(repr, before))} writes is "
            "outside of the request's transaction, and is kept when the request fails.",
            hint="Move it to the first place; or, where that is what is wanted, as of a profiler's record of each "
            "request, add 'storm_backend.W003' to SILENCED_SYSTEM_CHECKS.",
            id="storm_backend.W003",
        )
    for path in middleware:
        if VIEW_ERRORS not in middleware and path != MIDDLEWARE and _handles_exceptions(path):
            yield Warning(
                f"{path!r} may turn a view's exception into a page. ZopeTransactionMiddleware then does not hear of "
                "the exception, and commits what the view had written.",
                hint=f"Add {VIEW_ERRORS!r} as the last in MIDDLEWARE.",
                id="storm_backend.W007",
            )


def _meant(path: str) -> list[str]:
    """Which of ours a path that cannot be imported is a slip of."""
    try:
        import_string(path)
    except ImportError:
        return get_close_matches(path, [MIDDLEWARE, VIEW_ERRORS], n=1, cutoff=0.8)
    return []


def _handles_exceptions(path: str) -> bool:
    try:
        return hasattr(import_string(path), "process_exception")
    except ImportError:
        # Django reports a wrong path when it loads the middleware.
        return False
