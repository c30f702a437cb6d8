"""Reads known_differences.toml: the differences from the native backends that are meant to be there, and why."""

from __future__ import annotations

import sys
from pathlib import Path

import django

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

FILE = Path(__file__).with_name("known_differences.toml")


def known_differences(suite: str, database: str) -> dict[str, str]:
    """The reason of each listed test of a suite (`django` or `storm`) on a database, with the installed Django."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8")).get(suite, {}).get(database, [])
    for entry in entries:
        if set(entry) - {"since"} != {"test", "reason"} or not all(entry.values()):
            raise SystemExit(
                f"{FILE.name}, [[{suite}.{database}]]: {entry!r} needs a test and a reason; `since` may be added."
            )
    return {entry["test"]: entry["reason"] for entry in entries if _applies(entry)}


def _applies(entry: dict[str, str]) -> bool:
    since = entry.get("since", "0")
    return django.VERSION[:2] >= tuple(int(part) for part in since.split("."))
