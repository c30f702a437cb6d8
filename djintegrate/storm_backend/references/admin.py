"""What Django's admin needs to show a StormForeignKey as it shows a ForeignKey: a mixin and a list filter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.filters import AllValuesFieldListFilter

from ..stores import store_on
from .fields import StormForeignKey
from .forms import StormRawIdWidget


class StormListFilter(AllValuesFieldListFilter):
    """For list_filter: `("session", StormListFilter)`. Names the objects that something points at."""

    def __init__(self, field: Any, request: Any, params: Any, model: Any, model_admin: Any, field_path: str) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self.keys = [key for key in self.lookup_choices if key is not None]
        objects = field.target.get_many(store_on(self.lookup_choices.db), self.keys)
        self.labels = {str(getattr(obj, field.target.attribute)): str(obj) for obj in objects}

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        every, *others = super().choices(changelist)
        yield every
        for key, choice in zip([*map(str, self.keys), ""], others, strict=False):
            # With facets, the number of rows follows the key.
            label = self.labels.get(key, key) if key else ""
            yield {**choice, "display": str(choice["display"]).replace(key, label, 1)}


class StormReferencesMixin:
    """Before ModelAdmin: lists do not cost a query for each row, and filters name the objects."""

    # The names of those StormForeignKeys that are shown as a text field for the key.
    storm_raw_id_fields: tuple[str, ...] = ()

    model: Any

    def get_queryset(self, request: Any) -> Any:
        queryset = super().get_queryset(request)  # type: ignore[misc]
        shown = [name for name in self.get_list_display(request) if self._is_storm(name)]  # type: ignore[attr-defined]
        return queryset.prefetch_related(*shown) if shown else queryset

    def get_list_filter(self, request: Any) -> list[Any]:
        filters = super().get_list_filter(request)  # type: ignore[misc]
        return [(each, StormListFilter) if self._is_storm(each) else each for each in filters]

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name in self.storm_raw_id_fields and isinstance(db_field, StormForeignKey):
            kwargs["widget"] = StormRawIdWidget
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]

    def _is_storm(self, name: Any) -> bool:
        names = {field.name for field in self.model._meta.local_concrete_fields if isinstance(field, StormForeignKey)}
        return isinstance(name, str) and name in names
