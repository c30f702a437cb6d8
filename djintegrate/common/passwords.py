"""Texts with the address of a database or a server in them, as they may be shown in a message or a log."""

from __future__ import annotations

import re

_BETWEEN_USER_AND_HOST = re.compile(r"(//[^:/\s]*:).*@", re.DOTALL)
_OPTION = re.compile(r"([?&]\w*(?:password|passwd)=)[^&\s'\"]*", re.IGNORECASE)


def without_password(text: str) -> str:
    """`text` with *** for what may be a password; of an address that cannot be read, rather too much is hidden."""
    return _OPTION.sub(r"\1***", _BETWEEN_USER_AND_HOST.sub(r"\1***@", text))
