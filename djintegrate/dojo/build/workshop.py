"""How a folder is made anew, whole or not at all, and how a program is run meanwhile that ends when the command does.

Knows nothing of Dojo.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@contextmanager
def workshop(target: Path, work: str) -> Iterator[Path]:
    """A folder on the target's own file system, for one such work at a time, that is gone afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name}-{work}-"
    with open(target.parent / f".{target.name}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OSError(f"another {work} into {target} is running: wait for it to end") from error
        # What is left of one that was killed.
        for stale in target.parent.glob(prefix + "*"):
            shutil.rmtree(stale, ignore_errors=True)
        try:
            with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as folder:
                yield Path(folder)
        finally:
            Path(lock.name).unlink(missing_ok=True)


def replace(target: Path, new: Path, old: Path) -> None:
    """`new` takes the place of `target`, which goes to `old`. All are on one file system."""
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise


@dataclass
class Finished:
    """What a program ended with, and the lines that it wrote."""

    code: int
    lines: list[str]


def run(
    command: Sequence[str],
    folder: Path,
    seconds: float,
    hear: Callable[[str], object] = lambda line: None,
    given: str = "",
) -> Finished:
    """Run a program to its end. `hear` is told each line that it writes; what is true in answer ends the program.

    The program is in a group of its own: a Ctrl-C is ours to answer, and then everything that it started ends too.
    """
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", start_new_session=True,
    )  # fmt: skip

    def end() -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    limit = threading.Timer(seconds, end)
    limit.start()
    lines: list[str] = []
    assert process.stdin is not None and process.stdout is not None
    try:
        with process.stdin as pipe:
            pipe.write(given)
        for line in process.stdout:
            lines.append(line.rstrip())
            if hear(lines[-1]):
                end()
        return Finished(process.wait(), lines)
    finally:
        limit.cancel()
        end()
        process.wait()
        process.stdout.close()
