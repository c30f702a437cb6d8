"""Says which dijit a form's field becomes: `from djintegrate.dojo import models as dojo`.

There is no database model here. Nothing is rendered: page.py collects what this says, and the browser makes the dijits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from difflib import get_close_matches
from html import unescape
from inspect import signature
from typing import Any, TypeVar

from django.forms import BaseForm, BoundField, Field, IntegerField
from django.forms.fields import BaseTemporalField
from django.utils.html import conditional_escape, strip_tags

from djintegrate.common.types import NAMES, did_you_mean

from . import sources
from .fields.numbers import number
from .fields.rules import VALUE
from .page import names

Converter = Callable[[Any], Any]
AttributeMap = Mapping[str, tuple[str, Converter | None]]

FILTERING_SELECT = "dijit/form/FilteringSelect"
OF_NUMBERS = {f"dijit/form/{name}" for name in
              ("NumberTextBox", "NumberSpinner", "CurrencyTextBox", "HorizontalSlider", "VerticalSlider")}  # fmt: skip
OF_TIMES = {"dijit/form/DateTextBox", "dijit/form/TimeTextBox", "djintegrate/DateTimeBox"}


def as_html(text: Any) -> str:
    """Text for an attribute that a dijit shows as HTML; what is marked safe stays as it is."""
    return str(conditional_escape(text))


def as_prompt(text: Any) -> str:
    """A help text, which Django writes as HTML beside the field: its words, but for what is marked safe."""
    return as_html(text if hasattr(text, "__html__") else unescape(strip_tags(text))) if text else ""


def as_refusal(text: Any) -> str:
    """A message about a choice. What was chosen only the browser knows."""
    return as_html(text).replace("%(value)s", VALUE).replace("%%", "%")


def as_limit(limit: Any) -> Any:
    """A bound as dijits take it: a number that JavaScript has, or else what is written for a date or a time."""
    limit = limit() if callable(limit) else limit
    return limit if isinstance(limit, (str, date, time)) else number(limit)


default_attr_map: dict[str, tuple[str, Converter | None]] = {
    "required": ("required", None),
    "disabled": ("disabled", None),
    "min_length": ("minLength", None),
    "max_length": ("maxLength", None),
    "min_value": ("constraints.min", as_limit),
    "max_value": ("constraints.max", as_limit),
    "help_text": ("promptMessage", as_prompt),
    "error_messages.required": ("missingMessage", as_html),
    "error_messages.invalid": ("invalidMessage", as_html),
    "error_messages.invalid_choice": ("invalidMessage", as_refusal),
}
"""From a Django field's attribute to a dijit's, and how the value is converted. A dot goes one level down."""


@dataclass(frozen=True)
class Dijit:
    """What `dojo_field` notes on a field, as its attribute `dojo`; a widget may have one of its own.

    The module may be called in either way, with dots or slashes. Raises ValueError for what is the name of none.
    """

    module: str
    attr_map: AttributeMap = field(default_factory=dict)
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "module", sources.known(names.module(self.module)))

    def attributes(self, of: Field) -> dict[str, Any]:
        """What the dijit is made with. An attribute without a value, None or empty, is left to the dijit."""
        made: dict[str, Any] = {}
        attr_map = {**default_attr_map, **self.attr_map} if self.attr_map else default_attr_map
        for source, (target, convert) in attr_map.items():
            value = _find(of, source)
            if value is not None and convert is not None:
                value = convert(value)
            if value is not None and value != "":
                _put(made, target, value)
        for target, value in self.attrs.items():
            _put(made, target, value)
        return made


_AnyField = TypeVar("_AnyField", bound=Field | BoundField)


def dojo_field(
    field: _AnyField,
    dijit: str,
    attr_map: AttributeMap | None = None,
    dojo_attrs: Mapping[str, Any] | None = None,
) -> _AnyField:
    """The field becomes this dijit. Takes a field of a class, of one form (`form.fields["name"]`) or `form["name"]`.

    `attr_map` goes over `default_attr_map`; `dojo_attrs` go to the dijit as they are. Returns the field.
    """
    target = _field(field)
    given = {"attr_map": attr_map or {}, "dojo_attrs": dojo_attrs or {}}
    for name, value in given.items():
        if not isinstance(value, Mapping):
            kind = NAMES.get(type(value), type(value).__name__)
            example = {"attr_map": '{"label": ("placeHolder", None)}', "dojo_attrs": '{"placeHolder": "…"}'}[name]
            raise ValueError(f"{name} is {value!r}, {kind}. Make it a dictionary, such as {example}.")
    for source, pair in (attr_map or {}).items():
        if not (isinstance(pair, tuple) and len(pair) == 2 and (pair[1] is None or callable(pair[1]))):
            raise ValueError(
                f"attr_map[{source!r}] is {pair!r}. Make it a dijit's attribute and a converter or None, such as "
                '("promptMessage", None).'
            )
        _refuse_unknown(source, target)
    made = Dijit(dijit, dict(attr_map or {}), dict(dojo_attrs or {}))
    module = made.module
    for dijits_of, fields in ((OF_TIMES, IntegerField), (OF_NUMBERS, BaseTemporalField)):
        if module in dijits_of and isinstance(target, fields):
            raise ValueError(
                f"{module} cannot say what a field of the class {type(target).__name__} reads. Give dojo_field() "
                "another dijit, or leave the field to dojo_form(form, auto=True), which knows the one that fits."
            )
    target.dojo = made
    return field


def dijits(form: BaseForm) -> Iterator[tuple[BoundField, Dijit]]:
    """The form's fields that become dijits, in their order."""
    for name, form_field in form.fields.items():
        dijit = dijit_of(form_field)
        if dijit is not None:
            yield form[name], dijit


