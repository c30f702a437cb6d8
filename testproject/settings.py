"""Settings of the sample site. The environment decides: DATABASE_URL, DEBUG, SECRET_KEY, ALLOWED_HOSTS."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("SITE_FOLDER") or ROOT / "var")  # what the site keeps

DEBUG = os.environ.get("DEBUG", "1").lower() not in ("", "0", "false", "no")
SECRET_KEY = os.environ.get("SECRET_KEY") or ("only-for-trying-out-on-your-own-machine" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set, and DEBUG is off. Export a long random SECRET_KEY.")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",")

STORM_STORES = {
    "main": {
        "URI": os.environ.get("DATABASE_URL") or f"sqlite:{VAR}/sprints.sqlite3?timeout=20",
        "SCHEMA": "testproject.sprints.schema",
    },
}
DATABASES = {
    "default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"},
}

INSTALLED_APPS = [
    "djintegrate.storm_backend",
    "djintegrate.openid_auth",
    "djintegrate.dojo",
    "djintegrate.jsonrpc",
    "djintegrate.acl",
    "djintegrate.files",
    "djintegrate.jobs",
    "django_tasks_db",
    "testproject.sprints",
    "testproject.provider",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "djintegrate.storm_backend.middleware.ZopeTransactionMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "testproject.csp.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "djintegrate.openid_auth.middleware.OpenIDSessionMiddleware",
    "djintegrate.jobs.middleware.JobsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "djintegrate.dojo.middleware.DojoMiddleware",
    "testproject.errors.ErrorPagesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "testproject" / "templates"],
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

ROOT_URLCONF = "testproject.urls"
CSRF_FAILURE_VIEW = "testproject.errors.csrf_failure"
WSGI_APPLICATION = "testproject.wsgi.application"
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"

# Slides come and go with the transaction of the request.
STORAGES = {
    "default": {
        "BACKEND": "djintegrate.files.TransactionalStorage",
        "OPTIONS": {
            "storage": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": VAR / "media"},
            },
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FILES_JOURNAL = VAR / "files-journal"

AUTHENTICATION_BACKENDS = [
    "djintegrate.openid_auth.auth.OpenIDBackend",
    "django.contrib.auth.backends.ModelBackend",
    "djintegrate.acl.backends.AclBackend",
]
LOGIN_URL = "openid-login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "index"
OPENID_CREATE_USERS = True
OPENID_UPDATE_DETAILS_FROM_SREG = True
OPENID_USER_ADMIN = True
# Who came by OpenID 2.0, and comes by OpenID Connect now, is nobody new. The other way round, OpenID 2.0 has no such
# setting: whoever came by OpenID Connect adds the other identity to their account, at the page of their identities.
OPENID_LINK = "testproject.sprints.linking.same_person"
OPENID_LAUNCHPAD_TEAMS_MAPPING = {
    "sprint-proposers": "proposers",
    "sprint-schedulers": "schedulers",
    "site-admins": "organisers",
}
OPENID_LAUNCHPAD_STAFF_TEAMS = ["site-admins"]
OPENID_SSO_SERVER_URL = os.environ.get("OPENID_SSO_SERVER_URL") or "https://login.launchpad.net/"
SAMPLE_PROVIDER_FOLDER = VAR / "provider"
if DEBUG and "OPENID_SSO_SERVER_URL" not in os.environ:
    # The sample provider has no passwords, so only a site to try out has it. Launchpad needs none of these three.
    _here = f"127.0.0.1:{os.environ.get('PORT') or 8000}"
    OPENID_SSO_SERVER_URL = f"http://{_here}/provider/"
    OPENID_FETCH_ALLOWED_HOSTS = [_here]
    # It speaks both protocols, as on a site that moves from one to the other.
    OPENID_PROVIDERS = [
        {"name": "the sample provider", "url": OPENID_SSO_SERVER_URL},
        {
            "name": "the sample provider, by OpenID Connect",
            "key": "sample",
            "issuer": f"http://{_here}/provider",
            "client_id": "sprints",
            "client_secret": "sample",
            "scope": "openid email profile groups",
            "trust_groups": True,
        },
    ]

# Who may do what. The roles are groups, into which the teams above put people.
ACL_FILE = ROOT / "testproject" / "roles.xml"
ACL_ROLES = {"proposer": "proposers", "scheduler": "schedulers", "organiser": "organisers"}
ACL_SIGNED_IN_ROLE = "participant"

# Two requests that want the same lock: the second runs again.
STORM_RETRY_ATTEMPTS = 3
# Not in the database: so a request that was rolled back can still say why.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

# Work that a request leaves to others, once it has committed. `make run` starts a worker; else: manage.py jobs run.
TASKS = {"default": {"BACKEND": "djintegrate.jobs.DatabaseBackend"}}
JOBS_CACHE = "jobs"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # How far a job is, other processes see through this folder. More than one machine wants Redis or memcached.
    "jobs": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": VAR / "cache"},
}
# Mail is a job too, so a request that fails sends none. To try things out, the worker's terminal is the mail server.
EMAIL_BACKEND = "djintegrate.jobs.mail.EmailBackend"
JOBS_EMAIL_BACKEND = os.environ.get("JOBS_EMAIL_BACKEND") or "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL") or "Sprint scheduler <sprints@localhost>"
# A small programme is exported in no time. With DEBUG each session takes a moment, so that the bar is seen to move.
EXPORT_PAUSE_SECONDS = 0.2 if DEBUG else 0

# The look of the forms, as dijits and as plain HTML.
FORM_RENDERER = "djintegrate.dojo.forms.DijitRenderer"
# A build where there is one, else no dijits: `make run` makes it, where Node is.
DOJO_ROOT = Path(os.environ.get("DOJO_ROOT") or VAR / "dojo")
DOJO_BUILD_ROOT = DOJO_ROOT.with_name("dojo-site")
DOJO_URL = STATIC_URL + "dojo-site/dojo"
DOJO_ENABLED = (DOJO_BUILD_ROOT / "dojo" / "dojo.js").exists()
STATICFILES_DIRS = [("dojo-site", DOJO_BUILD_ROOT)] if DOJO_ENABLED else []

# Keeps the password in a store's URI out of error reports.
DEFAULT_EXCEPTION_REPORTER_FILTER = "djintegrate.storm_backend.reports.StoreHidingFilter"

# Without DEBUG, Django would tell of errors by mail alone.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "British English")]
FORMAT_MODULE_PATH = "testproject.formats"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
