"""Many requests at a time, over HTTP, with nothing but the standard library; and how each was answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

SECONDS_TO_ANSWER = 120
BROKEN = 0


async def send(port: int, requests: int, at_a_time: int) -> Counter[int]:
    """How many were answered by which status; BROKEN stands for no answer. Half are for a sync view, half for async."""
    numbers = iter(range(requests))
    answers: Counter[int] = Counter()
    await asyncio.gather(*(_client(port, numbers, answers) for _ in range(at_a_time)))
    return answers


async def _client(port: int, numbers: Iterator[int], answers: Counter[int]) -> None:
    for number in numbers:
        try:
            status = await asyncio.wait_for(_status(port, number), SECONDS_TO_ANSWER)
        except (OSError, ValueError, IndexError, asyncio.TimeoutError):
            status = BROKEN
        answers[status] += 1


async def _status(port: int, number: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        kind = "async" if number % 2 else "sync"
        writer.write(f"GET /{kind}/{number} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        return int(answer.split(b" ", 2)[1])
    finally:
        writer.close()
