"""What of a form field's own rules the browser can check as the server would, with the server's messages.

A rule that is not here is left to the server: it is never guessed at. docs/reference/dojo-fields.md lists both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from types import FunctionType
from typing import Any

from django import forms
from django.core import validators
from django.core.exceptions import ValidationError
from django.utils import dateparse
from django.utils.translation import gettext

from . import numbers, patterns, values

SHOWN, VALUE = "\ue000", "\ue001"
"""In a message, the places of what only the browser knows: the length or value found, and the text."""
_SHOWN_NUMBER = 918273645546372819
"""Stands there until the message is made, for %d takes no text."""

Rule = list[Any]


def rules_of(field: forms.Field) -> list[Rule]:
    """Each is a name that rules.js has a test for, what that needs to know, and the message. In the server's order."""
    found = list(_parsing(field))
    for inner in getattr(field, "fields", ()) if isinstance(field, forms.ComboField) else ():
        found += rules_of(inner)
    for validator in field.validators:
        make = _maker(validator)
        found += make(field, validator) if make else ()
    return found


def message(field: forms.Field, code: str, default: Any = "", params: Mapping[str, Any] | None = None) -> str:
    """The text that Django would show."""
    text = field.error_messages.get(code, default)
    try:
        made = str(text % {"value": VALUE, "show_value": _SHOWN_NUMBER, **(params or {})})
    except (KeyError, TypeError, ValueError):
        return str(text)
    return made.replace(str(_SHOWN_NUMBER), SHOWN)


def limit_of(validator: Any) -> Any:
    return validator.limit_value() if callable(validator.limit_value) else validator.limit_value


def _maker(validator: Any) -> Callable[[forms.Field, Any], Iterator[Rule]] | None:
    """One for what the validator does: a class derived from one of Django's may do something else."""
    if isinstance(validator, FunctionType):
        return _VALIDATORS.get(validator)
    cls = type(validator)
    base = next((base for base in cls.__mro__ if base in _VALIDATORS), None)
    methods = ("__call__", "compare", "clean", "validate_domain_part")
    if any(getattr(cls, name, None) is not getattr(base, name, None) for name in methods):
        return None
    return _VALIDATORS.get(base)


def _parsing(field: forms.Field) -> Iterator[Rule]:
    invalid = message(field, "invalid")
    if isinstance(field, (forms.FloatField, forms.DecimalField)):
        yield ["float" if isinstance(field, forms.FloatField) else "number", None, invalid]
    elif isinstance(field, forms.IntegerField):
        yield ["integer", None, invalid]
    elif isinstance(field, forms.DurationField):
        sources = [_translated(regex) for regex in _DURATIONS]
        if all(sources):
            yield ["any", sources, invalid]
    elif isinstance(field, forms.UUIDField):
        yield ["uuid", None, invalid]
    elif isinstance(field, forms.JSONField) and field.decoder is None:
        yield ["json", None, invalid]
        if field.required:
            yield ["json_value", None, message(field, "required")]
    elif isinstance(field, forms.GenericIPAddressField):
        yield ["colons", None, gettext("This is not a valid IPv6 address.")]
    elif isinstance(field, forms.FileField):
        if field.max_length is not None:
            yield ["filename", field.max_length, message(field, "max_length", "", _lengths(field.max_length))]
        if not field.allow_empty_file:
            yield ["content", None, message(field, "empty")]


def _lengths(limit: int) -> dict[str, Any]:
    return {"max": limit, "length": _SHOWN_NUMBER}


def _limit(name: str) -> Callable[[forms.Field, Any], Iterator[Rule]]:
    def make(field: forms.Field, validator: Any) -> Iterator[Rule]:
        limit = limit_of(validator)
        sent = _limit_sent(field, limit)
        if sent is not None:
            is_float = type(field) is forms.FloatField
            yield [name, [sent, is_float], _validator_message(field, validator, {"limit_value": limit})]

    return make


def _limit_sent(field: forms.Field, limit: Any) -> str | None:
    try:
        if not values.kind_of(field) or not isinstance(limit, (int, float, Decimal, date, datetime, time)):
            return None
        return values.canonical(field, limit)
    except ValidationError:
        return None


def _length(name: str) -> Callable[[forms.Field, Any], Iterator[Rule]]:
    def make(field: forms.Field, validator: Any) -> Iterator[Rule]:
        limit = numbers.number(limit_of(validator))
        if limit is not None and isinstance(field, forms.CharField) and type(field).to_python in _TEXTS:
            yield [name, limit, _validator_message(field, validator, {"limit_value": limit})]

    return make


