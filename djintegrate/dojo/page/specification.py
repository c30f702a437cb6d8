"""One form as the browser is told of it: a list of controls, each with its dijit, its value and its rules."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms import BaseForm, BoundField
from django.forms.formsets import DELETION_FIELD_NAME

from ..fields import auto, numbers, values
from ..models import Dijit, as_html, as_prompt, dijit_of

logger = logging.getLogger("djintegrate.dojo")


def entries(form: BaseForm, by_itself: bool) -> Iterator[tuple[BoundField, dict[str, Any]]]:
    """What becomes a dijit, in the form's order. A field that dojo_field() was called for is what that said."""
    if by_itself:
        _ = form.errors  # What the form's own cleaning raises is not a widget's fault.
    for name, field in form.fields.items():
        bound = form[name]
        explicit = dijit_of(field)
        if explicit is not None and not (by_itself and getattr(field, "dojo", None) is None):
            yield bound, _explicit(bound, _identifier(bound), explicit)
        elif by_itself:
            for entry in _of_itself(bound):
                yield bound, entry


def _identifier(bound: BoundField) -> str:
    return str(bound.field.widget.attrs.get("id") or bound.auto_id)


def _of_itself(bound: BoundField) -> list[dict[str, Any]]:
    """What the field becomes by itself: nothing, where its widget is not as those of Django's are."""
    try:
        controls = auto.controls(bound, _identifier(bound))
        made = [_automatic(bound, control) for control in controls if control.dijit is not None]
        return [*made, *_clear_box(bound)]
    except Exception:  # whatever a field or a widget of somebody's does: as HTML, the page is shown
        logger.warning(
            "The field %r of %s stays as it is in HTML: no dijit can be made of its %s and %s.",
            *(bound.name, type(bound.form).__name__, type(bound.field).__name__, type(bound.field.widget).__name__),
            exc_info=True,
        )
        return []


def circumstances(form: BaseForm, by_itself: bool) -> dict[str, Any]:
    """When the rules of the whole form do not hold."""
    made: dict[str, Any] = {}
    if by_itself and form.empty_permitted:
        made["optional"] = True
    if by_itself and DELETION_FIELD_NAME in form.fields:
        made["delete"] = form[DELETION_FIELD_NAME].auto_id
    return made


def _explicit(bound: BoundField, identifier: str, dijit: Dijit) -> dict[str, Any]:
    attrs = dijit.attributes(bound.field)
    if bound.form.empty_permitted:
        # It may stay empty as a whole, which is for the server to see.
        attrs["required"] = dijit.attrs.get("required", False)
    made = {"id": identifier, "dijit": dijit.module, "attrs": attrs}
    value = None if _is_compound(bound) else values.reading(bound.field, bound.field.widget)
    return made | ({"value": value} if value else {})


def _automatic(bound: BoundField, control: auto.Control) -> dict[str, Any]:
    assert control.dijit is not None
    attrs = control.dijit.attributes(control.field)
    if control.part is not None:
        attrs |= {key: text for key, text in _whole(bound).items() if text} | {"disabled": bound.field.disabled}
    attrs["required"] = auto.is_required(control, bound) and not bound.form.empty_permitted
    made = {"id": control.identifier, "dijit": control.dijit.module, "attrs": attrs}
    made["rules"] = _as_html(auto.rules_for(control, bound))
    value = values.reading(control.field, control.widget)
    if value:
        for name in ("min", "max") if value["kind"] == "number" else ():
            limit = numbers.number(getattr(control.field, f"{name}_value", None))
            if limit is not None:
                value[name] = limit
        made["value"] = value
    if bound.form.empty_permitted and bound.form.is_bound:
        # Else it is what the HTML has.
        made["initial"] = values.initial_texts(bound, control.part)
    if bound.form.is_bound and bound.errors:
        made["errors"] = [as_html(text) for text in bound.errors]
    return made


def _clear_box(bound: BoundField) -> Iterator[dict[str, Any]]:
    widget = bound.field.widget
    if isinstance(widget, forms.ClearableFileInput) and not bound.field.required and widget.is_initial(bound.value()):
        name = widget.clear_checkbox_name(bound.html_name)
        yield {"id": widget.clear_checkbox_id(name), "dijit": auto.CHECK, "attrs": {}}


def _whole(bound: BoundField) -> dict[str, Any]:
    """What the parts of a MultiWidget have of the field that they are parts of."""
    field = bound.field
    return {
        "promptMessage": as_prompt(field.help_text) if field.help_text else "",
        "missingMessage": as_html(field.error_messages.get("required", "")),
    }


def _as_html(rules: dict[str, Any]) -> dict[str, Any]:
    made = {**rules, "list": [[name, argument, as_html(text)] for name, argument, text in rules["list"]]}
    return made | {key: as_html(made[key]) for key in ("required", "invalid") if key in made}


def _is_compound(bound: BoundField) -> bool:
    return isinstance(bound.field.widget, (forms.MultiWidget, forms.SelectDateWidget))
