"""openid_cleanup over a million nonces: `python -m proofs.benchmarks.openid.cleanup`.

Beside it others sign in all the time: each uses up a nonce and commits. What they wait at most is what it costs
them. Ends with 1 when it took longer than a minute, on PostgreSQL, or when one of them failed.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any, cast, get_args

import django
from django.conf import settings

from tools.run_tests import DATABASES
from tools.servers import Kind, running

LIMIT = 60
FRESH = 10_000
STEP = 50_000


@dataclass
class SignIns:
    """Uses up nonces until told to stop, and keeps the seconds that each took."""

    stop: threading.Event = field(default_factory=threading.Event)
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def run(self) -> None:
        from django.db import DatabaseError, connection

        while not self.stop.wait(0.01):
            began = time.monotonic()
            try:
                _nonces(1, time.time(), f"beside-{len(self.seconds)}-")
            except DatabaseError:
                self.failed += 1
            else:
                self.seconds.append(time.monotonic() - began)
        connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.openid.cleanup", description="Clean up nonces.")
    parser.add_argument("--db", choices=get_args(Kind), default="postgres")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch-size", type=int, default=None)
    options = parser.parse_args()
    with running(cast(Kind, options.db)) as server:
        settings.configure(
            DATABASES={"default": server.django()},
            INSTALLED_APPS=["djintegrate.openid_auth", "django.contrib.auth", "django.contrib.contenttypes"],
            USE_TZ=True,
        )
        django.setup()
        seconds, beside = _measure(options.rows, options.batch_size)
    waits = sorted(beside.seconds)
    print(
        f"{DATABASES[options.db]}: {options.rows:,} expired nonces removed in {seconds:.1f} s; "
        f"{len(waits)} sign-ins beside it took {1000 * waits[len(waits) // 2]:.1f} ms in the middle, "
        f"{1000 * waits[-1]:.0f} ms at most, {beside.failed} failed"
    )
    return int(beside.failed > 0 or (options.db == "postgres" and seconds > LIMIT))


def _measure(rows: int, batch_size: int | None) -> tuple[float, SignIns]:
    from django.core.management import call_command

    from djintegrate.openid_auth.models import Nonce

    call_command("migrate", verbosity=0)
    long_ago = time.time() - 1_000_000
    for begin in range(0, rows, STEP):
        _nonces(min(STEP, rows - begin), long_ago, f"{begin}-")
    _nonces(FRESH, time.time(), "fresh-")
    beside = SignIns()
    thread = threading.Thread(target=beside.run)
    thread.start()
    arguments: dict[str, Any] = {} if batch_size is None else {"batch_size": batch_size}
    began = time.monotonic()
    call_command("openid_cleanup", **arguments)
    seconds = time.monotonic() - began
    beside.stop.set()
    thread.join()
    left = Nonce.objects.count()
    assert left == FRESH + len(beside.seconds), f"{left} nonces are left"
    return seconds, beside


def _nonces(count: int, timestamp: float, salt: str) -> None:
    from djintegrate.openid_auth.models import Nonce

    Nonce.objects.bulk_create(
        [
            Nonce(server_url="https://login.launchpad.net/+openid", timestamp=int(timestamp), salt=f"{salt}{number}")
            for number in range(count)
        ],
        batch_size=5000,
    )


if __name__ == "__main__":
    sys.exit(main())
