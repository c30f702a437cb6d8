"""What a statement may have written, told from its text alone.

What Django's ORM writes is told apart table by table, and a plain read is known as one. Any other statement may have
written everything. What the database adds to that, by triggers, cascades and functions, is in `catalogue`. Never talks
to a database.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from . import verbs


class Effect(NamedTuple):
    """What a statement may do to rows that were read before."""

    writes: bool = False
    # The tables that the statement may write, as `plain_name` has them. None are named where it may write any.
    tables: frozenset[str] = frozenset()
    # The statement rolls back: nothing is flushed before it, and what is pending after it is void.
    undoes: bool = False
    # The statement may make or alter tables, functions or triggers.
    alters: bool = False
    # What is called in the statement, in lower case: any of these functions may write as well.
    calls: frozenset[str] = frozenset()
    # The statement waits for a lock, and others may have written its tables, or any, since they were read.
    waits: bool = False

    @property
    def outdates(self) -> bool:
        """Whether rows that were read before may have changed when the statement is over."""
        return self.writes or self.waits

    @property
    def everything(self) -> bool:
        """Whether the statement may write any table."""
        return self.writes and not self.tables


NOTHING = Effect()
EVERYTHING = Effect(writes=True)
ALTERING = Effect(writes=True, alters=True)
UNDOING = Effect(writes=True, undoes=True)

# A longer statement is mostly one of a kind, and not worth the memory.
LONGEST_REMEMBERED = 4000
MOST_REMEMBERED = 1024


@cache
def remembered(vendor: str) -> dict[str, Effect]:
    """What was told before, by the statements."""
    return {}


def effect_of(sql: object, vendor: str) -> Effect:
    """What `sql` may do, on a database that Django calls `vendor`, apart from what the functions do that it calls."""
    if not isinstance(sql, str):
        return ALTERING
    known = remembered(vendor)
    effect = known.get(sql)
    if effect is None:
        effect = _told_from(sql, vendor)
        if len(sql) <= LONGEST_REMEMBERED:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            known[sql] = effect
    return effect


def plain_name(table: str) -> str:
    """The name of a table without its schema and quotes, in lower case, as names are compared."""
    # A table of Django's says itself how it is quoted: a dot in its name is no schema then.
    table = getattr(table, "quoted", table)
    return _unquoted(re.findall(_NAME, table)[-1] if re.fullmatch(_PATH, table) else table).lower()


def _told_from(sql: str, vendor: str) -> Effect:
    verb = verbs.verb_of(sql)
    if verb in verbs.MARKING:
        return NOTHING
    if verb == verbs.UNDOING:
        return UNDOING
    if verb not in verbs.READING | verbs.CHANGING:
        return ALTERING
    words, calls, in_doubt = _scan(sql, vendor)
    if in_doubt:
        return ALTERING if re.search(_DEFINITION, sql) else EVERYTHING
    if verb in verbs.READING:
        return EVERYTHING if words & _CHANGING_WORDS else _reading(sql, calls)
    written = re.match(_WRITTEN_TABLE, sql)
    if written is None or (words - {verb, "into"}) & _CHANGING_WORDS:
        return EVERYTHING
    table = plain_name(written["table"])
    # After its name come the columns, in parentheses.
    return Effect(writes=True, tables=frozenset({table}), calls=calls - {table})


def _reading(sql: str, calls: frozenset[str]) -> Effect:
    if any(call.startswith(_LOCKING_FUNCTIONS) for call in calls):
        return Effect(calls=calls, waits=True)
    if re.search(_LOCKING, sql):
        of_one = re.fullmatch(_LOCKED_TABLE, sql)
        return Effect(tables=frozenset({plain_name(of_one["table"])} if of_one else ()), calls=calls, waits=True)
    return Effect(calls=calls) if calls else NOTHING


def _scan(sql: str, vendor: str) -> tuple[set[str], frozenset[str], bool]:
    """The words outside of quotes, the names that stand before a parenthesis, and whether there may be more of them."""
    words: set[str] = set()
    calls: set[str] = set()
    for match in _lexicon(vendor).finditer(re.sub(_NOT_WRITING, " ", sql)):
        kind = match.lastgroup
        if kind == "doubt":
            return words, frozenset(calls), True
        if kind == "call":
            calls.add(_unquoted(match[kind]).lower())
        if kind is not None:
            words.add(match[kind].lower())
    return words, frozenset(calls), False


def _unquoted(name: str) -> str:
    quote = name[:1]
    if quote in ('"', "`"):
        return name[1:-1].replace(quote * 2, quote)
    return name[1:-1] if quote == "[" else name


# These are compiled when a statement first needs them, for an import would wait for milliseconds.
_NAME = r'(?:"[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`|\[[^\]]*\]|[^\W\d][\w$]*)'
_PATH = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
# The forms in which Django's ORM writes, and Storm. In any other it is not told apart which tables are written.
_WRITTEN_TABLE = rf"""(?ix)\s*(?:
        (?:INSERT(?:\s+OR\s+\w+|\s+IGNORE)?|REPLACE)\s+INTO\s+
        | UPDATE\s+(?={_PATH}\s+SET\b)
        | DELETE\s+FROM\s+(?={_PATH}\s*(?:$|;|WHERE\b|ORDER\b|LIMIT\b|RETURNING\b))
        | DELETE\s+(?P<joined>{_NAME})\s+FROM\s+(?=(?P=joined)(?:\s|$))
    )(?P<table>{_PATH})(?=[\s(;]|$)"""
# REPLACE is a function, too; as a verb it is followed by INTO.
_CHANGING_WORDS = (verbs.CHANGING - {"replace"}) | verbs.DEFINING | {"merge", "into", "call", "copy", "execute", "do"}
# In these phrases the verbs only lock rows, or say what becomes of a row that is there already.
_NOT_WRITING = r"(?i)\b(?:FOR\s+(?:NO\s+KEY\s+)?UPDATE|DO\s+UPDATE|DO\s+NOTHING|ON\s+DUPLICATE\s+KEY\s+UPDATE)\b"
_LOCKING = r"(?i)\bFOR\s+(?:(?:NO\s+)?KEY\s+)?(?:UPDATE|SHARE)\b|\bLOCK\s+IN\s+SHARE\s+MODE\b"
_LOCKED_TABLE = rf"""(?isx)\s*SELECT\s(?:(?!\bFROM\b).)*\bFROM\s+(?P<table>{_PATH})
    \s+(?=WHERE\b|ORDER\b|LIMIT\b|FOR\b|LOCK\b)(?:(?!\b(?:FROM|JOIN)\b).)*"""
_LOCKING_FUNCTIONS = ("pg_advisory_", "pg_try_advisory_", "get_lock")
_DEFINITION = rf"(?i)\b(?:{'|'.join(sorted(verbs.DEFINING))})\b"
_COMMENTS = {"mysql": r"--|/\*|\#", "postgresql": r"--|/\*|\$\w*\$", "sqlite": r"--|/\*"}
# Where a string with a backslash ends depends on the server's settings, unless the string says it.
_STRING = {
    "mysql": r"'[^'\\]*(?:''[^'\\]*)*'",
    "postgresql": r"e'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'|'[^'\\]*(?:''[^'\\]*)*'",
    "sqlite": r"'[^']*(?:''[^']*)*'",
}


@cache
def _lexicon(vendor: str) -> re.Pattern[str]:
    return re.compile(
        rf"""
        {_STRING[vendor]}
        | (?:\(\s*%s(?:,\s*%s)*\s*\)(?:,\s*)?)+  # a bulk insert has thousands of these
        | (?P<call>{_NAME})\s*\(
        | (?P<word>[^\W\d][\w$]*)
        | "[^"\\]*(?:""[^"\\]*)*" | `[^`\\]*(?:``[^`\\]*)*`
        | (?P<doubt>{_COMMENTS[vendor]}|;\s*(?=\S)|['"`\\]|[^\x00-\x7f])
        """,
        re.VERBOSE | re.IGNORECASE,
    )
