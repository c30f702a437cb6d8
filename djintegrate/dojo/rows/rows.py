"""The rows that a StoreView serves: those of a QuerySet or of a Storm result set, by the same few methods.

No more rows are fetched than are shown. Storm is imported only where there is a result set of it.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from djintegrate.common.texts import UNKEPT

from .jsonrest import Pattern

LOOKUPS = {"exact": "iexact", "startswith": "istartswith", "contains": "icontains", "like": "iregex"}


class Rows(Protocol):
    """What StoreView wants of either ORM. Raises ValueError or ValidationError for values that a column cannot have.

    A text that no database keeps is nobody's: it finds nothing.
    """

    model: Any

    def get(self, key: str) -> Any | None: ...
    def search(self, sources: Sequence[Any], pattern: Pattern) -> Rows: ...
    def equal(self, source: Any, values: Sequence[str]) -> Rows: ...
    def sort(self, orders: Sequence[tuple[Any, bool]]) -> Rows: ...
    def count(self, most: int | None) -> int: ...
    def slice(self, start: int, count: int) -> list[Any]: ...
    def delete(self, obj: Any) -> None: ...


def rows_of(source: Any) -> Rows:
    """The rows of a QuerySet, or of what a Storm store's find() gives."""
    if isinstance(source, QuerySet):
        return QuerySetRows(source)
    if hasattr(source, "find") and hasattr(source, "order_by"):
        return StormRows(source)
    raise TypeError(
        f"A StoreView was given {source!r}. Give it a QuerySet, or what find() of a Storm store gives, as `rows` or "
        "from get_rows()."
    )


class QuerySetRows:
    """Sources are names of the model's fields, as in filter(): `name`, `author__name`."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        self._queryset = queryset
        self.model = queryset.model

    def get(self, key: str) -> Any | None:
        if not _can_be(key):
            return None
        try:
            return self._queryset.filter(pk=key).first()
        except (ValidationError, ValueError, OverflowError):
            return None

    def search(self, sources: Sequence[str], pattern: Pattern) -> QuerySetRows:
        if pattern.kind == "anything":
            return self
        if not all(map(_can_be, pattern.parts)):
            return QuerySetRows(self._queryset.none())
        value = pattern.regex() if pattern.kind == "like" else pattern.text
        tests = (Q(**{f"{source}__{LOOKUPS[pattern.kind]}": value}) for source in sources)
        return QuerySetRows(self._queryset.filter(functools.reduce(operator.or_, tests)))

    def equal(self, source: str, values: Sequence[str]) -> QuerySetRows:
        return QuerySetRows(self._queryset.filter(**{f"{source}__in": list(filter(_can_be, values))}))

    def sort(self, orders: Sequence[tuple[str, bool]]) -> QuerySetRows:
        wanted: list[Any] = [f"-{source}" if descending else source for source, descending in orders]
        if not wanted:
            query = self._queryset.query
            wanted = list(query.order_by or (self.model._meta.ordering if query.default_ordering else ()))
        # The key last: without a total order, what one page has shown another may show again.
        return QuerySetRows(self._queryset.order_by(*wanted, "pk"))

    def count(self, most: int | None) -> int:
        return (self._queryset if most is None else self._queryset.order_by()[:most]).count()

    def slice(self, start: int, count: int) -> list[Any]:
        return list(self._queryset[start : start + count])

    def delete(self, obj: Any) -> None:
        obj.delete()


class StormRows:
    """Sources are columns of the Storm class: `Session.title`."""

    model: Any = None

    def __init__(self, found: Any) -> None:
        self._found = found
        [self._key] = found._find_spec.default_cls_info.primary_key

    def get(self, key: str) -> Any | None:
        if not _can_be(key):
            return None
        try:
            return self._found.find(self._key == _from_text(self._key, key)).one()
        except ValueError:
            return None

    def search(self, sources: Sequence[Any], pattern: Pattern) -> StormRows:
        from storm.expr import Like, Or

        if pattern.kind == "anything":
            return self
        if not all(map(_can_be, pattern.parts)):
            return StormRows(self._found.find(False))
        tests = [Like(source, pattern.like("!"), "!", case_sensitive=False) for source in sources]
        return StormRows(self._found.find(Or(*tests)))

    def equal(self, source: Any, values: Sequence[str]) -> StormRows:
        wanted = [_from_text(source, value) for value in values if _can_be(value)]
        return StormRows(self._found.find(source.is_in(wanted)))

    def sort(self, orders: Sequence[tuple[Any, bool]]) -> StormRows:
        from storm import Undef
        from storm.expr import Desc

        wanted = [Desc(source) if descending else source for source, descending in orders]
        if not wanted and self._found._order_by is not Undef:
            wanted = list(self._found._order_by)
        return StormRows(self._found.copy().order_by(*wanted, self._key))

    def count(self, most: int | None) -> int:
        found = self._found.copy().order_by()
        return int(found.count() if most is None else found[:most].count())

    def slice(self, start: int, count: int) -> list[Any]:
        return list(self._found[start : start + count])

    def delete(self, obj: Any) -> None:
        self._found._store.remove(obj)


def _can_be(text: str) -> bool:
    """Whether a column can have it. To ask for what none can fails, or finds too much."""
    return UNKEPT.search(text) is None


def _from_text(column: Any, text: str) -> Any:
    """The value of a Storm column that the text of an address stands for."""
    variable = column.variable_factory()
    for convert in (str, _integer, UUID):
        try:
            variable.set(convert(text))
        except TypeError:
            continue
        return variable.get()
    raise ValueError(f"{text!r} is not a value of such a column.")


def _integer(text: str) -> int:
    # int() alone would take "1_0" and spaces. No database has more than 64 bits.
    if not re.fullmatch(r"-?[0-9]{1,19}", text) or not -(2**63) <= int(text) < 2**63:
        raise ValueError(f"{text!r} is not a number.")
    return int(text)
