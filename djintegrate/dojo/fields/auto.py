"""Which dijit a form's field becomes by itself, with `dojo_form(form, auto=True)` or DOJO_AUTO.

The HTML control decides first, since the dijit is made over it; the field decides what a text box is for. What neither
table names becomes what its base class does. A field that dojo_field() was called for is not looked at here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BaseForm, BoundField

from .. import richtext
from ..models import Dijit, as_html, dijit_of
from . import numbers, rules, values

TEXT = "dijit/form/ValidationTextBox"
CHECK = "dijit/form/CheckBox"
NATIVE = "djintegrate/Native"
EDITOR = "djintegrate/Editor"

#: None: it stays as it is.
BY_WIDGET: dict[type[forms.Widget], str | None] = {
    richtext.RichTextarea: EDITOR,
    forms.Textarea: "dijit/form/SimpleTextarea",
    forms.CheckboxInput: CHECK,
    forms.CheckboxSelectMultiple: CHECK,
    forms.RadioSelect: "dijit/form/RadioButton",
    forms.SelectMultiple: "dijit/form/MultiSelect",
    forms.Select: "dijit/form/Select",
    forms.HiddenInput: None,
    forms.MultipleHiddenInput: None,
    forms.SplitHiddenDateTimeWidget: None,
    forms.FileInput: NATIVE,
    forms.widgets.Input: TEXT,
}
#: Where the widget is a text box.
BY_FIELD: dict[type[forms.Field], str] = {
    forms.DateTimeField: "djintegrate/DateTimeBox",
    forms.DateField: "dijit/form/DateTextBox",
    forms.TimeField: "dijit/form/TimeTextBox",
    forms.IntegerField: "dijit/form/NumberTextBox",
}
#: Where the <input> has a type of its own, whatever the field: <input type="range">.
BY_INPUT_TYPE: dict[str, str] = {
    "color": NATIVE,
    "file": NATIVE,
    "month": NATIVE,
    "week": NATIVE,
    "range": "dijit/form/HorizontalSlider",
    "date": "dijit/form/DateTextBox",
    "time": "dijit/form/TimeTextBox",
    "datetime-local": "djintegrate/DateTimeBox",
}


@dataclass(frozen=True)
class Control:
    """One control in the page, or a list of them under one id, that becomes a dijit."""

    identifier: str
    field: forms.Field
    widget: forms.Widget
    dijit: Dijit | None
    #: Which part of a MultiWidget it is, if it is one.
    part: int | None = None


def controls(bound: BoundField, identifier: str) -> Iterator[Control]:
    """Of a field: one, or one for each part of a MultiWidget, each with its dijit. None where HTML is best."""
    field, widget = bound.field, bound.field.widget
    # A widget may bring its own, in its attribute `dojo`.
    own = dijit_of(field)
    if own is not None or not _has_parts(widget):
        yield Control(identifier, field, widget, own or dijit_for(field, widget))
        return
    parts = widget.get_context(bound.html_name, bound.value(), {"id": identifier})["widget"]["subwidgets"]
    inner = getattr(widget, "widgets", [forms.Select()] * len(parts))
    fields = getattr(field, "fields", [])
    fields = fields if len(fields) == len(parts) else [_PART] * len(parts)
    for number, part in enumerate(parts):
        dijit = dijit_for(fields[number], inner[number])
        yield Control(part["attrs"]["id"], fields[number], inner[number], dijit, number)


def dijit_for(field: forms.Field, widget: forms.Widget) -> Dijit | None:
    module = module_for(field, widget)
    return None if module is None else Dijit(module, {}, dict(_attributes(field, widget, module)))


def module_for(field: forms.Field, widget: forms.Widget) -> str | None:
    """The dijit's module, or None for what stays as it is."""
    if getattr(widget, "is_hidden", False) or _has_scripts_of_its_own(widget):
        return None
    widget = values.inner(widget)
    if isinstance(field, forms.ModelChoiceField) and type(widget) is forms.Select:
        return "dijit/form/FilteringSelect"
    if isinstance(widget, forms.widgets.Input):
        by_type = BY_INPUT_TYPE.get(widget.attrs.get("type", getattr(widget, "input_type", "")))
        if by_type:
            return by_type
    module = _nearest(BY_WIDGET, type(widget))
    if module != TEXT:
        return module
    if getattr(field, "step_size", None) is not None:
        return "dijit/form/NumberSpinner"
    module = _nearest(BY_FIELD, type(field)) or TEXT
    if values.kind_of(field) in ("date", "time", "datetime") and not values.has_known_format(field):
        return TEXT
    return module


