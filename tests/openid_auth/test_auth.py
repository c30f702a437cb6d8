"""From a provider's answer to a user: details, names, teams, and who is kept out, as whole sign-ins."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from djintegrate.openid_auth.auth import OpenIDBackend
from djintegrate.openid_auth.models import UserOpenID
from djintegrate.openid_auth.people import membership
from djintegrate.openid_auth.signals import openid_duplicate_username, openid_login_complete, openid_login_failed
from tests.openid_auth.hostile import AX, SREG, Hostile, sent_back
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, host_of, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any, provider: Provider, hostile: Hostile) -> None:
    set_up(settings, host_of(provider.url), hostile.host)
    settings.OPENID_TEAMS_TRUSTED_ENDPOINTS = [provider.endpoint]


def sign_in(provider: Provider, nickname: str = "ada") -> Visitor:
    visitor = Visitor()
    visitor.sign_in(provider, nickname)
    return visitor


def claims(hostile: Hostile, name: str = "mallory", **sreg: str) -> Visitor:
    """Somebody of the hostile provider, with these simple registration values."""
    visitor = Visitor()
    fields = {f"sreg__{key}": value for key, value in sreg.items()}
    answer = hostile.answer(visitor.request(hostile.select), hostile.identity(name), ns__sreg=SREG, **fields)
    visitor.complete(sent_back(hostile.sign(answer)))
    return visitor


class TestDetails:
    @pytest.mark.parametrize("exchange", [True, False])
    def test_a_new_user_has_them(self, provider: Provider, exchange: bool) -> None:
        provider.behave(offers_attribute_exchange=exchange)
        user = sign_in(provider).user
        assert (user.username, user.email) == ("ada", "ada@people.example")
        assert (user.first_name, user.last_name) == ("Ada", "Okoye")
        assert not user.has_usable_password()

    def test_they_are_taken_over_later_only_if_the_setting_says_so(self, settings: Any, provider: Provider) -> None:
        sign_in(provider)
        User.objects.update(email="mine@site.example", first_name="Own")
        assert sign_in(provider).user.email == "mine@site.example"
        settings.OPENID_UPDATE_DETAILS_FROM_SREG = True
        user = sign_in(provider).user
        assert (user.email, user.first_name) == ("ada@people.example", "Ada")

    @pytest.mark.parametrize(
        ("fullname", "expected"),
        [
            ("Ada Okoye", ("Ada", "Okoye")),
            ("Ada", ("", "Ada")),
            ("  Ada  Maria   Okoye ", ("Ada Maria", "Okoye")),
            ("Ada\x00\x07 Okoye\u202e", ("", "")),
            ("Ada\tOkoye\u202e", ("Ada", "Okoye")),
            ("x" * 2000 + " y", ("", "x" * 150)),
        ],
    )
    def test_a_full_name_is_split_and_made_to_fit(
        self, hostile: Hostile, fullname: str, expected: tuple[str, str]
    ) -> None:
        visitor = claims(hostile, fullname=fullname, nickname="m")
        if "\x00" in fullname:
            assert visitor.who == "nobody"
        else:
            assert (visitor.user.first_name, visitor.user.last_name) == expected

    @pytest.mark.parametrize(
        "email", ["nonsense", "a@b", "x" * 300 + "@example.com", "a@example.com\rBcc: b@c.example"]
    )
    def test_what_is_no_address_is_no_address(self, hostile: Hostile, email: str) -> None:
        visitor = claims(hostile, email=email, nickname="m")
        assert visitor.who == "nobody" or visitor.user.email == ""

    def test_the_account_is_verified_by_schemes_that_the_settings_name(self, settings: Any, provider: Provider) -> None:
        settings.OPENID_UPDATE_DETAILS_FROM_SREG = True
        permission = "openid_auth.account_verified"
        assert not sign_in(provider).user.has_perm(permission)
        settings.OPENID_VALID_VERIFICATION_SCHEMES = {provider.endpoint: ["token_via_email"]}
        assert sign_in(provider).user.has_perm(permission)
        assert sign_in(provider).user.has_perm(permission)
        assert sign_in(provider, "bruno").user.has_perm(permission)
        settings.OPENID_VALID_VERIFICATION_SCHEMES = {"http://other.example/": ["token_via_email"], None: ()}
        assert not sign_in(provider).user.has_perm(permission)

    def test_the_verification_goes_with_the_identity(self, settings: Any, provider: Provider) -> None:
        settings.OPENID_VALID_VERIFICATION_SCHEMES = {None: ["token_via_email"]}
        user = sign_in(provider).user
        assert user.user_permissions.count() == 1
        UserOpenID.objects.all().delete()
        assert user.user_permissions.count() == 0

    def test_required_fields_are_required(self, settings: Any, hostile: Hostile, provider: Provider) -> None:
        settings.OPENID_SREG_REQUIRED_FIELDS = ["email", "language"]
        assert claims(hostile, nickname="m", email="m@example.com").who == "nobody"
        assert claims(hostile, nickname="m", email="m@example.com", language="en").who == "m"
        assert settings.OPENID_SREG_REQUIRED_FIELDS == ["email", "language"]
        assert User.objects.count() == 1


class TestUsernames:
    def test_one_that_is_taken_gets_a_number_and_keeps_it(self, settings: Any, provider: Provider) -> None:
        settings.OPENID_UPDATE_DETAILS_FROM_SREG = settings.OPENID_FOLLOW_RENAMES = True
        User.objects.create_user("ada")
        assert sign_in(provider).who == "ada2"
        assert sign_in(provider).who == "ada2"

    def test_without_a_nickname_it_is_a_default(self, hostile: Hostile, settings: Any) -> None:
        assert claims(hostile, "one", email="one@example.com").who == "openiduser"
        assert claims(hostile, "two", email="two@example.com").who == "openiduser2"
        settings.OPENID_USE_EMAIL_FOR_USERNAME = True
        assert claims(hostile, "three", email="th.ree@example.com").who == "threeexamplecom"

    def test_a_rename_is_followed_if_the_setting_says_so(self, settings: Any, provider: Provider) -> None:
        settings.OPENID_UPDATE_DETAILS_FROM_SREG = True
        sign_in(provider)
        provider.rename("ada", "countess")
        assert sign_in(provider, "countess").who == "ada"
        settings.OPENID_FOLLOW_RENAMES = True
        assert sign_in(provider, "countess").who == "countess"
        User.objects.create_user("lovelace")
        provider.rename("countess", "lovelace")
        assert sign_in(provider, "lovelace").who == "lovelace2"
        assert User.objects.count() == 2

    def test_who_sends_no_nickname_keeps_the_name(self, settings: Any, hostile: Hostile) -> None:
        settings.OPENID_UPDATE_DETAILS_FROM_SREG = settings.OPENID_FOLLOW_RENAMES = True
        assert claims(hostile, nickname="m").who == "m"
        assert claims(hostile, email="m@example.com").who == "m"

    def test_strict_ones_refuse_what_is_taken_or_missing(self, settings: Any, hostile: Hostile) -> None:
        settings.OPENID_STRICT_USERNAMES = True
        User.objects.create_user("root")
        assert claims(hostile, nickname="root").who == "nobody"
        assert claims(hostile, email="m@example.com").who == "nobody"
        assert claims(hostile, nickname="m").who == "m"

    def test_who_listens_may_resolve_the_conflict(self, settings: Any, hostile: Hostile) -> None:
        settings.OPENID_STRICT_USERNAMES = True
        User.objects.create_user("root")

        def resolve(sender: Any, username: str, **kwargs: Any) -> None:
            assert sender is get_user_model()
            sender.objects.filter(username=username).update(username="old-root")

        openid_duplicate_username.connect(resolve)
        try:
            assert claims(hostile, nickname="root").who == "root"
        finally:
            openid_duplicate_username.disconnect(resolve)

    def test_a_long_one_is_cut_and_still_gets_its_number(self, hostile: Hostile) -> None:
        first, second = claims(hostile, "one", nickname="n" * 300), claims(hostile, "two", nickname="n" * 300)
        assert first.who == "n" * 150
        assert second.who == "n" * 142 + "2"

    def test_names_that_unicode_writes_twice_are_one(self, hostile: Hostile) -> None:
        assert claims(hostile, "one", nickname="ﬁne").who == "fine"
        assert claims(hostile, "two", nickname="fine").who == "fine2"


class TestTeams:
    @pytest.fixture(autouse=True)
    def mapping(self, settings: Any, site: None) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"sprint-schedulers": "drivers", "sprint-proposers": "speakers"}
        for name in ("drivers", "speakers", "by hand"):
            Group.objects.create(name=name)

    def groups(self, visitor: Visitor) -> list[str]:
        return sorted(visitor.user.groups.values_list("name", flat=True))

    def test_they_become_groups_and_follow_changes(self, provider: Provider) -> None:
        visitor = sign_in(provider)
        assert self.groups(visitor) == ["drivers", "speakers"]
        visitor.user.groups.add(Group.objects.get(name="by hand"))
        provider.put_into("ada", "sprint-proposers")
        assert self.groups(sign_in(provider)) == ["by hand", "speakers"]
        provider.put_into("ada")
        assert self.groups(sign_in(provider)) == ["by hand"]

    def test_a_group_that_does_not_exist_is_left_out_and_said_once(
        self, settings: Any, provider: Provider, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(membership, "_told_of", set())
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING["sprint-schedulers"] = "no such group"
        for _ in range(2):
            assert self.groups(sign_in(provider)) == ["speakers"]
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING |= {"sprint-schedulers": "nor this", "more": "no such group"}
        sign_in(provider)
        said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert [re.findall("'(.*?)'", line) for line in said] == [["no such group"], ["nor this"]]

    def test_a_group_that_was_renamed_is_said(
        self, provider: Provider, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(membership, "_told_of", set())
        sign_in(provider)
        assert "gives people the groups" not in caplog.text
        Group.objects.filter(name="drivers").update(name="pilots")
        assert self.groups(sign_in(provider)) == ["pilots", "speakers"]
        assert "gives people the groups 'drivers', which there are not" in caplog.text

    def test_groups_may_map_themselves(self, settings: Any, provider: Provider) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO = True
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO_BLACKLIST = ["sprint-proposers"]
        for name in ("sprint-schedulers", "sprint-proposers"):
            Group.objects.create(name=name)
        assert self.groups(sign_in(provider)) == ["sprint-schedulers"]

    def test_staff_teams_give_and_take_the_staff_flag(self, settings: Any, provider: Provider) -> None:
        assert not sign_in(provider, "chiara").user.is_staff
        User.objects.update(is_staff=True)
        assert sign_in(provider, "chiara").user.is_staff
        settings.OPENID_LAUNCHPAD_STAFF_TEAMS = ["site-admins"]
        assert sign_in(provider, "chiara").user.is_staff
        provider.put_into("chiara", "sprint-schedulers")
        assert not sign_in(provider, "chiara").user.is_staff

    def test_without_a_required_team_nobody_comes_in_nor_is_left_behind(
        self, settings: Any, provider: Provider
    ) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_REQUIRED = ["sprint-schedulers"]
        assert sign_in(provider, "dmitri").who == "nobody"
        assert not User.objects.exists()
        assert sign_in(provider).who == "ada"

    def test_what_came_with_the_team_goes_with_it(self, settings: Any, provider: Provider) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_REQUIRED = ["sprint-schedulers"]
        user = sign_in(provider).user
        provider.put_into("ada", "sprint-proposers")
        assert sign_in(provider).who == "nobody"
        assert [group.name for group in user.groups.all()] == ["speakers"]

    def test_the_whitelist_lets_in_whole_addresses_from_trusted_providers(
        self, settings: Any, provider: Provider, hostile: Hostile
    ) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_REQUIRED = ["nobody-is-in-this"]
        settings.OPENID_EMAIL_WHITELIST_REGEXP_LIST = [r"dmitri(\+[^@]*)?@people\.example"]
        assert sign_in(provider, "dmitri").who == "dmitri"
        assert sign_in(provider).who == "nobody"
        assert claims(hostile, nickname="m", email="dmitri@people.example").who == "nobody"
        settings.OPENID_EMAIL_WHITELIST_REGEXP_LIST = [r"ada@people"]
        assert sign_in(provider).who == "nobody"

    def test_500_mapped_teams_take_as_many_statements_as_two(self, settings: Any, provider: Provider) -> None:
        user = sign_in(provider).user

        def statements(*teams: str) -> list[str]:
            response = type("Teams", (), {"is_member": list(teams)})
            with CaptureQueriesContext(connection) as captured:
                OpenIDBackend().update_groups_from_teams(user, response)
            return [query["sql"].split()[0] for query in captured]

        # A person joins 499 groups and no more: with Django 5.2 no statement on SQLite has room for 500.
        one, both = ["sprint-schedulers"], ["sprint-schedulers", "sprint-proposers"]
        few = [statements(*one), statements(*both), statements(*both)]
        mapping = {f"team-{number}": f"group-{number}" for number in range(498)}
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING |= mapping
        Group.objects.bulk_create(Group(name=name) for name in mapping.values())
        user.groups.set(Group.objects.exclude(name="by hand"))
        assert [statements(*one), statements(*both, *mapping), statements(*both, *mapping)] == few
        assert user.groups.count() == 500


class OwnBackend(OpenIDBackend):
    """As sites derive from django-openid-auth's: each method that it calls on itself may be another."""

    called: ClassVar[list[str]] = []

    def create_user_from_openid(self, openid_response: Any) -> Any:
        self.called.append("create")
        user = User.objects.create_user("made-here")
        self.associate_openid(user, openid_response)
        return user

    def update_user_details(self, user: Any, details: Any, openid_response: Any) -> None:
        self.called.append("details")

    def get_teams_mapping(self) -> dict[str, str]:
        return {"sprint-schedulers": "by its own mapping"}

    def update_groups_from_teams(self, user: Any, teams_response: Any) -> None:
        self.called.append("groups")
        super().update_groups_from_teams(user, teams_response)

    def update_staff_status_from_teams(self, user: Any, teams_response: Any) -> None:
        self.called.append("staff")


