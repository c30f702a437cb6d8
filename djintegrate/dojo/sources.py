"""In development Dojo's sources can be asked whether a module is there, before a browser asks in vain."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from . import conf
from .page import catalogue

_THERE: set[tuple[Path, str]] = set()
"""What has been found: each field of each page asks."""


def known(name: str) -> str:
    """The name of a module. Raises ValueError where Dojo is known not to have it. A site's own may be anywhere."""
    if settings.configured and settings.DEBUG and conf.root.is_given:
        root = conf.root()
        if (root, name) in _THERE:
            return name
        is_there = (root / "dojo" / "dojo.js").is_file()
        is_ours = name.partition("/")[0] in catalogue.PACKAGES or "/" not in name
        if is_there and is_ours and not catalogue.has_module(root, name):
            question = catalogue.did_you_mean_module(root, name)
            if "/" in name or question.endswith(f"/{name}?"):
                raise ValueError(f"Dojo has no module {name!r}. {question}".rstrip())
        elif is_there and is_ours:
            _THERE.add((root, name))
    return name
