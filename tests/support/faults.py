"""What the tests of faults share: a site whose requests run any view, and the hand that ends connections.

The site is of one address, which runs the view that came with the request. Unlike Django's test client it ends a
request as a WSGI server does, connections included.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import storm.exceptions
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.support.helpers import Outside, django_add, is_postgres, is_sqlite, storm_insert, wait_until

OPERATIONAL = (OperationalError, InterfaceError, storm.exceptions.OperationalError, storm.exceptions.InterfaceError)


@dataclass
class Answer:
    """The status that the visitor sees, and the errors that Django reports to the site's owner."""

    status: int = 0
    errors: list[BaseException | None] = field(default_factory=list)


class Site:
    """Called with a view that takes and returns nothing: runs it as a request of its own, in this thread."""

    def __init__(self) -> None:
        self._handler = WSGIHandler()

    def __call__(self, view: Callable[[], object]) -> Answer:
        answer = Answer()

        def start_response(status: str, headers: object, exc_info: object = None) -> None:
            answer.status = int(status.split()[0])

        environment = {**ENVIRONMENT, "wsgi.input": io.BytesIO(), VIEW: view, ANSWER: answer}
        response = self._handler(environment, start_response)
        list(response)
        response.close()
        return answer


def run_view(request: HttpRequest) -> HttpResponse:
    request.META[VIEW]()
    return HttpResponse("done")


def note_error(request: HttpRequest | None = None, **kwargs: Any) -> None:
    if request is not None and ANSWER in request.META:
        request.META[ANSWER].errors.append(sys.exc_info()[1])


def write_both(name: str = "") -> None:
    django_add(f"django{name}")
    storm_insert(f"storm{name}")


def committed() -> list[str]:
    """What is in the table for a connection that is new: a restart of the server may have cost others."""
    look = Outside()
    try:
        return look.names()
    finally:
        look.close()


def backend() -> int:
    """What the server calls this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()" if is_postgres() else "SELECT connection_id()")
        return int(cursor.fetchone()[0])


def end_connection(number: int) -> None:
    look = Outside()
    look.rows(END[connection.vendor] % number)
    wait_until(lambda: not look.rows(BACKEND[connection.vendor] % number))
    look.close()


def do_not_wait_long() -> None:
    """For locks, from now on, on this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute(SHORT_WAIT[connection.vendor])


def needs_server() -> None:
    if is_sqlite():
        pytest.skip("SQLite has no server, and no connection that could be lost.")


END = {"postgresql": "SELECT pg_terminate_backend(%s)", "mysql": "KILL %s"}
BACKEND = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE pid = %s",
    "mysql": "SELECT id FROM information_schema.processlist WHERE id = %s",
}
SHORT_WAIT = {
    "postgresql": "SET LOCAL lock_timeout = '500ms'; SET LOCAL deadlock_timeout = '50ms'",
    "mysql": "SET innodb_lock_wait_timeout = 1",
    "sqlite": "PRAGMA busy_timeout = 100",
}

VIEW, ANSWER = "tests.view", "tests.answer"
ENVIRONMENT = {
    "REQUEST_METHOD": "POST",
    "PATH_INFO": "/",
    "SERVER_NAME": "testserver",
    "SERVER_PORT": "80",
    "CONTENT_LENGTH": "0",
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
}
urlpatterns = [path("", run_view)]
got_request_exception.connect(note_error)
