"""Every anomaly at every level, by plain SQL and by both ORMs by turns, in both orders: the traces have to be the same.

`python -m proofs.isolation.hermitage --db postgres`. `--quick` plays each anomaly at one level, by turns.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.servers import ServerUnavailable

from .scenarios import SCENARIOS, Scenario, Trace
from .sites import Site, site

UNAVAILABLE = 77
PLAIN, DJANGO, STORM = "plain SQL", "Django first", "Storm first"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.isolation.hermitage", description=__doc__)
    parser.add_argument("--db", required=True, help="sqlite, postgres, psycopg2 or mysql")
    parser.add_argument("--results", type=Path, help="a file for the verdicts, in JSON")
    parser.add_argument("--quick", action="store_true", help="each anomaly at one level only")
    parser.add_argument("--verbose", action="store_true", help="print every trace")
    options = parser.parse_args(arguments)
    try:
        with site(options.db) as made:
            verdicts, differences = run(made, options.quick, options.verbose)
            if not control(made):
                differences.append("The comparison does not notice another level: what it says counts for nothing.")
    except ServerUnavailable as error:
        print(error)
        return UNAVAILABLE
    if options.results:
        options.results.write_text(json.dumps(verdicts))
    print(table(made.levels, verdicts))
    print("\n\n".join(differences) or "Each trace is the same by plain SQL and by both ORMs, in both orders.")
    return 1 if differences else 0


def run(made: Site, quick: bool = False, verbose: bool = False) -> tuple[dict[str, dict[str, str]], list[str]]:
    """What the database itself does, by scenario and level; and every trace of the ORMs that is another."""
    verdicts: dict[str, dict[str, str]] = {scenario.name: {} for scenario in SCENARIOS}
    differences = []
    for place, level in enumerate(made.levels):
        for scenario in SCENARIOS[place :: len(made.levels)] if quick else SCENARIOS:
            traces = play_all(made, level, scenario)
            verdicts[scenario.name][level] = verdict(scenario, traces[PLAIN])
            if verbose:
                print(f"{scenario.name}, {level}:\n{traces[PLAIN]}", flush=True)
            differences += [
                f"{scenario.name}, {made.database}, {level}: {who} differs\n{PLAIN}:\n{traces[PLAIN]}\n{who}:\n{trace}"
                for who, trace in traces.items()
                if trace != traces[PLAIN]
            ]
    return verdicts, differences


def control(made: Site) -> bool:
    """Whether the comparison notices that the ORMs are at another level than plain SQL."""
    [skew] = [scenario for scenario in SCENARIOS if scenario.name == "G-single"]
    plain = play_all(made, made.levels[0], skew)[PLAIN]
    others = play_all(made, made.levels[-1], skew)
    return others[DJANGO] != plain != others[STORM]


def play_all(made: Site, level: str, scenario: Scenario) -> dict[str, Trace]:
    from .players import Both, Plain, Player
    from .stage import play

    # The first level is Django's default alias.
    alias = "default" if level == made.levels[0] else level
    makers: dict[str, Callable[[], Player]] = {
        PLAIN: lambda: Plain(made.native(level)),
        DJANGO: lambda: Both(alias, level, "django"),
        STORM: lambda: Both(alias, level, "storm"),
    }
    return {who: play(made, level, scenario, make) for who, make in makers.items()}


def verdict(scenario: Scenario, trace: Trace) -> str:
    """Whether the anomaly is there, and if not, by what it is kept away."""
    if scenario.happened(trace):
        return "yes"
    errors = dict.fromkeys(error for error in trace.errors() if error != "not played")
    return f"no: {', '.join(errors)}" if errors else "no: one waits" if trace.waits() else "no"


def table(levels: Sequence[str], verdicts: dict[str, dict[str, str]]) -> str:
    """In Markdown."""
    titles = {scenario.name: scenario.title for scenario in SCENARIOS}
    rows = [["anomaly", "", *levels], ["---"] * (len(levels) + 2)]
    rows += [[name, titles[name], *(of.get(level, "") for level in levels)] for name, of in verdicts.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    sys.exit(main())
