"""The site's Content-Security-Policy: nothing inline, nothing from elsewhere, scripts only with the request's nonce.

Django 6 has a middleware for that; this one also works on Django 5.2. It leaves Django's own page for an error alone,
and the sample provider, which stands for another site.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin


class PolicyMiddleware(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> None:
        # The `{% dojo %}` tag looks for the nonce under this name, which is django-csp's too.
        request.csp_nonce = secrets.token_urlsafe(16)

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        is_djangos = settings.DEBUG and response.status_code >= 500
        # python3-openid's page that sends a long answer on has a script inline.
        if not is_djangos and not request.path.startswith("/provider/"):
            response.headers.setdefault("Content-Security-Policy", policy(request.csp_nonce))
        return response


def policy(nonce: str) -> str:
    provider = urlsplit(settings.OPENID_SSO_SERVER_URL)
    return "; ".join([
        "default-src 'none'",
        # The admin's scripts have no nonce, and come from the site itself.
        f"script-src 'self' 'nonce-{nonce}'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        # The rich text editor's frame is about:blank, which no source has to allow.
        f"form-action 'self' {provider.scheme}://{provider.netloc}",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ])  # fmt: skip
