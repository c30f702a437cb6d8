"""How a form reads JSON: each field as the value that showing.py would show so, or not at all.

What is put back as it was shown stays what it is, to the last digit, whatever the form's field makes of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from datetime import timezone as zones
from decimal import Decimal, InvalidOperation
from itertools import chain, islice
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models
from django.forms import BaseForm
from django.forms.models import BaseModelForm
from django.utils import timezone
from django.utils.choices import CallableChoiceIterator
from django.utils.dateparse import parse_date, parse_datetime, parse_time
from django.utils.translation import gettext as _

from djintegrate.common.texts import UNKEPT

from .showing import SAFE, model_field, plain, same

DEEPEST = 31
"""So many lists and objects may be within each other: MariaDB keeps no more, and Python reads no thousand."""

_NOTHING: Any = object()
_PARSERS: tuple[tuple[type[forms.Field], Callable[[str], Any]], ...] = (
    (forms.DateTimeField, parse_datetime),
    (forms.SplitDateTimeField, parse_datetime),
    (forms.DateField, parse_date),
    (forms.TimeField, parse_time),
    (forms.FloatField, Decimal),
    (forms.DecimalField, Decimal),
)


class Number(float):
    """A number with a point or an exponent, and how it was written: a decimal field wants all of its digits."""

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def parsed(body: bytes) -> Any:
    """The JSON of a body. Raises ValueError also for what is JSON to Python alone, or to each reader another."""
    data = json.loads(body, parse_float=Number, parse_constant=_refuse_constant, object_pairs_hook=_object)
    if b"\\u" in body:
        # JSON can escape half of a surrogate pair, which is no text and cannot be kept.
        json.dumps(data, ensure_ascii=False).encode()
    return data


def read(form: BaseForm, sent: Mapping[str, Any], obj: Any = None, shown: Mapping[str, Any] | None = None) -> None:
    """Have a bound form read what was sent. `shown` is what the browser knows of the object."""
    data = dict(form.data.items())
    for name, field in form.fields.items():
        key = form.add_prefix(name)
        # What get_form() put there itself is the form's to read as ever.
        is_own = key in data and data[key] is not sent.get(key, _NOTHING)
        if not field.disabled and not is_own:
            _read_field(form, name, field, data, obj, shown or {})
        # Django would cut the initial value, and see a change.
        field.widget.supports_microseconds = True
    form.data = data


def refuse_nulls(form: BaseForm, sent: Mapping[str, Any]) -> None:
    """The form's own checks let a null through where its field need not be filled in, to a column that has none."""
    if not isinstance(form, BaseModelForm):
        return
    for name in form.fields:
        column = model_field(form.instance, name)
        if form.add_prefix(name) in sent and _is_missing(form.instance, column) and not form.has_error(name):
            form.add_error(name, ValidationError(column.error_messages["null"], code="null"))


def _read_field(
    form: BaseForm, name: str, field: forms.Field, data: dict[str, Any], obj: Any, shown: Mapping[str, Any]
) -> None:
    """Put into the data what the field's widget is to find there, and have the field look at what it makes of it."""
    key = form.add_prefix(name)
    is_sent, raw = key in data, data.get(key)
    original = _Original(form, name, obj)
    clean: Callable[..., Any] = field.clean
    wrong: ValidationError | None = None
    if is_sent:
        try:
            is_back = name in shown and same(shown[name], raw)
            _fill(data, key, field, _converted(field, raw, is_back, original))
        except ValidationError as error:
            wrong, data[key] = error, None
        except RecursionError:
            wrong, data[key] = _invalid(), None
    elif obj is None or not original.is_known or _has_parts(field, key, data):
        return
    else:
        field.required = False

    def checked(value: Any, *initial: Any) -> Any:
        if not is_sent:
            return original.value_or_refuse()
        if wrong:
            raise wrong
        try:
            cleaned = clean(value, *initial)
        except OverflowError as error:
            raise _invalid() from error
        except (TypeError, AttributeError) as error:
            if isinstance(raw, str) or raw is None:
                raise
            raise _invalid() from error
        if not _is_kind(raw, cleaned) and not isinstance(field, (forms.JSONField, forms.MultiValueField)):
            raise _invalid()
        return original.instead_of(cleaned) if is_back else cleaned

    # The form's fields are its own copies.
    setattr(field, "clean", checked)  # noqa: B010


class _Original:
    """The value that an object has of a form's field, as the form would clean it."""

    def __init__(self, form: BaseForm, name: str, obj: Any) -> None:
        self._obj, self._name = obj, name
        self._column = model_field(obj, name)
        self.is_known = isinstance(form, BaseModelForm) and isinstance(self._column, models.Field)

    def value(self) -> Any:
        value = getattr(self._obj, self._name)
        return list(value.all()) if self._column is not None and self._column.many_to_many else value

    def value_or_refuse(self) -> Any:
        try:
            return self.value()
        except ObjectDoesNotExist as error:
            raise _invalid() from error

    def instead_of(self, cleaned: Any) -> Any:
        try:
            if self.is_known:
                return self.value()
            # Of a form that is no ModelForm it is not known which attributes its fields are.
            value = getattr(self._obj, self._name, _NOTHING)
        except ObjectDoesNotExist:
            return cleaned
        return value if type(value) is type(cleaned) else cleaned

    def integers(self) -> set[str]:
        """How those integers of a JSON value were shown that are none to a browser."""
        return {str(part) for part in _parts(self.value()) if _is_beyond(part)} if self.is_known else set()


