"""The chart that `make bench` draws, of a small run that took place: small_run.json, written by `--results`."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from proofs.benchmarks import chart, results
from proofs.benchmarks.cases import CASES
from proofs.benchmarks.chart import drawing
from proofs.benchmarks.measuring import DIFFERENCE, Measurement
from proofs.benchmarks.worker import Batch

RUN = results.load(Path(__file__).with_name("small_run.json"))
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_same_results_give_the_same_drawing_however_they_were_kept(tmp_path: Path) -> None:
    results.save(RUN, tmp_path / "kept.json")
    assert drawing(results.load(tmp_path / "kept.json")) == drawing(RUN)


def test_each_row_has_its_title_once_its_number_and_a_dot() -> None:
    said = texts(drawing(RUN))
    for title in {row.title for row in RUN.rows}:
        assert said.count(title) == 1
    numbers = [text.removesuffix(" !") for text in said if re.fullmatch(r"\d+\.\d\d( !)?", text)]
    ticks = [f"{tick:g}" for tick in chart.TICKS]
    assert sorted(each for each in numbers if each not in ticks) == sorted(f"{row.ratio:.2f}" for row in RUN.rows)
    dots = list(ElementTree.fromstring(drawing(RUN)).iter(f"{SVG}circle"))
    assert len(dots) == len(RUN.rows) >= 4
    assert RUN.ran_on in said[-1]


def test_what_is_slower_stands_further_to_the_right() -> None:
    row = RUN.rows[0]
    rows = tuple(
        replace(row, title=str(ratio), ratio=ratio, lower=ratio, upper=ratio) for ratio in (0.1, 0.5, 1, 1.5, 9)
    )
    places = [
        float(dot.attrib["cx"]) for dot in ElementTree.fromstring(drawing(replace(RUN, rows=rows))).iter(f"{SVG}circle")
    ]
    assert places == sorted(places) and len(set(places)) == 5
    assert all(chart.LEFT < place < chart.RIGHT for place in places)
    assert places[2] == chart._x(1)


@pytest.mark.parametrize(("ratio", "marked"), [(1.01, False), (1.03, True)])
def test_a_row_beyond_its_bound_is_seen_to_be(ratio: float, marked: bool) -> None:
    row = replace(RUN.rows[0], ratio=ratio, bound=1.02)
    svg = drawing(replace(RUN, rows=(row,)))
    assert (chart.BEYOND in svg) is marked
    assert (f"{ratio:.2f} !" in texts(svg)) is marked


def test_titles_are_no_markup() -> None:
    svg = drawing(replace(RUN, rows=(replace(RUN.rows[0], title="<b> & co"),)))
    assert "<b> & co" in texts(svg)


def test_results_are_what_was_measured_without_differences_in_time() -> None:
    batches = [(Batch(1, 0.1), Batch(1.05, 0.2))] * 30
    found = [Measurement(case, "sqlite", batches) for case in CASES if case.plus is None]
    rows = results.results_of(found, "here").rows
    assert {row.title for row in rows} == {each.case.title for each in found if each.case.comparison != DIFFERENCE}
    [update] = [row for row in rows if row.title == "update"]
    assert (update.ratio, update.lower, update.upper, update.bound, update.pairs) == (1.05, 1.05, 1.05, 1.02, 30)
    assert not update.holds


def test_the_chart_of_the_documentation_is_that_of_its_results() -> None:
    assert chart.DRAWING.read_text() == drawing(results.load(chart.RESULTS)), "Run: python -m proofs.benchmarks.chart"
