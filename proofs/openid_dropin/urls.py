"""The addresses of the original's tests, and the admin, which its example has."""

from __future__ import annotations

import importlib

from django.contrib import admin
from django.urls import path

urlpatterns = [*importlib.import_module("openid_dropin_tests.urls").urlpatterns, path("admin/", admin.site.urls)]
