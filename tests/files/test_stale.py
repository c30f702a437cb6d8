"""Instances that know less than the database: saved again after a rollback, or after another transaction's commit."""

from __future__ import annotations

import contextlib
import copy
import pickle
import threading
from typing import Any

import pytest
from django.core import serializers
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError
from django.db.transaction import atomic

from djintegrate.files import TransactionError
from tests.apps.documents.models import Document, Picture, Signed
from tests.files.test_deletion import document
from tests.files.test_deletion import site as site
from tests.support.files import FILES, Site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES

SECONDS = 5


def test_a_row_that_was_refused_cannot_be_saved_again_without_its_content(site: Site) -> None:
    row = Document(file=ContentFile(b"new", "one.txt"), folder_id=12345)
    with pytest.raises(IntegrityError), atomic():
        row.save()
    row.folder_id = None
    with pytest.raises(TransactionError, match=r"Document\.file names 'documents/one\.txt'.*Assign the content"):
        row.save()
    assert not Document.objects.exists()
    row.file = ContentFile(b"again", "one.txt")
    row.save()
    assert site.files == {"documents/one.txt": "again"}


def test_what_an_inner_block_replaced_before_it_failed_is_not_saved_by_the_outer_one(site: Site) -> None:
    row = document()
    with atomic():
        with pytest.raises(Oops), atomic():
            row.file = ContentFile(b"second", "two.txt")
            row.save()
            raise Oops
        row.title = "failed"
        with pytest.raises(TransactionError, match="refresh_from_db"):
            row.save()
        row.save(update_fields=["title"])
    row.refresh_from_db()
    row.save()
    assert (row.title, row.file.name, row.file.read()) == ("failed", "documents/one.txt", b"new")
    assert site.files == {"documents/one.txt": "new"}


def test_a_file_of_somebody_else_under_the_same_name_does_not_become_the_rows(site: Site) -> None:
    row = Document(file=ContentFile(b"mine", "one.txt"))
    with pytest.raises(Oops), atomic():
        row.save()
        raise Oops
    document()
    row.pk = None
    with pytest.raises(TransactionError):
        row.save()
    assert Document.objects.count() == 1


def test_it_is_the_saving_that_counts_and_not_the_name(site: Site) -> None:
    with pytest.raises(Oops), atomic():
        document()
        raise Oops
    # As a site may have it: the file comes later.
    Document.objects.create(file="documents/one.txt")
    with pytest.raises(Oops), atomic():
        row = document("two.txt")
        row.file.delete()
        raise Oops
    row.save(force_insert=True)
    assert site.files == {}


def test_rows_of_all_kinds_are_asked(site: Site) -> None:
    rows: list[Any] = [
        Signed(signature=ContentFile(b"a", "a")),
        Picture(image=ContentFile(b"b", "b")),
    ]
    with pytest.raises(Oops), atomic():
        for row in rows:
            row.save()
        raise Oops
    for row in rows:
        with pytest.raises(TransactionError):
            row.save(force_insert=True)


def test_names_of_what_was_committed_can_be_saved_copied_and_pickled(site: Site) -> None:
    with atomic():
        row = document()
        with atomic():
            row.save()
    row.save()
    for other in (copy.deepcopy(row), pickle.loads(pickle.dumps(row))):
        other.save()
        assert other.file.name == "documents/one.txt"
    assert pickle.loads(pickle.dumps(row.file.name)) == "documents/one.txt"
    with pytest.raises(Oops), atomic():
        row = document("two.txt")
        raise Oops
    with pytest.raises(TransactionError):
        copy.deepcopy(row).save(force_insert=True)


def test_the_name_of_a_row_that_was_saved_is_a_str_and_no_kind_of_it(site: Site) -> None:
    row, signed = document(), Signed.objects.create(signature=ContentFile(b"a", "a"))
    assert [type(str(file)) for file in (row.file, signed.signature)] == [str, str]
    assert serializers.serialize("yaml", [row]).count("documents/one.txt") == 1


def test_the_file_of_another_transaction_stays_if_an_older_name_takes_its_place(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    row = document()
    stale = Document.objects.get()
    row.file.save("two.txt", ContentFile(b"second"))
    stale.title = "renamed"
    stale.save()
    assert site.files == {"documents/two.txt": "second"}
    for part in (f"documents.Document {row.pk}", "'documents/one.txt'", "'documents/two.txt'", "update_fields"):
        assert part in caplog.text
    Document.objects.update(file="documents/two.txt")
    Document.objects.get().delete()
    assert site.files == {}


@pytest.mark.parametrize("around", [atomic, contextlib.nullcontext])
def test_a_file_that_is_there_takes_the_place_of_another_as_ever(
    site: Site, around: Any, caplog: pytest.LogCaptureFixture
) -> None:
    shared, row = document("shared.txt"), document()
    with around():
        row.file = shared.file.name
        row.save()
    assert site.files == {"documents/shared.txt": "new"}
    with around():
        row.file.save("two.txt", ContentFile(b"second"))
    with around():
        row.file = None
        row.save()
    assert site.files == {"documents/shared.txt": "new"}
    assert caplog.text == ""


def test_a_name_outside_of_the_storage_takes_no_files_place(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    row = document()
    row.file = "../outside"
    row.save()
    assert site.files == {"documents/one.txt": "new"}
    assert "'../outside'" in caplog.text


def test_a_file_that_is_just_being_deleted_is_not_taken_for_one_that_stays(site: Site, settings: Any) -> None:
    """Its transaction has committed, and has not come to the file yet."""
    settings.FILES_LOCK_TIMEOUT = SECONDS
    row = document()
    stale = Document.objects.get()
    reached, saving = threading.Event(), threading.Event()
    inner = storages["documents"].inner
    delete = inner.delete

    def slow(name: str) -> None:
        reached.set()
        saving.wait(SECONDS)
        delete(name)

    def save_stale() -> None:
        stale.title = "renamed"
        with atomic():
            stale.save()

    def replace() -> None:
        inner.delete = slow
        with atomic():
            row.file.save("two.txt", ContentFile(b"second"))

    thread = threading.Thread(target=lambda: site.in_thread(replace))
    thread.start()
    assert reached.wait(SECONDS)
    threading.Timer(0.1, saving.set).start()
    save_stale()
    thread.join()
    assert site.files == {"documents/two.txt": "second"}


def test_a_file_that_was_only_looked_at_is_not_held(site: Site) -> None:
    shared, row = document("shared.txt"), document()
    with atomic():
        row.file = shared.file.name
        row.save()
        site.in_thread(lambda: site.storage.delete("documents/shared.txt"))
    assert site.files == {}
