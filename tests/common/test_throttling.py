"""So many times in so many seconds, whenever these begin: of wrong passwords of JSON-RPC, and of sign-ins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from djintegrate.jsonrpc import throttle as wrong_passwords
from djintegrate.openid_auth.site import throttle as sign_ins

MINUTE = 1_800_000_000
"""A moment at which a minute of the clock begins."""


class Clock:
    def __init__(self) -> None:
        self.now = float(MINUTE)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


@pytest.fixture(autouse=True, params=["locmem.LocMemCache", "filebased.FileBasedCache"])
def caches(request: Any, settings: Any, tmp_path: Any) -> Iterator[None]:
    where = {"BACKEND": f"django.core.cache.backends.{request.param}", "LOCATION": str(tmp_path)}
    settings.CACHES = {**settings.CACHES, "default": where}
    cache.clear()
    yield
    cache.clear()


def client() -> Any:
    return RequestFactory().get("/", REMOTE_ADDR="8.8.8.8")


def looked_at(tries: int) -> int:
    """How many of these wrong passwords are looked at."""
    count = 0
    for _ in range(tries):
        if not wrong_passwords.is_blocked(client()):
            wrong_passwords.note_wrong(client())
            count += 1
    return count


def begun(tries: int) -> int:
    """How many of these sign-ins may begin."""
    return sum(sign_ins.seconds_to_wait(client()) == 0 for _ in range(tries))


@pytest.fixture(params=[looked_at, begun])
def allowed(request: Any, settings: Any) -> Any:
    settings.JSONRPC_THROTTLE = settings.OPENID_LOGIN_THROTTLE = (10, 60)
    return request.param


def test_a_full_minute_of_the_clock_gives_no_more(allowed: Any, clock: Clock) -> None:
    clock.now = MINUTE + 59
    assert allowed(20) == 10
    clock.now = MINUTE + 61
    assert allowed(20) == 0
    clock.now = MINUTE + 59 + 61
    assert allowed(20) == 10


def test_in_no_sixty_seconds_are_there_more(allowed: Any, clock: Clock) -> None:
    moments: list[float] = []
    for second in range(0, 300, 2):
        clock.now = MINUTE + second + 0.5
        moments += [clock.now] * allowed(1)
    assert len(moments) >= 45
    assert all(later - earlier >= 60 for earlier, later in zip(moments, moments[10:], strict=False))


def test_what_was_refused_does_not_count(allowed: Any, clock: Clock) -> None:
    assert allowed(10) == 10
    for second in range(1, 60):
        clock.now = MINUTE + second
        assert allowed(1) == 0
    clock.now = MINUTE + 61
    assert allowed(1) == 1


def test_a_long_while_is_kept_whole(allowed: Any, clock: Clock, settings: Any) -> None:
    # Django's cache forgets after 300 seconds what is not said to last longer.
    settings.JSONRPC_THROTTLE = settings.OPENID_LOGIN_THROTTLE = (2, 3600)
    assert allowed(1) == 1
    clock.now += 1000
    assert allowed(1) == 1
    clock.now += 2500
    assert allowed(5) == 0
    clock.now += 101
    assert allowed(5) == 1


def test_who_has_to_wait_is_told_for_how_long(clock: Clock, settings: Any) -> None:
    settings.OPENID_LOGIN_THROTTLE = (2, 60)
    assert sign_ins.seconds_to_wait(client()) == 0
    clock.now += 20
    assert sign_ins.seconds_to_wait(client()) == 0
    clock.now += 9.5
    assert sign_ins.seconds_to_wait(client()) == 31
    assert sign_ins.has_used_up(client(), "begin")
    clock.now += 31
    assert not sign_ins.has_used_up(client(), "begin")
    assert sign_ins.seconds_to_wait(client()) == 0
    assert sign_ins.seconds_to_wait(client()) == 20
