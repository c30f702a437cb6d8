"""The nonce of a request's Content-Security-Policy: Django 6's own, or django-csp's."""

from __future__ import annotations

from django.http import HttpRequest


def nonce(request: HttpRequest) -> str:
    """Asking makes the nonce, and puts it into the policy. Empty where nobody gives one."""
    for name in ("csp_nonce", "_csp_nonce"):
        # Both are lazy, and false until they have been asked for their text.
        value = getattr(request, name, None)
        if value is not None:
            return str(value)
    return ""
