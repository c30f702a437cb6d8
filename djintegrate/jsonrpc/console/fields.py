"""The form of a method's parameters: a field for each, of the kind that its type hint asks for.

The form is never submitted: the browser reads it, and sends a call. `kind` says how a text becomes JSON there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django import forms

from ..parameters.containers import Choice, Fixed, Many, OneOf, Record, Table, Validated
from ..parameters.converters import SECRET, Components, Converter, Schema
from ..parameters.instances import Instance
from ..parameters.scalars import SCALARS, Boolean, Exact, Float, Integer, Null, Text
from ..parameters.signature import Parameter, Signature
from ..protocol.writing import encode

NOTHING = ("", "—")
DEEPEST_EXAMPLE = 4


@dataclass(frozen=True)
class Kind:
    """How the text of a field becomes JSON.

    text and word are strings, of which a word is never empty; number; boolean; json; any is JSON if it can be.
    """

    name: str
    field: forms.Field


def form_of(signature: Signature) -> forms.Form:
    """All parameters that have a name. Others, as of `*numbers`, are written into what is sent."""
    form = forms.Form(auto_id="param_%s", label_suffix="")
    form.fields.update({each.name: kind_of(each).field for each in signature.parameters})
    return form


def every_form() -> type[forms.Form]:
    """A form with a field of each class and widget that a parameter may have, for those who build what pages need.

    Made when it is asked for: where the console is off, no page needs that.
    """
    fields = {
        "boolean": forms.BooleanField(),
        "choice": forms.ChoiceField(),
        "integer": forms.IntegerField(),
        "number": forms.FloatField(),
        "text": forms.CharField(),
        "secret": forms.CharField(widget=forms.PasswordInput),
        "area": forms.CharField(widget=forms.Textarea),
        **{name: made() for name, made in DATES.items()},
    }
    return type("Every", (forms.Form,), fields)


def kind_of(parameter: Parameter) -> Kind:
    converter = _plain(parameter.converter)
    name, field = _field(converter, parameter)
    field.required = parameter.is_required and name != "boolean"
    field.label = parameter.name
    field.help_text = parameter.description
    if not parameter.is_required and field.initial is None:
        field.widget.attrs.setdefault("placeholder", _default(parameter))
    return Kind(name, field)


def parts_of(parameter: Parameter) -> list[dict[str, Any]]:
    """The fields of an object, where the parameter is one, or an array of such."""
    converter = _plain(parameter.converter)
    if isinstance(converter, Many):
        converter = _plain(converter.item)
    if not isinstance(converter, Record):
        return []
    return [
        {"name": name, "type": field.expected, "is_required": name in converter.required}
        for name, field in converter.fields.items()
    ]


def _plain(converter: Converter) -> Converter:
    """Without null, and without what looks at the value afterwards."""
    if isinstance(converter, Validated):
        return _plain(converter.inner)
    if isinstance(converter, OneOf):
        others = [each for each in converter.members if not isinstance(each, Null)]
        return _plain(others[0]) if len(others) == 1 else converter
    return converter


def _field(converter: Converter, parameter: Parameter) -> tuple[str, forms.Field]:
    if isinstance(converter, Boolean):
        if parameter.is_required:
            return "boolean", forms.BooleanField()
        return "json", forms.ChoiceField(choices=[NOTHING, ("true", "true"), ("false", "false")])
    if isinstance(converter, Choice):
        values = [json.dumps(value, ensure_ascii=False) for value in converter.values]
        choices = [(text, text.strip('"')) for text in values]
        return "json", forms.ChoiceField(choices=choices if parameter.is_required else [NOTHING, *choices])
    if isinstance(converter, Integer):
        return "number", forms.IntegerField()
    if isinstance(converter, Float):
        return "number", forms.FloatField()
    if isinstance(converter, Instance):
        if converter.schema(Components()).get("type") != "integer":
            return "any", forms.CharField()
        # No IntegerField, whose dijit writes 1,234.
        return "number", forms.CharField(widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    if isinstance(converter, Many | Fixed | Table | Record):
        return "json", _json_field(converter, parameter)
    return _text_field(converter, parameter)


def _text_field(converter: Converter, parameter: Parameter) -> tuple[str, forms.Field]:
    hints = {id(found): hint for hint, found in SCALARS.items()}
    made = DATES.get(getattr(hints.get(id(converter)), "__name__", ""))
    if made is not None:
        return "word", made()
    if isinstance(converter, Text):
        secret = forms.PasswordInput(attrs={"autocomplete": "off"}) if SECRET.search(parameter.name) else None
        return "text", forms.CharField(widget=secret or forms.TextInput)
    if isinstance(converter, Exact) or id(converter) in hints:
        return "word", forms.CharField()
    return "any", forms.CharField(widget=forms.Textarea(attrs={"rows": 2}))


def _date() -> forms.Field:
    return forms.DateField(
        input_formats=["%Y-%m-%d"], widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )


def _datetime() -> forms.Field:
    format_ = "%Y-%m-%dT%H:%M"
    widget = forms.DateTimeInput(format=format_, attrs={"type": "datetime-local"})
    return forms.DateTimeField(input_formats=[format_], widget=widget)


def _time() -> forms.Field:
    return forms.TimeField(input_formats=["%H:%M"], widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))


DATES = {"date": _date, "datetime": _datetime, "time": _time}


def _json_field(converter: Converter, parameter: Parameter) -> forms.Field:
    components = Components()
    example = json.dumps(_example(converter.schema(components), components), indent=2, ensure_ascii=False)
    attrs = {"rows": min(example.count("\n") + 2, 10), "spellcheck": "false", "class": "code"}
    return forms.CharField(widget=forms.Textarea(attrs=attrs), initial=example if parameter.is_required else None)


def _example(schema: Schema, components: Components, depth: int = 0) -> Any:
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], components, depth)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if depth > DEEPEST_EXAMPLE:
        return None
    if kind == "object":
        required = schema.get("required") or list(schema.get("properties", ()))
        return {name: _example(schema["properties"][name], components, depth + 1) for name in required}
    if kind == "array":
        items = schema.get("items")
        return [_example(each, components, depth + 1) for each in items] if isinstance(items, list) else []
    texts = {"date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "time": "12:00", "duration": "PT1H"}
    return {"string": texts.get(schema.get("format", ""), ""), "integer": 0, "number": 0, "boolean": False}.get(
        kind or ""
    )


def default_of(parameter: Parameter) -> str:
    """As JSON, as far as it can be."""
    try:
        return "null" if parameter.is_required else encode(parameter.default)
    except (TypeError, ValueError):
        return "null"


def _default(parameter: Parameter) -> str:
    """What an empty field says: nothing is no value that one would write."""
    found = default_of(parameter)
    return "" if found == "null" else found
