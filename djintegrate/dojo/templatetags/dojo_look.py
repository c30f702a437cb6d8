"""What DijitRenderer's own templates need: the word beside the label of a field that may stay empty."""

from __future__ import annotations

from django import template
from django.forms import BoundField

from .. import optional as words

register = template.Library()


@register.simple_tag
def optional(field: BoundField) -> str:
    """Nothing beside a single check box, which nobody takes for something to fill in."""
    is_box = not field.use_fieldset and getattr(field.field.widget, "input_type", "") == "checkbox"
    return "" if field.field.required or is_box else words.word()
