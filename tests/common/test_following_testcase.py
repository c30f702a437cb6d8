"""What a follower hears in Django's TestCase, whose own blocks end only with the test."""

from __future__ import annotations

import pytest
import transaction
from django.db.transaction import atomic

from tests.support.following import World, native_alias
from tests.support.helpers import LeavesNothing, Oops


class EngineTests(LeavesNothing):
    alias = "default"

    def setUp(self) -> None:
        self.world = World(self.alias)

    def test_outside_of_any_block_a_change_waits_for_the_end_of_the_test(self) -> None:
        self.world.add("one", row=False)
        assert self.world.kept == []
        self.addClassCleanup(lambda world: self.assertEqual(world.undone, ["one"]), self.world)

    def test_callbacks_that_the_test_captures_are_the_commit(self) -> None:
        with self.captureOnCommitCallbacks(using=self.alias, execute=True):
            self.world.add("one", row=False)
        assert self.world.told == ["before_commit", "committed"]
        self.world.add("two", row=False)
        assert self.world.kept == ["one"]

    def test_a_block_that_fails_is_undone_at_once(self) -> None:
        with pytest.raises(Oops), atomic(self.alias):
            self.world.add("one")
            raise Oops
        assert self.world.undone == ["one"]


class ZopeTests(LeavesNothing):
    def test_a_commit_inside_of_the_test_is_one(self) -> None:
        world = World("default")
        with transaction.manager:
            world.add("one")
        assert world.kept == ["one"]
        transaction.begin()
        world.add("two")
        transaction.abort()
        assert world.undone == ["two"]


class NativeTests(EngineTests):
    alias = "native"
    databases = {"default", "second", "native"}

    @classmethod
    def setUpClass(cls) -> None:
        alias = native_alias(listed=True)
        alias.__enter__()
        cls.addClassCleanup(alias.__exit__, None, None, None)
        super().setUpClass()
