"""The table of `make bench`."""

from __future__ import annotations

from proofs.benchmarks.measuring import DIFFERENCE, Measurement

HEADING = f"{'':<54}{'other':>11}{'engine':>11}{'ratio':>9}{'99 % within':>17}{'at most':>9}{'CPU':>7}"


def line(measurement: Measurement) -> str:
    """One case: the medians, the median of the ratios and where it lies, its bound, and the ratio of the CPU times."""
    *others, engine = measurement.figures
    lower, upper = measurement.interval
    bound = "" if measurement.bound is None else compared(measurement, measurement.bound, 2)
    where = f"{compared(measurement, lower)}-{compared(measurement, upper)}"
    numbers = f"{sum(others) * 1e6:>8,.0f} µs{engine * 1e6:>8,.0f} µs{compared(measurement, measurement.ratio):>9}"
    verdict = "" if measurement.holds else "  BEYOND"
    parts = f"  ({' + '.join(f'{other * 1e6:,.0f}' for other in others)} µs)" if len(others) > 1 else ""
    return f"{measurement.case.title:<54}{numbers}{where:>17}{bound:>9}{measurement.cpu_ratio:>7.2f}{verdict}{parts}"


def compared(measurement: Measurement, value: float, digits: int = 3) -> str:
    """A ratio, or a difference in milliseconds."""
    return f"{value * 1e3:.1f} ms" if measurement.case.comparison == DIFFERENCE else f"{value:.{digits}f}"
