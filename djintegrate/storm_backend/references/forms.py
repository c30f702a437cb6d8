"""The form field of a StormForeignKey, and a widget for tables that are too large for a select."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.utils.text import Truncator

from ..stores import SharedStore, store_on
from .targets import StormTarget, is_storm_object


class StormModelChoiceField(forms.ChoiceField):
    """A choice of Storm objects, by their str(). It cleans to a Storm object."""

    # Django's field for its own objects is no base: it wants a QuerySet. These parts of it do not.
    default_error_messages = forms.ModelChoiceField.default_error_messages
    label_from_instance = forms.ModelChoiceField.label_from_instance
    has_changed = forms.ModelChoiceField.has_changed
    # Whether the value is one of the choices is asked in to_python().
    validate = forms.ModelChoiceField.validate

    def __init__(
        self,
        to: str | type | StormTarget,
        *,
        find: Callable[[SharedStore], Any] | None = None,
        using: str = DEFAULT_DB_ALIAS,
        empty_label: str | None = "---------",
        blank: bool = False,
        required: bool = True,
        initial: Any = None,
        **kwargs: Any,
    ) -> None:
        """`to` is a Storm class or its dotted path, `find` a function that takes a store and gives a result set."""
        self.target = to if isinstance(to, StormTarget) else StormTarget(to)
        self.using = using
        self._find = find
        super().__init__(required=required, initial=initial, **kwargs)
        radio = isinstance(self.widget, forms.RadioSelect) and not blank
        self.empty_label = None if (required and initial is not None) or radio else empty_label
        self._supply_widget()

    def __deepcopy__(self, memo: Any) -> Any:
        result = super().__deepcopy__(memo)
        result._supply_widget()
        return result

    def prepare_value(self, value: Any) -> Any:
        if is_storm_object(value):
            value = getattr(value, self.target.attribute)
        return super().prepare_value(value)

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            key = self.target.to_python(self.prepare_value(value))
            # PostgreSQL refuses a string with a NUL, and the transaction would be broken.
            found = None if "\0" in str(key) else self._objects().find(self.target.column == key).one()
        except (TypeError, ValueError, ArithmeticError):
            found = None
        if found is None:
            raise self._invalid(value)
        return found

    def _supply_widget(self) -> None:
        """Make this field, and not the one that it was copied from, give choices and labels to its widget."""
        self.choices = self._list_choices
        if hasattr(self.widget, "label_of"):
            self.widget.label_of = self._label_of_value

    def _invalid(self, value: Any) -> ValidationError:
        return ValidationError(self.error_messages["invalid_choice"], code="invalid_choice", params={"value": value})

    def _objects(self) -> Any:
        store = store_on(self.using)
        return store.find(self.target.cls) if self._find is None else self._find(store)

    def _list_choices(self) -> Iterator[tuple[Any, str]]:
        if self.empty_label is not None:
            yield "", self.empty_label
        for obj in self._objects():
            yield getattr(obj, self.target.attribute), self.label_from_instance(obj)

    def _label_of_value(self, value: Any) -> str:
        try:
            return self.label_from_instance(self.to_python(value))
        except ValidationError:
            return ""


class StormRawIdWidget(forms.TextInput):
    """A text field for the key, with the object's str() beside it. Its template is that of the admin."""

    template_name = "admin/widgets/foreign_key_raw_id.html"
    # Set by the field that has this widget.
    label_of: Callable[[Any], str] | None = None

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "vForeignKeyRawIdAdminField", **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        label = self.label_of(value) if self.label_of and value not in (None, "") else ""
        return {**context, "related_url": None, "link_url": "", "link_label": Truncator(label).words(14)}
