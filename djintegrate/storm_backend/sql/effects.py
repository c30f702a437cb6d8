"""What a statement may have written, told from its text alone.

Says rather too much than too little: whatever is not surely understood may have written everything. Never talks to
a database.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from .vocabulary import BEGINNINGS, HARMLESS, MODIFIERS, NO_CALL, NOT_AN_ALIAS


class Effect(NamedTuple):
    """What a statement may do to rows that were read before."""

    # The tables that it may write, without their schemas, in lower case.
    tables: frozenset[str] = frozenset()
    everything: bool = False
    # It rolls back: nothing is to be flushed before, and what is pending after it is void.
    undoes: bool = False
    # It may make or alter tables.
    alters: bool = False


NOTHING = Effect()
EVERYTHING = Effect(everything=True)
ALTERING = Effect(everything=True, alters=True)
UNDOING = Effect(everything=True, undoes=True)

# What is longer is mostly one of a kind, and not worth the memory.
LONGEST_REMEMBERED = 4000


def effect_of(sql: object, vendor: str) -> Effect:
    """What `sql` may do, on a database that Django calls `vendor`."""
    if not isinstance(sql, str):
        return ALTERING
    return _remembered(sql, vendor) if len(sql) <= LONGEST_REMEMBERED else _effect(sql, vendor)


def plain_name(table: str) -> str:
    """The name of a table as `Effect` has it."""
    return table.rpartition(".")[2].strip('"`[]').lower()


def _effect(sql: str, vendor: str) -> Effect:
    tables: set[str] = set()
    try:
        statements = _split(_tokens(sql, vendor))
        if statements and statements[0][0].is_word("rollback"):
            return UNDOING
        if not all(tokens[0].opens or tokens[0].is_word(*BEGINNINGS) for tokens in statements):
            return ALTERING
        for tokens in statements:
            tables |= _Statement(tokens, vendor).written()
    except _InDoubt:
        return EVERYTHING
    return Effect(frozenset(tables)) if tables else NOTHING


_remembered = lru_cache(maxsize=1024)(_effect)


class _InDoubt(Exception):
    """The statement was not understood."""


class _Token(NamedTuple):
    kind: str  # word, name (a quoted one), string, values, or punctuation itself
    text: str  # words and names in lower case, a name without its quotes

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text in words

    @property
    def is_name(self) -> bool:
        return self.kind in ("word", "name")

    @property
    def opens(self) -> bool:
        """Whether a function's name before this is a call."""
        return self.kind in ("(", "values")


END = _Token("end", "")

# A list of placeholders is one token: a bulk insert has thousands of them.
_VALUES = r"(?P<values>(?:\(\s*%s(?:\s*,\s*%s)*\s*\)\s*(?:,\s*(?=\(\s*%s))?)+)"
_PUNCTUATION = r"(?P<punctuation>[().;,])"
_WORD = r"(?P<word>[^\W\d][\w$]*)"
# Beyond ASCII, what is a letter to us and what is one to the server may differ.
_OTHER = r"(?P<other>%s|%\(\w+\)s|\d[\w.]*|[!#%&*+,./:;<=>?@^_{|}~()\[\]$-])"
_BLOCK_COMMENT = r"/\*(?![!M]).*?\*/"
# In a string with a backslash, where it ends depends on the server's settings: such a string matches nothing here.
_LEXICONS = {
    "sqlite": (
        rf"(?P<space>\s+|--[^\n]*|{_BLOCK_COMMENT})",
        r"(?P<string>'(?:[^']|'')*')",
        r'(?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])',
    ),
    "postgresql": (
        # Its comments nest.
        r"(?P<space>\s+|--[^\n\r]*|/\*(?:(?!/\*).)*?\*/)",
        r"(?P<string>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^'\\]|'')*'|\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)",
        r'(?P<name>"(?:[^"\\]|"")*")',
    ),
    "mysql": (
        # A comment that begins with an exclamation mark is executed.
        rf"(?P<space>\s+|--(?=\s|$)[^\n]*|\#[^\n]*|{_BLOCK_COMMENT})",
        r"(?P<string>'(?:[^'\\]|'')*')",
        # Whether double quotes hold a name or a string depends on the server's settings.
        r'(?P<name>`(?:[^`]|``)*`|"(?:[^"\\]|"")*")',
    ),
}


@cache
def _pattern(vendor: str) -> re.Pattern[str]:
    space, string, name = _LEXICONS[vendor]
    # An opened comment that did not match as one is in doubt, as is all that no alternative knows.
    parts = (space, string, name, _VALUES, _PUNCTUATION, _WORD, r"(?P<doubt>/\*)", _OTHER, r"(?P<unknown>.)")
    return re.compile("|".join(parts), re.DOTALL)


def _tokens(sql: str, vendor: str) -> list[_Token]:
    tokens = []
    for match in _pattern(vendor).finditer(sql):
        kind, text = str(match.lastgroup), match.group()
        if kind == "space":
            continue
        if kind in ("doubt", "unknown"):
            raise _InDoubt
        if kind == "punctuation":
            kind = text
        elif kind == "word":
            text = text.lower()
        elif kind == "name":
            quote = text[-1]
            text = text[1:-1].replace(quote * 2, quote).lower()
        tokens.append(_Token(kind, text))
    return tokens


def _split(tokens: list[_Token]) -> list[list[_Token]]:
    statements: list[list[_Token]] = [[]]
    for token in tokens:
        if token.kind == ";":
            statements.append([])
        else:
            statements[-1].append(token)
    return [statement for statement in statements if statement]


