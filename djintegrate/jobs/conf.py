"""The settings of the jobs app, declared in one place, with their types and defaults."""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings

from djintegrate.common.settings import Declared, Setting
from djintegrate.common.types import function, number, optional, text, whole_number

cache = Setting("JOBS_CACHE", text('the name of an entry in CACHES, for instance JOBS_CACHE = "default"'), "default")
"""The cache through which others see a job's progress, and a job is asked to stop, though its transaction is open."""
owner = Setting(
    "JOBS_OWNER",
    optional(
        function('the dotted path of a function `owner() -> user or None`, for instance "app.jobs.owner", or None')
    ),
    None,
)
"""Who a job belongs to that is enqueued now, where JobsMiddleware does not say."""
attempts = Setting("JOBS_ATTEMPTS", whole_number("a whole number from 1 on", 1), 3)
"""How often a job runs at most: again after a retryable error of a database, or after its worker was killed."""
lease_seconds = Setting("JOBS_LEASE_SECONDS", number("a number of seconds, 3 or more", 3), 60)
"""After how long a `jobs run` that has not been heard of counts as killed."""
email_backend = Setting(
    "JOBS_EMAIL_BACKEND",
    text(
        'the dotted path of an e-mail backend, for instance "django.core.mail.backends.smtp.EmailBackend", '
        "or with MAILERS the name of an entry"
    ),
    "django.core.mail.backends.smtp.EmailBackend",
)
"""The backend that really sends what djintegrate.jobs.mail.EmailBackend was given."""

DECLARED = Declared("jobs", "JOBS_", globals())


def mailers() -> dict[str, Any] | None:
    """The setting MAILERS, which Django has since 6.1, and which replaces EMAIL_BACKEND; else None."""
    return getattr(settings, "MAILERS", None) if django.VERSION >= (6, 1) else None
