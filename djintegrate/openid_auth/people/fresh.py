"""Whether somebody has signed in just now, by whatever way: only then may a way in be changed."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest

from ..conf import config

KEY = "openid_signed_in"


def note(request: HttpRequest | None, **kwargs: Any) -> None:
    """A receiver of Django's user_logged_in."""
    if request is not None and hasattr(request, "session"):
        request.session[KEY] = int(time.time())


def is_fresh(request: HttpRequest) -> bool:
    limit = config.confirm_seconds
    signed_in = request.session.get(KEY)
    return limit is None or (isinstance(signed_in, int) and signed_in > time.time() - limit)
