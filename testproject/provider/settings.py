"""Settings of the provider as a process of its own; it has no database. __main__.py says where its folder is."""

from __future__ import annotations

import os

SAMPLE_PROVIDER_FOLDER = os.environ["SAMPLE_PROVIDER_FOLDER"]

SECRET_KEY = "the sample provider has nothing to hide"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["testproject.provider", "django.contrib.staticfiles"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
ROOT_URLCONF = "testproject.provider.urls"
STATIC_URL = "static/"
CSRF_COOKIE_NAME = "sample-provider-csrf"
USE_TZ = True
