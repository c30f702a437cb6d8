"""What became of a peer's tests."""

from __future__ import annotations

import unittest
from collections import Counter
from typing import Any


class Found(unittest.TestResult):
    """As unittest has it, with those that were left out."""

    def __init__(self) -> None:
        super().__init__()
        self.left_out: list[tuple[str, str]] = []

    def report(self, peer: str) -> int:
        wrong: list[tuple[Any, str]] = [*self.failures, *self.errors]
        passed = self.testsRun - len(wrong) - len(self.skipped)
        print(f"{peer}: {passed} passed, {len(wrong)} failed, {len(self.skipped) + len(self.left_out)} left out")
        for reason, number in Counter(reason for _, reason in [*self.left_out, *self.skipped]).items():
            names = [str(test).rpartition(".")[2] for test, why in [*self.left_out, *self.skipped] if why == reason]
            print(f"  {number} left out: {reason} ({', '.join(names)})")
        for test, said in wrong:
            print(f"  FAILED: {test}\n{said}")
        return 1 if wrong or not passed else 0
