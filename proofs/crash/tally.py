"""What was found after the kills: counted, and in words where it is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from proofs.crash.forms import forms
from proofs.crash.scenarios import SCENARIOS
from proofs.crash.stores import OF_SOMEBODY_ELSE, STORES

DIFFER = "DIFFER"
OUTCOMES = "committed", "rolled back", DIFFER
TOTAL = "in all"


class Found(NamedTuple):
    """After one kill, and after storm_indoubt."""

    # Which of the stores has which number: as the kill left them, and in the end.
    at_first: dict[str, list[int]]
    at_last: dict[str, list[int]]
    doubts: int
    # Prepared transactions of ours that are still there; and those of somebody else.
    left: int
    others: int
    said: str

    def stores_with(self, number: int) -> list[str]:
        return [name for name, numbers in self.at_last.items() if number in numbers]

    def was_apart(self, number: int) -> bool:
        return len({number in numbers for numbers in self.at_first.values()}) > 1


class Table:
    """Counts, with a row for each step, or for each form of statement."""

    def __init__(self, columns: Sequence[str], rows: Iterable[str] = ()) -> None:
        self._columns = columns
        self._counts: dict[str, Counter[str]] = {row: Counter() for row in rows}

    def add(self, row: str, counts: Mapping[str, int]) -> None:
        self._counts.setdefault(row, Counter()).update(counts)

    def print(self, heading: str) -> None:
        width = max([30, *map(len, self._counts)])
        print(f"{heading:<{width}}" + "".join(f"{column:>16}" for column in self._columns))
        for row, counts in self._counts.items():
            print(f"{row:<{width}}" + "".join(f"{counts[column]:>16}" for column in self._columns))


class Results:
    """What kills of one kind came to, by step and by form of statement; and what is wrong."""

    def __init__(self, heading: str, event: str, steps: Iterable[str]) -> None:
        self._heading, self._event = heading, event
        self._steps = Table((event, "in doubt", "apart at first", *OUTCOMES), [*steps, TOTAL])
        every = [form for store in STORES.values() for form in forms(store.kind, store.shared)]
        self._forms = Table(("transactions", *OUTCOMES), sorted(map(str, every)))
        self.wrong: list[str] = []

    def add(self, step: str, scenario: str, numbers: Sequence[int], found: Found) -> None:
        self._count(step, {self._event: 1, "in doubt": found.doubts})
        for number in numbers:
            self._add_number(step, scenario, number, found)
        if found.left or found.others != len(OF_SOMEBODY_ELSE):
            self.wrong.append(f"{scenario}, {step}: {found.left} left, {found.others} of others\n{found.said}")

    def print(self) -> None:
        self._steps.print(self._heading)
        print()
        self._forms.print("written by")
        print("\n" + ("\n".join(self.wrong) or "No two stores differ."))

    def _add_number(self, step: str, scenario: str, number: int, found: Found) -> None:
        has = found.stores_with(number)
        lack = found.at_last.keys() - has
        apart = bool(has and lack)
        outcome = {"committed" if has else "rolled back": 1, DIFFER: apart}
        self._count(step, {"apart at first": found.was_apart(number), **outcome})
        written = SCENARIOS[scenario].forms(number)
        for form in written.values():
            self._forms.add(str(form), {"transactions": 1, **outcome})
        if apart:
            where = f"is in {' and '.join(has)}, and not in {' and '.join(sorted(lack))}"
            how = "".join(f"; {name} was written by {form}" for name, form in written.items())
            self.wrong.append(f"{scenario}, {step}: number {number} {where}{how}\n{found.said}".rstrip())

    def _count(self, step: str, counts: Mapping[str, int]) -> None:
        for row in (step, TOTAL):
            self._steps.add(row, counts)
