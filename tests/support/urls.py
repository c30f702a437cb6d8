"""The addresses of the tests' own views."""

from __future__ import annotations

from django.urls import path

from tests.support import views

urlpatterns = [
    path("names/", views.names),
    path("write/", views.write),
    path("write/<slug:then>/", views.write),
    path("async/<slug:then>/", views.async_write),
    path("retried/<int:attempts>/", views.retried),
    path("retried-over-all/<int:attempts>/", views.retried_over_all),
    path("retried-raw/<int:attempts>/", views.retried_raw),
    path("retried-at-the-commit/<int:attempts>/", views.retried_at_the_commit),
    path("streams/", views.streams),
]
