"""What a site or its provider has got wrong is said with the remedy, by a check, an exception or the log."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from djintegrate.openid_auth import checks
from djintegrate.openid_auth.people import sessions
from tests.openid_auth.site import Visitor, set_up
from tests.openid_auth.test_connect_settings import RIGHT, found
from tests.openid_auth.villain import Villain

SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"


class TestTheOrderOfMiddleware:
    def ids(self, settings: Any, *middleware: str) -> list[str]:
        set_up(settings)
        settings.MIDDLEWARE = list(middleware)
        return [each.id for each in checks.check_configuration() if each.id == "openid_auth.E014"]

    def test_a_wrong_one_is_an_error(self, settings: Any) -> None:
        assert self.ids(settings, sessions.MIDDLEWARE, SESSION, AUTH) == ["openid_auth.E014"]
        assert self.ids(settings, SESSION, sessions.MIDDLEWARE, AUTH) == ["openid_auth.E014"]

    def test_a_right_one_is_silent_and_so_is_one_of_others(self, settings: Any) -> None:
        assert self.ids(settings, SESSION, AUTH, sessions.MIDDLEWARE) == []
        assert self.ids(settings, SESSION, AUTH) == []
        assert self.ids(settings, sessions.MIDDLEWARE) == []

    @pytest.mark.django_db
    @pytest.mark.parametrize("order", [[sessions.MIDDLEWARE, SESSION, AUTH], [SESSION, sessions.MIDDLEWARE, AUTH]])
    def test_a_page_says_the_same(self, settings: Any, order: list[str]) -> None:
        set_up(settings)
        settings.MIDDLEWARE = order
        with pytest.raises(ImproperlyConfigured, match=r"OpenIDSessionMiddleware.*after"):
            Client().get("/")


@pytest.mark.parametrize("end", ["/.well-known/openid-configuration", "/realm/.well-known/openid-configuration"])
def test_the_address_of_the_description_is_no_issuer(settings: Any, end: str) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, sessions.MIDDLEWARE]
    set_up(settings)
    [message] = found(settings, {**RIGHT, "issuer": f"https://id.example.com{end}"})
    issuer = f"https://id.example.com{end}".removesuffix("/.well-known/openid-configuration")
    assert (message.id, repr(issuer) in message.hint) == ("openid_auth.E007", True)


@pytest.mark.django_db
class TestAClaimOfGroups:
    @pytest.fixture(autouse=True)
    def mapped(self, settings: Any, villain: Villain) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"a": "authors"}
        settings.OPENID_LAUNCHPAD_STAFF_TEAMS = ["a"]
        Group.objects.create(name="authors")

    def come(self, villain: Villain, **said: Any) -> User:
        villain.says({"sub": "mallory", "preferred_username": "m", **said})
        assert villain.sign_in(Visitor()).status_code == 302
        return User.objects.get()

    @pytest.mark.parametrize("groups", [{"a": True}, 5, True, [["a"]], ["b", 7], [{"name": "a"}], "", ["b" * 256]])
    def test_of_a_wrong_shape_is_said_in_the_log(
        self, villain: Villain, groups: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert self.come(villain, groups=["a"]).is_staff
        assert "claim 'groups'" not in caplog.text
        assert not self.come(villain, groups=groups).is_staff
        assert "claim 'groups'" in caplog.text

    @pytest.mark.parametrize("said", [{}, {"groups": None}, {"groups": []}, {"groups": "a"}, {"groups": ["a", "b"]}])
    def test_of_the_right_shape_is_not(
        self, villain: Villain, said: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        self.come(villain, **said)
        assert "claim 'groups'" not in caplog.text

    def test_of_too_many_is_said_too(self, villain: Villain, caplog: pytest.LogCaptureFixture) -> None:
        assert not self.come(villain, groups=[f"g{number}" for number in range(10_000)] + ["a"]).is_staff
        assert "10000" in caplog.text and "10001" in caplog.text
