"""The table of `make bench`."""

from __future__ import annotations

from proofs.benchmarks.measuring import Measurement

HEADING = f"{'':<54}{'other':>11}{'engine':>11}{'ratio':>8}{'99 % within':>15}{'at most':>9}{'CPU':>7}"


def line(measurement: Measurement) -> str:
    """One case: the medians, the median of the ratios and where it lies, its bound, and the ratio of the CPU times."""
    other, engine = (f"{seconds * 1e6:,.0f} µs" for seconds in measurement.seconds)
    lower, upper = measurement.interval
    bound = "" if measurement.bound is None else f"{measurement.bound:.2f}"
    numbers = f"{other:>11}{engine:>11}{measurement.ratio:>8.3f}{lower:>9.3f}-{upper:.3f}{bound:>9}"
    verdict = "" if measurement.holds else "  TOO SLOW"
    return f"{measurement.case.title:<54}{numbers}{measurement.cpu_ratio:>7.2f}{verdict}"
