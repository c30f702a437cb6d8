"""The sample site's addresses: the guest book at the root, and the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("testproject.guestbook.urls")),
    path("admin/", admin.site.urls),
]
