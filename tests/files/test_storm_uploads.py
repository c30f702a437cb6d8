"""An upload that no row names at the commit, as what it was assigned to came to nothing, goes; any other stays."""

from __future__ import annotations

from typing import Any

import pytest
import transaction
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.db.transaction import atomic
from storm.exceptions import LostObjectError

from djintegrate import files
from djintegrate.files import TransactionError
from djintegrate.storm_backend import get_store
from tests.apps.documents.models import Talk
from tests.apps.documents.storm_models import StormTalk
from tests.files.test_deletion import site as site
from tests.files.test_storm import talk
from tests.support.files import FILES, Site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES


def two(text: bytes = b"second") -> ContentFile:
    return ContentFile(text, "two.pdf")


UNDOING = {
    "invalidate": lambda store, row: store.invalidate(row),
    "invalidate all": lambda store, row: store.invalidate(),
    "reload": lambda store, row: store.reload(row),
    "autoreload": lambda store, row: store.autoreload(row),
    "reset": lambda store, row: store.reset(),
    "a name in its place": lambda store, row: setattr(row, "slides", "slides/one.pdf"),
}


@pytest.mark.parametrize("undo", UNDOING.values(), ids=list(UNDOING))
@pytest.mark.parametrize("begin", [atomic, lambda: transaction.manager])
def test_an_assignment_that_is_undone_leaves_no_file(site: Site, begin: Any, undo: Any) -> None:
    with transaction.manager:
        talk()
    with begin():
        store = get_store("main")
        row = store.find(StormTalk).one()
        row.slides = two()
        undo(store, row)
    assert Talk.objects.get().slides == "slides/one.pdf"
    assert site.files == {"slides/one.pdf": "new"}


def test_an_upload_from_before_a_savepoint_stays_though_flushes_are_blocked(site: Site) -> None:
    with transaction.manager:
        row, store = talk(), get_store("main")
        store.flush()
        store.block_implicit_flushes()
        row.slides = two()
        savepoint = transaction.savepoint()
        savepoint.rollback()
        store.unblock_implicit_flushes()
    assert (site.files, Talk.objects.get().slides) == ({"slides/two.pdf": "second"}, "slides/two.pdf")


@pytest.mark.parametrize("is_blocked", [False, True])
def test_a_block_that_fails_takes_back_nothing_from_before_it(site: Site, is_blocked: bool) -> None:
    with atomic():
        row, store = talk(), get_store("main")
        store.flush()
        if is_blocked:
            store.block_implicit_flushes()
        row.slides = two()
        with pytest.raises(Oops), atomic():
            store.flush()
            raise Oops
        if is_blocked:
            store.unblock_implicit_flushes()
    assert site.files == {Talk.objects.get().slides: "second"}


def test_a_savepoint_that_keeps_an_upload_from_before_it_keeps_the_file(site: Site) -> None:
    with transaction.manager:
        talk()
        savepoint = transaction.savepoint()
        get_store("main").find(StormTalk).one().title = "changed"
        savepoint.rollback()
        row = get_store("main").find(StormTalk).one()
        row.slides = two()
        second = transaction.savepoint()
        row.slides = ContentFile(b"third", "three.pdf")
        second.rollback()
    assert site.files == {"slides/two.pdf": "second"}


@pytest.mark.parametrize("keeps_replaced", [False, True])
def test_of_two_uploads_in_a_row_the_second_stays(site: Site, settings: Any, keeps_replaced: bool) -> None:
    settings.FILES_DELETE_REPLACED = not keeps_replaced
    with transaction.manager:
        talk().slides = two()
    assert site.files == {"slides/two.pdf": "second"}


def test_an_object_that_is_removed_before_it_is_flushed_takes_its_file_along(site: Site) -> None:
    with transaction.manager:
        row = talk()
        get_store("main").remove(row)
    assert site.files == {}


