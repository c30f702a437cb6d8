"""Dojo for the sample site: fetched and built by djintegrate's own commands, and again only if something has changed.

The site works without it. So what fails here ends nothing, and is said in one line.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError, call_command

from djintegrate import dojo
from djintegrate.dojo.build import install

NOTE = "made-for"
"""The file in a build that says for which code it was made."""


def prepare(say: Callable[[str], None]) -> None:
    if not shutil.which("node"):
        say("no Node in PATH, which builds it: forms stay plain HTML. With Node, make run brings the widgets.")
        return
    release = Path(settings.DOJO_BUILD_ROOT)
    try:
        state = _state()
        if (release / NOTE).exists() and (release / NOTE).read_text() == state:
            say("built already")
            return
        if not install.installed(Path(settings.DOJO_ROOT)):
            say("fetching it from npm, or from the last download")
            call_command("dojo_install", stdout=io.StringIO())
        say("building what the site's forms use")
        call_command("dojo_build", stdout=io.StringIO())
        (release / NOTE).write_text(state)
    except (CommandError, OSError) as error:
        what = "the last build stays" if (release / NOTE).exists() else "forms stay plain HTML"
        say(f"{what}. {str(error).strip().splitlines()[0]}")


def _state() -> str:
    """A digest of what a build depends on: the modules that the site's code names, and djintegrate.dojo itself."""
    modules = io.StringIO()
    call_command("dojo_build", list=True, stdout=modules)
    digest = hashlib.sha256(modules.getvalue().encode())
    for path in sorted(Path(dojo.__file__).parent.rglob("*")):
        if path.suffix in (".py", ".js", ".cjs", ".json", ".css"):
            digest.update(path.read_bytes())
    return digest.hexdigest()
