"""Storages that are no file system: in memory, and S3, by django-storages against a server that speaks S3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage
from django.db.transaction import atomic

from djintegrate.files import TransactionalStorage
from djintegrate.files.core.journal import Journal
from tests.files.test_recovery import recovered
from tests.support.files import FILES, Site
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*FILES, pytest.mark.skipif(os.environ["DB"] != "sqlite", reason="The database makes no difference.")]

BUCKET = "djintegrate-tests"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[dict[str, Any]]:
    boto3 = pytest.importorskip("boto3")
    server_module = pytest.importorskip("moto.server")
    backend = pytest.importorskip("storages.backends.s3")
    # Each session reads the descriptions of S3 anew, which takes longer than most tests.
    session = boto3.Session(aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1")
    server = server_module.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        options = {
            "endpoint_url": f"http://{host}:{port}",
            "access_key": "key",
            "secret_key": "secret",
            "region_name": "us-east-1",
            "addressing_style": "path",
        }
        session.client("s3", endpoint_url=options["endpoint_url"]).create_bucket(Bucket=BUCKET)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(backend.S3Storage, "_create_session", lambda storage: session)
            yield {**options, "bucket_name": BUCKET}
    finally:
        server.stop()


@pytest.fixture
def site(tmp_path: Path, settings: Any, outside: Any) -> Iterator[Site]:
    settings.FILES_JOURNAL = tmp_path / "journal"
    site = Site("default", tmp_path)
    yield site
    site.assert_through()


@pytest.fixture(params=["memory", "s3", "s3 that overwrites"])
def storage(request: pytest.FixtureRequest, site: Site) -> Iterator[TransactionalStorage]:
    if request.param == "memory":
        yield TransactionalStorage(storage=InMemoryStorage(), using=site.alias)
        return
    options = {**request.getfixturevalue("s3_server"), "file_overwrite": request.param != "s3"}
    storage = site.around(BACKEND="storages.backends.s3.S3Storage", OPTIONS=options)
    yield storage
    storage.inner.bucket.objects.all().delete()


def overwrites(storage: TransactionalStorage) -> bool:
    return bool(getattr(storage.inner, "file_overwrite", False))


def names(storage: TransactionalStorage) -> dict[str, bytes]:
    """All that is there, leftovers included."""
    inner = storage.inner
    return {name: inner.open(name).read() for name in inner.listdir("")[1]}


def save(storage: TransactionalStorage, name: str, content: bytes = b"new") -> str:
    return storage.save(name, ContentFile(content))


def test_what_is_saved_is_there_at_once_and_goes_with_the_transaction(storage: TransactionalStorage) -> None:
    with atomic(storage.using):
        save(storage, "one")
        assert storage.open("one").read() == b"new"
        with pytest.raises(Oops), atomic(storage.using):
            save(storage, "two")
            raise Oops
        assert names(storage) == {"one": b"new"}
    with pytest.raises(Oops), atomic(storage.using):
        save(storage, "three")
        raise Oops
    assert names(storage) == {"one": b"new"}


def test_what_is_deleted_goes_after_the_commit(storage: TransactionalStorage) -> None:
    save(storage, "one")
    with pytest.raises(Oops), atomic(storage.using):
        storage.delete("one")
        raise Oops
    with atomic(storage.using):
        storage.delete("one")
        assert not storage.exists("one")
        assert names(storage) == {"one": b"new"}
    assert names(storage) == {}
    storage.delete("nothing")


def test_a_replacement_waits_for_the_commit(storage: TransactionalStorage) -> None:
    save(storage, "one", b"old")
    for fails in (True, False):
        with pytest.raises(Oops) if fails else atomic(storage.using), atomic(storage.using):
            if not overwrites(storage):
                storage.delete("one")
            assert save(storage, "one") == "one"
            assert storage.open("one").read() == b"new"
            assert storage.inner.open("one").read() == b"old"
            assert storage.size("one") == 3
            if fails:
                raise Oops
        assert names(storage) == {"one": b"old" if fails else b"new"}


def test_a_name_that_is_taken_is_changed_where_the_storage_does_so(storage: TransactionalStorage) -> None:
    save(storage, "one", b"old")
    with atomic(storage.using):
        name = save(storage, "one")
    assert (name == "one") is overwrites(storage)
    assert names(storage)[name] == b"new"


def test_a_crash_after_the_commit_is_completed(storage: TransactionalStorage, monkeypatch: Any) -> None:
    save(storage, "deleted")
    save(storage, "replaced", b"old")
    with monkeypatch.context() as patch:
        patch.setattr(storage.inner, "delete", lambda name: (_ for _ in ()).throw(ConnectionError("no network")))
        with atomic(storage.using):
            storage.delete("deleted")
            if not overwrites(storage):
                storage.delete("replaced")
            save(storage, "replaced")
    assert len(names(storage)) == 3
    assert [line.partition(",")[0] for line in recovered()] == ["completed"]
    assert names(storage) == {"replaced": b"new"}


@pytest.mark.parametrize("operation", ["save", "exists", "delete", "open"])
def test_a_storage_that_fails_at_one_of_its_operations(
    storage: TransactionalStorage, monkeypatch: Any, operation: str
) -> None:
    """Before the commit the transaction fails; after it, recovery does what is left to do."""
    save(storage, "deleted")
    save(storage, "replaced", b"old")
    before = names(storage)
    failed = False
    with monkeypatch.context() as patch:
        patch.setattr(storage.inner, operation, lambda *args, **kwargs: (_ for _ in ()).throw(OSError(operation)))
        try:
            with atomic(storage.using):
                storage.delete("deleted")
                if not overwrites(storage):
                    storage.delete("replaced")
                save(storage, "replaced")
                save(storage, "new")
        except OSError:
            failed = True
    recovered()
    assert names(storage) == (before if failed else {"replaced": b"new", "new": b"new"})


def test_the_journal_has_no_secret_in_it(site: Site, s3_server: dict[str, Any], monkeypatch: Any) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(Journal, "_append", lambda self, text: written.append(text))
    storage = site.around(BACKEND="storages.backends.s3.S3Storage", OPTIONS={**s3_server, "secret_key": "very secret"})
    with atomic(site.alias):
        save(storage, "one")
    assert b'"create"' in b"".join(written)
    assert b"very secret" not in b"".join(written)
    storage.delete("one")


class WithNamesOfItsOwn(FileSystemStorage):
    """As some sites have it, so that nobody can guess an address."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        folder, base = os.path.split(name)
        return os.path.join(folder, f"secret-{base}")


class InCapitals(FileSystemStorage):
    """Does something to what is saved."""

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        return super().save(name, ContentFile(content.read().upper()), max_length)


def test_a_file_system_storage_that_finds_names_of_its_own_names_the_file_and_not_its_draft(site: Site) -> None:
    storage = TransactionalStorage(storage=WithNamesOfItsOwn(**site.location), using=site.alias)
    with atomic(using=site.alias):
        assert storage.save("folder/one", ContentFile(b"new")) == "folder/secret-one"
    assert site.files == {"folder/secret-one": "new"}


def test_what_a_file_system_storage_does_in_its_save_is_done(site: Site) -> None:
    storage = TransactionalStorage(storage=InCapitals(**site.location), using=site.alias)
    with atomic(using=site.alias):
        storage.save("one", ContentFile(b"new"))
    assert site.files == {"one": "NEW"}
