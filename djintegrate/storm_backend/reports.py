"""Error reports without the passwords that stand in the URIs of STORM_STORES.

DEFAULT_EXCEPTION_REPORTER_FILTER = "djintegrate.storm_backend.reports.StoreHidingFilter"
"""

from __future__ import annotations

import re

from django.views.debug import SafeExceptionReporterFilter


class StoreHidingFilter(SafeExceptionReporterFilter):
    """Django's filter, which knows of PASSWORD in DATABASES but not of a URI's password."""

    hidden_settings = re.compile(f"{SafeExceptionReporterFilter.hidden_settings.pattern}|STORM_STORES", re.IGNORECASE)
