"""What a store's SCHEMA names: a package with the statements and patches of `storm.schema`, as Storm wants it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from storm.schema import Schema
from storm.schema.patch import PatchSet

from djintegrate.common.errors import Misconfigured

from .. import conf
from ..conf import uris

LISTS = ("CREATES", "DROPS", "DELETES")


def load(store: conf.StoreSettings) -> tuple[Schema, PatchSet]:
    """What the store's SCHEMA names, as Storm wants it; Misconfigured says what is missing."""
    where = f"STORM_STORES[{store.name!r}]['SCHEMA']"
    remedy = f"Make it the dotted path of a package with {', '.join(LISTS)}, and with the patches."
    if store.schema is None:
        raise Misconfigured(f"{where} is not set. {remedy}")
    try:
        package = import_module(store.schema)
    except Exception as error:
        said = f"{where} is {store.schema!r}, which cannot be imported ({type(error).__name__}: {error}). {remedy}"
        raise Misconfigured(said) from error
    if not hasattr(package, "__path__") or package.__file__ is None:
        raise Misconfigured(f"{where} is {store.schema!r}, which is not a package with an __init__.py. {remedy}")
    scheme = uris.parse(store.uri).scheme
    patches = PatchSet(package)
    return Schema(*(_statements(package, name, scheme, where) for name in LISTS), patches), patches


def with_schema(store: str) -> conf.StoreSettings | None:
    """The settings of a store, if it has a SCHEMA."""
    settings = conf.stores().get(store)
    return settings if settings is not None and settings.schema is not None else None


def _statements(package: ModuleType, name: str, scheme: str, where: str) -> list[str]:
    value = getattr(package, name, None)
    if isinstance(value, dict):
        value = value.get(scheme)
    if isinstance(value, (list, tuple)) and all(isinstance(statement, str) for statement in value):
        return list(value)
    found = "has no" if not hasattr(package, name) else "has no list for this database in"
    raise Misconfigured(
        f"{where} is {package.__name__!r}, which {found} {name}. Make it a list of SQL statements, or a dictionary "
        f"from {', '.join(map(repr, uris.NATIVE_BACKENDS))} to such lists."
    )
