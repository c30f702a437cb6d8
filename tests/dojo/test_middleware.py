"""request.dojo is there, in synchronous and in asynchronous sites."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse

from djintegrate.dojo.middleware import DojoMiddleware
from djintegrate.dojo.page.page import Dojo


def test_each_request_gets_its_own(rf: Any) -> None:
    seen = []
    middleware = DojoMiddleware(lambda request: seen.append(request.dojo) or HttpResponse("done"))  # type: ignore
    assert middleware(rf.get("/")).content == b"done"
    middleware(rf.get("/"))
    assert [type(one) for one in seen] == [Dojo, Dojo]
    assert seen[0] is not seen[1]


def test_asynchronous_sites_stay_asynchronous(rf: Any) -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.dojo.theme)

    middleware = DojoMiddleware(view)
    assert iscoroutinefunction(middleware)
    assert asyncio.run(middleware(rf.get("/"))).content == b"claro"


def test_a_request_that_uses_no_dojo_needs_no_setting(rf: Any, settings: Any) -> None:
    settings.DOJO_URL = None
    settings.DOJO_THEME = "none"
    assert DojoMiddleware(lambda request: "done")(rf.get("/")) == "done"
