"""JSON whose numbers keep the digits that they were written with, for a shell, where nobody reckons with them."""

from __future__ import annotations

import json
from typing import Any


class Digits(str):
    """A number, as it was written."""


def is_json(text: str) -> bool:
    try:
        read(text)
    except (ValueError, RecursionError):
        return False
    return True


def read(text: str | bytes) -> Any:
    """A ValueError if it is no JSON; to Python's reader NaN would be some."""
    return json.loads(text, parse_float=Digits, parse_int=Digits, parse_constant=_refuse)


def show(value: Any, margin: str = "\n") -> str:
    """What was read, with a line for each item, as json.dumps(…, indent=2) has it."""
    inner = f"{margin}  "
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, dict) and value:
        items = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {show(item, inner)}" for key, item in value.items()]
        return f"{{{','.join(items)}{margin}}}"
    if isinstance(value, list) and value:
        return f"[{','.join(f'{inner}{show(item, inner)}' for item in value)}{margin}]"
    return json.dumps(value, ensure_ascii=False)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON.")