def test_an_upload_for_a_row_that_is_gone_goes_too(site: Site) -> None:
    with transaction.manager:
        row = get_store("main").add(StormTalk("talk"))
        get_store("main").flush()
        Talk.objects.all().delete()
        with pytest.raises(LostObjectError):
            row.slides = two()
    assert site.files == {}


def test_an_upload_whose_folder_is_replaced_afterwards_goes_with_it(site: Site) -> None:
    site.put("other/kept.txt")
    with transaction.manager:
        row = StormTalk("talk")
        row.slides = two()
        with files.transaction() as changes:
            changes.copy_file(site.media / "other", site.media / "slides")
    assert site.files == {"other/kept.txt": "old", "slides/kept.txt": "old"}


def test_an_upload_that_an_other_row_names_stays(site: Site) -> None:
    with transaction.manager:
        row, store = talk(), get_store("main")
        store.flush()
        store.block_implicit_flushes()
        row.slides = two()
        Talk.objects.create(title="other", slides="slides/two.pdf")
        store.invalidate(row)
        store.unblock_implicit_flushes()
    assert site.files == {"slides/one.pdf": "new", "slides/two.pdf": "second"}


def test_an_object_that_is_never_added_leaves_no_file_and_cannot_be_added_later(site: Site) -> None:
    with transaction.manager:
        row = StormTalk("talk")
        row.slides = two()
    assert site.files == {}
    assert_cannot_be_added(site, row)
    with transaction.manager:
        row.slides = two()
        get_store("main").add(row)
    assert site.files == {Talk.objects.get().slides: "second"}


@pytest.mark.parametrize("was_added", [False, True])
def test_an_object_whose_upload_was_undone_cannot_be_added(site: Site, was_added: bool) -> None:
    transaction.begin()
    row = talk() if was_added else StormTalk("talk")
    row.slides = two()
    transaction.abort()
    assert_cannot_be_added(site, row)


def assert_cannot_be_added(site: Site, row: StormTalk) -> None:
    assert site.files == {}
    path = site.put("slides/two.pdf", "of somebody else")
    """Nor does it take a file along that has the name by now."""
    with transaction.manager:
        storage = StormTalk.slides
        assert storage is not None
        with pytest.raises(TransactionError, match=r"names 'slides/two\.pdf'.*[Aa]ssign"):
            get_store("main").add(row)
    assert not Talk.objects.exists()
    with transaction.manager:
        row.slides = None
    assert site.files == {"slides/two.pdf": "of somebody else"}
    path.unlink()


@pytest.mark.parametrize("is_forgotten", [False, True])
@pytest.mark.parametrize("begin", [atomic, lambda: transaction.manager])
def test_an_upload_costs_nothing_where_its_row_is_written(site: Site, begin: Any, is_forgotten: bool) -> None:
    asked: list[str] = []

    def note(execute: Any, sql: str, *args: Any) -> Any:
        asked.append(sql)
        return execute(sql, *args)

    with connection.execute_wrapper(note), begin():
        talk()
        if is_forgotten:
            Talk.objects.update(title="changed")
    assert any("files_decision" in sql for sql in asked)
    assert [sql for sql in asked if sql.startswith("SELECT 1")] == []


def test_in_a_storage_that_overwrites_the_last_upload_stays(site: Site) -> None:
    storages["documents"].inner._allow_overwrite = True
    with transaction.manager:
        talk()
    with transaction.manager:
        get_store("main").find(StormTalk).one().slides = ContentFile(b"second", "one.pdf")
    assert site.files == {"slides/one.pdf": "second"}


def test_a_savepoint_can_be_rolled_back_twice(site: Site) -> None:
    with transaction.manager:
        row, store = talk(), get_store("main")
        store.flush()
        savepoint = transaction.savepoint()
        for _ in range(2):
            row.slides = two()
            store.flush()
            savepoint.rollback()
        row.slides = two()
        store.invalidate(row)
    assert site.files == {"slides/one.pdf": "new"}
