"""Whether `migrate` has made this app's tables: without them no command has anything to do."""

from __future__ import annotations

from django.apps import apps
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connections


def are_here(using: str) -> bool:
    ours = {model._meta.db_table for model in apps.get_app_config("openid_auth").get_models()}
    return ours <= names_of_tables(using)


def names_of_tables(using: str) -> frozenset[str]:
    return frozenset(connections[using].introspection.table_names())


def ensure_here(using: str) -> None:
    if not are_here(using):
        database = "" if using == DEFAULT_DB_ALIAS else f" --database {using}"
        raise CommandError(
            f"The database {using!r} has not all tables of djintegrate.openid_auth. "
            f"Run this first: python manage.py migrate openid_auth{database}"
        )


def counted(number: int, one: str, many: str = "") -> str:
    """`number` with its noun."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
