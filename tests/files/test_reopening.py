"""A file that is opened again, by its FieldFile or by itself: as the transaction of now has it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.db.transaction import atomic
from PIL import Image

from djintegrate.files import TransactionalStorage
from tests.apps.documents.models import Document, Picture
from tests.files import test_deletion
from tests.files.test_storages import s3_server as s3_server
from tests.files.test_storages import storage as storage
from tests.support.files import FILES, Site
from tests.support.files import site as site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES

documents = test_deletion.site


@pytest.fixture
def file(documents: Site) -> Any:
    Document.objects.create(file=ContentFile(b"old", "one.txt"))
    return Document.objects.get().file


@pytest.mark.parametrize("is_closed", [True, False])
def test_what_was_read_and_is_then_written_is_part_of_the_transaction(
    documents: Site, file: Any, is_closed: bool
) -> None:
    for fails in (True, False):
        with pytest.raises(Oops) if fails else atomic(), atomic():
            assert file.open("rb").read() == b"old"
            if is_closed:
                file.close()
            with file.open("wb") as opened:
                opened.write(b"changed")
            assert documents.files["documents/one.txt"] == "old"
            assert file.open().read() == b"changed"
            if fails:
                raise Oops
        assert documents.files == {"documents/one.txt": "old" if fails else "changed"}
        assert file.open().read() == (b"old" if fails else b"changed")
        file.close()


def test_what_stays_open_to_be_written_is_opened_anew_for_the_next_transaction(documents: Site, file: Any) -> None:
    with atomic():
        file.open("wb").write(b"first")
        file.flush()
    with pytest.raises(Oops), atomic():
        with file.open("wb") as opened:
            opened.write(b"second")
        raise Oops
    assert documents.files == {"documents/one.txt": "first"}


def test_a_file_that_is_open_begins_again_as_djangos_does(site: Site) -> None:
    site.put("one.txt")
    with site.storage.open("one.txt") as opened:
        handle = opened.file
        assert opened.read() == opened.open().read() == opened.open("rb").read() == b"old"
        assert opened.file is handle
    with atomic(site.alias), site.storage.open("one.txt", "w+") as opened:
        opened.write("new")
        assert opened.open().read() == "new"
    assert site.files == {"one.txt": "new"}


@pytest.mark.parametrize("mode", ["rb", "r", "wb", "a"])
def test_a_file_has_the_name_and_the_mode_that_django_gives(site: Site, mode: str) -> None:
    site.put("folder/one.txt")
    expected = site.storage.inner.open("folder/one.txt", "rb" if mode == "rb" else mode)
    expected.close()
    with atomic(site.alias), site.storage.open("folder/one.txt", mode) as opened:
        assert (opened.name, opened.mode) == (expected.name, expected.mode)


def test_the_size_is_that_of_what_was_opened_last(site: Site) -> None:
    site.put("one.txt")
    opened = site.storage.open("one.txt")
    assert opened.size == 3
    opened.close()
    site.put("one.txt", "longer")
    assert opened.open().size == 6
    opened.close()


def test_a_file_that_is_gone_says_so_as_at_first(site: Site) -> None:
    path = site.put("one.txt")
    opened = site.storage.open("one.txt")
    opened.close()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        opened.open()


def test_a_picture_is_measured_whether_or_not_it_is_open(documents: Site, tmp_path: Path) -> None:
    content = io.BytesIO()
    Image.new("RGB", (3, 5)).save(content, "PNG")
    with atomic():
        row = Picture.objects.create(image=ContentFile(content.getvalue(), "a.png"))
        with row.image.open() as opened:
            assert opened.read(4) == b"\x89PNG"
            assert (row.image.width, row.image.height) == (3, 5)
            assert opened.tell() == 0 and not opened.closed
        assert row.image.closed
    assert Picture.objects.get().image.width == 3
    assert row.image.open().read() == content.getvalue()
    row.image.close()


def test_other_storages_are_asked_again_too(storage: TransactionalStorage) -> None:
    storage.save("one", ContentFile(b"old"))
    with storage.open("one") as opened:
        assert opened.read() == b"old"
        assert (opened.name or "").endswith("one")
    for fails in (True, False):
        with pytest.raises(Oops) if fails else atomic(storage.using), atomic(storage.using):
            with opened.open("wb"):
                opened.write(b"new")
            with storage.inner.open("one") as outside:
                assert outside.read() == b"old"
            with opened.open("rb"):
                assert opened.read() == b"new"
                assert opened.size == 3
            if fails:
                raise Oops
        with opened.open("rb"):
            assert opened.read() == (b"old" if fails else b"new")


def test_what_the_file_of_another_storage_can_do_more_it_still_can() -> None:
    storage = TransactionalStorage(storage=InMemoryStorage())
    storage.save("one", ContentFile(b"old"))
    opened: Any = storage.open("one")
    assert opened.modified_time == storage.get_modified_time("one")
    with pytest.raises(AttributeError):
        _ = opened.no_such_thing
