"""A file that several storages keep stays as long as a row of any of them names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage
from django.db.transaction import atomic
from django.utils.deconstruct import deconstructible

from djintegrate.files import TransactionalStorage
from djintegrate.files.core.places import StoredPlace
from djintegrate.files.named import name_in
from tests.apps.documents.models import Document, Leaflet
from tests.files.test_deletion import site as site
from tests.support.files import FILES, Site

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES


@pytest.fixture(params=["the same", "above", "below", "by a link"])
def leaflet(site: Site, tmp_path: Path, request: Any, monkeypatch: pytest.MonkeyPatch) -> Leaflet:
    """A row that names documents/one.txt by a storage of Django's own."""
    (tmp_path / "link").symlink_to(site.media)
    folder, name = {
        "the same": (site.media, "documents/one.txt"),
        "above": (tmp_path, "media/documents/one.txt"),
        "below": (site.media / "documents", "one.txt"),
        "by a link": (tmp_path / "link", "documents/one.txt"),
    }[request.param]
    monkeypatch.setattr(Leaflet._meta.get_field("file"), "storage", FileSystemStorage(location=folder))
    return Leaflet.objects.create(file=name)


def test_a_row_of_another_storage_keeps_the_file(site: Site, leaflet: Leaflet) -> None:
    row = Document.objects.create(file=ContentFile(b"new", "one.txt"))
    assert leaflet.file.path
    assert leaflet.file.read() == b"new"
    with atomic():
        row.delete()
    assert site.files == {"documents/one.txt": "new"}


def test_without_that_row_it_goes(site: Site, leaflet: Leaflet) -> None:
    row = Document.objects.create(file=ContentFile(b"new", "one.txt"))
    leaflet.delete()
    with atomic():
        row.delete()
    assert site.files == {}


def test_a_replaced_file_stays_as_well(site: Site, leaflet: Leaflet) -> None:
    row = Document.objects.create(file=ContentFile(b"new", "one.txt"))
    with atomic():
        row.file.save("two.txt", ContentFile(b"two"))
    assert site.files == {"documents/one.txt": "new", "documents/two.txt": "two"}


def test_a_row_without_a_table_names_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Leaflet._meta.get_field("file"), "storage", FileSystemStorage(location=site.media))
    monkeypatch.setattr(Leaflet._meta, "db_table", "a_table_that_nobody_made")
    row = Document.objects.create(file=ContentFile(b"new", "one.txt"))
    with atomic():
        row.delete()
    assert site.files == {}


@deconstructible
class Bucket(Storage):
    def __init__(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize(
    ("storage", "found"),
    [
        (Bucket("one"), "docs/a"),
        (Bucket("two"), None),
        (TransactionalStorage(Bucket("one")), "docs/a"),
        (TransactionalStorage(Bucket("two")), None),
        (InMemoryStorage(), None),
        (FileSystemStorage(), None),
    ],
)
def test_buckets_are_the_same_that_are_made_alike(storage: Any, found: str | None) -> None:
    assert name_in(storage, StoredPlace(Bucket("one"), "alias:default", "docs/a")) == found


def test_each_memory_is_its_own() -> None:
    memory = InMemoryStorage()
    place = StoredPlace(memory, "alias:default", "docs/a")
    assert name_in(memory, place) == "docs/a"
    assert name_in(InMemoryStorage(), place) is None
