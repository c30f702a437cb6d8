"""The type of a request that DojoMiddleware has seen: `def view(request: DojoHttpRequest)`. Nothing is made of it."""

from __future__ import annotations

from django.http import HttpRequest

from .page.page import Dojo


class DojoHttpRequest(HttpRequest):
    """A request with `dojo`, for type hints."""

    dojo: Dojo
