"""StoreSelect: the widget of a ModelChoiceField over many rows. A FilteringSelect pages through a StoreView's rows.

The page never has all options, and never reads all rows; which rows may be chosen is the field's queryset to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.shortcuts import resolve_url
from django.utils.functional import lazy
from django.utils.translation import gettext as _

from . import models

MODULE = "djintegrate/StoreSelect"

_address = lazy(resolve_url, str)


class StoreSelect(forms.Select):
    """Without Dojo it is a select of the chosen row and the first others, or a text field for the key."""

    # A field that is not a ModelChoiceField may set this: its way from a value to the text that is shown for it.
    label_of: Callable[[Any], str] | None = None

    def __init__(
        self,
        url: Any,
        *,
        search: str = "label",
        label: str = "",
        id_field: str = "",
        page_size: int = 25,
        query_expr: str = "${0}*",
        plain_rows: int = 25,
        dojo_attrs: Mapping[str, Any] | None = None,
        attrs: Mapping[str, Any] | None = None,
    ) -> None:
        """`url` is the StoreView's address, or the name of its URL pattern.

        `search` names the view's search, and what its items show of it; `label` what the menu shows, if that is
        another; `id_field` what is submitted, if not the key or the field's `to_field_name`. `plain_rows` is
        how many rows are options without Dojo; with 0 the key is to be typed.
        """
        if "${0}" not in query_expr:
            raise ValueError(
                f"query_expr is {query_expr!r}. Say with ${{0}} where the typed text goes, for instance '${{0}}*', "
                "which finds what begins with it."
            )
        if page_size < 1 or plain_rows < 0:
            raise ValueError(
                f"page_size is {page_size!r} and plain_rows {plain_rows!r}. Make the first at least 1, the second "
                "at least 0."
            )
        super().__init__(dict(attrs or {}))
        # Lazy: where forms are imported, as by dojo_build, there need be no URLconf.
        self.url = _address(url)
        self._named = str(url) if isinstance(url, str) else "…"
        self.search, self.label, self.id_field = search, label, id_field
        self.page_size, self.query_expr, self.plain_rows = page_size, query_expr, plain_rows
        self.dojo_attrs = dict(dojo_attrs or {})

    @property
    def dojo(self) -> models.Dijit:
        """The dijit that the field becomes, unless dojo_field() says something else: see models.dijit_of()."""
        attrs = {
            "storeUrl": self.url,
            "idProperty": self.id_field or getattr(self._field, "to_field_name", None) or "id",
            "searchAttr": self.search,
            **({"labelAttr": self.label} if self.label else {}),
            "pageSize": self.page_size,
            "queryExpr": self.query_expr,
            **self.dojo_attrs,
        }
        attr_map = {"error_messages.invalid_choice": ("invalidMessage", _without_value)}
        return models.Dijit(MODULE, attr_map, attrs)

    # Without Dojo

    @property
    def template_name(self) -> str:
        return "django/forms/widgets/" + ("select.html" if self._is_select else "text.html")

    def use_required_attribute(self, initial: Any) -> bool:
        # Select asks for its first choice, which may read all rows.
        return forms.Widget.use_required_attribute(self, initial) and not (
            self._is_select and getattr(self._field, "empty_label", None) is None
        )

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        if self._is_select:
            return super().get_context(name, value, attrs)
        context = forms.Widget.get_context(self, name, value, attrs)
        widget = context["widget"]
        [key] = widget["value"][:1] or [""]
        widget.update(type="text", value=key)
        for _key, label in self._chosen([key]):
            widget["attrs"] = {**widget["attrs"], "data-label": label}
        return context

    def optgroups(
        self, name: str, value: list[Any], attrs: dict[str, Any] | None = None
    ) -> list[tuple[str | None, list[dict[str, Any]], int | None]]:
        chosen = self._chosen(value)
        keys = {str(key) for key, _label in chosen}
        rows = [(key, label) for key, label in self._first_rows() if str(key) not in keys]
        choices = [*chosen, *rows[: self.plain_rows]]
        if self._field.empty_label is not None:
            choices.insert(0, ("", self._field.empty_label))
        options = [
            self.create_option(name, key, label, str(key) in value, number, attrs=attrs)
            for number, (key, label) in enumerate(choices)
        ]
        if len(rows) > self.plain_rows:
            note = self.create_option(name, "", _("Only the first are listed here."), False, len(options), attrs=attrs)
            note["attrs"]["disabled"] = True
            options.append(note)
        return [(None, options, 0)]

    @property
    def _is_select(self) -> bool:
        return self.label_of is None and self.plain_rows > 0

    @property
    def _field(self) -> Any:
        """The ModelChoiceField of this widget; None where a field of another kind has said how it makes labels."""
        if self.label_of is not None:
            return None
        field = getattr(self.choices, "field", None)
        if isinstance(field, forms.ModelChoiceField) and not isinstance(field, forms.ModelMultipleChoiceField):
            return field
        raise TypeError(
            f"StoreSelect({self._named!r}) is the widget of {type(field).__name__ if field else 'a field'} that is "
            "no ModelChoiceField. Give it to one of those; several rows at once cannot be chosen with it."
        )

    def _chosen(self, keys: Sequence[Any]) -> list[tuple[Any, str]]:
        # No key has the null character, and PostgreSQL would not even look for one.
        wanted = [key for key in keys if key not in ("", None) and "\x00" not in str(key)]
        if self.label_of is not None:
            labelled = ((key, self.label_of(key)) for key in wanted)
            return [(key, label) for key, label in labelled if label]
        if not wanted:
            return []
        try:
            found = self._field.queryset.filter(**{f"{self._field.to_field_name or 'pk'}__in": wanted})
            return list(self._choices_of(found))
        except (ValueError, TypeError, OverflowError, ValidationError):
            # What was submitted is not a key, which the field says.
            return []

    def _first_rows(self) -> Iterator[tuple[Any, str]]:
        # One more than are shown says whether there are others.
        return self._choices_of(self._field.queryset[: self.plain_rows + 2])

    def _choices_of(self, rows: Any) -> Iterator[tuple[Any, str]]:
        return (self.choices.choice(row) for row in rows)


def _without_value(message: str) -> str:
    """The dijit cannot put the value into it."""
    return "" if "%(" in str(message) else models.as_html(message)
