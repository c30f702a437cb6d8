"""Random changes of folders and of what is in them, beside a plain folder in which the same is done at once.

What a transaction sees, and what it leaves, is what os and shutil make of the same calls, however often its end is
interrupted. After an abort nothing has happened.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from djintegrate import files
from djintegrate.files import TransactionError
from djintegrate.files.core.changes import Change
from djintegrate.files.core.recovery import Recovery
from tests.support.files import FILES, Site
from tests.support.files import site as site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES

NAMES = ["a", "b"]
PATHS = [*NAMES, *(f"{one}/{two}" for one in NAMES for two in NAMES)]
PATHS += ["l", "l/a", "l/b", *(f"{path}/{name}" for path in ["a/a", "a/b", "b/a"] for name in NAMES)]
"""`l` may be a link to `a`."""
LOOKED_AT = [*PATHS, *(f"{path}/{name}" for path in PATHS for name in NAMES)]
CHANGES = st.tuples(
    st.sampled_from(["make", "copy", "copy", "copy and remove", "move", "move", "remove", "save", "delete"]),
    st.sampled_from(PATHS),
    st.sampled_from(PATHS),
)
THERE = st.lists(st.sampled_from(["a/a", "a/b", "b", "b/a", "b/b", "a/a/a", "a/b/b", "a/", "b/", "l"]), unique=True)


def blocks(inner: Any) -> Any:
    return st.tuples(st.just("block"), st.booleans(), st.lists(inner, max_size=4))


PROGRAM = st.lists(st.recursive(CHANGES, blocks, max_leaves=6), max_size=7)


class Interrupted(BaseException):
    """What stands for a kill."""


class Plain:
    """The calls, done at once by os and shutil."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.storage = FileSystemStorage(location=root)

    def make(self, path: Path, text: str) -> None:
        with path.open("x") as opened:
            opened.write(text)

    def remove(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif os.path.lexists(path):
            path.unlink()

    def move(self, source: Path, target: Path) -> None:
        self.copy(source, target / source.name if target.is_dir() else target, removes=True, follows=False)

    def copy(self, source: Path, target: Path, removes: bool = False, follows: bool = True) -> None:
        if not (source.exists() if follows else os.path.lexists(source)):
            raise FileNotFoundError
        is_folder = source.is_dir() and (follows or not source.is_symlink())
        start, goal = (os.path.join(os.path.realpath(path.parent), path.name) for path in (source, target))
        if start == goal or (is_folder and goal.startswith(f"{os.path.realpath(source)}/")):
            raise shutil.Error
        if is_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        new = self.root / "new"
        try:
            if not target.parent.is_dir():
                raise NotADirectoryError
            if is_folder:
                shutil.copytree(source, new, symlinks=True)
            else:
                shutil.copy2(source, new, follow_symlinks=follows)
            self.remove(target)
            new.rename(target)
        finally:
            self.remove(new)
        if removes and not start.startswith(f"{goal}/"):
            self.remove(Path(start))


class Play:
    def __init__(self, site: Site, plain: Path) -> None:
        self.site = site
        self.plain = Plain(plain)
        self.number = 0
        self.has_taken = False

    def run(self, steps: list[Any]) -> None:
        for step in steps:
            if step[0] == "block":
                self.block(*step[1:])
            else:
                self.change(*step)
            self.look()

    def block(self, fails: bool, steps: list[Any]) -> None:
        before = self.plain.root.with_name("before")
        before = before.with_name(f"before{len(list(before.parent.iterdir()))}")
        shutil.copytree(self.plain.root, before, symlinks=True)
        with contextlib.suppress(Oops), files.transaction(self.site.alias):
            self.run(steps)
            if fails:
                raise Oops
        if fails:
            shutil.rmtree(self.plain.root)
            before.rename(self.plain.root)
        else:
            shutil.rmtree(before)

    def change(self, what: str, name: str, other: str) -> None:
        """Both do it, or both refuse it. What only the transaction may refuse is not done."""
        self.number += 1
        place = self.plain.root / name
        if what in ("make", "save") and (os.path.lexists(place) or not place.parent.is_dir()):
            return
        found = error_of(lambda: self.in_transaction(what, name, other))
        if isinstance(found, TransactionError):
            assert self.has_taken, found
            assert what in ("make", "save", "delete"), found
            return
        expected = error_of(lambda: self.plainly(what, name, other))
        assert (found is None) == (expected is None), (what, name, other, found, expected)
        self.has_taken |= what not in ("make", "save")

    def in_transaction(self, what: str, name: str, other: str) -> None:
        source, target = self.site.media / name, self.site.media / other
        if what == "save":
            assert self.site.save(name, f"{self.number}") == name
        elif what == "delete":
            self.site.storage.delete(name)
        else:
            with files.transaction(self.site.alias) as t:
                if what == "make":
                    t.add_file(source)
                    source.write_text(f"{self.number}")
                elif what == "remove":
                    t.remove_file(source)
                elif what == "move":
                    t.move_file(source, target)
                else:
                    t.copy_file(source, target, remove_existing=what == "copy and remove")

    def plainly(self, what: str, name: str, other: str) -> None:
        source, target = self.plain.root / name, self.plain.root / other
        if what == "save":
            assert self.plain.storage.save(name, ContentFile(f"{self.number}".encode())) == name
        elif what == "delete":
            if os.path.lexists(source):
                self.plain.storage.delete(name)
        elif what == "make":
            source.write_text(f"{self.number}")
        elif what == "remove":
            self.plain.remove(source)
        elif what == "move":
            self.plain.move(source, target)
        else:
            self.plain.copy(source, target, removes=what == "copy and remove")

    def look(self) -> None:
        """At each path the transaction finds what is in the plain folder."""
        t = files.transaction(self.site.alias)
        for name in LOOKED_AT:
            try:
                found = Path(t.path(self.site.media / name))
            except FileNotFoundError:
                found = Path("/nowhere")
            assert at(found) == at(self.plain.root / name), name


def error_of(do: Any) -> Exception | None:
    try:
        do()
    except (OSError, TransactionError) as error:
        return error
    return None


def at(path: Path) -> str:
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    return "folder" if path.is_dir() else path.read_text() if path.is_file() else "nothing"


def tree(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): at(path) for path in sorted(root.rglob("*"))}


