"""Associations and nonces in the database."""

from __future__ import annotations

import time

import pytest
from django.db import connection, transaction
from openid.association import Association as OIDAssociation

from djintegrate.openid_auth.models import Association, Nonce
from djintegrate.openid_auth.store import DjangoOpenIDStore

pytestmark = pytest.mark.django_db
SERVER = "https://provider.example/endpoint"


@pytest.fixture
def store() -> DjangoOpenIDStore:
    return DjangoOpenIDStore()


def made(
    handle: str = "handle", age: int = 0, lifetime: int = 1000, secret: bytes = b"\x00\xffsecret"
) -> OIDAssociation:
    return OIDAssociation(handle, secret, int(time.time()) - age, lifetime, "HMAC-SHA256")


class TestAssociations:
    def test_what_is_stored_comes_back(self, store: DjangoOpenIDStore) -> None:
        association = made()
        store.storeAssociation(SERVER, association)
        assert store.getAssociation(SERVER, "handle") == association
        assert store.getAssociation(SERVER) == association
        assert store.getAssociation(SERVER, "other") is None
        assert store.getAssociation(SERVER + "/") is None

    def test_one_with_the_same_handle_takes_its_place(self, store: DjangoOpenIDStore) -> None:
        store.storeAssociation(SERVER, made())
        store.storeAssociation(SERVER, made(secret=b"another"))
        assert store.getAssociation(SERVER, "handle").secret == b"another"  # type: ignore[union-attr]
        assert Association.objects.count() == 1

    def test_the_newest_is_used(self, store: DjangoOpenIDStore) -> None:
        for handle, age in (("old", 500), ("new", 10), ("middle", 200)):
            store.storeAssociation(SERVER, made(handle, age))
        assert store.getAssociation(SERVER).handle == "new"  # type: ignore[union-attr]

    def test_expired_ones_are_forgotten(self, store: DjangoOpenIDStore) -> None:
        store.storeAssociation(SERVER, made("expired", age=2000))
        assert store.getAssociation(SERVER, "expired") is None
        assert not Association.objects.exists()

    def test_handles_that_differ_in_case_are_not_mixed_up(self, store: DjangoOpenIDStore) -> None:
        store.storeAssociation(SERVER, made("handle"))
        assert store.getAssociation(SERVER, "HANDLE") is None

    def test_no_provider_can_make_one_last_for_ever(self, store: DjangoOpenIDStore) -> None:
        store.storeAssociation(SERVER, made(lifetime=10**12))
        assert Association.objects.get().lifetime == 14 * 24 * 60 * 60

    @pytest.mark.parametrize("bad", [made("h" * 256), made(lifetime=0), made(lifetime=-5)])
    def test_what_cannot_be_kept_is_not(self, store: DjangoOpenIDStore, bad: OIDAssociation) -> None:
        store.storeAssociation(SERVER, bad)
        assert not Association.objects.exists()

    def test_one_may_be_removed(self, store: DjangoOpenIDStore) -> None:
        store.storeAssociation(SERVER, made())
        assert store.removeAssociation(SERVER, "handle")
        assert not store.removeAssociation(SERVER, "handle")


class TestNonces:
    def test_each_is_good_once(self, store: DjangoOpenIDStore) -> None:
        now = int(time.time())
        assert store.useNonce(SERVER, now, "salt")
        assert not store.useNonce(SERVER, now, "salt")
        assert store.useNonce(SERVER, now, "SALT")
        assert store.useNonce(SERVER, now, "salt ")
        assert store.useNonce(SERVER, now - 1, "salt")
        assert store.useNonce("https://other.example/", now, "salt")

    def test_a_refusal_leaves_the_transaction_as_it_was(self, store: DjangoOpenIDStore) -> None:
        now = int(time.time())
        with transaction.atomic():
            assert store.useNonce(SERVER, now, "salt")
            assert not store.useNonce(SERVER, now, "salt")
            assert Nonce.objects.count() == 1
        assert connection.is_usable()

    def test_old_future_and_oversized_ones_are_refused(self, store: DjangoOpenIDStore) -> None:
        now = int(time.time())
        assert not store.useNonce(SERVER, now - 6 * 60 * 60, "salt")
        assert not store.useNonce(SERVER, now + 6 * 60 * 60, "salt")
        assert not store.useNonce(SERVER, now, "s" * 256)
        assert store.useNonce(SERVER, now, "s" * 255)

    def test_clean_up_removes_what_nobody_can_use_any_more(self, store: DjangoOpenIDStore) -> None:
        now = int(time.time())
        for age in (0, 60, 10 * 60 * 60):
            Nonce.objects.create(server_url=SERVER, timestamp=now - age, salt="salt")
        store.storeAssociation(SERVER, made())
        store.storeAssociation(SERVER, made("expired", age=2000))
        assert (store.cleanupNonces(), store.cleanupAssociations()) == (1, 1)
        assert (Nonce.objects.count(), Association.objects.count()) == (2, 1)