def _converted(field: forms.Field, raw: Any, is_back: bool, original: _Original) -> Any:
    """What the field reads as the value that was sent."""
    if isinstance(field, forms.FileField):
        if is_back or (raw in (None, "") and not original.is_known):
            return None
        raise ValidationError(
            _("Files cannot be sent as JSON. Leave this out, or send what was shown."), code="invalid"
        )
    if isinstance(field, forms.JSONField):
        return _as_json(raw, is_back, original)
    if isinstance(field, forms.ModelChoiceField) or isinstance(getattr(field, "choices", None), CallableChoiceIterator):
        return _as_key(raw)
    if isinstance(field, forms.ChoiceField):
        return [_choice(field, part) for part in raw] if isinstance(raw, list) else _choice(field, raw)
    if isinstance(raw, (list, dict)) and isinstance(field, forms.BooleanField):
        raise _invalid()
    if isinstance(raw, Number) and isinstance(field, forms.DecimalField):
        return Decimal(raw.text)
    if isinstance(raw, Number) and not isinstance(field, forms.IntegerField):
        return raw.text
    if isinstance(raw, str):
        return next((_parsed(parse, raw) for cls, parse in _PARSERS if isinstance(field, cls)), raw)
    return raw


def _as_json(raw: Any, is_back: bool, original: _Original) -> str | None:
    """As text, since the field takes a text for JSON."""
    if raw is None:
        return None
    if not is_back:
        if next(islice(_levels(raw), DEEPEST, None), None):
            raise _invalid()
        texts = {part for part in _parts(raw) if isinstance(part, str)}
        if any(map(UNKEPT.search, texts)):
            raise _invalid()
        if texts & original.integers():
            message = _("This has a text that was shown for an integer too large for browsers. Send a number.")
            raise ValidationError(message, code="invalid")
    try:
        return json.dumps(raw, allow_nan=False)
    except ValueError as error:
        raise _invalid() from error


def _as_key(raw: Any) -> Any:
    """For a choice of rows, which are not read to compare with them."""
    parts = raw if isinstance(raw, list) else [raw]
    if any(isinstance(part, (bool, list, dict)) for part in parts):
        raise _invalid()
    return raw.text if isinstance(raw, Number) else raw


def _choice(field: forms.ChoiceField, raw: Any) -> Any:
    """The key of the choice that is shown so: the field compares by Python's texts."""
    if isinstance(raw, str) and field.valid_value(raw):
        return raw
    for key in _keys(field.choices):
        if _is_shown_as(key, raw):
            return key
    return raw.text if isinstance(raw, Number) else raw


def _keys(choices: Iterable[Any]) -> Iterable[Any]:
    for key, label in choices:
        if isinstance(label, (list, tuple)):
            yield from _keys(label)
        else:
            yield key


def _is_shown_as(key: Any, raw: Any) -> bool:
    try:
        return same(plain(key), raw)
    except TypeError:
        return False


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    """The value, where the text is how it is shown; all else is the field's to read, by its language's formats."""
    try:
        value = parse(text)
    except (ValueError, InvalidOperation):
        return text
    if isinstance(value, datetime):
        return _moment(value)
    return text if value is None or plain(value) != text else value


def _moment(value: datetime) -> datetime:
    if not timezone.is_aware(value):
        return value
    try:
        # The database has them in one time zone.
        zone = zones.utc if settings.USE_TZ else timezone.get_default_timezone()
        return value.astimezone(zone) if settings.USE_TZ else timezone.make_naive(value, zone)
    except OverflowError as error:
        raise _invalid() from error


def _fill(data: dict[str, Any], key: str, field: forms.Field, value: Any) -> None:
    widget = field.widget
    data[key] = value
    if isinstance(widget, forms.MultiWidget) and value is not None:
        try:
            parts = value if isinstance(value, list) else widget.decompress(value)
        except (AttributeError, TypeError, ValueError) as error:
            raise _invalid() from error
        data.update((key + name, part) for name, part in zip(widget.widgets_names, parts))  # noqa: B905


def _is_missing(obj: Any, column: Any) -> bool:
    """Whether there is nothing where the table wants something, but for a key, which the database gives."""
    if not isinstance(column, models.Field) or not column.concrete or column.null or column.primary_key:
        return False
    return getattr(obj, column.attname) is None


def _has_parts(field: forms.Field, key: str, data: Mapping[str, Any]) -> bool:
    """Whether the parts of it were sent, by names of their own, as from HTML."""
    widget = field.widget
    is_in_parts = isinstance(widget, (forms.MultiWidget, forms.SelectDateWidget))
    return is_in_parts and not widget.value_omitted_from_data(data, {}, key)


def _is_kind(raw: Any, cleaned: Any) -> bool:
    """Whether it is no text, or another single value, that Python made of what was none."""
    if isinstance(raw, bool):
        return cleaned is None or isinstance(cleaned, bool)
    if isinstance(raw, list) and isinstance(cleaned, (list, tuple)):
        return all(map(_is_kind, raw, cleaned))
    if isinstance(raw, dict) and isinstance(cleaned, dict):
        return all(_is_kind(part, cleaned[name]) for name, part in raw.items() if name in cleaned)
    if isinstance(raw, (list, dict)):
        return not isinstance(cleaned, (str, bool, int, float))
    return True


def _levels(value: Any) -> Iterator[list[Any]]:
    """What is in a JSON value, with the names, from outside to inside."""
    level = [value]
    while level:
        yield level
        inside: list[Any] = []
        for part in level:
            if isinstance(part, dict):
                inside += [*part, *part.values()]
            elif isinstance(part, (list, tuple)):
                inside += part
        level = inside


def _parts(value: Any) -> Iterable[Any]:
    return chain.from_iterable(_levels(value))


def _is_beyond(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > SAFE


def _invalid() -> ValidationError:
    return ValidationError(_("Enter a valid value."), code="invalid")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise ValueError(f"an object has {name[:100]!r} twice")
        made[name] = value
    return made


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