def _step(field: forms.Field, validator: Any) -> Iterator[Rule]:
    limit, offset = limit_of(validator), validator.offset
    step, start = numbers.step(limit), numbers.number(0 if offset is None else offset)
    if step is None or start is None:
        return
    params = {"limit_value": limit, "offset": offset}
    if offset is not None:
        params |= {"valid_value1": offset + limit, "valid_value2": offset + 2 * limit}
    yield ["step", [float(step), float(start)], _validator_message(field, validator, params)]


def _digits(field: forms.Field, validator: Any) -> Iterator[Rule]:
    most, places = validator.max_digits, validator.decimal_places
    limits = {"max_digits": most, "max_decimal_places": places}
    if most is not None and places is not None:
        limits["max_whole_digits"] = most - places
    for code, limit in limits.items():
        if limit is not None:
            yield [code, limit, message(field, code, validator.messages[code], {"max": limit})]


def _regex(field: forms.Field, validator: Any) -> Iterator[Rule]:
    source = _translated(validator.regex)
    if source is not None and isinstance(field, forms.CharField) and type(field).to_python in _TEXTS:
        yield ["pattern", [source, bool(validator.inverse_match)], _validator_message(field, validator, {})]


def _email(field: forms.Field, validator: Any) -> Iterator[Rule]:
    found = [_translated(getattr(validator, name)) for name in ("user_regex", "domain_regex", "literal_regex")]
    if all(found):
        yield ["email", [*found, list(validator.domain_allowlist)], _validator_message(field, validator, {})]


def _url(field: forms.Field, validator: Any) -> Iterator[Rule]:
    source = _translated(validator.regex)
    scheme = getattr(field, "assume_scheme", None)
    if source is not None and type(field) is forms.URLField:
        argument = [source, list(validator.schemes), scheme, validator.max_length]
        yield ["url", argument, _validator_message(field, validator, {})]


def _null(field: forms.Field, validator: Any) -> Iterator[Rule]:
    yield ["without_null", None, _validator_message(field, validator, {})]


def _extension(field: forms.Field, validator: Any) -> Iterator[Rule]:
    allowed = validator.allowed_extensions
    if allowed is not None:
        params = {"extension": SHOWN, "allowed_extensions": ", ".join(allowed)}
        yield ["extension", list(allowed), _validator_message(field, validator, params)]


def _image_extension(field: forms.Field, validator: Any) -> Iterator[Rule]:
    return _extension(field, validators.FileExtensionValidator(validators.get_available_image_extensions()))


def _address(protocol: str, name: str) -> Callable[[forms.Field, Any], Iterator[Rule]]:
    def make(field: forms.Field, validator: Any) -> Iterator[Rule]:
        text = gettext("Enter a valid %(protocol)s address.")
        yield ["address", protocol, message(field, "invalid", text, {"protocol": gettext(name)})]

    return make


def _validator_message(field: forms.Field, validator: Any, params: Mapping[str, Any]) -> str:
    return message(field, validator.code, validator.message, params)


def _translated(regex: Any) -> str | None:
    return patterns.to_javascript(regex.pattern, regex.flags) if isinstance(regex.pattern, str) else None


_DURATIONS = (dateparse.standard_duration_re, dateparse.iso8601_duration_re, dateparse.postgres_interval_re)
_TEXTS = {forms.CharField.to_python, forms.URLField.to_python, forms.GenericIPAddressField.to_python}
"""Where a validator gets the text that was sent, or one that rules.js makes as well."""

_VALIDATORS: dict[Any, Callable[[forms.Field, Any], Iterator[Rule]]] = {
    validators.MinValueValidator: _limit("min_value"),
    validators.MaxValueValidator: _limit("max_value"),
    validators.StepValueValidator: _step,
    validators.MinLengthValidator: _length("min_length"),
    validators.MaxLengthValidator: _length("max_length"),
    validators.DecimalValidator: _digits,
    validators.RegexValidator: _regex,
    validators.EmailValidator: _email,
    validators.URLValidator: _url,
    validators.ProhibitNullCharactersValidator: _null,
    validators.FileExtensionValidator: _extension,
    validators.validate_image_file_extension: _image_extension,
    validators.validate_ipv4_address: _address("ipv4", "IPv4"),
    validators.validate_ipv6_address: _address("ipv6", "IPv6"),
    validators.validate_ipv46_address: _address("both", "IPv4 or IPv6"),
}
