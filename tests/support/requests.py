"""A request of one view, straight through the middleware; what it writes, and the ways in which it may end its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import RequestFactory

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.middleware import ZopeTransactionMiddleware
from tests.support.helpers import django_add, storm_add

BEFORE, AFTER = ["before by Django", "before by Storm"], ["after by Django", "after by Storm"]


def serve(view: Callable[[], Any], method: str = "post") -> HttpResponseBase:
    def answer(request: HttpRequest) -> HttpResponse:
        return view() or HttpResponse()

    response: HttpResponseBase = ZopeTransactionMiddleware(answer)(RequestFactory().generic(method.upper(), "/page/"))
    return response


def write(when: str) -> None:
    django_add(f"{when} by Django")
    storm_add(f"{when} by Storm")


def commit_of_storm() -> None:
    get_store("main").commit()


def commit_of_the_transaction() -> None:
    transaction.get().commit()


def abort_of_storm() -> None:
    get_store("main").rollback()


def abort_of_the_transaction() -> None:
    transaction.get().abort()


COMMITS = [transaction.commit, commit_of_storm, commit_of_the_transaction]
ABORTS = [transaction.abort, abort_of_storm, abort_of_the_transaction]
