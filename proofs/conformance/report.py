"""Prints a run beside the native one, and decides whether the differences are the listed ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from proofs.conformance.results import Difference, Run

COLUMNS = ("passed", "failed", "skipped", "expected failure", "unexpected success")


def table(rows: Sequence[tuple[str, Run]]) -> str:
    """The counts of each run, one a line."""
    lines = [["", "tests", *COLUMNS, "seconds"]]
    for name, run in rows:
        counts = run.counts()
        seconds = "-" if run.seconds is None else f"{run.seconds:.0f}"
        lines.append([name, str(len(run.results)), *(str(counts[column]) for column in COLUMNS), seconds])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )


def describe(found: Sequence[Difference], known: Mapping[str, str]) -> str:
    """Every difference, with the engine's error, and the reason if it is listed."""
    lines = []
    for difference in found:
        lines.append(f"  {difference.test}: native {difference.native.outcome}, engine {difference.engine.outcome}")
        if difference.engine.error:
            lines.append(f"      {difference.engine.error}")
        if difference.test in known:
            lines.append(f"      listed: {known[difference.test]}")
    return "\n".join(lines) or "  none"


def objections(found: Sequence[Difference], known: Mapping[str, str], engine: Run, whole: bool) -> list[str]:
    """What keeps the command from passing. Of a part of the suite, only the listed tests that ran are looked at."""
    if not engine.results:
        return ["no test ran"]
    different = {difference.test for difference in found}
    gone = [test for test in known if test not in different and (whole or test in engine.results)]
    return [
        *(f"{test} differs and is not listed in known_differences.toml" for test in sorted(different - known.keys())),
        *(f"{test} is listed in known_differences.toml and does not differ: remove it there" for test in gone),
    ]


def write_details(file: Path, native: Run, engine: Run) -> None:
    """Writes every failure of either side in full."""
    with open(file, "w", encoding="utf-8") as output:
        for side, run in (("native", native), ("engine", engine)):
            for test, result in sorted(run.results.items()):
                if result.outcome in ("failed", "unexpected success"):
                    output.write(f"{'=' * 70}\n{side}: {test}: {result.outcome}\n\n{result.detail}\n")