def dijit_of(field: Field) -> Dijit | None:
    """What dojo_field() noted; else what the field's widget is by itself, if that has an attribute `dojo` too.

    Where both speak, dojo_field() goes over the widget, whose own dijit stands in for a FilteringSelect.
    """
    given, own = getattr(field, "dojo", None), getattr(field.widget, "dojo", None)
    if given is None or own is None:
        return given or own
    module = own.module if given.module == FILTERING_SELECT else given.module
    return Dijit(module, {**own.attr_map, **given.attr_map}, {**own.attrs, **given.attrs})


def _field(field: Any) -> Field:
    if isinstance(field, Field):
        return field
    if not isinstance(field, BoundField):
        raise TypeError(
            f'dojo_field() was given {field!r}, which is not a field. Give it form["name"], form.fields["name"] or a '
            "field in the body of a form's class."
        )
    if field.form.fields.get(field.name) is not field.field:
        raise ValueError(
            f"The field {field.name!r} is not in {type(field.form).__name__}, which has: "
            f"{', '.join(map(repr, field.form.fields)) or 'none'}. Give dojo_field() one of those."
        )
    return field.field


def _refuse_unknown(path: str, field: Field) -> None:
    """A path of attr_map that is misspelt would find nothing, and nobody would hear of it."""
    first, *more = path.split(".")
    if not hasattr(field, first) and first not in _attributes_of_others():
        question = did_you_mean(first, [name for name in vars(field) if not name.startswith("_")])
        raise ValueError(f"attr_map[{path!r}]: a field has no attribute {first!r}. {question}".rstrip())
    found = getattr(field, first, None)
    for part in more:
        if isinstance(found, Mapping):
            # A key may come later, or to another field; so only what is nearly one that is there is misspelt.
            near = [] if part in found else get_close_matches(part, map(str, found), n=1, cutoff=0.9)
            if near:
                raise ValueError(f"attr_map[{path!r}]: there is no {part!r}. Did you mean {near[0]}?")
        elif found is not None and not hasattr(found, part):
            known = [name for name in dir(found) if not name.startswith("_")]
            raise ValueError(
                f"attr_map[{path!r}]: a {type(found).__name__} has no {part!r}. {did_you_mean(part, known)}".rstrip()
            )
        found = found.get(part) if isinstance(found, Mapping) else getattr(found, part, None)


def _attributes_of_others() -> set[str]:
    """What fields of any class may have: one map may do for several fields."""
    known: set[str] = set()
    classes: list[type] = [Field]
    while classes:
        one = classes.pop()
        known.update(dir(one), signature(one).parameters)
        classes += one.__subclasses__()
    return known


def _find(field: Field, path: str) -> Any:
    first, *more = path.split(".") if "." in path else [path]
    found = getattr(field, first, None)
    for part in more:
        found = found.get(part) if isinstance(found, Mapping) else getattr(found, part, None)
    return found


def _put(target: dict[str, Any], path: str, value: Any) -> None:
    outer, _, last = path.rpartition(".")
    for part in outer.split(".") if outer else ():
        target = target.setdefault(part, {})
    # Most values are plain, and to ask whether something is a Mapping takes Python a while.
    if isinstance(value, (str, int)) or not isinstance(value, Mapping):
        target[last] = value
    elif isinstance(target.get(last), dict):
        target[last].update(value)
    else:
        target[last] = dict(value)
