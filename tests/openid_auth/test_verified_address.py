"""`account_verified` is for the address that was verified: it does not survive a change of that, however it is made."""

from __future__ import annotations

import asyncio
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.forms import modelform_factory

from djintegrate.openid_auth.models import VerifiedAddress
from tests.openid_auth.hostile import SREG, Hostile, sent_back
from tests.openid_auth.site import BACKENDS, Visitor, host_of, set_up
from tests.openid_auth.villain import Villain

pytestmark = pytest.mark.django_db
PERMISSION = "openid_auth.account_verified"


def is_verified() -> bool:
    return bool(User.objects.get(is_superuser=False).has_perm(PERMISSION))


def by_form(email: str) -> None:
    form = modelform_factory(User, fields=["email"])({"email": email}, instance=User.objects.get(is_superuser=False))
    assert form.is_valid()
    form.save()


def by_update(email: str) -> None:
    User.objects.filter(is_superuser=False).update(email=email)


def by_sql(email: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_user SET email = %s", [email])


def by_the_admin(email: str) -> None:
    user = User.objects.get()
    root = Visitor()
    root.client.force_login(User.objects.create_superuser("root"), BACKENDS[1])
    data = {"username": user.username, "email": email, "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
    kept = [permission.pk for permission in user.user_permissions.all()]
    page = f"/admin/auth/user/{user.pk}/change/"
    saved = root.client.post(page, {**data, "is_active": "on", "user_permissions": kept})
    assert saved.status_code == 302, saved.content


@pytest.fixture
def verified(villain: Villain) -> User:
    villain.says({"sub": "mallory", "preferred_username": "m", "email": "m@evil.example", "email_verified": True})
    assert villain.sign_in().status_code == 302
    user = User.objects.get()
    assert user.has_perm(PERMISSION)
    return user


WAYS = [by_form, by_update, by_sql, by_the_admin]


@pytest.mark.parametrize("change", WAYS)
def test_another_address_is_not_verified(verified: User, settings: Any, change: Any) -> None:
    settings.ROOT_URLCONF = "tests.openid_auth.live" if change is by_the_admin else settings.ROOT_URLCONF
    change("ceo@corp.example")
    assert (User.objects.get(pk=verified.pk).email, is_verified()) == ("ceo@corp.example", False)


def test_nor_is_it_by_a_later_sign_in_that_changes_nothing(verified: User, villain: Villain) -> None:
    by_update("ceo@corp.example")
    assert villain.sign_in().status_code == 302
    assert not is_verified()


def test_the_case_of_a_domain_does_not_matter_and_that_of_a_name_does(verified: User) -> None:
    by_update("m@EVIL.example")
    assert is_verified()
    by_update("M@evil.example")
    assert not is_verified()


def test_a_sign_in_that_takes_the_details_over_verifies_the_address_anew(
    verified: User, villain: Villain, settings: Any
) -> None:
    settings.OPENID_UPDATE_DETAILS_FROM_SREG = True
    by_update("ceo@corp.example")
    assert villain.sign_in().status_code == 302
    assert (User.objects.get().email, is_verified()) == ("m@evil.example", True)
    villain.says({"sub": "mallory", "preferred_username": "m", "email": "n@evil.example", "email_verified": True})
    assert villain.sign_in().status_code == 302
    assert (User.objects.get().email, is_verified()) == ("n@evil.example", True)


class TestByOpenID2:
    @pytest.fixture(autouse=True)
    def trusted(self, hostile: Hostile, settings: Any) -> None:
        set_up(settings, host_of(hostile.endpoint))
        settings.OPENID_VALID_VERIFICATION_SCHEMES = {hostile.endpoint: ["token_via_email"]}
        settings.OPENID_UPDATE_DETAILS_FROM_SREG = True

    def sign_in(self, hostile: Hostile, **said: str) -> None:
        visitor = Visitor()
        attribute = {
            "ns__ax": "http://openid.net/srv/ax/1.0",
            "ax__mode": "fetch_response",
            "ax__type__v": "http://ns.login.ubuntu.com/2013/validation/account",
            "ax__value__v": "token_via_email",
        }
        answer = hostile.answer(visitor.request(hostile.select), ns__sreg=SREG, **attribute, **said)
        assert visitor.complete(sent_back(hostile.sign(answer))).status_code == 302

    def test_it_does_not_survive_a_change_either(self, hostile: Hostile) -> None:
        self.sign_in(hostile, sreg__email="m@evil.example")
        assert is_verified()
        by_update("ceo@corp.example")
        assert not is_verified()

    @pytest.mark.parametrize("said", [{}, {"sreg__email": "a@b"}, {"sreg__email": "x" * 260 + "@evil.example"}])
    def test_nor_is_an_address_verified_that_the_provider_did_not_say(
        self, hostile: Hostile, said: dict[str, str]
    ) -> None:
        self.sign_in(hostile, sreg__email="m@evil.example")
        by_update("ceo@corp.example")
        self.sign_in(hostile, **said)
        assert not is_verified()

    def test_an_account_without_an_address_is_verified_until_it_has_one(self, hostile: Hostile) -> None:
        self.sign_in(hostile)
        assert is_verified()
        by_update("ceo@corp.example")
        assert not is_verified()


class TestByHand:
    @pytest.fixture
    def ada(self, settings: Any) -> User:
        set_up(settings)
        return User.objects.create_user("ada", "ada@example.com")

    @pytest.mark.parametrize("reverse", [False, True])
    def test_it_is_for_the_address_of_that_moment(self, ada: User, reverse: bool) -> None:
        permission = Permission.objects.get(codename="account_verified")
        bruno = User.objects.create_user("bruno", "bruno@example.com", is_superuser=True)
        if reverse:
            permission.user_set.add(ada, bruno)
        else:
            ada.user_permissions.add(permission)
        assert is_verified()
        by_update("ceo@corp.example")
        assert not is_verified()
        ada.user_permissions.remove(permission)
        User.objects.get(pk=ada.pk).user_permissions.add(permission)
        assert is_verified()

    def test_those_that_are_verified_by_now_keep_it_until_their_address_changes(self, ada: User) -> None:
        ada.user_permissions.add(Permission.objects.get(codename="account_verified"))
        VerifiedAddress.objects.all().delete()
        migration = import_module("djintegrate.openid_auth.migrations.0005_verified_address")
        migration.remember_present(apps, SimpleNamespace(connection=connection))
        assert is_verified()
        by_update("ceo@corp.example")
        assert not is_verified()
        # A second time changes nothing.
        migration.remember_present(apps, SimpleNamespace(connection=connection))
        assert not is_verified()


@pytest.mark.django_db(transaction=True)
def test_async_code_is_told_the_same(settings: Any) -> None:
    set_up(settings)
    ada = User.objects.create_user("ada", "ada@example.com")
    if not hasattr(ada, "ahas_perm"):
        pytest.skip("Django 5.2 has it.")
    ada.user_permissions.add(Permission.objects.get_or_create(codename="account_verified")[0])
    assert asyncio.run(ada.ahas_perm(PERMISSION))
    by_update("ceo@corp.example")
    assert not asyncio.run(User.objects.get().ahas_perm(PERMISSION))


def test_the_backend_that_compares_has_to_be_asked_first(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = BACKENDS
    assert "openid_auth.W010" not in [message.id for message in run_checks()]
    settings.AUTHENTICATION_BACKENDS = BACKENDS[::-1]
    assert "openid_auth.W010" in [message.id for message in run_checks()]


def test_the_models_are_those_of_the_migrations() -> None:
    call_command("makemigrations", "openid_auth", check=True, dry_run=True, verbosity=0)
