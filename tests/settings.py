"""Settings of the tests. DB says which database; tests/conftest.py sets the rest of what is read here."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import global_settings

DB = os.environ["DB"]
FOLDER = os.environ["TEST_FOLDER"]
CACHE = Path(__file__).parent.parent / ".cache"


def uri(database: str) -> str:
    """The Storm URI of `database` on the server under test. Its password and port are that server's."""
    if DB == "sqlite":
        return f"sqlite:{FOLDER}/{database}.sqlite3"
    return urlsplit(os.environ[f"TEST_{DB.upper()}_URI"])._replace(path=f"/{database}").geturl()


def _alias(store: str) -> dict[str, object]:
    # In a file, since SQLite gives each thread a memory database of its own.
    test = {"NAME": f"{FOLDER}/test_{store}.sqlite3"} if DB == "sqlite" else {}
    return {"ENGINE": "djintegrate.storm_backend", "NAME": store, "TEST": test}


def _store(database: str) -> object:
    pooler = os.environ["TEST_POOLER"]
    return {"URI": uri(database), "POOLER": pooler} if pooler else uri(database)


STORM_STORES = {
    "main": _store("djintegrate_main"),
    "second": _store("djintegrate_second"),
    # No alias names this one: a plain Storm store.
    "plain": f"sqlite:{FOLDER}/plain.sqlite3",
}
DATABASES = {"default": _alias("main"), "second": _alias("second")}

INSTALLED_APPS = [
    "djintegrate.storm_backend",
    "djintegrate.openid_auth",
    "djintegrate.dojo",
    "djintegrate.jsonrpc",
    "djintegrate.acl",
    "djintegrate.files",
    "tests.apps.documents",
    "djintegrate.jobs",
    "django_tasks_db",
    "django_rq",
    "tests.apps.people",
    "tests.apps.fields",
    "tests.apps.sprints",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.flatpages",
    "django.contrib.messages",
    "django.contrib.redirects",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "djintegrate.storm_backend.middleware.ZopeTransactionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "djintegrate.dojo.middleware.DojoMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

STORAGES = {
    **global_settings.STORAGES,
    "documents": {
        "BACKEND": "djintegrate.files.TransactionalStorage",
        "OPTIONS": {
            "storage": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": f"{FOLDER}/documents", "base_url": "/documents/"},
            },
        },
    },
}
FILES_JOURNAL = f"{FOLDER}/files-journal"

ROOT_URLCONF = "tests.support.urls"
SECRET_KEY = "tests"
SITE_ID = 1
FIELDS_SWAPPED = "fields.Place"
STATIC_URL = "static/"
ACL_FILE = Path(__file__).parent / "acl" / "posted.xml"
DOJO_ROOT = CACHE / "dojo"
DOJO_URL = STATIC_URL + "dojo/dojo"
STATICFILES_DIRS = [("dojo", DOJO_ROOT)]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = True
TASKS = {
    "default": {"BACKEND": "djintegrate.jobs.DatabaseBackend", "QUEUES": []},
    "outbox": {
        "BACKEND": "djintegrate.jobs.OutboxBackend",
        "OPTIONS": {"backend": {"BACKEND": "django_tasks_rq.RQBackend"}},
    },
}
RQ_QUEUES = {"default": {"URL": f"unix://{FOLDER}/redis.socket"}}
JOBS_CACHE = "jobs"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # Other processes see what is in here.
    "jobs": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": f"{FOLDER}/cache"},
}
