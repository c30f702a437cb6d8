"""StoredFile: a Storm object and its file come, change and go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import transaction
from django.core.files.base import ContentFile
from django.core.files.storage import InvalidStorageError
from django.core.files.uploadedfile import SimpleUploadedFile
from storm.properties import Int

from djintegrate.files.storm import StoredFile
from djintegrate.storm_backend import get_store
from tests.apps.documents.models import Talk
from tests.apps.documents.storm_models import StormTalk
from tests.files.test_deletion import site as site
from tests.support.files import FILES, Site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES


def talk(name: str = "one.pdf", text: bytes = b"new") -> StormTalk:
    row = get_store("main").add(StormTalk("talk"))
    row.slides = SimpleUploadedFile(name, text)
    return row


def test_an_object_and_its_file_come_together(site: Site) -> None:
    with transaction.manager:
        row = talk()
        assert row.slides.name == "slides/one.pdf"
        assert row.slides.read() == b"new"
        assert row.slides.size == 3
        assert row.slides.url == "/media/slides/one.pdf"
    assert Talk.objects.get().slides == "slides/one.pdf"
    transaction.begin()
    talk("two.pdf")
    transaction.abort()
    assert list(site.files) == ["slides/one.pdf"]


def test_without_a_file_it_is_false(site: Site) -> None:
    with transaction.manager:
        row = get_store("main").add(StormTalk("talk"))
        assert not row.slides
        with pytest.raises(ValueError, match="no file"):
            _ = row.slides.url


@pytest.mark.parametrize("fails", [False, True])
def test_a_replaced_file_goes_after_the_commit(site: Site, fails: bool) -> None:
    with transaction.manager:
        row = talk()
    with pytest.raises(Oops) if fails else transaction.manager, transaction.manager:
        row = get_store("main").find(StormTalk).one()
        row.slides.save("two.pdf", ContentFile(b"second"))
        assert row.slides.read() == b"second"
        if fails:
            raise Oops
    assert site.files == ({"slides/one.pdf": "new"} if fails else {"slides/two.pdf": "second"})


@pytest.mark.parametrize("fails", [False, True])
def test_the_file_of_a_removed_object_goes_after_the_commit(site: Site, fails: bool) -> None:
    with transaction.manager:
        talk()
    get_store("main").reset()
    with pytest.raises(Oops) if fails else transaction.manager, transaction.manager:
        store = get_store("main")
        # Nobody looks at its attributes.
        store.remove(store.find(StormTalk).one())
        if fails:
            raise Oops
    assert list(site.files) == (["slides/one.pdf"] if fails else [])


@pytest.mark.parametrize("knows", [False, True])
def test_an_object_kept_from_an_earlier_transaction_takes_its_file_along(site: Site, knows: bool) -> None:
    with transaction.manager:
        row = talk()
    with transaction.manager:
        if knows:
            assert row.title == "talk"
        get_store("main").remove(row)
        assert list(site.files) == ["slides/one.pdf"]
    assert site.files == {}


def test_its_own_delete_empties_the_column(site: Site) -> None:
    with transaction.manager:
        talk()
    with transaction.manager:
        get_store("main").find(StormTalk).one().slides.delete()
    assert (site.files, Talk.objects.get().slides) == ({}, None)


def test_a_file_that_another_object_names_stays(site: Site) -> None:
    with transaction.manager:
        first = talk()
        second = get_store("main").add(StormTalk("second"))
        second.slides = first.slides
    with transaction.manager:
        get_store("main").remove(get_store("main").find(StormTalk, title="talk").one())
    assert list(site.files) == ["slides/one.pdf"]
    with transaction.manager:
        get_store("main").find(StormTalk).one().slides = None
    assert site.files == {}


def test_a_class_without_a_table_names_nothing(site: Site) -> None:
    class Planned:
        __storm_table__ = "planned_talks"
        id = Int(primary=True)
        slides = StoredFile(storage="documents", upload_to="slides")

    with transaction.manager:
        row = talk()
    with transaction.manager:
        get_store("main").remove(row)
    assert site.files == {}
    assert Planned


def test_a_rollback_to_a_savepoint_takes_the_file_with_it(site: Site) -> None:
    with transaction.manager:
        row = talk()
        get_store("main").flush()
        savepoint = transaction.savepoint()
        row.slides = ContentFile(b"second", "two.pdf")
        savepoint.rollback()
        assert row.slides.name == "slides/one.pdf"
    assert list(site.files) == ["slides/one.pdf"]


@pytest.mark.parametrize("storage", ["staticfiles", "missing"])
def test_it_wants_a_storage_of_ours_and_without_one_it_names_nothing(site: Site, storage: str) -> None:
    class Wrong:
        __storm_table__ = "wrong"
        id = Int(primary=True)
        file = StoredFile(storage=storage)

    with pytest.raises((TypeError, InvalidStorageError), match=r"needs a djintegrate|find config"):
        Wrong().file = ContentFile(b"x", "x")
    with transaction.manager:
        row = talk()
    with transaction.manager:
        get_store("main").remove(row)
    assert site.files == {}


def test_a_query_uses_the_name(site: Site, tmp_path: Path) -> None:
    with transaction.manager:
        talk()
        found: Any = get_store("main").find(StormTalk, StormTalk.slides == "slides/one.pdf")
        assert found.count() == 1
