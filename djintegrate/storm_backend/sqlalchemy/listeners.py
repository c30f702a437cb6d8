"""Hears of the sessions that use an engine of ours, by SQLAlchemy's own events; others are left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from .dialects import Borrowing
from .sessions import Sessions, all_of, sessions_on


def listen() -> None:
    """Safe to call again."""
    for name, listener in _LISTENERS.items():
        if not event.contains(Session, name, listener):
            event.listen(Session, name, listener)


def _created(session: Session, transaction: Any) -> None:
    # A session that has a savepoint before it has a connection: the savepoint is to be there before others write.
    if transaction.parent is None and _is_ours(session.bind):
        _sessions(session.bind).take(session, session.bind)
    elif transaction.nested:
        for sessions in all_of(session):
            sessions.begin_nested(session)


def _began(session: Session, transaction: Any, connection: Any) -> None:
    if _is_ours(connection):
        borrowed = connection.connection.dbapi_connection
        borrowed.belongs_to(session)
        borrowed.sessions.take(session, session.bind if _is_ours(session.bind) else connection.engine)


def _is_attached(session: Session, instance: Any) -> None:
    bind = session.bind
    if bind is None:
        try:
            bind = session.get_bind(inspect(instance).mapper)
        except InvalidRequestError:
            return
    if _is_ours(bind):
        _sessions(bind).take(session, bind)


def _has_flushed(session: Session, *args: Any) -> None:
    for sessions in all_of(session):
        sessions.has_flushed(session)


def _inserted(session: Session, instance: Any) -> None:
    for sessions in all_of(session):
        sessions.note(session, instance, inserted=True)


def _deleted(session: Session, instance: Any) -> None:
    for sessions in all_of(session):
        sessions.note(session, instance, inserted=False)


def _is_ours(bind: Any) -> bool:
    return bind is not None and isinstance(bind.dialect, Borrowing)


def _sessions(bind: Any) -> Sessions:
    return sessions_on(bind.dialect.store)


_LISTENERS: dict[str, Callable[..., None]] = {
    "after_transaction_create": _created,
    "after_begin": _began,
    "before_attach": _is_attached,
    "after_flush_postexec": _has_flushed,
    "pending_to_persistent": _inserted,
    "persistent_to_deleted": _deleted,
}
