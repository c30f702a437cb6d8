"""The files of rows: saved with them, removed after them, and never while another row names them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import transaction
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.db import transaction as django_transaction
from django.db.transaction import atomic
from django.forms import modelform_factory
from PIL import Image
from storm.info import get_cls_info
from storm.locals import Int

from djintegrate.files import named
from djintegrate.files.storm import StoredFile
from tests.apps.documents.models import Document, Folder, Picture, Signed
from tests.support.files import FILES, Site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES


@pytest.fixture
def site(tmp_path: Path, settings: Any, outside: Any) -> Any:
    """The storage of the documents app, in a folder of the test's own."""
    settings.FILES_JOURNAL = tmp_path / "journal"
    settings.FILES_LOCK_TIMEOUT = 0.3
    site = Site("default", tmp_path)
    storage = storages["documents"]
    before, storage.inner = storage.inner, site.storage.inner
    yield site
    storage.inner = before
    site.assert_through()


@pytest.fixture
def no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Storm class whose table is not there yet. After an error, PostgreSQL answers no further question."""
    monkeypatch.setattr(named, "_columns", list(named._columns))

    class Unborn:
        __storm_table__ = "unborn"
        id = Int(primary=True)
        file = StoredFile(storage="documents")

    assert get_cls_info(Unborn).table


def document(name: str = "one.txt", **fields: Any) -> Document:
    return Document.objects.create(file=ContentFile(b"new", name), **fields)


@pytest.mark.parametrize("begin", [atomic, lambda: transaction.manager])
def test_a_row_and_its_file_come_together(site: Site, begin: Any) -> None:
    with begin():
        assert document().file.read() == b"new"
    with pytest.raises(Oops), begin():
        document("two.txt")
        raise Oops
    assert list(site.files) == ["documents/one.txt"]


def test_a_row_that_is_refused_leaves_no_file(site: Site) -> None:
    with pytest.raises(IntegrityError), atomic():
        document(folder_id=12345)
    assert site.files == {}


def test_in_manual_mode_nothing_is_open_after_the_commit(site: Site, no_table: None) -> None:
    """Whether another row names the file is asked after it, and begins a transaction then."""
    django_transaction.set_autocommit(False)
    try:
        row = document()
        django_transaction.commit()
        row.file = ContentFile(b"newer", "two.txt")
        row.save()
        django_transaction.commit()
        django_transaction.set_autocommit(True)
    finally:
        transaction.abort()
        connection.close()
    assert list(site.files) == ["documents/two.txt"]


def test_the_file_of_a_deleted_row_goes_after_the_commit(site: Site) -> None:
    row = document()
    with pytest.raises(Oops), atomic():
        row.delete()
        raise Oops
    assert list(site.files) == ["documents/one.txt"]
    with atomic():
        Document.objects.get().delete()
        assert list(site.files) == ["documents/one.txt"]
    assert site.files == {}


def test_cascades_and_bulk_deletes_count(site: Site) -> None:
    folder = Folder.objects.create(name="folder")
    for number in range(3):
        document(f"{number}.txt", folder=folder)
    document("kept.txt")
    with atomic():
        folder.delete()
    assert list(site.files) == ["documents/kept.txt"]
    document("more.txt")
    Document.objects.all().delete()
    assert site.files == {}


def test_deferred_names_are_found(site: Site) -> None:
    document("a.txt")
    Document.objects.only("pk").get().delete()
    document("b.txt")
    Document.objects.defer("file").delete()
    assert site.files == {}


def test_a_row_with_a_parent_takes_the_files_of_both(site: Site) -> None:
    Signed.objects.create(file=ContentFile(b"a", "a"), signature=ContentFile(b"b", "b"))
    row = Signed.objects.get()
    with atomic():
        row.file = ContentFile(b"c", "c")
        row.signature = ContentFile(b"d", "d")
        row.save()
    assert site.files == {"documents/c": "c", "signatures/d": "d"}
    Document.objects.all().delete()
    assert site.files == {}


def test_the_file_that_was_replaced_goes_after_the_commit(site: Site, no_table: None) -> None:
    row = document()
    with pytest.raises(Oops), atomic():
        row.file.save("two.txt", ContentFile(b"lost"))
        raise Oops
    assert site.files == {"documents/one.txt": "new"}
    row = Document.objects.get()
    with atomic():
        row.file.save("two.txt", ContentFile(b"second"))
        assert sorted(site.files) == ["documents/one.txt", "documents/two.txt"]
    assert site.files == {"documents/two.txt": "second"}
    row.file = ""
    row.save()
    assert site.files == {}


def test_what_was_loaded_long_ago_does_not_decide_which_file_was_replaced(site: Site) -> None:
    row = document()
    stale = Document.objects.get()
    row.file.save("two.txt", ContentFile(b"second"))
    stale.file.save("three.txt", ContentFile(b"third"))
    assert site.files == {"documents/three.txt": "third"}


def test_a_save_that_leaves_the_file_alone_asks_nothing(site: Site, django_assert_num_queries: Any) -> None:
    row = document()
    row.title = "changed"
    with django_assert_num_queries(1):
        row.save(update_fields=["title"])
    with django_assert_num_queries(1):
        Document.objects.create(title="new")


def test_replaced_files_stay_where_the_site_wants_it(site: Site, settings: Any) -> None:
    settings.FILES_DELETE_REPLACED = False
    row = document()
    row.file.save("two.txt", ContentFile(b"second"))
    assert sorted(site.files) == ["documents/one.txt", "documents/two.txt"]
    row.delete()
    assert list(site.files) == ["documents/one.txt"]


def test_a_file_that_another_row_names_stays(site: Site) -> None:
    first = document()
    second = Document.objects.create(file=first.file.name)
    picture = Picture.objects.create(image=first.file.name)
    first.delete()
    assert list(site.files) == ["documents/one.txt"]
    second.file.save("two.txt", ContentFile(b"second"))
    assert sorted(site.files) == ["documents/one.txt", "documents/two.txt"]
    picture.delete()
    assert list(site.files) == ["documents/two.txt"]


def test_a_row_that_names_the_file_at_the_commit_decides(site: Site) -> None:
    row = document()
    with atomic():
        name = row.file.name
        row.delete()
        Document.objects.create(file=name)
    assert list(site.files) == ["documents/one.txt"]
    with atomic():
        Document.objects.get().delete()
        again = Document.objects.create(file=name)
        again.delete()
    assert site.files == {}


def test_two_rows_that_swap_their_files_lose_none(site: Site) -> None:
    one, two = document("one.txt"), document("two.txt")
    with atomic():
        one.file, two.file = two.file.name, one.file.name
        one.save()
        two.save()
    assert sorted(site.files) == ["documents/one.txt", "documents/two.txt"]


def test_the_files_own_delete_waits_for_the_commit(site: Site) -> None:
    row = document()
    with pytest.raises(Oops), atomic():
        row.file.delete()
        raise Oops
    assert list(site.files) == ["documents/one.txt"]
    row = Document.objects.get()
    with atomic():
        row.file.delete()
    assert site.files == {}
    assert not Document.objects.get().file


def test_pictures_are_measured_and_replaced(site: Site) -> None:
    def picture(size: int) -> ContentFile:
        content = io.BytesIO()
        Image.new("RGB", (size, size)).save(content, "PNG")
        return ContentFile(content.getvalue(), f"{size}.png")

    with atomic():
        row = Picture.objects.create(image=picture(3))
        assert row.image.width == 3
    with atomic():
        row.image = picture(5)
        row.save()
    assert Picture.objects.get().image.width == 5
    assert [path.name for path in (site.media / "pictures").iterdir()] == ["5.png"]


def test_a_form_and_its_clear_checkbox(site: Site) -> None:
    form_class = modelform_factory(Document, fields=["title", "file"])
    with atomic():
        form = form_class({"title": "a"}, {"file": SimpleUploadedFile("one.txt", b"first")})
        row = form.save()
    with atomic():
        form_class({"title": "a"}, {"file": SimpleUploadedFile("one.txt", b"second")}, instance=row).save()
    assert list(site.files.values()) == ["second"]
    with atomic():
        form_class({"title": "a", "file-clear": "on"}, {}, instance=Document.objects.get()).save()
    assert site.files == {}


def test_a_row_that_names_what_is_outside_of_the_storage_can_be_changed_and_deleted(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "outside").write_text("not ours")
    for change in (lambda row: row.delete(), lambda row: row.file.save("one.txt", ContentFile(b"new"))):
        row = Document.objects.create()
        Document.objects.update(file="../outside")
        row.refresh_from_db()
        change(row)
    assert (tmp_path / "outside").read_text() == "not ours"
    assert caplog.text.count("outside of its storage") == 2


def test_fixtures_are_left_alone(site: Site) -> None:
    from django.core import serializers

    row = document()
    text = serializers.serialize("json", [row]).replace("one.txt", "two.txt")
    for loaded in serializers.deserialize("json", text):
        loaded.save()
    assert list(site.files) == ["documents/one.txt"]


@pytest.mark.parametrize("other", ["documents//one.txt", "./documents/one.txt", "documents/./one.txt", "absolute"])
@pytest.mark.parametrize("is_first", [True, False])
def test_two_spellings_of_one_file_are_one_file(site: Site, other: str, is_first: bool) -> None:
    rows = [
        document(),
        Document.objects.create(file=str(site.media / "documents/one.txt") if other == "absolute" else other),
    ]
    rows.pop(0 if is_first else 1).delete()
    assert site.files == {"documents/one.txt": "new"}
    (row,) = Document.objects.all()
    assert row.file.read() == b"new"


def test_a_row_that_names_a_folder_can_be_deleted(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    document()
    Document.objects.create(file="documents").delete()
    assert "is a folder" in caplog.text
    assert site.files == {"documents/one.txt": "new"}


def test_what_was_written_before_one_of_its_rows_went_is_what_the_other_finds(site: Site) -> None:
    first = document()
    second = Document.objects.create(file=first.file.name)
    with atomic():
        site.storage.delete(first.file.name)
        site.save(first.file.name, "second")
        first.delete()
        assert second.file.read() == b"second"
    assert site.files == {"documents/one.txt": "second"}
    with atomic():
        site.storage.delete(second.file.name)
        site.save(second.file.name, "third")
        second.delete()
    assert site.files == {}
