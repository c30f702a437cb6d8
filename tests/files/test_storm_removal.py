"""The files of Storm objects whose rows go otherwise than by store.remove(): by find().remove(), and by cascades."""

from __future__ import annotations

from typing import Any

import pytest
import transaction
from django.contrib.admin import AdminSite, ModelAdmin
from django.core.files.base import ContentFile
from django.db.models import QuerySet
from django.db.transaction import atomic
from django.test import RequestFactory

from djintegrate.storm_backend import get_store
from tests.apps.documents.models import Folder, Recording, Transcript
from tests.apps.documents.storm_models import StormRecording, StormSound
from tests.files.test_deletion import site as site
from tests.support.files import FILES, Site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES


def sound(name: str, **attributes: Any) -> StormSound:
    row = get_store("main").add(StormSound(**attributes))
    row.sound = ContentFile(b"new", name)
    return row


def delete_in_admin(folders: QuerySet[Folder]) -> None:
    ModelAdmin(Folder, AdminSite()).delete_queryset(RequestFactory().post("/"), folders)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("delete", [lambda rows: rows.get().delete(), QuerySet.delete, delete_in_admin])
@pytest.mark.parametrize("begin", [atomic, lambda: transaction.manager])
def test_the_file_of_an_object_that_a_cascade_removes_goes_after_the_commit(
    site: Site, begin: Any, delete: Any, fails: bool
) -> None:
    with transaction.manager:
        folder, other = Folder.objects.create(name="folder"), Folder.objects.create(name="other")
        for name in ("one.mp3", "two.mp3"):
            sound(name, folder=folder)
        sound("kept.mp3", folder=other)
        sound("without.mp3", folder=folder).sound = None
    get_store("main").reset()
    assert list(site.files) == ["sounds/kept.mp3", "sounds/one.mp3", "sounds/two.mp3"]
    with pytest.raises(Oops) if fails else begin(), begin():
        delete(Folder.objects.filter(name="folder"))
        assert Recording.objects.count() == 1
        assert len(site.files) == 3
        if fails:
            raise Oops
    assert list(site.files) == ["sounds/kept.mp3", *(["sounds/one.mp3", "sounds/two.mp3"] if fails else [])]


def test_where_nothing_is_begun_the_file_goes_at_once(site: Site) -> None:
    with transaction.manager:
        sound("one.mp3", folder=Folder.objects.create(name="folder"))
    Folder.objects.get().delete()
    assert site.files == {}


def test_cascades_of_cascades_count(site: Site) -> None:
    with transaction.manager:
        first = sound("first.mp3", folder=Folder.objects.create(name="folder"))
        transcript = Transcript.objects.create(recording=first, file=ContentFile(b"new", "one.txt"))
        sound("second.mp3", transcript=transcript)
    assert len(site.files) == 3
    with transaction.manager:
        Folder.objects.get().delete()
    assert (site.files, Recording.objects.count()) == ({}, 0)


@pytest.mark.parametrize("by_find", [False, True])
def test_files_go_with_the_storm_object_that_their_rows_point_at(site: Site, by_find: bool) -> None:
    with transaction.manager:
        transcript = Transcript.objects.create(recording=sound("a.mp3"), file=ContentFile(b"new", "one.txt"))
        sound("second.mp3", transcript=transcript)
    with transaction.manager:
        store = get_store("main")
        first = store.find(StormSound, transcript_id=None)
        if by_find:
            first.remove()
        else:
            store.remove(first.one())
    assert site.files == {}


@pytest.mark.parametrize("fails", [False, True])
def test_find_and_remove_takes_the_files_along(site: Site, fails: bool) -> None:
    with transaction.manager:
        for number in range(3):
            sound(f"{number}.mp3")
        sound("same.mp3").sound = "sounds/0.mp3"
    with pytest.raises(Oops) if fails else transaction.manager, transaction.manager:
        store = get_store("main")
        # One that is known, one that has another file by now, and one that another row names.
        known = store.find(StormSound, sound="sounds/1.mp3").one()
        store.find(StormSound, sound="sounds/2.mp3").one().sound = ContentFile(b"new", "three.mp3")
        found = store.find(StormSound, StormSound.id < Recording.objects.get(sound="sounds/0.mp3", id__gt=known.id).id)
        assert found.order_by(StormSound.id).config(distinct=True).remove() == 3
        if fails:
            raise Oops
    left = ["sounds/0.mp3", "sounds/1.mp3", "sounds/2.mp3"] if fails else ["sounds/0.mp3"]
    assert list(site.files) == left


def test_a_class_that_has_not_all_columns_takes_the_files_along(site: Site) -> None:
    with transaction.manager:
        sound("one.mp3")
    with transaction.manager:
        assert get_store("main").find(StormRecording).remove() == 1
    assert site.files == {}


@pytest.mark.parametrize("by_find", [False, True])
def test_a_row_that_names_what_is_outside_of_the_storage_can_be_removed(
    site: Site, by_find: bool, caplog: pytest.LogCaptureFixture
) -> None:
    (site.media.parent / "outside").write_text("not ours")
    with transaction.manager:
        sound("one.mp3").sound = "../outside"
    with transaction.manager:
        found = get_store("main").find(StormSound)
        if by_find:
            found.remove()
        else:
            get_store("main").remove(found.one())
    assert not Recording.objects.exists()
    assert (site.media.parent / "outside").read_text() == "not ours"
    assert "outside" in caplog.text
