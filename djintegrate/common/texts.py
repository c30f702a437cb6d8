"""Which texts a database does not keep, whatever app they are for."""

from __future__ import annotations

import re

UNKEPT = re.compile("[\0\ud800-\udfff]")
"""NUL, which PostgreSQL does not keep, and the halves of a surrogate pair, which no database does."""
