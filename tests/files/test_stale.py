"""Instances that know less than the database: saved again after a rollback, or after another transaction's commit."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from django.core.files.base import ContentFile
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


def test_a_row_that_was_refused_cannot_be_saved_again_without_its_content(site: Site) -> None:
    row = Document(file=ContentFile(b"new", "one.txt"), folder_id=12345)
    with pytest.raises(IntegrityError), atomic():
        row.save()
    row.folder_id = None
    with pytest.raises(
        TransactionError, match=r"Document\.file names 'documents/one\.txt'.*Assign the content"
    ):
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
