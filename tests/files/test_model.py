"""Random nestings of blocks with random changes of files, beside a dictionary that is restored where a block fails."""

from __future__ import annotations

import contextlib
from typing import Any

import transaction
from django.db.transaction import atomic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from djintegrate import files
from tests.support.files import FILES, Site
from tests.support.files import site as site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES

NAMES = ["a", "b", "c"]
CHANGES = st.tuples(
    st.sampled_from(["save", "delete", "replace", "copy", "move", "remove", "write"]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
)


def blocks(inner: Any) -> Any:
    return st.tuples(
        st.just("block"), st.sampled_from(["atomic", "files", "savepoint"]), st.booleans(), st.lists(inner, max_size=4)
    )


PROGRAM = st.lists(st.recursive(CHANGES, blocks, max_leaves=10), max_size=5)


class Play:
    """What the transaction should see is in `expected`."""

    def __init__(self, site: Site, in_zope: bool) -> None:
        self.site = site
        self.in_zope = in_zope
        self.expected: dict[str, str] = {}
        self.number = 0

    def run(self, steps: list[Any]) -> None:
        for step in steps:
            if step[0] == "block":
                self.block(*step[1:])
            else:
                self.change(*step)
            self.look()

    def block(self, kind: str, fails: bool, steps: list[Any]) -> None:
        before = dict(self.expected)
        with contextlib.suppress(Oops), self.begun(kind):
            self.run(steps)
            if fails:
                raise Oops
        if fails:
            self.expected = before

    @contextlib.contextmanager
    def begun(self, kind: str) -> Any:
        if kind == "savepoint" and self.in_zope:
            savepoint = transaction.savepoint()
            try:
                yield
            except Oops:
                savepoint.rollback()
                raise
        else:
            native_in_zope = self.in_zope and self.site.alias != "default"
            with (files.transaction if kind == "files" or native_in_zope else atomic)(self.site.alias):
                yield

    def change(self, what: str, name: str, other: str) -> None:
        self.number += 1
        text, storage, path = f"{self.number}", self.site.storage, self.site.media
        there = name in self.expected
        if what == "save":
            self.expected[self.site.save(name, text)] = text
        elif what == "replace" and there:
            storage.delete(name)
            assert self.site.save(name, text) == name
            self.expected[name] = text
        elif what == "write":
            with storage.open(name, "wb") as opened:
                opened.write(text.encode())
            self.expected[name] = text
        elif what == "delete" and there:
            storage.delete(name)
            del self.expected[name]
        elif there:
            with files.transaction(self.site.alias) as t:
                if what == "remove":
                    t.remove_file(path / name)
                elif name != other and what == "copy":
                    t.copy_file(path / name, path / other)
                elif name != other:
                    t.move_file(path / name, path / other)
            if what == "remove":
                del self.expected[name]
            elif name != other:
                text = self.expected[name] if what == "copy" else self.expected.pop(name)
                self.expected[other] = text

    def look(self) -> None:
        """The transaction sees what it has done, and what is under no name is not there."""
        storage = self.site.storage
        for name in {*NAMES, *self.expected}:
            assert storage.exists(name) is (name in self.expected)
        assert sorted(storage.listdir("")[1]) == sorted(self.expected)
        for name, text in self.expected.items():
            with storage.open(name) as opened:
                assert opened.read().decode() == text


def test_files_are_what_a_dictionary_would_be(site: Site) -> None:
    outer = {"atomic": lambda: atomic(site.alias), "begun": lambda: transaction.manager, "none": contextlib.nullcontext}

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
    @given(st.sampled_from(sorted(outer)), st.booleans(), st.sets(st.sampled_from(NAMES)), PROGRAM)
    def play(kind: str, fails: bool, there: set[str], program: list[Any]) -> None:
        for path in site.media.iterdir():
            path.unlink()
        for name in there:
            site.put(name)
        game = Play(site, kind == "begun")
        game.expected = dict(site.files)
        with contextlib.suppress(Oops), outer[kind]():
            game.run(program)
            if fails and kind != "none":
                raise Oops
        if fails and kind != "none":
            assert site.files == dict.fromkeys(there, "old")
        else:
            assert site.files == game.expected
        site.assert_through()

    play()
