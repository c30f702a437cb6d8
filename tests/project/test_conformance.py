"""What `make conformance` makes of two runs of a suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofs.conformance import known
from proofs.conformance.report import objections
from proofs.conformance.results import Result, Run, differences, failed_natively_alone


def run(**outcomes: str) -> Run:
    return Run({test: Result(outcome) for test, outcome in outcomes.items()}, 1.0)


def test_a_difference_that_is_not_listed_is_an_objection() -> None:
    native, engine = run(a="passed", b="passed", c="failed"), run(a="passed", b="failed", c="failed")
    found = list(differences(native, engine))
    assert [(each.test, each.native.outcome, each.engine.outcome) for each in found] == [("b", "passed", "failed")]
    assert objections(found, {}, engine, whole=True) == ["b differs and is not listed in known_differences.toml"]
    assert objections(found, {"b": "because"}, engine, whole=True) == []


def test_what_is_listed_and_does_not_differ_is_an_objection() -> None:
    same = run(a="passed")
    [said] = objections([], {"a": "because"}, same, whole=True)
    assert said.startswith("a is listed")


def test_a_test_that_is_missing_on_one_side_differs() -> None:
    assert [each.engine.outcome for each in differences(run(a="passed"), run())] == ["missing"]


def test_what_failed_natively_alone_runs_again_and_what_failed_on_the_engine_does_not() -> None:
    native = run(slow="failed", bad="passed", both="failed", left_out="failed")
    engine = run(slow="passed", bad="failed", both="failed", left_out="skipped")
    assert failed_natively_alone(native, engine) == ["slow"]
    updated = native.updated(run(slow="passed"))
    assert [each.test for each in differences(updated, engine)] == ["bad", "left_out"]


def test_what_is_listed_since_a_django_is_expected_from_that_one_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = tmp_path / "known_differences.toml"
    listed.write_text(
        '[[django.sqlite]]\ntest = "always"\nreason = "so"\n'
        '[[django.sqlite]]\ntest = "lately"\nreason = "so"\nsince = "6.1"\n'
    )
    monkeypatch.setattr(known, "FILE", listed)
    for version, expected in (((5, 2), {"always"}), ((6, 1), {"always", "lately"}), ((10, 0), {"always", "lately"})):
        monkeypatch.setattr("django.VERSION", (*version, 3, "final", 0))
        assert known.known_differences("django", "sqlite").keys() == expected
