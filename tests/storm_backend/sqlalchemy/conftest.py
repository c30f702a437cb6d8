"""No session outlives its test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import transaction


@pytest.fixture(autouse=True)
def no_session_left() -> Iterator[None]:
    from .people import session

    yield
    transaction.abort()
    session.remove()
