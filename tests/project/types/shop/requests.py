"""Middleware and what the engine's middleware asks: the types of requests and responses."""

from __future__ import annotations

from collections.abc import Awaitable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from typing_extensions import assert_type

from djintegrate.dojo.middleware import DojoMiddleware
from djintegrate.jobs.middleware import JobsMiddleware
from djintegrate.openid_auth.middleware import OpenIDSessionMiddleware
from djintegrate.storm_backend.middleware import (
    ViewErrorMiddleware,
    ZopeTransactionMiddleware,
    default_commit_veto,
)


def veto(request: HttpRequest, response: HttpResponseBase) -> bool:
    assert_type(default_commit_veto(request, response), bool)
    return request.path == "/preview/" or default_commit_veto(request, response)


class Named(ZopeTransactionMiddleware):
    """A middleware that is derived from one of ours."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return super().process_exception(request, error)


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


async def answer_later(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def chain(request: HttpRequest) -> None:
    assert_type(ZopeTransactionMiddleware(answer)(request), HttpResponseBase | Awaitable[HttpResponseBase])
    assert_type(ZopeTransactionMiddleware(answer_later)(request), HttpResponseBase | Awaitable[HttpResponseBase])
    assert_type(DojoMiddleware(answer)(request), HttpResponseBase | Awaitable[HttpResponseBase])
    assert_type(JobsMiddleware(answer)(request), HttpResponseBase | Awaitable[HttpResponseBase])
    assert_type(OpenIDSessionMiddleware(answer)(request), HttpResponseBase | Awaitable[HttpResponseBase])
    ViewErrorMiddleware(answer)
