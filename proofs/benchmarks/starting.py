"""A fresh process that sets Django up, as a site's does, and ends: what that costs in CPU time.

Python's garbage collector is off, on both sides. It goes through all objects for the first time when there are some
50,000 of them. Django alone ends a few hundred below that, so that any package beside it would be charged with a
collection of Django's objects.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from proofs.benchmarks.worker import Batch, on_cpu
from tools.run_tests import environment

ROOT = Path(__file__).resolve().parents[2]
# Neither this package nor what it needs is imported there: that would be Storm, on both sides.
PROGRAM = """
import gc, json, sys, time
gc.disable()
settings = json.loads(sys.argv[1])
if "STORM_STORES" in settings:
    import djintegrate.storm_backend
import django.conf
django.conf.settings.configure(**settings)
django.setup()
from django.db import connections
connections["default"]
print(time.process_time())
"""


def start(settings: dict[str, Any]) -> Batch:
    """Set Django up once, with an object for the default connection, which is not opened."""
    began = perf_counter()
    with on_cpu(0):
        command = [sys.executable, "-c", PROGRAM, json.dumps(settings)]
        cpu = subprocess.check_output(command, cwd=ROOT, env=environment(), text=True)
    return Batch(perf_counter() - began, float(cpu))
