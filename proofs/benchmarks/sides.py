"""The configurations that are compared, as Django settings: the engine, and what a site without it would have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.servers import Server

# What `django-admin startproject` writes, for every side alike.
USUAL_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
]
USUAL_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
SPARE = tuple(f"spare{number}" for number in range(1, 16))
# The engine keeps a thread's connection and checks it when a request first uses it. So does this.
KEPT_AND_CHECKED = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


def engine(server: Server) -> dict[str, Any]:
    """The engine with its middleware."""
    return _settings(
        {"ENGINE": "djintegrate.storm_backend", "NAME": "main"},
        ["djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"],
        ["djintegrate.storm_backend"],
        STORM_STORES={"main": server.uri()},
    )


def native(server: Server) -> dict[str, Any]:
    """Django's own backend with ATOMIC_REQUESTS, its connections kept and checked as the engine's are."""
    return _settings({**server.django(), **KEPT_AND_CHECKED, "ATOMIC_REQUESTS": True})


def reconnecting(server: Server) -> dict[str, Any]:
    """Django's own backend with ATOMIC_REQUESTS as it comes: a new connection for each request."""
    return _settings({**server.django(), "ATOMIC_REQUESTS": True})


def bare_engine(server: Server) -> dict[str, Any]:
    """The engine where a request is little more than its transaction."""
    return {**engine(server), "MIDDLEWARE": engine(server)["MIDDLEWARE"][:1]}


def bare_native(server: Server) -> dict[str, Any]:
    """Django's own backend where a request is little more than its transaction."""
    return {**native(server), "MIDDLEWARE": []}


def holding_few(server: Server) -> dict[str, Any]:
    """The engine, where somebody holds on to ten Storm objects."""
    return {**bare_engine(server), "BENCHMARK_LIVE_OBJECTS": 10}


def holding_many(server: Server) -> dict[str, Any]:
    """The same with 100,000 of them."""
    return {**bare_engine(server), "BENCHMARK_LIVE_OBJECTS": 100_000}


def sixteen_stores(server: Server) -> dict[str, Any]:
    """As bare_engine, where fifteen more stores are configured, which nobody uses and no alias names."""
    settings = bare_engine(server)
    return {**settings, "STORM_STORES": {**settings["STORM_STORES"], **{name: server.uri(name) for name in SPARE}}}


def sixteen_aliases(server: Server) -> dict[str, Any]:
    """The same where Django shares each of them."""
    settings = sixteen_stores(server)
    shared = {name: {**settings["DATABASES"]["default"], "NAME": name} for name in SPARE}
    return {**settings, "DATABASES": {**settings["DATABASES"], **shared}}


def sixteen_native(server: Server) -> dict[str, Any]:
    """As bare_native, with as many aliases: Django goes through all of them at each request."""
    settings = bare_native(server)
    return {**settings, "DATABASES": {**settings["DATABASES"], **{name: server.django(name) for name in SPARE}}}


def storm_alone(server: Server) -> dict[str, Any]:
    """Storm as it comes, on a connection of its own."""
    return two_connections(server)


def native_site(server: Server) -> dict[str, Any]:
    """Django's own backend, where no model imports Storm."""
    return {**native(server), "INSTALLED_APPS": USUAL_APPS}


def engine_site(server: Server) -> dict[str, Any]:
    """The engine, with no more than that."""
    return {**engine(server), "INSTALLED_APPS": ["djintegrate.storm_backend", *USUAL_APPS]}


def two_connections(server: Server) -> dict[str, Any]:
    """As bare, Django's own backend, and Storm's ZStorm on a connection and in a transaction of its own."""
    return {
        **native(server),
        "MIDDLEWARE": ["proofs.benchmarks.site.ZStormMiddleware"],
        # As Django: Storm's default on PostgreSQL and MariaDB is another one.
        "BENCHMARK_ZSTORM_URI": server.uri() + ("" if server.kind == "sqlite" else "?isolation=read-committed"),
    }


def two_reconnecting(server: Server) -> dict[str, Any]:
    """The same, where Django makes a new connection for each request. ZStorm keeps its own."""
    return {**two_connections(server), "DATABASES": reconnecting(server)["DATABASES"]}


def two_phase(server: Server) -> dict[str, Any]:
    """Two kept connections that commit together or not at all, as the shared one does: by two-phase commit."""
    store = {"URI": server.uri(), "TWO_PHASE": True}
    return {
        **bare_engine(server),
        "STORM_STORES": {"main": store, "second": store},
        "BENCHMARK_STORE": "second",
    }


def _settings(
    database: dict[str, Any], middleware: Sequence[str] = (), apps: Sequence[str] = (), **others: Any
) -> dict[str, Any]:
    return {
        "ALLOWED_HOSTS": ["*"],
        "DATABASES": {"default": database},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": [*apps, *USUAL_APPS, "proofs.benchmarks"],
        "MIDDLEWARE": [*middleware, *USUAL_MIDDLEWARE],
        "ROOT_URLCONF": "proofs.benchmarks.site",
        "SECRET_KEY": "benchmarks",
        "USE_TZ": True,
        **others,
    }
