"""What `python -m djintegrate doctor` is told by an app: a module `examination` of the app yields findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` says what to do where it is not well."""

    subject: str
    said: str
    is_well: bool = True
    remedy: str = ""


def ill(subject: str, said: object, remedy: str) -> Finding:
    return Finding(subject, str(said), False, remedy)


def run(*commands: str) -> str:
    """The remedy that is one command of manage.py, or several of them."""
    order = "Run" if len(commands) == 1 else "Run, in this order"
    return f"{order}: {'; '.join(f'python manage.py {command}' for command in commands)}"


def failed(subject: str, error: Exception, remedy: str = "") -> Finding:
    said = f"{type(error).__name__}: {first_line(error)}"
    return ill(subject, said, remedy or "Correct this first; then look again.")


def tried(subject: str, part: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What a part of an examination finds; and if it fails itself, that it does: there is more to look at."""
    try:
        yield from part()
    except Exception as error:
        yield failed(subject, error)


def once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings; where one is but the error that another was about, it says where that was."""
    told: dict[str, str] = {}
    for finding in findings:
        error = HEAD.sub("", finding.said)
        is_long = len(error) >= LONG
        above = next((subject for text, subject in told.items() if is_long and error in text), None)
        if finding.is_well or above is None:
            yield finding
        else:
            yield ill(finding.subject, f"See `{above}` above.", "")
        if not finding.is_well and error == finding.said:
            told.setdefault(f"{finding.said} {finding.remedy}", finding.subject)


# What stands before an error: its class, or what is not known because of it.
HEAD = re.compile(r"^(Not known for '[^']*'|[A-Z]\w+): ")
# A short error may be in another text by chance.
LONG = 20


def first_line(error: BaseException) -> str:
    """What an error says, where there is room for a line; and the next one, if that is announced."""
    # Django says more to those who see the error before as well, which led to this one.
    text = str(error).partition(" Check the above exception")[0]
    first, *others = text.strip().splitlines() or [type(error).__name__]
    return f"{first} {others[0].strip()}" if first.endswith(":") and others else first
