"""The site that the original's tests run on: its example's settings, with our app and what the tests' stub needs.

The stub is given to python3-openid's setDefaultFetcher(), and its endpoint is trusted with teams.
"""

from __future__ import annotations

SECRET_KEY = "proof"
USE_TZ = True
ROOT_URLCONF = "proofs.openid_dropin.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "djintegrate.openid_auth",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "proofs.openid_dropin.original_page.shown_as_form",
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
            ]
        },
    }
]
STATIC_URL = "static/"
AUTHENTICATION_BACKENDS = ["djintegrate.openid_auth.auth.OpenIDBackend", "django.contrib.auth.backends.ModelBackend"]
OPENID_CREATE_USERS = True
OPENID_LOGIN_THROTTLE = None
OPENID_TEAMS_TRUSTED_ENDPOINTS = ["http://example.com/endpoint", "http://example.com/", "http://example.com"]
OPENID_USE_AS_ADMIN_LOGIN = True
LOGIN_URL = "/openid/login/"
