"""Processes that are killed at a certain step of a two-phase commit, for proofs.crash.

Only what it forks itself is ever killed, or changed.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from typing import Any

Report = Callable[[str], None]
STEPS = (
    "before the first prepare",
    "between the prepares",
    "after all prepares",
    "between the commits",
    "after all commits",
    "at a random moment",
)


class LateVoter:
    """Sorts behind all stores, and has nothing against the commit."""

    def __init__(self, manager: Any) -> None:
        self.transaction_manager = manager

    def sortKey(self) -> str:
        return "~~~"

    def _agree(self, txn: Any) -> None:
        pass

    tpc_begin = commit = tpc_vote = tpc_finish = tpc_abort = abort = _agree


class Steps:
    """Counts the steps of one commit, and kills this process at a certain one, or does `act` there."""

    def __init__(self, stores: int, late: bool, kill_at: int) -> None:
        self.prepared = self.committed = self.number = 0
        self._stores, self._to_prepare = stores, stores if late else stores - 1
        self._kill_at = kill_at

    def name(self) -> str:
        if self.committed:
            return STEPS[3] if self.committed < self._stores else STEPS[4]
        if self.prepared:
            return STEPS[1] if self.prepared < self._to_prepare else STEPS[2]
        return STEPS[0]

    def passed(self) -> None:
        self.number += 1
        if self.number == self._kill_at:
            self._report(self.name())
            self._act()

    def watch(self, report: Report, act: Callable[[], None] | None = None) -> None:
        """Be told of each step from now on. Only ever called in a process of its own."""
        self._report, self._act = report, act or _kill_myself
        from djintegrate.storm_backend.transactions.manager import DataManager
        from djintegrate.storm_backend.two_phase.branches import Branch

        prepare, end, commit_now = Branch.prepare, Branch.end, DataManager.commit_now

        def watched_prepare(branch: Branch) -> None:
            self.passed()
            prepare(branch)
            self.prepared += 1
            self.passed()

        def watched_end(branch: Branch, commit: bool) -> None:
            self.passed()
            end(branch, commit)
            self.committed += commit
            self.passed()

        def watched_commit_now(part: DataManager) -> None:
            self.passed()
            commit_now(part)
            self.committed += not part.two_phase
            self.passed()

        for owner, watched in ((Branch, watched_prepare), (Branch, watched_end), (DataManager, watched_commit_now)):
            setattr(owner, watched.__name__.removeprefix("watched_"), watched)


def in_child(work: Callable[[Report], None], kill_after: float | None = None) -> tuple[str, bool]:
    """What `work` reports from a process of its own, and whether that was killed.

    With `kill_after`, it is killed so many seconds after it has reported something for the third time.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            work(lambda text: _write(writer, text))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        text = b""
        if kill_after is not None:
            while len(text) < 3 and (more := pipe.read(1)):
                text += more
            time.sleep(kill_after)
            os.kill(child, signal.SIGKILL)
        text += pipe.readall()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if not killed and os.waitstatus_to_exitcode(status):
        raise RuntimeError("A process failed; its traceback is above.")
    return text.decode(), killed


def _kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _write(descriptor: int, text: str) -> None:
    os.write(descriptor, text.encode())
