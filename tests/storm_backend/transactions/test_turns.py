"""Threads that share a connection take turns: who waits, for whom, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from djintegrate.storm_backend.transactions import turns
from tests.support.helpers import in_thread, wait_until


class Shared:
    """A connection, of which only its blocks are asked."""

    alias = "default"

    def __init__(self) -> None:
        self.blocks: list[object] = []

    def open_blocks(self) -> list[object]:
        return self.blocks


@pytest.fixture(autouse=True)
def nobodys_turn() -> Iterator[None]:
    yield
    turns.give()


@contextmanager
def waiting(connection: Any, done: Callable[[], None] = lambda: None) -> Iterator[threading.Thread]:
    """Another thread that wants the turn."""

    def work() -> None:
        turns.take([connection])
        done()
        turns.give()

    thread = threading.Thread(target=work)
    before = len(turns._queue)
    thread.start()
    wait_until(lambda: len(turns._queue) > before or not thread.is_alive())
    yield thread
    thread.join(10)
    assert not thread.is_alive()


def test_a_turn_is_over_when_it_is_given_back(caplog: pytest.LogCaptureFixture) -> None:
    turns.take([Shared()])  # type: ignore[list-item]
    with waiting(Shared()) as thread:
        thread.join(0.05)
        assert thread.is_alive()
        turns.give()
    assert not caplog.records


def test_who_came_first_is_first() -> None:
    order: list[str] = []
    turns.take([Shared()])  # type: ignore[list-item]
    with waiting(Shared(), lambda: order.append("first")), waiting(Shared(), lambda: order.append("second")):
        turns.give()
    assert order == ["first", "second"]


def test_a_thread_that_has_the_turn_may_take_it_again(caplog: pytest.LogCaptureFixture) -> None:
    turns.take([Shared()])  # type: ignore[list-item]
    turns.take([Shared()])  # type: ignore[list-item]
    assert not caplog.records


def test_a_thread_that_has_died_gives_it_back(caplog: pytest.LogCaptureFixture) -> None:
    in_thread(lambda: turns.take([Shared()]))  # type: ignore[list-item]
    turns.take([Shared()])  # type: ignore[list-item]
    assert not caplog.records


def test_a_block_of_djangos_is_waited_for() -> None:
    connection = Shared()
    connection.blocks = [object()]
    with waiting(connection) as thread:
        thread.join(0.05)
        assert thread.is_alive()
        connection.blocks = []


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.05)
    turns.take([Shared()])  # type: ignore[list-item]
    in_thread(lambda: turns.take([Shared()]))  # type: ignore[list-item]
    assert "End the test's transaction before the next request" in caplog.text
