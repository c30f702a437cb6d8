"""How JSON has a moment."""

from __future__ import annotations

from datetime import datetime


def iso(moment: datetime) -> str:
    """To the microsecond, which Django's encoder leaves out. UTC is Z; `+00:00:21` is another zone."""
    text = moment.isoformat()
    return f"{text.removesuffix('+00:00')}Z" if text.endswith("+00:00") else text