class _Statement:
    """One statement's tokens, read from left to right."""

    def __init__(self, tokens: list[_Token], vendor: str) -> None:
        self._tokens = tokens
        self._at = 0
        # Where the names of the tables are.
        self._named: set[int] = set()
        # SQLite has no functions that write.
        self._trusts_functions = vendor == "sqlite"

    def written(self) -> set[str]:
        """The tables that it may write."""
        tables: set[str] = set()
        if self._peek().is_word("truncate", "copy", "load"):
            tables |= getattr(self, f"_{self._peek().text}")()
        while (token := self._peek()) is not END:
            self._at += 1
            if token.kind != "word" or self._before().is_word("then"):
                # A branch of MERGE, or of no interest.
                continue
            if self._peek().opens and token.text != "update":
                # A function. What MariaDB updates may be in parentheses.
                continue
            if token.text in ("insert", "replace", "merge"):
                self._skip(*MODIFIERS)
                tables.add(self._table())
            elif token.text == "update" and not self._before().is_word("for", "key", "do"):
                tables |= set(self._references("set").values())
            elif token.text == "delete":
                tables |= self._delete()
            elif token.text in ("into", "statement", "execute"):
                # SELECT … INTO makes a table, or a file. SET STATEMENT … FOR and EXPLAIN ANALYZE EXECUTE run another
                # statement.
                raise _InDoubt
        if not self._trusts_functions:
            self._check_calls()
        return tables

    def _check_calls(self) -> None:
        for at, token in enumerate(self._tokens[:-1]):
            if token.is_name and self._tokens[at + 1].opens and at not in self._named:
                before = self._tokens[at - 1] if at else END
                if before.is_word("as"):
                    continue
                if token.kind == "name" or before.kind == "." or token.text not in NO_CALL | HARMLESS:
                    raise _InDoubt

    def _delete(self) -> set[str]:
        self._skip("low_priority", "quick", "ignore")
        if self._skip("from"):
            targets = self._references("using", "where", "order", "limit", "returning")
            aliases = self._references("where", "order", "limit", "returning") if self._skip("using") else {}
            # What is after USING is only read; but MariaDB takes the aliases from there.
            return {aliases.get(table, table) for table in targets.values()}
        named = set()
        while not self._skip("from"):
            named.add(self._table())
            while self._peek().text in (".", "*", ","):
                self._at += 1
        aliases = self._references("where", "order", "limit", "returning")
        return {aliases.get(name, name) for name in named}

    def _truncate(self) -> set[str]:
        self._at += 1
        self._skip("table")
        tables = set()
        while True:
            self._skip("only")
            tables.add(self._table())
            if self._peek().text == "*":
                self._at += 1
            if self._peek().kind != ",":
                break
            self._at += 1
        if any(token.is_word("cascade") for token in self._tokens):
            raise _InDoubt
        return tables

    def _copy(self) -> set[str]:
        self._at += 1
        if self._peek().opens:
            return set()
        table = self._table()
        if self._peek().kind == "(":
            self._leave_parenthesis()
        return set() if self._skip("to") else {table}

    def _load(self) -> set[str]:
        while not self._peek().is_word("table"):
            if self._peek() is END:
                raise _InDoubt
            self._at += 1
        self._at += 1
        return {self._table()}

    def _references(self, *ends: str) -> dict[str, str]:
        """The tables by the names that they go by here, up to one of the words `ends`, or the end."""
        tables: dict[str, str] = {}
        depth, expected = 0, True
        self._skip(*MODIFIERS)
        while (token := self._peek()) is not END:
            if depth == 0 and token.is_word(*ends):
                break
            if token.kind == ")":
                if depth == 0:
                    # The end of what this is part of.
                    break
                depth -= 1
                self._at += 1
            elif token.kind == "(":
                self._at += 1
                if expected and not self._peek().is_word("select", "values", "with"):
                    depth += 1
                else:
                    self._leave_parenthesis()
                    expected = False
            elif expected and token.is_word("lateral", "only"):
                self._at += 1
            elif expected:
                table = self._table()
                tables[self._alias() or table] = table
                expected = False
            else:
                expected = token.kind == "," or token.is_word("join", "straight_join")
                self._at += 1
        if expected:
            raise _InDoubt
        return tables

    def _alias(self) -> str | None:
        if self._skip("as") or (self._peek().is_name and not self._peek().is_word(*NOT_AN_ALIAS)):
            self._at += 1
            return self._tokens[self._at - 1].text
        return None

    def _table(self) -> str:
        while True:
            token = self._peek()
            if not token.is_name:
                raise _InDoubt
            self._at += 1
            following = self._tokens[self._at : self._at + 2]
            if len(following) < 2 or following[0].kind != "." or not following[1].is_name:
                self._named.add(self._at - 1)
                return token.text
            self._at += 1

    def _leave_parenthesis(self) -> None:
        """Go to behind the one that is open; from within, or from right before it."""
        depth = 0 if self._peek().kind == "(" else 1
        while (token := self._peek()) is not END:
            self._at += 1
            depth += {"(": 1, ")": -1}.get(token.kind, 0)
            if depth == 0:
                return
        raise _InDoubt

    def _skip(self, *words: str) -> bool:
        began = self._at
        while self._peek().is_word(*words):
            self._at += 1
        return self._at > began

    def _before(self) -> _Token:
        """The one before that which was just read."""
        return self._tokens[self._at - 2] if self._at > 1 else END

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else END
