"""`manage.py openid_adopt` on tables as django-openid-auth 0.17 makes them; that app itself is not installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection, models

from djintegrate.openid_auth.auth import OpenIDBackend
from djintegrate.openid_auth.models import Association, Nonce, UserOpenID
from djintegrate.openid_auth.upkeep import adoption
from tests.openid_auth.old_app import NOW, PROVIDER, Old, adopt, after_migrate, refused
from tests.openid_auth.old_app import ada as ada
from tests.openid_auth.old_app import old as old
from tests.support.forks import python
from tests.support.sample_site import uri as uri

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def profile(old: Old) -> Iterator[Any]:
    """A model of the site's own with a foreign key to the old identities."""

    class Profile(models.Model):
        identity = models.ForeignKey(old.models.identity, on_delete=models.CASCADE)

        class Meta:
            apps = old.models.identity._meta.apps
            app_label = "profiles"

    with connection.schema_editor() as editor:
        editor.create_model(Profile)
    yield Profile
    with connection.schema_editor() as editor:
        editor.delete_model(Profile)


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
    report = refused()
    assert f"https://op.example/a belongs to user {ada.pk} there, and to user {bruno.pk} here" in report
    assert "1 identity was left out for you to decide; the old tables keep it." in report
    assert UserOpenID.objects.get().user == bruno
    assert refused(dry_run=True).endswith(report.splitlines()[-1] + "\n")


def test_an_identity_of_nobody_is_a_conflict(old: Old) -> None:
    old.identity(123456, "https://op.example/a")
    assert "belongs to user 123456, who does not exist" in refused()
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
    assert "account_verified: 2 copied" in report
    for user in (ada, bruno):
        assert User.objects.get(pk=user.pk).has_perm("openid_auth.account_verified")
    assert Permission.objects.get(codename="account_verified").pk == permission.pk
    assert "account_verified: 0 copied" in adopt()


def test_two_permissions_become_one_whose_holders_are_those_of_both(old: Old, ada: User) -> None:
    permission = old.permission()
    of = ContentType.objects.get_for_model(UserOpenID)
    ours = Permission.objects.create(codename="account_verified", name="verified", content_type=of)
    bruno, chiara = User.objects.create_user("bruno"), User.objects.create_user("chiara")
    ada.user_permissions.add(permission, ours)
    bruno.user_permissions.add(permission)
    chiara.user_permissions.add(ours)
    adopt()
    left = Permission.objects.get(codename="account_verified")
    assert left.pk == ours.pk
    assert set(left.user_set.all()) == {ada, bruno, chiara}


def test_other_permissions_are_taken_over_and_not_brought_twice(old: Old, ada: User) -> None:
    group = Group.objects.create(name="helpers")
    for model in ("useropenid", "nonce", "association"):
        for permission in old.admin_permissions(model):
            group.permissions.add(permission)
    ada.user_permissions.add(
        Permission.objects.get(content_type__app_label="django_openid_auth", codename="view_nonce")
    )
    assert "other permissions: 13 to copy" in adopt(dry_run=True)
    assert "other permissions: 13 copied" in adopt()
    codenames = {
        f"{verb}_{model}"
        for verb in ("add", "change", "delete", "view")
        for model in ("useropenid", "nonce", "association")
    }
    assert set(group.permissions.values_list("content_type__app_label", "codename")) == {
        ("openid_auth", codename) for codename in codenames
    }
    assert User.objects.get(pk=ada.pk).has_perm("openid_auth.view_nonce")
    assert Permission.objects.filter(codename__in=codenames).count() == len(codenames)
    ada.user_permissions.clear()
    assert "other permissions: 0 copied" in adopt()
    assert not User.objects.get(pk=ada.pk).has_perm("openid_auth.view_nonce")


def test_migrate_makes_no_second_permission_which_the_old_app_would_fail_over(old: Old) -> None:
    permission = old.permission()
    after_migrate()
    assert Permission.objects.get(codename="account_verified") == permission
    permission.delete()
    after_migrate()
    assert Permission.objects.get(codename="account_verified").content_type.app_label == "openid_auth"


