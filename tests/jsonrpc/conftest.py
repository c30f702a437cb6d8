"""The fixtures of the JSON-RPC tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.jsonrpc.caller import Caller


@pytest.fixture
def rpc(settings: Any) -> Iterator[Caller]:
    """A client of the tests' service, to which no client has yet been."""
    # These want settings, which are not there when this file is loaded.
    from django.core.cache import cache

    from tests.jsonrpc import methods

    settings.ROOT_URLCONF = "tests.jsonrpc.urls"
    methods.heard.clear()
    cache.clear()
    yield Caller()
    cache.clear()
