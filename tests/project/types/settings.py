"""Settings of a project that type checkers look at: each of them has the type that its app's conf.py declares."""

from __future__ import annotations

from pathlib import Path

BASE_DIR = Path(__file__).parent
SECRET_KEY = "for type checkers"
STORM_STORES = {"main": f"sqlite:{BASE_DIR}/db.sqlite3"}
STORM_COMMIT_VETO = "shop.requests.veto"
STORM_RETRY_ATTEMPTS = 3
DATABASES = {"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}}
INSTALLED_APPS = [
    "djintegrate.storm_backend",
    "djintegrate.dojo",
    "djintegrate.files",
    "djintegrate.jsonrpc",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "shop",
]
MIDDLEWARE = [
    "djintegrate.storm_backend.middleware.ZopeTransactionMiddleware",
    "djintegrate.dojo.middleware.DojoMiddleware",
    "shop.requests.Named",
]
FILES_JOURNAL = BASE_DIR / "journal"
