"""The fixtures that all tests of the OpenID part may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from tests.openid_auth.certified import certified as certified
from tests.openid_auth.certified import certified_process as certified_process
from tests.openid_auth.hostile import hostile as hostile
from tests.openid_auth.hostile import hostile_process as hostile_process
from tests.openid_auth.hostile import internal as internal
from tests.openid_auth.hostile import internal_process as internal_process
from tests.openid_auth.provider import Provider
from tests.openid_auth.provider import provider as provider
from tests.openid_auth.provider import provider_process as provider_process
from tests.openid_auth.villain import villain as villain


@pytest.fixture
def relying_site(live_server: Any, provider: Provider, settings: Any) -> Iterator[str]:
    """The URL of a site that trusts `provider`. To a browser the two are different sites: localhost and 127.0.0.1."""
    # This file may be loaded before the settings are.
    from django.contrib.auth.models import Group

    where = provider.url.removeprefix("http://").rstrip("/")
    chosen = {
        "ROOT_URLCONF": "tests.openid_auth.live",
        "LOGIN_URL": "openid-login",
        "LOGIN_REDIRECT_URL": "/",
        "AUTHENTICATION_BACKENDS": [
            "djintegrate.openid_auth.auth.OpenIDBackend",
            "django.contrib.auth.backends.ModelBackend",
        ],
        "OPENID_CREATE_USERS": True,
        "OPENID_UPDATE_DETAILS_FROM_SREG": True,
        "OPENID_FETCH_ALLOWED_HOSTS": [where],
        "OPENID_PROVIDERS": [{"name": "the sample provider", "url": provider.url}],
        "OPENID_TEAMS_TRUSTED_ENDPOINTS": [provider.endpoint],
        "OPENID_LAUNCHPAD_TEAMS_MAPPING": {"sprint-schedulers": "drivers", "sprint-proposers": "speakers"},
        "OPENID_LOGIN_THROTTLE": None,
    }
    for name, value in chosen.items():
        setattr(settings, name, value)
    for name in ("drivers", "speakers"):
        Group.objects.create(name=name)
    cache.clear()
    yield live_server.url
    cache.clear()
