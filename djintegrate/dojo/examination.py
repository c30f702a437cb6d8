"""What the doctor is told of Dojo: whether its files are there, and what makes them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from djintegrate.common.examination import Finding, ill

from . import conf


def examine() -> Iterator[Finding]:
    if not conf.enabled():
        yield Finding("dojo", "DOJO_ENABLED is False: forms are plain HTML.")
        return
    node = shutil.which("node")
    yield (
        Finding("dojo", f"Node is {node}.")
        if node
        else ill(
            "dojo", "There is no Node, which builds Dojo.", "Install it, for instance with: apt-get install nodejs npm"
        )
    )
    if not conf.root.is_given:
        yield Finding("dojo", "DOJO_ROOT is not set: this site fetches and builds nothing itself.")
        return
    for folder, what, command in (
        (conf.root(), "Dojo's sources", "dojo_install"),
        (conf.build_root(), "The build", "dojo_build"),
    ):
        if (folder / "dojo" / "dojo.js").exists():
            yield Finding("dojo", f"{what}: {folder}")
        else:
            yield ill("dojo", f"{what} is not in {folder}.", f"Run: python manage.py {command}")
