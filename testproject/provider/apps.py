"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig


class ProviderConfig(AppConfig):
    name = "testproject.provider"
    verbose_name = "Sample OpenID provider"
    label = "sample_provider"
