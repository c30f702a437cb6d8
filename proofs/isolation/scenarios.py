"""The anomalies of Hermitage, as steps of two or three sessions, and what would show that one has happened.

The names are those of Adya's and Bailis's papers; the steps follow https://github.com/ept/hermitage. The table has the
rows 1 → 10 and 2 → 20 at first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Rows = Mapping[int, int]


@dataclass(frozen=True)
class Step:
    session: int
    verb: str
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join(map(str, (f"T{self.session}", self.verb, *self.numbers)))


@dataclass(frozen=True)
class Outcome:
    """What became of a step: the rows that were read, an error by its kind, or nothing but that it was done."""

    step: Step
    rows: tuple[tuple[int, int], ...] | None = None
    error: str = ""
    waited: bool = False

    def __str__(self) -> str:
        said = self.error or (f"→ {dict(self.rows)}" if self.rows is not None else "")
        return " ".join(filter(None, [str(self.step), said, "(waited)" if self.waited else ""]))


@dataclass
class Trace:
    """All that the sessions were told, each in its order, and what is left in the end."""

    outcomes: dict[int, list[Outcome]] = field(default_factory=dict)
    final: dict[int, int] = field(default_factory=dict)

    def reads(self, session: int) -> list[dict[int, int]]:
        """What each read of the session was told; a read that did not come about is nothing."""
        return [dict(each.rows) for each in self.outcomes[session] if each.rows is not None]

    def committed(self, *sessions: int) -> bool:
        last = [self.outcomes[session][-1] for session in sessions]
        return all(each.step.verb == "commit" and not each.error for each in last)

    def errors(self) -> list[str]:
        return [each.error for outcomes in self.outcomes.values() for each in outcomes if each.error]

    def waits(self) -> bool:
        return any(each.waited for outcomes in self.outcomes.values() for each in outcomes)

    def __str__(self) -> str:
        lines = [f"    {each}" for _, outcomes in sorted(self.outcomes.items()) for each in outcomes]
        return "\n".join([*lines, f"    in the end {self.final}"])


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    script: str
    happened: Callable[[Trace], bool]
    """Whether the anomaly is there."""

    @property
    def steps(self) -> list[Step]:
        lines = (line.split() for line in self.script.strip().splitlines())
        return [Step(int(session), verb, tuple(map(int, numbers))) for session, verb, *numbers in lines]


def _vanished(trace: Trace) -> bool:
    """The third session reads something of the second one's, and after that something that was there before it."""
    seen = [value for rows in trace.reads(3) for value in rows.values()]
    first = next((place for place, value in enumerate(seen) if value in (12, 18)), len(seen))
    return any(value in (11, 19) for value in seen[first:])


def _last(trace: Trace, session: int) -> dict[int, int] | None:
    reads = trace.reads(session)
    return reads[-1] if reads else None


SCENARIOS = [
    Scenario(
        "G0", "write cycles (dirty writes)",
        "1 write 1 11\n2 write 1 12\n1 write 2 21\n1 commit\n2 write 2 22\n2 commit",
        lambda trace: trace.final in ({1: 12, 2: 21}, {1: 11, 2: 22}),
    ),
    Scenario(
        "G1a", "aborted reads (dirty reads)",
        "1 write 1 101\n2 read\n1 abort\n2 read\n2 commit",
        lambda trace: any(rows.get(1) == 101 for rows in trace.reads(2)),
    ),
    Scenario(
        "G1b", "intermediate reads (dirty reads)",
        "1 write 1 101\n2 read\n1 write 1 11\n1 commit\n2 read\n2 commit",
        lambda trace: any(rows.get(1) == 101 for rows in trace.reads(2)),
    ),
    Scenario(
        "G1c", "circular information flow (dirty reads)",
        "1 write 1 11\n2 write 2 22\n1 read 2\n2 read 1\n1 commit\n2 commit",
        lambda trace: _last(trace, 1) == {2: 22} and _last(trace, 2) == {1: 11} and trace.committed(1, 2),
    ),
    Scenario(
        "OTV", "observed transaction vanishes",
        "1 write 1 11\n1 write 2 19\n2 write 1 12\n1 commit\n3 read 1\n3 read 2\n2 write 2 18\n3 read 2\n2 commit\n"
        "3 read 2\n3 read 1\n3 commit",
        _vanished,
    ),
    Scenario(
        "PMP", "predicate-many-preceders",
        "1 where 30\n2 insert 3 30\n2 commit\n1 multiples 3\n1 commit",
        lambda trace: _last(trace, 1) == {3: 30},
    ),
    Scenario(
        "PMP, write", "predicate-many-preceders, for a write",
        "1 add 10\n2 delete 20\n1 commit\n2 where 20\n2 commit",
        lambda trace: _last(trace, 2) == {1: 20} and trace.committed(2),
    ),
    Scenario(
        "P4", "lost update",
        "1 read 1\n2 read 1\n1 write 1 11\n2 write 1 12\n1 commit\n2 commit",
        lambda trace: trace.committed(1, 2) and trace.reads(1) == trace.reads(2) == [{1: 10}],
    ),
    Scenario(
        "G-single", "read skew",
        "1 read 1\n2 read 1\n2 read 2\n2 write 1 12\n2 write 2 18\n2 commit\n1 read 2\n1 commit",
        lambda trace: trace.reads(1) == [{1: 10}, {2: 18}] and trace.committed(1),
    ),
    Scenario(
        "G-single, predicate", "read skew, with a predicate",
        "1 multiples 5\n2 write 1 12\n2 commit\n1 multiples 3\n1 commit",
        lambda trace: trace.reads(1) == [{1: 10, 2: 20}, {1: 12}] and trace.committed(1),
    ),
    Scenario(
        "G-single, write", "read skew, with a write that a predicate chooses",
        "1 read 1\n2 read\n2 write 1 12\n2 write 2 18\n2 commit\n1 delete 20\n1 read 2\n1 commit",
        lambda trace: trace.reads(1)[:1] == [{1: 10}] and trace.committed(1) and trace.final.get(2) == 18,
    ),
    Scenario(
        "G2-item", "write skew",
        "1 read 1 2\n2 read 1 2\n1 write 1 11\n2 write 2 21\n1 commit\n2 commit",
        lambda trace: trace.committed(1, 2) and trace.reads(1) == trace.reads(2) == [{1: 10, 2: 20}],
    ),
    Scenario(
        "G2", "anti-dependency cycles (write skew, with a predicate)",
        "1 multiples 3\n2 multiples 3\n1 insert 3 30\n2 insert 4 42\n1 commit\n2 commit",
        lambda trace: trace.committed(1, 2) and trace.reads(1) == trace.reads(2) == [{}],
    ),
    Scenario(
        "G2, two edges", "anti-dependency cycles with a session that only reads",
        "1 read\n2 add 5 2\n2 commit\n3 read\n3 commit\n1 write 1 0\n1 commit",
        lambda trace: trace.committed(1, 2, 3) and trace.reads(3) == [{1: 10, 2: 25}]
        and trace.reads(1) == [{1: 10, 2: 20}],
    ),
]  # fmt: skip
