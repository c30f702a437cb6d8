"""Migrations over tables that have rows: what was there stays, and what is made of it is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from djintegrate.openid_auth.models import AdoptedIdentity, Nonce, UserOpenID, VerifiedAddress
from djintegrate.openid_auth.people.verified import make_or_leave
from tests.openid_auth.site import BACKENDS

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE, AFTER = ("openid_auth", "0004_adoption"), ("openid_auth", "0005_verified_address")
FULL_NAME = "openid_auth.account_verified"


def migrate(target: tuple[str, str]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate([target])
    return executor.loader.project_state([target]).apps


@pytest.fixture(autouse=True)
def backends(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = BACKENDS


@pytest.fixture
def before() -> Iterator[None]:
    """The tables as they were with the app of before."""
    make_or_leave(connection.alias)
    migrate(BEFORE)
    assert VerifiedAddress._meta.db_table not in connection.introspection.table_names()
    yield
    migrate(AFTER)


def people(**addresses: str) -> dict[str, User]:
    """Given the permission by rows alone: nothing that could remember the address is there yet."""
    permission = Permission.objects.get(content_type__app_label="openid_auth", codename="account_verified")
    found = {name: User.objects.create_user(name, address) for name, address in addresses.items()}
    through = User.user_permissions.through
    through.objects.bulk_create(
        [through(user_id=user.pk, permission_id=permission.pk) for name, user in found.items() if name != "stranger"]
    )
    return found


def addresses() -> dict[str, str]:
    rows = VerifiedAddress.objects.values_list("user__username", "address")
    return dict(rows)


@pytest.mark.usefixtures("before")
class TestTheAddressesOfVerifiedAccounts:
    def test_are_those_that_they_have(self) -> None:
        people(ada="ada@example.com", bruno="", stranger="stranger@example.com", chiara="Chiara@Example.COM")
        migrate(AFTER)
        assert addresses() == {"ada": "ada@example.com", "bruno": "", "chiara": "Chiara@example.com"}
        assert User.objects.get(username="ada").has_perm(FULL_NAME)
        User.objects.filter(username="ada").update(email="ceo@corp.example")
        assert not User.objects.get(username="ada").has_perm(FULL_NAME)
        assert not User.objects.get(username="stranger").has_perm(FULL_NAME)

    def test_are_not_those_of_who_is_verified_by_a_group(self) -> None:
        group = Group.objects.create(name="staff")
        group.permissions.add(Permission.objects.get(codename="account_verified"))
        people(stranger="s@example.com")["stranger"].groups.add(group)
        migrate(AFTER)
        assert addresses() == {}
        assert User.objects.get().has_perm(FULL_NAME)

    def test_are_of_many(self) -> None:
        many = {f"p{number}": f"p{number}@example.com" for number in range(1500)}
        users = User.objects.bulk_create([User(username=name, email=address) for name, address in many.items()])
        permission = Permission.objects.get(codename="account_verified")
        through = User.user_permissions.through
        keys = dict(User.objects.values_list("username", "pk"))
        through.objects.bulk_create(
            [through(user_id=keys[user.username], permission_id=permission.pk) for user in users]
        )
        migrate(AFTER)
        assert addresses() == many

    def test_and_all_else_stays_as_it_was(self) -> None:
        ada = people(ada="ada@example.com")["ada"]
        identity = UserOpenID.objects.create(user=ada, claimed_id="https://op.example/a", display_id="op.example/a")
        AdoptedIdentity.objects.create(digest=identity.digest)
        Nonce.objects.create(server_url="https://op.example/", timestamp=1, salt="x")
        migrate(AFTER)
        kept = UserOpenID.objects.get()
        assert (kept.pk, kept.user_id, kept.claimed_id, kept.digest) == (
            identity.pk, ada.pk, "https://op.example/a", identity.digest
        )  # fmt: skip
        assert (AdoptedIdentity.objects.count(), Nonce.objects.count()) == (1, 1)

    def test_go_back_and_forth(self) -> None:
        people(ada="ada@example.com")
        migrate(AFTER)
        User.objects.update(email="new@example.com")
        migrate(BEFORE)
        migrate(AFTER)
        assert addresses() == {"ada": "new@example.com"}
