"""Keeps what strangers send from writing lines of its own into a log, python3-openid's loggers included.

The library puts what it is sent into its messages as it came, and again into the tracebacks that it logs.
"""

from __future__ import annotations

import logging
import pkgutil

import openid

from .text import one_line

OURS = "djintegrate.openid_auth"


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
    """Put the filter on our logger and on each of the library's: a logger's filters do not hold for those below it.

    The library names its loggers like its modules, so that those of modules which are imported later have it as well.
    """
    modules = [module.name for module in pkgutil.walk_packages(openid.__path__, f"{openid.__name__}.")]
    for name in (OURS, openid.__name__, *modules):
        logger = logging.getLogger(name)
        if not any(isinstance(each, OneLine) for each in logger.filters):
            logger.addFilter(OneLine())