def test_a_backend_of_ones_own_may_replace_each_method(settings: Any, provider: Provider) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.openid_auth.test_auth.OwnBackend"]
    settings.OPENID_UPDATE_DETAILS_FROM_SREG = True
    settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"sprint-schedulers": "by the settings"}
    for name in ("by the settings", "by its own mapping"):
        Group.objects.create(name=name)
    OwnBackend.called.clear()
    visitor = sign_in(provider)
    assert (visitor.who, OwnBackend.called) == ("made-here", ["create", "groups", "staff"])
    assert [group.name for group in visitor.user.groups.all()] == ["by its own mapping"]
    OwnBackend.called.clear()
    assert sign_in(provider).who == "made-here"
    assert OwnBackend.called == ["details", "groups", "staff"]


class TestWhoIsKeptOut:
    def test_strangers_where_no_users_are_made(self, settings: Any, provider: Provider) -> None:
        settings.OPENID_CREATE_USERS = False
        assert sign_in(provider).who == "nobody"
        assert not User.objects.exists()

    def test_disabled_accounts_whose_sessions_end_too(self, provider: Provider) -> None:
        visitor = sign_in(provider)
        User.objects.update(is_active=False, first_name="before")
        assert visitor.who == "nobody"
        assert sign_in(provider).who == "nobody"
        assert User.objects.get().first_name == "before"

    def test_who_has_no_security_key(self, settings: Any, provider: Provider) -> None:
        settings.OPENID_PHYSICAL_MULTIFACTOR_REQUIRED = True
        assert sign_in(provider, "chiara").who == "nobody"
        visitor = Visitor()
        page = visitor.begin(provider.url)
        visitor.complete(provider.decide(page["Location"], "chiara", security_key=True))
        assert visitor.who == "chiara"

    def test_the_backend_takes_nothing_but_a_verified_answer(self) -> None:
        backend = OpenIDBackend()
        assert backend.authenticate(None, username="a", password="b") is None
        assert backend.authenticate(None, openid_response=None) is None
        assert backend.authenticate(None, openid_response=type("Failed", (), {"status": "failure"})()) is None


