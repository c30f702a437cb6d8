"""What the visitor of a request sees that has waited for a connection for too long: a page with status 503."""

from __future__ import annotations

import logging

from django.http import HttpResponse
from django.template import TemplateDoesNotExist, loader

from .connection.limit import TooManyConnections

SECONDS_TO_RETRY = 5
TEMPLATE = "503.html"
PAGE = """<!doctype html>
<html lang="en"><head><title>Too busy just now</title></head>
<body><h1>Too busy just now</h1><p>Too many requests came at once. Please try again in a moment.</p></body></html>
"""

logger = logging.getLogger("djintegrate.storm_backend")


def answer(error: BaseException | None) -> HttpResponse | None:
    """The page, if this is why the request has failed. The site's own is the template 503.html, if it has one."""
    while error is not None and not isinstance(error, TooManyConnections):
        error = error.__cause__
    if error is None:
        return None
    logger.warning("A request is answered by 503. %s", error)
    try:
        page = loader.render_to_string(TEMPLATE)
    except TemplateDoesNotExist:
        page = PAGE
    return HttpResponse(page, status=503, headers={"Retry-After": str(SECONDS_TO_RETRY)})
