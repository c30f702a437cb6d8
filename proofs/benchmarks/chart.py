"""The chart of `make bench`, drawn from the results of a run: the same results give the same drawing.

`python -m proofs.benchmarks.chart` draws docs/images/cost.svg anew from the results beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from math import log2
from pathlib import Path
from xml.sax.saxutils import escape

from proofs.benchmarks.results import Results, Row, load
from tools.run_tests import DATABASES

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
RESULTS = IMAGES / "cost.json"
DRAWING = IMAGES / "cost.svg"

WIDTH, LEFT, RIGHT, TOP, STEP = 920, 372, 680, 104, 16
COLUMN = 76
COLOURS = {"sqlite": "#1f5a88", "postgres": "#1c6b43", "mysql": "#8a5a00"}
BEYOND = "#a2261b"
TEXT, FAINT, LINES = "#1b2733", "#526172", "#c5d0da"
# Half as long is as far from equal as twice as long.
TICKS = (0.125, 0.25, 0.5, 1, 2)
TITLE = "What the engine costs: its time, over that of what it is compared with"

LEGEND = (
    "Left of 1 the engine is faster, right of it slower. A dot is the median, its line where that lies with 99 of 100 "
    "chances, a tick the bound."
)


def drawing(results: Results) -> str:
    """The chart as an SVG."""
    cases = list(dict.fromkeys(row.title for row in results.rows))
    databases = [each for each in COLOURS if any(row.database == each for row in results.rows)]
    height = TOP + len(cases) * (len(databases) * STEP + 10) + 66
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t" '
        'font-family="system-ui, sans-serif" font-size="12.5">',
        f'<title id="t">{TITLE}</title>',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="20" y="30" font-size="16" font-weight="600" fill="{TEXT}">{TITLE}</text>',
        f'<text x="20" y="50" fill="{FAINT}">{LEGEND}</text>',
        *_scale(height - 60),
        *_heading(databases),
    ]
    y = TOP
    for case in cases:
        rows = [row for row in results.rows if row.title == case]
        parts.append(f'<text x="20" y="{y + len(databases) * STEP / 2 + 4:g}" fill="{TEXT}">{escape(case)}</text>')
        for row in rows:
            parts += _mark(row, y + databases.index(row.database) * STEP + STEP / 2, databases.index(row.database))
        y += len(databases) * STEP + 10
    pairs = [row.pairs for row in results.rows]
    said = f"{results.ran_on}. Pairs of batches for a row: {min(pairs)} to {max(pairs)}."
    parts.append(f'<text x="20" y="{height - 16}" fill="{FAINT}">{escape(said)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _scale(bottom: int) -> Iterator[str]:
    for tick in TICKS:
        style = f'stroke="{FAINT}"' if tick == 1 else f'stroke="{LINES}" stroke-dasharray="2 3"'
        yield f'<path d="M{_x(tick):g} {TOP - 8}V{bottom}" {style}/>'
        yield f'<text x="{_x(tick):g}" y="{TOP - 14}" text-anchor="middle" fill="{FAINT}">{tick:g}</text>'


def _heading(databases: list[str]) -> Iterator[str]:
    for number, database in enumerate(databases):
        x = RIGHT + 10 + number * COLUMN
        colour = COLOURS[database]
        yield f'<text x="{x}" y="{TOP - 14}" font-size="11.5" fill="{colour}">{DATABASES[database]}</text>'


def _mark(row: Row, y: float, column: int) -> Iterator[str]:
    colour = COLOURS[row.database] if row.holds else BEYOND
    yield f'<path d="M{_x(row.lower):g} {y:g}H{_x(row.upper):g}" stroke="{colour}" stroke-width="2" opacity=".45"/>'
    if row.bound is not None:
        yield f'<path d="M{_x(row.bound):g} {y - 5:g}v10" stroke="{FAINT}" stroke-width="1.5"/>'
    yield f'<circle cx="{_x(row.ratio):g}" cy="{y:g}" r="4" fill="{colour}"/>'
    weight = "" if row.holds else ' font-weight="600"'
    x = RIGHT + 10 + column * COLUMN
    yield f'<text x="{x}" y="{y + 4:g}" fill="{colour}"{weight}>{row.ratio:.2f}{"" if row.holds else " !"}</text>'


def _x(ratio: float) -> float:
    """Where a ratio is. What is beyond the scale is at its end."""
    low, high = log2(TICKS[0]), log2(TICKS[-1])
    place = (min(max(log2(ratio), low), high) - low) / (high - low)
    return round(LEFT + 12 + place * (RIGHT - LEFT - 30), 1)


def draw() -> None:
    DRAWING.write_text(drawing(load(RESULTS)))


if __name__ == "__main__":
    if not RESULTS.exists():
        sys.exit(f"There are no results in {RESULTS}. Run: make bench")
    draw()