class TestSignals:
    def test_a_sign_in_is_announced(self, provider: Provider) -> None:
        heard: list[Any] = []

        def hear(sender: Any, request: Any, openid_response: Any, **kwargs: Any) -> None:
            heard.append((sender, request.user.get_username(), openid_response.identity_url))

        openid_login_complete.connect(hear)
        try:
            sign_in(provider)
        finally:
            openid_login_complete.disconnect(hear)
        assert heard == [(UserOpenID, "ada", provider.identity("ada"))]

    def test_and_so_is_a_failure(self, settings: Any, provider: Provider, caplog: Any) -> None:
        settings.OPENID_CREATE_USERS = False
        heard: list[Any] = []

        def hear(sender: Any, request: Any, message: str, openid_response: Any, exception: Any, **kwargs: Any) -> None:
            heard.append((message, openid_response and openid_response.identity_url, exception))

        openid_login_failed.connect(hear)
        try:
            sign_in(provider)
            Visitor().begin("http://127.0.0.1:9/")
        finally:
            openid_login_failed.disconnect(hear)
        assert heard[0] == ("Unknown user", provider.identity("ada"), None)
        assert "127.0.0.1:9" in heard[1][0]
        assert {record.name for record in caplog.records} >= {"djintegrate.openid_auth"}


def test_attributes_of_exchange_come_before_those_of_registration(hostile: Hostile) -> None:
    visitor = Visitor()
    both = {
        "ns__sreg": SREG, "sreg__email": "sreg@example.com", "ns__ax": AX, "ax__mode": "fetch_response",
        "ax__type__e": "http://axschema.org/contact/email", "ax__value__e": "ax@example.com",
        "ax__type__n": "http://axschema.org/namePerson/friendly", "ax__count__n": "2",
        "ax__value__n__1": "first", "ax__value__n__2": "second",
    }  # fmt: skip
    answer = hostile.answer(visitor.request(hostile.select), **both)
    visitor.complete(sent_back(hostile.sign(answer)))
    assert (visitor.who, visitor.user.email) == ("first", "ax@example.com")
