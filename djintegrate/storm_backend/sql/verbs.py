"""The one list of SQL's verbs, by what a statement that begins with one does. Whatever is not in it may do anything."""

from __future__ import annotations

import re

READING = frozenset({"select", "with", "show", "describe", "desc", "explain", "set", "values", "table"})
"""These change rows only by what stands inside them: another verb, or a function that writes."""
CHANGING = frozenset({"insert", "update", "delete", "replace"})
SHOWING = frozenset({"show", "describe", "desc", "pragma"})
"""These change no rows, whatever stands inside them."""
MARKING = frozenset({"savepoint", "release"})
UNDOING = "rollback"
DEFINING = frozenset({"create", "alter", "drop", "truncate", "rename"})
"""MariaDB commits before and after these, and refuses them in a two-phase transaction."""

WITHIN_A_TRANSACTION = READING | CHANGING | MARKING | {UNDOING}
"""No database commits by itself at these."""

# Of a few, what they do is in the second word: SET STATEMENT runs another statement, and SET CONSTRAINTS triggers.
_VERB = re.compile(r"[\s(]*((?:set\s+(?:statement|constraints)\b)|[a-z]+)", re.IGNORECASE)
_SETTINGS = re.compile(r"\s*set\s+statement\b.*?\bfor\s+", re.IGNORECASE | re.DOTALL)
_TEMPORARY = re.compile(r"\s*(?:create|drop)\s+temporary\b", re.IGNORECASE)


def verb_of(sql: str) -> str:
    """The word that a statement begins with, in lower case."""
    found = _VERB.match(sql)
    return found[1].lower() if found else ""


def ends_a_transaction(sql: str) -> bool:
    """Whether MariaDB commits what is open before it runs this definition: not for a temporary table."""
    sql = _SETTINGS.sub("", sql, count=1)
    return verb_of(sql) in DEFINING and not _TEMPORARY.match(sql)
