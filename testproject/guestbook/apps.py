"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig


class GuestbookConfig(AppConfig):
    name = "testproject.guestbook"
    verbose_name = "Guest book"
