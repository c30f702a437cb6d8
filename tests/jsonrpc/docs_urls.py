"""The addresses of the pages' own site."""

from __future__ import annotations

from django.urls import include, path

from djintegrate.jsonrpc import jsonrpc_site

urlpatterns = [path("json/", include(jsonrpc_site.urls))]
