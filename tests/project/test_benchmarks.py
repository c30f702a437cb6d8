"""What `make bench` makes of the batches that it has timed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proofs.benchmarks import report
from proofs.benchmarks.cases import CASES
from proofs.benchmarks.measuring import CPU, DIFFERENCE, Case, Measurement
from proofs.benchmarks.worker import Batch


def side(server: object) -> dict[str, object]:
    return {}


CASE = Case("a row", "update", side, side, 1.1)


def measured(case: Case, *batches: tuple[float, ...], database: str = "sqlite") -> Measurement:
    """Each number is the seconds of a batch; the CPU time is a tenth of them."""
    return Measurement(case, database, [tuple(Batch(each, each / 10) for each in pair) for pair in batches])


def test_the_ratio_is_the_median_of_the_pairs_and_not_the_ratio_of_the_totals() -> None:
    found = measured(CASE, (1, 1.05), (1, 1.05), (100, 1))
    assert found.ratio == pytest.approx(1.05)
    assert found.holds


def test_a_row_beyond_its_bound_does_not_hold_and_its_line_says_so() -> None:
    found = measured(CASE, (1, 1.11), (1, 1.11), (1, 1.11))
    assert not found.holds
    assert report.line(found).endswith("BEYOND")


def test_a_bound_may_be_of_one_database_alone() -> None:
    case = replace(CASE, bound={"postgres": 1.1})
    assert not measured(case, (1, 2), database="postgres").holds
    assert measured(case, (1, 2), database="mysql").holds


def test_what_is_added_to_the_other_side_is_part_of_what_the_engine_is_compared_with() -> None:
    found = measured(replace(CASE, plus=(side, "row_by_storm")), (2, 1, 3), (2, 1, 3))
    assert (found.ratio, found.cpu_ratio) == pytest.approx((1, 1))
    assert found.figures == [2, 1, 3]
    assert "(2,000,000 + 1,000,000 µs)" in report.line(found)


def test_a_difference_is_in_seconds_of_the_quantity_that_the_row_is_of() -> None:
    case = replace(CASE, bound=0.03, quantity=CPU, comparison=DIFFERENCE)
    assert measured(case, (1, 1.2), (2, 2.2)).holds
    late = measured(case, (1, 1.4), (2, 2.4))
    assert late.ratio == pytest.approx(0.04)
    assert not late.holds
    assert " 40.0 ms" in report.line(late)


def test_a_row_beside_itself_has_the_other_side_and_its_operation_on_both_sides() -> None:
    for case in CASES:
        noise = case.beside_itself()
        assert noise.sides == (case.other, case.other)
        assert noise.operations == (case.operations[0],) * 2
