"""The results of one run of a suite, and what differs between two runs. Runs nothing itself."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# A test reports several times when it has subtests or fails in its clean-up: the later in this list wins.
OUTCOMES = ("missing", "skipped", "passed", "expected failure", "unexpected success", "failed")


@dataclass
class Result:
    outcome: str
    detail: str = ""

    @property
    def error(self) -> str:
        """The line that names the exception, or the reason of a skip."""
        lines = [line for line in self.detail.splitlines() if line.strip()]
        # What follows it, of unequal texts for instance, is not of this form.
        named = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(: |:?$)", line)]
        return (named or lines or [""])[-1].strip()


@dataclass(frozen=True)
class Run:
    """Every test of a suite as it went on one side, by the test's id."""

    results: dict[str, Result]
    # None for a part of a run that was not timed by itself.
    seconds: float | None

    def counts(self) -> Counter[str]:
        return Counter(result.outcome for result in self.results.values())

    def result(self, test: str) -> Result:
        return self.results.get(test, Result("missing"))

    def updated(self, again: Run) -> Run:
        """This run, with the results that some tests had when they ran again."""
        return Run({**self.results, **again.results}, self.seconds)


@dataclass(frozen=True)
class Difference:
    test: str
    native: Result
    engine: Result


def differences(native: Run, engine: Run) -> Iterator[Difference]:
    for test in sorted(native.results.keys() | engine.results.keys()):
        pair = native.result(test), engine.result(test)
        if pair[0].outcome != pair[1].outcome:
            yield Difference(test, *pair)


def failed_natively_alone(native: Run, engine: Run) -> list[str]:
    """The tests to run again: of these, one that looks at the clock may fail on a busy machine.

    Never those that failed on the engine, so that what fails there now and then is not hidden.
    """
    found = [each for each in differences(native, engine) if each.native.outcome == "failed"]
    # The failure of a class as a whole is named `setUpClass (module.Class)`, which cannot be asked for.
    return [each.test for each in found if each.engine.outcome == "passed" and "(" not in each.test]


def read(file: Path, seconds: float) -> Run:
    """What the recorder wrote to `file`."""
    results: dict[str, Result] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        result = results.setdefault(record["id"], Result("missing"))
        if OUTCOMES.index(record["outcome"]) >= OUTCOMES.index(result.outcome):
            details = [result.detail] if result.outcome == record["outcome"] and result.detail else []
            result.outcome = record["outcome"]
            result.detail = "\n".join([*details, record["detail"]])
    return Run(results, seconds)
