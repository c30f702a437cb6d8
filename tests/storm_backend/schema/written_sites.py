"""A site that a test writes, and runs in a process of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[3]


def write(site: Path, files: Mapping[str, str]) -> Path:
    """In their texts, %(folder)s is the site's."""
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(textwrap.dedent(text).replace("%(folder)s", str(site)))
    return site


def run(site: Path, *arguments: str, fails: bool = False, **environment: str) -> str:
    """What Python said with these arguments."""
    done = python(*arguments, cwd=site, env={"PYTHONPATH": str(ROOT), **environment})
    assert bool(done.returncode) is fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout + done.stderr
