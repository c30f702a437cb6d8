"""The console's page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import View


class Console(View):
    site: Any = None

    def get(self, request: HttpRequest, method: str = "") -> HttpResponse:
        return HttpResponse(method)
