"""`manage.py openid_adopt` on tables as django-openid-auth 0.17 makes them; that app itself is not installed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection, models

from djintegrate.openid_auth.models import Association, Nonce, UserOpenID
from djintegrate.openid_auth.upkeep import adoption

pytestmark = pytest.mark.django_db(transaction=True)

NOW = int(time.time())
PROVIDER = "https://login.launchpad.net/+openid"


class Old:
    """Writes to the old tables."""

    def __init__(self) -> None:
        self.models = adoption.old_models()

    def identity(self, user_id: int, claimed_id: str) -> None:
        self.models.identity(owner=user_id, claimed_id=claimed_id, display_id=f"shown {claimed_id}").save()

    def nonce(self, salt: str, age: int = 0) -> None:
        self.models.nonce(server_url=PROVIDER, timestamp=NOW - age, salt=salt).save()

    def association(self, handle: str, secret: str = "c2VjcmV0", lifetime: int = 10**6) -> None:
        self.models.association(
            server_url=PROVIDER, handle=handle, secret=secret, issued=NOW - 10, lifetime=lifetime,
            assoc_type="HMAC-SHA1",
        ).save()  # fmt: skip

    def permission(self) -> Permission:
        of = ContentType.objects.create(app_label="django_openid_auth", model="useropenid")
        return Permission.objects.create(codename="account_verified", name="verified", content_type=of)


@pytest.fixture
def old(transactional_db: None) -> Iterator[Old]:
    tables = Old()
    every = [tables.models.identity, tables.models.nonce, tables.models.association]
    with connection.schema_editor() as editor:
        for model in every:
            editor.create_model(model)
    yield tables
    with connection.schema_editor() as editor:
        for model in every:
            editor.delete_model(model)
    ContentType.objects.filter(app_label="django_openid_auth").delete()


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("ada")


def adopt(**options: Any) -> str:
    output = StringIO()
    call_command("openid_adopt", stdout=output, **options)
    return output.getvalue()


def test_identities_nonces_and_associations_are_copied(old: Old, ada: User) -> None:
    old.identity(ada.pk, "https://login.launchpad.net/+id/abc")
    old.identity(ada.pk, "https://login.launchpad.net/+id/ABC")
    old.nonce("salt")
    old.association("handle")
    report = adopt()
    assert sorted(UserOpenID.objects.values_list("user", "claimed_id", "display_id")) == [
        (ada.pk, f"https://login.launchpad.net/+id/{end}", f"shown https://login.launchpad.net/+id/{end}")
        for end in ("ABC", "abc")
    ]
    assert Nonce.objects.values_list("server_url", "timestamp", "salt").get() == (PROVIDER, NOW, "salt")
    copied = Association.objects.get()
    assert (copied.server_url, copied.handle, copied.secret) == (PROVIDER, "handle", "c2VjcmV0")
    assert (copied.issued, copied.lifetime, copied.assoc_type) == (NOW - 10, 10**6, "HMAC-SHA1")
    assert "django_openid_auth_useropenid: 2 copied, 0 here already, 0 expired, 0 in conflict" in report


def test_a_second_run_copies_nothing(old: Old, ada: User) -> None:
    old.identity(ada.pk, "https://op.example/a")
    old.nonce("salt")
    old.association("handle")
    adopt()
    report = adopt()
    for table in ("useropenid", "nonce", "association"):
        assert f"django_openid_auth_{table}: 0 copied, 1 here already" in report
    assert (UserOpenID.objects.count(), Nonce.objects.count(), Association.objects.count()) == (1, 1, 1)


def test_a_dry_run_writes_nothing_and_says_what_it_would(old: Old, ada: User) -> None:
    old.identity(ada.pk, "https://op.example/a")
    old.nonce("salt")
    report = adopt(dry_run=True)
    assert "useropenid: 1 to copy" in report
    assert report.endswith("Nothing was written: --dry-run.\n")
    assert not UserOpenID.objects.exists()
    assert not Nonce.objects.exists()


def test_an_identity_of_somebody_else_is_a_conflict_and_stays_where_it_is(old: Old, ada: User) -> None:
    bruno = User.objects.create_user("bruno")
    UserOpenID.objects.create(user=bruno, claimed_id="https://op.example/a", display_id="a")
    old.identity(ada.pk, "https://op.example/a")
    report = adopt()
    assert f"https://op.example/a belongs to user {ada.pk} there, and to user {bruno.pk} here" in report
    assert "1 were left out" in report
    assert UserOpenID.objects.get().user == bruno


def test_an_identity_of_nobody_is_a_conflict(old: Old) -> None:
    old.identity(123456, "https://op.example/a")
    assert "belongs to user 123456, who does not exist" in adopt()
    assert not UserOpenID.objects.exists()


def test_a_handle_with_another_secret_is_a_conflict(old: Old) -> None:
    old.association("handle", secret="b25l")
    adopt()
    old.models.association.objects.update(secret="dHdv")  # type: ignore[attr-defined]
    assert "has the handle handle here with another secret" in adopt()
    assert Association.objects.get().secret == "b25l"


def test_what_has_expired_is_counted_and_left_behind(old: Old) -> None:
    old.nonce("old", age=10**6)
    old.association("old", lifetime=5)
    report = adopt()
    assert "django_openid_auth_nonce: 0 copied, 0 here already, 1 expired" in report
    assert "django_openid_auth_association: 0 copied, 0 here already, 1 expired" in report


def test_a_nonce_that_the_old_app_kept_twice_comes_once(old: Old) -> None:
    old.nonce("salt")
    old.nonce("salt")
    assert "django_openid_auth_nonce: 1 copied, 1 here already" in adopt()
    assert Nonce.objects.count() == 1


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7])
def test_batches_leave_nothing_out(old: Old, ada: User, batch_size: int) -> None:
    for number in range(6):
        old.identity(ada.pk, f"https://op.example/{number}")
        old.nonce("twice")
    adopt(batch_size=batch_size)
    assert UserOpenID.objects.count() == 6
    assert Nonce.objects.count() == 1


def test_verified_accounts_stay_verified(old: Old, ada: User) -> None:
    permission = old.permission()
    group = Group.objects.create(name="verified")
    bruno = User.objects.create_user("bruno")
    ada.user_permissions.add(permission)
    group.permissions.add(permission)
    bruno.groups.add(group)
    report = adopt()
    assert "account_verified: 2 copied, 0 here already" in report
    for user in (ada, bruno):
        assert User.objects.get(pk=user.pk).has_perm("openid_auth.account_verified")
    assert "account_verified: 0 copied, 2 here already" in adopt()


def test_without_the_old_tables_it_says_so(transactional_db: None) -> None:
    with pytest.raises(CommandError, match="has no table of django-openid-auth"):
        adopt()


def test_the_old_tables_are_as_they_were(old: Old, ada: User) -> None:
    old.identity(ada.pk, "https://op.example/a")
    old.nonce("old", age=10**6)
    adopt()
    assert old.models.identity.objects.count() == 1  # type: ignore[attr-defined]
    assert old.models.nonce.objects.count() == 1  # type: ignore[attr-defined]


def test_the_old_reference_to_a_user_has_the_type_of_the_users_key(monkeypatch: pytest.MonkeyPatch) -> None:
    key = models.UUIDField(primary_key=True)
    monkeypatch.setattr(User._meta, "pk", key)
    assert isinstance(adoption.old_models().identity._meta.get_field("owner"), models.UUIDField)
