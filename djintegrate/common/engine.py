"""Which of Django's connections are the engine's; for those who work with it and without."""

from __future__ import annotations

from typing import Any

from django.conf import settings

ENGINE = "djintegrate.storm_backend"
STORES = "STORM_STORES"
MIDDLEWARE = f"{ENGINE}.middleware.ZopeTransactionMiddleware"
"""What makes a request a transaction."""


def is_engines(connection: Any) -> bool:
    """Whether it is one of `djintegrate.storm_backend`, which takes part in Zope's transaction."""
    return hasattr(connection, "zope_transaction")


def is_to_be_engines(connection: Any) -> bool:
    """The same, and also whether it would be if its settings were right."""
    return is_engines(connection) or connection.settings_dict["ENGINE"] == ENGINE


def has_stores() -> bool:
    """Whether the site names any: some may have no entry in DATABASES."""
    return bool(getattr(settings, STORES, None))
