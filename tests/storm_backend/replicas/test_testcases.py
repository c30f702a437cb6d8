"""A site that has replicas runs its own tests as any other: they are about a test database, and have none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.storm_backend.replicas.site import WHATEVER_DRIVER, Servers

pytest_plugins = ["tests.support.fixtures", "tests.storm_backend.replicas.fixtures"]
pytestmark = WHATEVER_DRIVER

ROOT = Path(__file__).resolve().parents[3]
OWN = "tests.storm_backend.replicas.own_tests"


def test_a_sites_own_tests_pass(servers: Servers) -> None:
    uris = {"PRIMARY_URI": servers.primary.uri(), "REPLICA_URI": servers.standby.uri()}
    done = subprocess.run(
        [sys.executable, "-m", "django", "test", OWN], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, **uris, "DJANGO_SETTINGS_MODULE": OWN, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Ran 4 tests" in done.stderr
