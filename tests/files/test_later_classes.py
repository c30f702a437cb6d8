"""Classes that are made when the apps are ready: their files go as those of all others do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import transaction
from django.apps import apps
from django.apps.registry import Apps
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection, models
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from storm.locals import Int

from djintegrate.files.storm import StoredFile
from djintegrate.storm_backend import get_store
from tests.apps.documents.models import Document
from tests.apps.documents.storm_models import StormSound
from tests.files.test_deletion import site as site
from tests.support.files import FILES, Site

pytest_plugins = ["tests.support.fixtures"]
pytestmark = FILES

Make = Callable[..., Any]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes a model, which the registry of apps has until the test ends."""
    made: list[Any] = []

    def make(base: type, meta: dict[str, Any], **attributes: Any) -> Any:
        options = type("Meta", (), {"app_label": "documents", **meta})
        name = f"Later{base.__name__}{len(made)}"
        made.append(type(name, (base,), {"__module__": __name__, "Meta": options, **attributes}))
        return made[-1]

    yield make
    for model in made:
        apps.all_models["documents"].pop(model._meta.model_name, None)
    apps.clear_cache()


def replace_and_delete(model: Any, site: Site) -> None:
    folder = model._meta.get_field("file").upload_to
    row = model.objects.create(file=ContentFile(b"one", "one.txt"))
    with transaction.manager:
        row.file = ContentFile(b"two", "two.txt")
        row.save()
    assert list(site.files) == [f"{folder}/two.txt"]
    with transaction.manager:
        model.objects.all().delete()
    assert list(site.files) == []


def test_a_proxy(site: Site, make: Make) -> None:
    replace_and_delete(make(Document, {"proxy": True}), site)


def test_a_proxy_of_a_proxy(site: Site, make: Make) -> None:
    replace_and_delete(make(make(Document, {"proxy": True}), {"proxy": True}), site)


def test_a_concrete_class(site: Site, make: Make) -> None:
    model = make(models.Model, {}, file=models.FileField(upload_to="later", storage=storages["documents"]))
    with connection.schema_editor() as editor:
        editor.create_model(model)
    try:
        replace_and_delete(model, site)
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(model)


def has_receivers(model: Any) -> list[bool]:
    return [signal.has_listeners(model) for signal in (pre_save, post_save, pre_delete, post_delete)]


def test_a_class_without_files_has_no_receivers_and_costs_what_it_did(make: Make) -> None:
    assert has_receivers(make(Document, {"proxy": True})) == [True] * 4
    assert has_receivers(make(models.Model, {}, name=models.TextField())) == [False] * 4


def test_a_class_of_a_migration_has_none(make: Make) -> None:
    # What a migration does to its rows, it does to them alone; and each migration makes all classes anew.
    field = models.FileField(upload_to="later", storage=storages["documents"])
    assert has_receivers(make(models.Model, {"apps": Apps()}, file=field)) == [False] * 4


class TestStorm:
    @pytest.mark.parametrize("remove", ["the object", "what was found"])
    @pytest.mark.parametrize("is_new_class", [True, False])
    def test_a_class_that_is_made_later(self, site: Site, remove: str, is_new_class: bool) -> None:
        if is_new_class:
            later: Any = type(
                "Later",
                (),
                {
                    "__storm_table__": StormSound.__storm_table__,
                    "id": Int(primary=True),
                    "sound": StoredFile(upload_to="sounds", storage="documents"),
                },
            )
        else:
            later = type("LaterSound", (StormSound,), {})
        store = get_store("main")
        with transaction.manager:
            row = store.add(later())
            row.sound = ContentFile(b"one", "one.mp3")
        with transaction.manager:
            row.sound = ContentFile(b"two", "two.mp3")
        assert list(site.files) == ["sounds/two.mp3"]
        with transaction.manager:
            if remove == "the object":
                store.remove(row)
            else:
                store.find(later).remove()
        assert list(site.files) == []
