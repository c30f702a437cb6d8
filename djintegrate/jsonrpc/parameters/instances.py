"""Objects by their keys, Django's and Storm's. Whoever may not view one gets the answer for a missing one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth import get_permission_codename
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models

from djintegrate.common.errors import Misconfigured

from .. import conf
from .containers import Fixed
from .converters import Caller, Components, Converter, Schema
from .scalars import SCALARS

# Beyond it no database has a whole number.
LARGEST = 2**63 - 1


class Instance(Converter):
    """`permission` is what a caller needs to name the object; None lets everybody."""

    def __init__(self, name: str, key: Converter, permission: str | None) -> None:
        self._key = key
        self._permission = permission
        self._name = name
        self.expected = f"the key of a {name}"

    def __call__(self, value: Any, caller: Caller) -> Any:
        key = self._key(value, caller)
        found = self._find(key) if _may_be_stored(key) else None
        if found is None or not self._may_view(caller.request.user, found):
            raise self.wrong(value, f"should be the key of a {self._name} that is there")
        return found

    def _find(self, key: Any) -> Any:
        raise NotImplementedError

    def _may_view(self, user: Any, found: Any) -> bool:
        # Django's own backend has no permissions for single objects, and others may have no others.
        permission = self._permission
        return permission is None or user.has_perm(permission) or user.has_perm(permission, found)

    def schema(self, components: Components) -> Schema:
        return {**self._key.schema(components), "description": f"The key of a {self._name}."}


class ModelInstance(Instance):
    def __init__(self, model: type[models.Model], permission: str | None) -> None:
        super().__init__(str(model._meta.verbose_name), _model_key(model), permission)
        self.model = model

    def _find(self, key: Any) -> Any:
        try:
            return self.model._default_manager.get(pk=key)
        except (ObjectDoesNotExist, ValidationError):
            return None


class StormInstance(Instance):
    def __init__(self, storm_class: type, store: str, permission: str | None) -> None:
        super().__init__(storm_class.__name__, _storm_key(storm_class), permission)
        self.storm_class = storm_class
        self.store = store

    def _find(self, key: Any) -> Any:
        store = conf.get_store()(self.store)
        if not callable(getattr(store, "find", None)):
            raise Misconfigured(
                f"JSONRPC_GET_STORE is {conf.get_store.given!r}, which has given an object of the type "
                f"{type(store).__name__!r} for {self.store!r}. Have it return a Storm store."
            )
        return store.get(self.storm_class, key)


def view_permission(model: type[models.Model]) -> str:
    return f"{model._meta.app_label}.{get_permission_codename('view', model._meta)}"


class _ModelKey(Converter):
    """A key of a kind that has no converter of its own."""

    expected = "a key"

    def __init__(self, field: Any) -> None:
        self._field = field

    def __call__(self, value: Any, caller: Caller) -> Any:
        if isinstance(value, bool | list | dict) or value is None:
            raise self.wrong(value)
        try:
            return self._field.to_python(value)
        except ValidationError:
            raise self.wrong(value) from None

    def schema(self, components: Components) -> Schema:
        return {"type": ["string", "integer"]}


def _model_key(model: type[models.Model]) -> Converter:
    field: Any = model._meta.pk
    while field.remote_field:
        field = field.target_field
    kinds: dict[Any, Any] = {
        models.IntegerField: int,
        models.AutoField: int,
        models.UUIDField: UUID,
        models.CharField: str,
    }
    for kind, hint in kinds.items():
        if isinstance(field, kind):
            return SCALARS[hint]
    return _ModelKey(field)


def _storm_key(storm_class: type) -> Converter:
    from storm.info import get_cls_info

    keys = [_column(column) for column in get_cls_info(storm_class).primary_key]
    return keys[0] if len(keys) == 1 else Fixed(keys)


def _column(column: Any) -> Converter:
    from storm import variables

    kinds: dict[type, Any] = {
        variables.IntVariable: int, variables.UnicodeVariable: str, variables.UUIDVariable: UUID,
        variables.BytesVariable: bytes,
    }  # fmt: skip
    kind = type(column.variable_factory())
    return next((SCALARS[hint] for variable, hint in kinds.items() if issubclass(kind, variable)), Converter())


def _may_be_stored(key: Any) -> bool:
    """Whether a database may be asked for it: PostgreSQL ends the transaction for some that it cannot have."""
    if isinstance(key, tuple):
        return all(map(_may_be_stored, key))
    if isinstance(key, int):
        return abs(key) <= LARGEST
    return not (isinstance(key, str) and "\0" in key)
