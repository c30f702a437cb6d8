"""Texts of tasks and errors, as every database keeps them and a line of a page or a terminal shows them."""

from __future__ import annotations

from traceback import format_exception

from djintegrate.common.texts import UNKEPT

LONGEST_LINE = 300


def readable(text: str) -> str:
    r"""With \x00 for a NUL, and \udcff for half of a surrogate pair, which a file's name may have."""
    return UNKEPT.sub(lambda found: ascii(found[0])[1:-1], text)


def cut(text: str, length: int) -> str:
    """At most so many characters."""
    return text if len(text) <= length else f"{text[: length - 2].rstrip()} …"


def line(text: str) -> str:
    """On one line, which is not too long for a list."""
    return cut(" ".join(readable(text).split()), LONGEST_LINE)


def path_of(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def traceback_of(error: BaseException) -> str:
    return readable("".join(format_exception(error)))


def escape(error: BaseException | None) -> None:
    """Make what an error says readable in itself, and in those that it comes from: another queue's worker keeps it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.args = tuple(readable(each) if isinstance(each, str) else each for each in error.args)
        error = error.__cause__ or error.__context__


def error_line(path: str, traceback: str) -> str:
    """The class of an error, whose dotted path this is, and the first line of what it says."""
    names = (path, path.rpartition(".")[2])
    lines = traceback.strip().split("\n")
    # Of an error with others inside, each line has a mark; and an error that another one caused comes last.
    stripped = [each.lstrip(" |+") for each in lines]
    heads = (each for each in reversed(stripped) if each in names or each.startswith(tuple(f"{n}: " for n in names)))
    return next(heads, lines[-1])