def modules_of(form: type[BaseForm]) -> Iterator[str]:
    """All that the fields of a form class become, for dojo_build."""
    for field in form.base_fields.values():
        with suppress(Exception):  # of what a page leaves as it is in HTML
            yield from _modules_of(field)


def _modules_of(field: forms.Field) -> Iterator[str]:
    has_parts = isinstance(field.widget, forms.MultiWidget)
    widgets = field.widget.widgets if has_parts else [field.widget]
    fields = getattr(field, "fields", []) if has_parts else [field]
    for number, widget in enumerate(widgets):
        module = module_for(fields[number] if len(fields) == len(widgets) else field, widget)
        if module:
            yield module
    if isinstance(field.widget, forms.SelectDateWidget):
        yield "dijit/form/Select"
    if isinstance(field.widget, forms.ClearableFileInput):
        yield CHECK


def rules_for(control: Control, bound: BoundField) -> dict[str, Any]:
    """What the browser checks before a submit."""
    field = control.field
    made: dict[str, Any] = {"list": rules.rules_of(field)}
    if is_required(control, bound):
        made["required"] = rules.message(field if control.part is None else bound.field, "required")
    invalid = rules.message(field, "invalid_choice" if isinstance(field, forms.ChoiceField) else "invalid")
    if invalid:
        made["invalid"] = invalid
    if getattr(field, "strip", not isinstance(field, forms.CharField)):
        made["strip"] = True
    if isinstance(field, richtext.RichTextField):
        made["html"] = True
    return made


def is_required(control: Control, bound: BoundField) -> bool:
    if control.part is not None:
        whole = bound.field
        # Where the whole may be empty, a part has to be there only beside others, which the server sees.
        return bool(whole.required and (getattr(whole, "require_all_fields", True) or control.field.required))
    if isinstance(control.field, forms.FileField) and bound.initial:
        # The file that is there already is kept.
        return False
    if isinstance(control.field, forms.NullBooleanField):
        # "Unknown" is an answer.
        return False
    return bool(control.field.required)


def _attributes(field: forms.Field, widget: forms.Widget, module: str) -> Iterator[tuple[str, Any]]:
    if module in ("dijit/form/NumberTextBox", "dijit/form/NumberSpinner"):
        places = 0 if not isinstance(field, forms.FloatField) else getattr(field, "decimal_places", None)
        if places is not None and not isinstance(field, forms.DecimalField):
            yield "constraints.places", places
    step = numbers.step(getattr(field, "step_size", None))
    if step is not None:
        yield "smallDelta", step
    if module == "dijit/form/HorizontalSlider":
        yield from _slider(field, widget)
    for validator in field.validators if values.kind_of(field) in ("date", "time") else ():
        code = getattr(validator, "code", "")
        if code in ("min_value", "max_value"):
            limit = values.canonical(field, rules.limit_of(validator))
            yield f"constraints.{code[:3]}", limit if "-" in limit else "T" + limit
    if isinstance(field, forms.ChoiceField):
        yield "invalidMessage", as_html(rules.message(field, "invalid_choice"))
    if module == EDITOR:
        yield from richtext.editor_attributes(widget)


def _slider(field: forms.Field, widget: forms.Widget) -> Iterator[tuple[str, Any]]:
    low, high, step = (widget.attrs.get(name) for name in ("min", "max", "step"))
    yield from numbers.slider(
        numbers.first(low, getattr(field, "min_value", None)),
        numbers.first(high, getattr(field, "max_value", None)),
        None if str(step).lower() == "any" else numbers.step(step, getattr(field, "step_size", None), 1),
    ).items()
    yield "showButtons", False


def _has_scripts_of_its_own(widget: forms.Widget) -> bool:
    """Two lists side by side, and selects that fetch their choices, of the admin: also within its links."""
    inner = values.inner(widget)
    return (
        type(inner).__module__ == "django.contrib.admin.widgets"
        and isinstance(inner, forms.Select)
        and not (isinstance(inner, forms.RadioSelect))
    )


def _nearest(table: dict[type, Any], cls: type) -> Any:
    return next((table[base] for base in cls.__mro__ if base in table), None)


def _has_parts(widget: forms.Widget) -> bool:
    return isinstance(widget, (forms.MultiWidget, forms.SelectDateWidget)) and not widget.is_hidden


_PART = forms.Field(required=False)
"""The field of a part of which the form knows no more."""
