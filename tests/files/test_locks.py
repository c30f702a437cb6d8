"""Locks on paths: those of a process that dies or forks, and those of threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from django.db.transaction import atomic

from djintegrate import files
from djintegrate.files import PathLocked, world
from tests.support.files import FILES, Site
from tests.support.files import site as site
from tests.support.helpers import in_thread

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES


@pytest.mark.parametrize("has_links", [True, False])
def test_a_lock_dies_with_its_process(site: Site, has_links: bool) -> None:
    path = site.put("one")
    program = HOLD if has_links else WITHOUT_LINKS + HOLD
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(site.journal), str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=os.getcwd(),
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(PathLocked), files.transaction(site.alias) as t:
        t.remove_file(path)
    child.send_signal(signal.SIGKILL)
    child.wait()
    with files.transaction(site.alias) as t:
        t.remove_file(path)
    assert site.files == {}


WITHOUT_LINKS = """
import errno, os
def link(*names, **options):
    raise OSError(errno.EPERM, "Operation not permitted")
os.link = link
"""
HOLD = """
import sys, time
from pathlib import Path
from djintegrate.files.core.journal import Folder
from djintegrate.files.core.paths import Paths
from djintegrate.files.core.places import PathPlace
folder = Folder(Path(sys.argv[1]))
journal = folder.begin("of a process that dies", "default")
assert Paths(folder, lambda: journal, lambda name: None).take(PathPlace(sys.argv[2]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_forked_child_leaves_its_parents_files_alone(site: Site) -> None:
    with atomic(site.alias):
        site.save("one")
        unit = world.reading(site.alias)
        assert unit is not None
        child = os.fork()
        if child == 0:
            unit.aborted()
            taken = world.current().folder.locks.take("0" * 32, object())
            os._exit(0 if taken else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert site.files == {"one": "new"}
        with pytest.raises(PathLocked):
            site.in_thread(lambda: site.storage.delete("one"))
    assert site.files == {"one": "new"}


def test_threads_do_not_share_what_they_claim(site: Site) -> None:
    locks = world.current().folder.locks
    owner, other = object(), object()
    assert (locks.take("a" * 32, owner), locks.take("a" * 32, owner)) == (1, 2)
    assert not in_thread(lambda: locks.take("a" * 32, other))
    locks.release("a" * 32, other)
    assert not locks.take("a" * 32, other)
    locks.release("a" * 32, owner)
    assert not locks.take("a" * 32, other)
    locks.release("a" * 32, owner)
    assert locks.take("a" * 32, other)
    locks.release("a" * 32, other)
