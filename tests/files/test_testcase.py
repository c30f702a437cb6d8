"""Files in Django's TestCase: what commits inside of a test does, and the test's end undoes the rest."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import transaction
from django.core.files.base import ContentFile
from django.db.transaction import atomic
from django.test import override_settings

from tests.support.files import Site, decisions
from tests.support.following import native_alias
from tests.support.helpers import LeavesNothing, Oops


class EngineTests(LeavesNothing):
    alias = "default"

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        settings = override_settings(FILES_JOURNAL=Path(folder.name) / "journal")
        settings.enable()
        cls.addClassCleanup(settings.disable)
        cls.site = Site(cls.alias, Path(folder.name))
        super().setUpClass()
        # After the test's own blocks are rolled back, nothing of them is left.
        cls.addClassCleanup(lambda: cls.assert_nothing(cls.site))

    @staticmethod
    def assert_nothing(site: Site) -> None:
        assert site.files == {}
        site.assert_through()

    def test_a_block_that_fails_takes_its_files_with_it(self) -> None:
        with pytest.raises(Oops), atomic(self.alias):
            self.site.save("one")
            raise Oops
        assert not self.site.storage.exists("one")

    def test_the_end_of_the_test_takes_what_is_left(self) -> None:
        self.site.save("two")
        assert self.site.storage.exists("two")

    def test_the_end_of_the_test_is_heard_after_a_block_with_files_of_its_own(self) -> None:
        self.site.save("four")
        with pytest.raises(Oops), atomic(self.alias):
            self.site.save("five")
            raise Oops
        assert list(self.site.files) == ["four"]

    def test_what_the_test_has_saved_can_be_deleted_in_a_block(self) -> None:
        """As in a request of the test's client. Natively no callback runs unless the test captures it."""
        name = self.site.save("three")
        with self.captureOnCommitCallbacks(using=self.alias, execute=True), atomic(self.alias):
            self.site.storage.delete(name)
        assert self.site.files == {}


class NativeTests(EngineTests):
    alias = "native"
    databases = {"default", "second", "native"}

    @classmethod
    def setUpClass(cls) -> None:
        alias = native_alias(listed=True)
        alias.__enter__()
        cls.addClassCleanup(alias.__exit__, None, None, None)
        super().setUpClass()


class ZopeTests(EngineTests):
    def test_a_commit_inside_of_the_test_commits_the_files(self) -> None:
        self.site.put("old")
        with transaction.manager:
            self.site.save("new")
            self.site.storage.delete("old")
        assert list(self.site.files) == ["new"]
        assert decisions() == 1
        transaction.begin()
        self.site.storage.delete("new")
        transaction.abort()
        with transaction.manager:
            self.site.storage.delete("new")
        assert self.site.files == {}

    def test_an_upload_is_content(self) -> None:
        with transaction.manager:
            name = self.site.storage.save("x", ContentFile("text"))
        with transaction.manager:
            self.site.storage.delete(name)
