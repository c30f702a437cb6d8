"""Keeps what strangers send from writing lines of its own into a log, python3-openid's loggers included.

The library puts what it is sent into its messages as it came, and again into the tracebacks that it logs.
"""

from __future__ import annotations

import logging

from .text import one_line

OURS = "djintegrate.openid_auth"
LIBRARY = "openid"


class OneLine(logging.Filter):
    """Makes one line of each record: escaped, with the exception's own text instead of its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message = f"{message} ({record.exc_info[1]!r})"
        record.msg, record.args = one_line(message), ()
        record.exc_info = record.exc_text = None
        return True


def protect() -> None:
    """Put the filter on our logger and on each of the library's: a logger's filters do not hold for those below it."""
    library = [name for name in logging.root.manager.loggerDict if f"{name}.".startswith(f"{LIBRARY}.")]
    for name in (OURS, LIBRARY, *library):
        logger = logging.getLogger(name)
        if not any(isinstance(each, OneLine) for each in logger.filters):
            logger.addFilter(OneLine())