def fill(root: Path, there: list[str]) -> None:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for name in there:
        path = root / name
        with contextlib.suppress(OSError):
            if name == "l":
                os.symlink("a", path)
            elif name.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"old {name}")


@contextlib.contextmanager
def interrupted(after: int) -> Iterator[None]:
    """So many calls of the system change the disk, and the next one never comes."""
    left = [after]

    def counted(call: Any) -> Any:
        def may_die(*args: Any, **kwargs: Any) -> Any:
            if not left[0]:
                raise Interrupted
            left[0] -= 1
            return call(*args, **kwargs)

        return may_die

    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Interrupted):
        for name in ("unlink", "remove", "rmdir", "rename", "replace"):
            patch.setattr(os, name, counted(getattr(os, name)))
        yield


@contextlib.contextmanager
def ending(dies_after: int | None) -> Iterator[None]:
    """The end of a transaction is begun by one who dies, and done by one who has read the journal."""
    original = Recovery.end

    def end(self: Recovery, using: str, made: list[Change], committed: bool) -> None:
        def read() -> list[Change]:
            return [Change.from_json(json.loads(json.dumps(change.as_json())), self._place_of) for change in made]

        if dies_after is None:
            original(self, using, made, committed)
            return
        with interrupted(dies_after):
            original(self, using, read(), committed)
        original(self, using, read(), committed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recovery, "end", end)
        yield


def test_folders_are_what_a_plain_folder_would_be(site: Site, tmp_path: Path) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
    @given(THERE, st.booleans(), PROGRAM, st.none() | st.integers(0, 9))
    def play(there: list[str], fails: bool, program: list[Any], dies_after: int | None) -> None:
        plain = tmp_path / "plain"
        for root in (site.media, plain):
            fill(root, there)
        before = tree(site.media)
        assert before == tree(plain)
        game = Play(site, plain)
        with ending(dies_after), contextlib.suppress(Oops), files.transaction(site.alias):
            game.run(program)
            if fails:
                raise Oops
        assert tree(site.media) == (before if fails else tree(plain))
        site.assert_through()

    play()