def test_a_verified_newcomer_comes_in_before_the_permission_is_here(
    old: Old, ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    old.permission()
    OpenIDBackend()._update_verified(ada, True)
    OpenIDBackend()._update_verified(ada, False)
    assert not ada.user_permissions.exists()
    assert "before openid_adopt has run" in caplog.text


def test_identities_keep_their_keys_and_new_ones_get_others(old: Old, ada: User) -> None:
    for key in (7, 3, 12):
        old.identity(ada.pk, f"https://op.example/{key}", key)
    adopt()
    assert {key: identity.claimed_id for key, identity in UserOpenID.objects.in_bulk().items()} == {
        key: f"https://op.example/{key}" for key in (3, 7, 12)
    }
    assert UserOpenID.objects.create(user=ada, claimed_id="https://op.example/new", display_id="").pk > 12


def test_a_key_that_is_taken_is_not_given_twice(old: Old, ada: User) -> None:
    here = UserOpenID.objects.create(user=ada, claimed_id="https://op.example/here", display_id="")
    for key in range(here.pk - 1, here.pk + 3):
        old.identity(ada.pk, f"https://op.example/{key}", key)
    assert "1 of them got another key" in adopt(batch_size=2)
    kept = {key: identity.claimed_id for key, identity in UserOpenID.objects.in_bulk().items()}
    assert kept.pop(here.pk) == "https://op.example/here"
    for key in (here.pk - 1, here.pk + 1, here.pk + 2):
        assert kept.pop(key) == f"https://op.example/{key}"
    assert list(kept.values()) == [f"https://op.example/{here.pk}"]


def test_nothing_is_written_where_a_reference_would_lead_to_another_identity(old: Old, ada: User, profile: Any) -> None:
    here = UserOpenID.objects.create(user=ada, claimed_id="https://op.example/here", display_id="")
    old.identity(ada.pk, "https://op.example/there", here.pk)
    old.identity(ada.pk, "https://op.example/fine", here.pk + 1)
    for key in (here.pk, here.pk + 1):
        profile(identity_id=key).save()
    with pytest.raises(CommandError, match=f"profiles_profile.identity_id.*\n  {here.pk}: another identity has"):
        adopt()
    assert UserOpenID.objects.get() == here
    UserOpenID.objects.all().delete()
    adopt()
    assert UserOpenID.objects.get(pk=here.pk).claimed_id == "https://op.example/there"


def test_a_reference_to_an_identity_that_keeps_its_key_is_no_hindrance(old: Old, ada: User, profile: Any) -> None:
    here = UserOpenID.objects.create(user=ada, claimed_id="https://op.example/here", display_id="")
    old.identity(ada.pk, "https://op.example/there", here.pk)
    old.identity(ada.pk, "https://op.example/fine", here.pk + 1)
    profile(identity_id=here.pk + 1).save()
    adopt()
    assert UserOpenID.objects.get(pk=here.pk + 1).claimed_id == "https://op.example/fine"


def test_an_identity_that_was_removed_here_does_not_come_back(old: Old, ada: User) -> None:
    UserOpenID.objects.create(user=ada, claimed_id="https://op.example/both", display_id="")
    for key, name in ((500, "both"), (501, "lost")):
        old.identity(ada.pk, f"https://op.example/{name}", key)
    ada.user_permissions.add(old.permission())
    adopt()
    UserOpenID.objects.all().delete()
    old.identity(ada.pk, "https://op.example/new", key=600)
    report = adopt()
    assert "useropenid: 1 copied, 0 here already, 0 expired, 0 in conflict, 2 removed here since" in report
    assert UserOpenID.objects.get().claimed_id == "https://op.example/new"
    assert not User.objects.get(pk=ada.pk).has_perm("openid_auth.account_verified")


def test_what_was_in_conflict_comes_once_that_is_settled(old: Old, ada: User) -> None:
    bruno = User.objects.create_user("bruno")
    here = UserOpenID.objects.create(user=bruno, claimed_id="https://op.example/a", display_id="a")
    old.identity(ada.pk, "https://op.example/a")
    refused()
    here.user = ada
    here.save()
    assert "useropenid: 0 copied, 1 here already, 0 expired, 0 in conflict" in adopt()


def test_what_was_brought_and_then_given_to_somebody_else_is_no_conflict(old: Old, ada: User) -> None:
    old.identity(ada.pk, "https://op.example/a")
    adopt()
    UserOpenID.objects.update(user=User.objects.create_user("bruno"))
    assert "0 in conflict, 1 removed here since" in adopt()


@pytest.mark.parametrize("name", ["openid_adopt", "openid_cleanup", "openid_ways_in"])
def test_before_migrate_a_command_says_to_run_that(old: Old, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [table for table in connection.introspection.table_names() if not table.startswith("openid_auth_")]
    monkeypatch.setattr(connection.introspection, "table_names", lambda *arguments, **options: tables)
    with pytest.raises(CommandError, match=r"Run this first: python manage\.py migrate openid_auth$"):
        call_command(name)


def test_without_the_old_tables_there_is_nothing_to_adopt(transactional_db: None) -> None:
    assert adopt().startswith("There is nothing to adopt: the database 'default' has no table of django-openid-auth")


def test_permissions_are_taken_over_without_the_old_tables(ada: User) -> None:
    of = ContentType.objects.create(app_label="django_openid_auth", model="nonce")
    ada.user_permissions.add(Permission.objects.create(codename="view_nonce", name="view", content_type=of))
    assert "other permissions: 1 copied" in adopt()
    assert User.objects.get(pk=ada.pk).has_perm("openid_auth.view_nonce")
    of.delete()
    assert adopt().startswith("There is nothing to adopt")


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


class TestAWholeMove:
    @pytest.fixture
    def told(self, uri: str) -> Any:
        root = Path(__file__).resolve().parents[2]
        done = python("-W", "ignore", "-m", "tests.openid_auth.moving_site", uri, cwd=root)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    def test_with_a_foreign_key_there_and_back(self, told: Any) -> None:
        people = [[name, name] for name in ("ada", "bruno", "chiara")]
        assert told["too early"].startswith("refused: ") and "migrate openid_auth" in told["too early"]
        assert told["permissions once migrated"] == [["django_openid_auth", ["ada"]]]
        assert "django_openid_auth_useropenid: 3 copied" in told["said"]
        assert told["permissions once adopted"] == [["openid_auth", ["ada"]]]
        assert told["missing migrations"] == "No changes detected\n"
        assert told["profiles"] == people
        assert told["a newcomer's key is new"]
        assert told["permissions once back"] == [["django_openid_auth", ["ada"]]]
        assert told["may view once adopted"] == [["openid_auth", ["bruno"]]]
        assert told["may view once back"] == [["django_openid_auth", ["bruno"]]]
        assert told["old profiles"] == people
        assert told["profiles again"] == people
        assert told["left"] == []
