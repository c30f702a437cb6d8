"""The page that the original sends a browser to the provider with, for tests that read it. We send a redirect."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join

ENDPOINT = "http://example.com/endpoint"


def shown_as_form(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware: a redirect to the tests' provider becomes the form that the original would have sent."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        address = response.headers.get("Location", "")
        if not address.startswith(ENDPOINT):
            return response
        fields = format_html_join(
            "", '<input type="hidden" name="{}" value="{}" />', parse_qsl(urlsplit(address).query)
        )
        text = '<html><body>OpenID transaction in progress<form action="{}">{}</form></body></html>'
        page = HttpResponse(format_html(text, ENDPOINT, fields))
        page.cookies = response.cookies
        return page

    return middleware
