"""Writes the result of every test to a file, as the tests run.

Loaded inside the process that runs a suite: by Django's as its TEST_RUNNER, by Storm's as the result class. Never
changes a result.
"""

from __future__ import annotations

import json
import os
import unittest
from typing import Any

from django.conf import settings
from django.test import override_settings
from django.test.runner import DiscoverRunner

FILE_VARIABLE = "CONFORMANCE_RESULTS"


class RecordingResult(unittest.TextTestResult):
    """One JSON object a line: the test's id, how it went, and the traceback or reason."""

    # The suites run test runners inside their tests; only the first result of the process is the suite's own. Forked
    # workers inherit the mark and report to the parent's.
    _taken = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file = None
        if not RecordingResult._taken:
            RecordingResult._taken = True
            self._file = open(os.environ[FILE_VARIABLE], "w", encoding="utf-8")  # noqa: SIM115

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self._record(test, "passed")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._record(test, "failed", self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._record(test, "failed", self.errors[-1][1])

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            failures = self.failures if issubclass(err[0], test.failureException) else self.errors
            self._record(test, "failed", f"{subtest}\n{failures[-1][1]}")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._record(test, "skipped", reason)

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self._record(test, "expected failure")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self._record(test, "unexpected success")

    def _record(self, test: unittest.TestCase, outcome: str, detail: str = "") -> None:
        if self._file is not None:
            test = getattr(test, "test_case", test)  # A skipped subtest counts with its test.
            self._file.write(json.dumps({"id": test.id(), "outcome": outcome, "detail": detail}) + "\n")
            # Kept, should the process die in a later test; and nothing is left for a forked worker to write again.
            self._file.flush()


class RecordingRunner(DiscoverRunner):
    def get_resultclass(self) -> Any:
        return super().get_resultclass() or RecordingResult

    def run_checks(self, databases: Any) -> None:
        # The suite's own script says which apps are installed, and nobody can add the engine's.
        with override_settings(SILENCED_SYSTEM_CHECKS=[*settings.SILENCED_SYSTEM_CHECKS, "storm_backend.E014"]):
            super().run_checks(databases)
