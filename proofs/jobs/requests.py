"""A process that makes requests: each writes a row and enqueues a job, and a third of them abort."""

from __future__ import annotations

import random
import sys
import time
from contextlib import AbstractContextManager, suppress
from typing import Any

import django


def main(name: str, count: int, seed: int) -> None:
    django.setup()
    from django.db import Error, close_old_connections, connection

    chance = random.Random(seed)
    for number in range(count):
        with suppress(Error, _Aborted):
            _request(f"{name}-{number}", chance)
        close_old_connections()
        time.sleep(0.002)
    connection.close()


class _Aborted(Exception):
    """The request fails on purpose."""


def _request(key: str, chance: random.Random) -> None:
    from proofs.jobs import tasks
    from proofs.jobs.models import Wish

    in_steps = chance.random() < 0.2
    with _transaction():
        Wish.objects.create(key=key, is_in_steps=in_steps)
        (tasks.grant_in_steps if in_steps else tasks.grant).enqueue(key)
        if chance.random() < 1 / 3:
            raise _Aborted


def _transaction() -> AbstractContextManager[Any]:
    import transaction
    from django.conf import settings
    from django.db.transaction import atomic

    return atomic() if settings.NATIVE else transaction.manager


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
