"""Has the attributes of a session's objects expire that may be untrue once some tables were written by others.

`sessions` calls this after each statement of Django's or Storm's that writes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, Join, Table, inspect
from sqlalchemy.orm import Mapper, Session


def expire(session: Session, tables: Collection[str] | None) -> None:
    """Have the objects of a session read anew what may have been written, but for what is not flushed yet."""
    by_mapper: dict[Any, set[str] | None] = {}
    for obj in list(session.identity_map.values()):
        state: Any = inspect(obj)
        mapper = state.mapper
        if mapper not in by_mapper:
            by_mapper[mapper] = None if tables is None else touched(mapper, tables)
        names = by_mapper[mapper]
        if names is not None and not names:
            continue
        known = state.dict.keys() & state.unmodified
        if names is not None:
            known &= names
        if known:
            # By their names: without any, SQLAlchemy would drop new objects that this one refers to.
            session.expire(obj, list(known))


def touched(mapper: Mapper[Any], tables: Collection[str]) -> set[str] | None:
    """The attributes that come from these tables. None: all of them may."""
    own = _tables_of(mapper)
    if own is None or own.intersection(tables):
        return None
    computed = {attr.key for attr in mapper.column_attrs if not all(isinstance(each, Column) for each in attr.columns)}
    return computed | {each.key for each in mapper.relationships if _leads_to(each, tables)}


def _leads_to(relationship: Any, tables: Collection[str]) -> bool:
    between = relationship.secondary
    if between is not None and (not isinstance(between, Table) or between.name.lower() in tables):
        return True
    for mapper in relationship.mapper.self_and_descendants:
        own = _tables_of(mapper)
        if own is None or own.intersection(tables):
            return True
    return False


def _tables_of(mapper: Mapper[Any]) -> set[str] | None:
    """By their names as they are compared; None if the class is mapped to something else than tables."""
    if not isinstance(mapper.persist_selectable, (Table, Join)):
        return None
    return {table.name.lower() for table in mapper.tables if isinstance(table, Table)}
