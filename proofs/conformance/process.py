"""Runs one side of a suite in a process of its own, and reads what the recorder wrote there."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from proofs.conformance import results
from proofs.conformance.recorder import FILE_VARIABLE

Side = Literal["native", "engine"]
ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "conformance"


def cache_folder(*parts: str) -> Path:
    """A folder below the cache, which git does not see."""
    folder = CACHE.joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    return folder


def run_recorded(
    name: str, command: Sequence[str], cwd: Path, environment: Mapping[str, str], folder: Path
) -> results.Run:
    """The results of a command that ends with 1 when tests fail. Its output goes to `name`.log in `folder`."""
    record, log = folder / f"{name}.jsonl", folder / f"{name}.log"
    record.unlink(missing_ok=True)
    # Storm's tests and the projects of those who work on this read such variables; the run must not depend on them.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("STORM_", "DJANGO_"))}
    started = time.monotonic()
    with open(log, "wb") as output:
        code = subprocess.run(
            command, cwd=cwd, env={**inherited, **environment, FILE_VARIABLE: str(record)},
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
        ).returncode  # fmt: skip
    seconds = time.monotonic() - started
    if code not in (0, 1) or not record.exists():
        tail = log.read_text(errors="replace")[-3000:]
        raise RuntimeError(f"{name} broke off with code {code}. The end of {log}:\n{tail}")
    return results.read(record, seconds)
