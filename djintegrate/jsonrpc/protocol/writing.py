"""Results as JSON: what Python, Django and Storm have beside JSON's own types, each in the form in which it is read."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.http.response import HttpResponseBase
from django.utils.duration import duration_iso_string
from django.utils.functional import Promise

from djintegrate.common.moments import iso

from .reading import twice
from .surrogates import has_half, without_halves

DEEPEST_MARK = 32


class AnswerEncoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, HttpResponseBase):
            # It is iterable, and its body would be taken for a result.
            raise TypeError(
                f"{o!r} is no result of a JSON-RPC method. If a decorator of the method has returned it: one that is "
                "for views, does not fit a method. Use authenticated=True or permission='app.codename' of "
                "@jsonrpc_method, or raise PermissionDenied or a JSONRPCError in a decorator of your own."
            )
        if isinstance(o, Model):
            return _key_of(o, o.pk)
        if is_dataclass(o) and not isinstance(o, type):
            return {field.name: getattr(o, field.name) for field in fields(o)}
        if isinstance(o, Enum):
            return o.value
        if isinstance(
            o, datetime | date | time | timedelta | Decimal | UUID | Promise | bytes | bytearray | memoryview
        ):
            return _text(o)
        if hasattr(type(o), "__storm_table__"):
            return storm_key(o)
        if isinstance(o, Mapping):
            return dict(o)
        if isinstance(o, Iterable) and not isinstance(o, type):
            return list(o)
        return super().default(o)


def encode(value: Any) -> str:
    """The JSON of a result. A TypeError or ValueError says what JSON has no word for."""
    if type(value) is int:
        return str(value)  # For which no encoder has to be made.
    try:
        text = _encode(value)
    except TypeError as error:
        if "keys must be" not in str(error):
            raise
        text = _encode(_with_plain_keys(value))
    if has_half(text):
        raise ValueError(
            "A text has half of a surrogate pair in it, which is no character, and which JSON cannot have."
        )
    if _PLAIN_KEY.search(text):
        _objects.decode(text)
    return text


def encode_with_marks(value: Any) -> str:
    """As `encode`, but with a mark such as "<complex>" in place of each part that JSON has no word for."""
    try:
        return encode(value)
    except Exception:  # whatever an object does when it is looked at
        try:
            return encode(_marked(value))
        except Exception:  # as of what is not the same twice, or is nested too deeply as a whole
            return encode(_mark(value))


def storm_key(instance: Any) -> Any:
    """The primary key of a Storm object: a list where it has several columns."""
    from storm.info import get_cls_info
    from storm.store import Store

    info = get_cls_info(type(instance))
    names = {id(column): name for name, column in info.attributes.items()}
    attributes = [names[id(column)] for column in info.primary_key]
    store = Store.of(instance)
    if store is not None and any(getattr(instance, name) is None for name in attributes):
        store.flush()  # by which one that was only added gets its key
    found = [_key_of(instance, getattr(instance, name)) for name in attributes]
    return found[0] if len(found) == 1 else found


def _key_of(instance: Any, key: Any) -> Any:
    if key is None or (isinstance(key, tuple) and None in key):
        raise ValueError(f"{type(instance).__name__} is not saved, or is deleted: it has no key that could be sent.")
    return key


def _text(value: Any) -> str:
    if isinstance(value, timedelta):
        return str(duration_iso_string(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, time) and value.tzinfo is not None:
        raise ValueError(f"{value!r} has a zone, which no parameter of the type time can have. Give a datetime.")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{value!r} is not a number that JSON has.")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _with_plain_keys(value: Any) -> Any:
    """The same with texts for the keys that JSON could not have, such as a date or a UUID."""
    if isinstance(value, Mapping):
        return _each_once([(_key(key), _with_plain_keys(item)) for key, item in value.items()])
    if isinstance(value, list | tuple):
        return [_with_plain_keys(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return _with_plain_keys(AnswerEncoder().default(value))


def _key(key: Any) -> Any:
    if isinstance(key, Enum):
        key = key.value
    if key is None or isinstance(key, str | int | float):
        return key
    if isinstance(key, Model | date | time | timedelta | Decimal | UUID | Promise):
        return str(_key_of(key, key.pk)) if isinstance(key, Model) else _text(key)
    raise TypeError(f"{key!r} is no key of an object in JSON: it is no text, and has no plain form.")


def _each_once(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Readers differ in which of two they take. This app refuses them."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"Two keys of one object are {twice(pairs)!r} in JSON. Give them other names.")
    return found


def _marked(value: Any, inside: tuple[int, ...] = ()) -> Any:
    """`inside` has the containers around the value, which may be in itself."""
    if isinstance(value, str):
        return without_halves(value)
    try:
        encode(value)
    except Exception:
        if id(value) in inside or len(inside) > DEEPEST_MARK:
            return _mark(value)
    else:
        # One that was read to its end gives nothing a second time.
        return _mark(value) if isinstance(value, Iterator) else value
    within = (*inside, id(value))
    if isinstance(value, Mapping):
        names = _free_names(_marked_key(key) for key in value)
        return dict(zip(names, [_marked(item, within) for item in value.values()], strict=True))
    if isinstance(value, list | tuple):
        return [_marked(item, within) for item in value]
    if isinstance(value, Iterator):
        return _mark(value)
    try:
        return _marked(AnswerEncoder().default(value), within)
    except Exception:
        return _mark(value)


def _marked_key(key: Any) -> str:
    try:
        return next(iter(json.loads(encode({key: None}))))
    except Exception:
        return without_halves(key) if isinstance(key, str) else _mark(key)


def _free_names(names: Iterable[str]) -> list[str]:
    """Each once: one that is there already gets a number."""
    found: dict[str, None] = {}
    for name in names:
        free, number = name, 1
        while free in found:
            number += 1
            free = f"{name} {number}"
        found[free] = None
    return list(found)


def _mark(value: Any) -> str:
    """Without its repr, which may say what a client is not to know."""
    return f"<{value if isinstance(value, float | Decimal) else type(value).__name__}>"


_encode = AnswerEncoder(allow_nan=False).encode
# A key that may have been no text, and so may be one that is there as a text, too.
_PLAIN_KEY = re.compile(r'"(?:-?[0-9][^"]*|true|false|null)": ')
_objects = json.JSONDecoder(object_pairs_hook=_each_once)
