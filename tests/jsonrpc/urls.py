"""The addresses of the JSON-RPC tests."""

from __future__ import annotations

from django.urls import include, path

from tests.jsonrpc.methods import site

urlpatterns = [path("json/", include(site.urls))]
