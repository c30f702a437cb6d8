"""How a journal names a storage, so that another process finds it again: by its alias, or by what it was made of.

What is written is an alias or a digest: the options of a storage may have passwords in them.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from weakref import WeakValueDictionary

from django.apps import apps
from django.conf import settings
from django.core.files.storage import storages
from django.db.models import FileField
from django.utils.module_loading import import_string

from .core.places import FilePlace, PathPlace, StoredPlace, place_in
from .exceptions import TransactionError


class Transactional:
    """What tells a storage.TransactionalStorage from other storages, for those whom it is made of."""

    inner: Any
    using: str

    @property
    def identity(self) -> str:
        """What the place of one of its files is kept with in journals."""
        raise NotImplementedError

    def deconstruct(self) -> Any:
        """As Django's `deconstructible` gives it."""
        raise NotImplementedError


def remember(storage: Transactional) -> None:
    """Each storage does this when it is made."""
    _made[_digest(storage)] = storage


def identity_of(storage: Transactional) -> str:
    for alias in _aliases():
        if storages[alias] is storage:
            return f"alias:{alias}"
    return _digest(storage)


def place_of(entry: dict[str, str]) -> PathPlace | FilePlace | StoredPlace:
    """What a journal has written down."""
    if "path" in entry:
        return PathPlace(entry["path"])
    return place_in(_find(entry["storage"]).inner, entry["storage"], entry["name"])


def _find(identity: str) -> Transactional:
    kind, _, name = identity.partition(":")
    if kind == "alias" and name in _aliases():
        return storages[name]
    # Those of fields are made with their fields.
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, FileField):
                str(field.storage)
    try:
        return _made[identity]
    except KeyError:
        raise TransactionError(
            f"The storage {identity!r} is not known here. Give it back the alias, or the options, that it had."
        ) from None


def _aliases() -> list[str]:
    found = []
    for alias, entry in settings.STORAGES.items():
        kind = import_string(entry["BACKEND"])
        if isinstance(kind, type) and issubclass(kind, Transactional):
            found.append(alias)
    return found


def _digest(storage: Transactional) -> str:
    made_of: Any = storage.deconstruct()[1:]
    inner = made_of[1].get("storage")
    if hasattr(inner, "deconstruct"):
        made_of = [made_of, inner.deconstruct()]
    text = json.dumps(made_of, sort_keys=True, default=_plain)
    return f"made:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _plain(value: Any) -> str:
    # The address of an object is another one in each process.
    return f"{type(value).__module__}.{type(value).__qualname__}" if " at 0x" in repr(value) else repr(value)


_made: WeakValueDictionary[str, Transactional] = WeakValueDictionary()
