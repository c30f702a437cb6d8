"""The sample site's settings, with Django's own backend and ATOMIC_REQUESTS in place of the engine."""

from __future__ import annotations

from typing import Any

from storm.uri import URI

from testproject.settings import *  # noqa: F403
from testproject.settings import INSTALLED_APPS, MIDDLEWARE, ROOT, STORM_STORES, TEMPLATES

_uri = URI(STORM_STORES["main"]["URI"])
_database: Any = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": _uri.database,
    "HOST": _uri.host,
    "PORT": _uri.port,
    "USER": _uri.username,
    "PASSWORD": _uri.password or "",
    "ATOMIC_REQUESTS": True,
    # As the engine has it.
    "CONN_MAX_AGE": None,
    "CONN_HEALTH_CHECKS": True,
}
DATABASES = {"default": _database}
INSTALLED_APPS = [
    "proofs.benchmarks.load.native" if app == "testproject.sprints" else app
    for app in INSTALLED_APPS
    if app != "djintegrate.storm_backend"
]
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("djintegrate.storm_backend")]
_folders = [ROOT / "testproject" / "templates", ROOT / "testproject" / "sprints" / "templates"]
_libraries = {"people": "testproject.sprints.templatetags.people"}
_usual: Any = TEMPLATES[0]
TEMPLATES = [{**_usual, "DIRS": _folders, "OPTIONS": {**_usual["OPTIONS"], "libraries": _libraries}}]
ROOT_URLCONF = "proofs.benchmarks.load.native.urls"
DEFAULT_EXCEPTION_REPORTER_FILTER = "django.views.debug.SafeExceptionReporterFilter"
