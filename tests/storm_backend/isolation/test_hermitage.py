"""The short run of `make isolation`: each anomaly at one level, by plain SQL and by both ORMs in both orders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from proofs.isolation.scenarios import SCENARIOS, Outcome, Scenario, Step, Trace
from proofs.isolation.table import in_the_docs
from tests.support.doc_pages import ROOT

TEN = {"G0", "G1a", "G1b", "G1c", "OTV", "PMP", "P4", "G-single", "G2-item", "G2"}


def test_both_orms_by_turns_are_isolated_as_plain_sql_is_and_as_the_docs_say(db_kind: str, tmp_path: Path) -> None:
    verdicts = tmp_path / "verdicts.json"
    done = subprocess.run(
        [sys.executable, "-m", "proofs.isolation.hermitage", "--db", db_kind, "--quick", "--results", str(verdicts)],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "DJANGO_SETTINGS_MODULE": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(verdicts.read_text())
    documented = in_the_docs(db_kind)
    assert {name for name, by_level in found.items() if by_level} == {scenario.name for scenario in SCENARIOS}
    for name, by_level in found.items():
        assert {level: documented[name][level] for level in by_level} == by_level, name


def test_every_anomaly_of_the_suite_is_there_and_ends_each_of_its_sessions() -> None:
    assert {scenario.name for scenario in SCENARIOS} >= TEN
    for scenario in SCENARIOS:
        sessions = {step.session for step in scenario.steps}
        last = {step.session: step.verb for step in scenario.steps}
        assert set(last) == sessions
        assert set(last.values()) <= {"commit", "abort"}


def scenario(name: str) -> Scenario:
    return next(each for each in SCENARIOS if each.name == name)


def trace(final: dict[int, int], **reads: list[dict[int, int]]) -> Trace:
    """Every session commits, and reads these."""
    outcomes = {
        int(session[1:]): [
            *(Outcome(Step(1, "read", ()), tuple(rows.items())) for rows in found),
            Outcome(Step(1, "commit", ())),
        ]
        for session, found in reads.items()
    }
    return Trace(outcomes, final)


def test_an_anomaly_is_told_from_what_is_allowed() -> None:
    assert scenario("G0").happened(Trace(final={1: 12, 2: 21}))
    assert not scenario("G0").happened(Trace(final={1: 12, 2: 22}))
    assert scenario("OTV").happened(trace({}, s3=[{1: 12}, {2: 19}]))
    assert not scenario("OTV").happened(trace({}, s3=[{1: 11}, {2: 19}, {2: 18}, {1: 12}]))
    assert scenario("P4").happened(trace({}, s1=[{1: 10}], s2=[{1: 10}]))
    assert not scenario("P4").happened(trace({}, s1=[{1: 10}], s2=[{1: 11}]))
    assert scenario("G2").happened(trace({}, s1=[{}], s2=[{}]))
