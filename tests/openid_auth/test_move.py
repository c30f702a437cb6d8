"""What a site that moves from django-openid-auth is told: by the doctor, and by `openid_adopt --dry-run`."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from openid.fetchers import HTTPFetcher, HTTPResponse

from djintegrate.openid_auth import examination
from djintegrate.openid_auth.models import UserOpenID
from tests.openid_auth.old_app import Old, adopt, ill, refused
from tests.openid_auth.old_app import ada as ada
from tests.openid_auth.old_app import old as old

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.OPENID_PROVIDERS = []


@pytest.fixture
def before_migrate(monkeypatch: pytest.MonkeyPatch) -> None:
    """This app's tables are not found, as where `migrate` has not made them."""
    names = [name for name in connection.introspection.table_names() if not name.startswith("openid_auth_")]
    monkeypatch.setattr(connection.introspection, "table_names", lambda *arguments, **options: names)


def test_the_doctor_knows_what_nobody_has_brought(old: Old, ada: User) -> None:
    old.identity(ada.pk, "https://op.example/a")
    old.permission()
    remedy = "Run, in this order: python manage.py openid_adopt; python manage.py migrate"
    assert ill() == [
        ("1 identity of django-openid-auth cannot sign in here yet.", remedy),
        ("1 permission is still django-openid-auth's.", remedy),
    ]
    adopt()
    assert ill() == []
    assert any("cannot be deleted" in finding.said for finding in examination.examine())
    UserOpenID.objects.all().delete()
    assert ill() == []


def test_the_doctor_knows_who_signed_in_too_early(old: Old, ada: User) -> None:
    bruno = User.objects.create_user("bruno")
    here = UserOpenID.objects.create(user=bruno, claimed_id="https://op.example/a", display_id="a")
    old.identity(ada.pk, "https://op.example/a")
    refused()
    assert [said for said, _ in ill()] == ["1 identity of django-openid-auth signed in another user there than here."]
    here.user = ada
    here.save()
    assert ill() == []


def test_a_dry_run_need_not_wait_for_migrate(old: Old, ada: User, before_migrate: None) -> None:
    old.identity(ada.pk, "https://op.example/a")
    old.nonce("salt")
    old.association("handle")
    report = adopt(dry_run=True)
    for table in ("useropenid", "nonce", "association"):
        assert f"django_openid_auth_{table}: 1 to copy, 0 here already" in report


def test_the_doctor_says_the_order_where_nothing_has_been_done(old: Old, ada: User, before_migrate: None) -> None:
    old.identity(ada.pk, "https://op.example/a")
    manage = "python manage.py"
    assert ill() == [
        (
            "Here are tables of django-openid-auth, and not all of this app.",
            f"Run, in this order: {manage} migrate openid_auth; {manage} openid_adopt; {manage} migrate",
        )
    ]
    # What the doctor says of migrations has the same order.
    assert examination.before_migrate("default") == ["migrate openid_auth", "openid_adopt"]


def test_migrate_waits_for_nothing_else_once_all_is_adopted(old: Old, ada: User) -> None:
    old.identity(ada.pk, "https://op.example/a")
    assert examination.before_migrate("default") == ["openid_adopt"]
    adopt()
    assert examination.before_migrate("default") == []


def test_who_cannot_sign_in_is_said_after_the_old_tables_are_dropped_too(ada: User, settings: Any) -> None:
    bruno, chiara = (User.objects.create_user(name) for name in ("bruno", "chiara"))
    for user, claimed in (
        (ada, "https://op.example/a"),
        (bruno, "https://login.launchpad.net/+id/b"),
        (chiara, "https://op.example/c"),
        (chiara, "https://connect.example 7"),
    ):
        UserOpenID.objects.create(user=user, claimed_id=claimed, display_id=claimed)
    settings.OPENID_SSO_SERVER_URL = "https://login.launchpad.net/"
    assert [said[:43] for said, _ in ill() if "with an identity" in said] == [
        "1 person with an identity at op.example can"
    ]


class Pages(HTTPFetcher):
    """All addresses are of one provider, whatever they are called."""

    def fetch(self, url: str, body: Any = None, headers: Any = None) -> HTTPResponse:
        page = b'<head><link rel="openid2.provider" href="https://login.launchpad.net/+openid"></head>'
        return HTTPResponse(url, 200, {"content-type": "text/html"}, page)


def test_identities_of_the_one_provider_may_be_at_another_address(ada: User, settings: Any) -> None:
    UserOpenID.objects.create(user=ada, claimed_id="https://op.example/a", display_id="a")
    settings.OPENID_SSO_SERVER_URL = "https://login.launchpad.net/"
    assert any("with an identity at op.example" in said for said, _ in ill())
    settings.OPENID_FETCHER = Pages
    assert ill() == []


class TestStaffTeamsWithoutAGroup:
    """The old app did not ask for them, so nobody became staff by them."""

    @pytest.fixture(autouse=True)
    def teams(self, settings: Any, ada: User) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"drivers": "drivers"}
        settings.OPENID_LAUNCHPAD_STAFF_TEAMS = ["drivers", "site-admins"]
        Group.objects.create(name="drivers")
        bruno = User.objects.create_user("bruno", is_staff=True)
        for user in (ada, bruno):
            claimed = f"https://login.launchpad.net/+id/{user}"
            UserOpenID.objects.create(user=user, claimed_id=claimed, display_id=claimed)

    SAID = "Whoever is in the team 'site-admins' becomes staff at the next sign-in. django-openid-auth did not ask"

    def test_during_a_move_who_may_become_staff_is_to_be_decided(self, old: Old) -> None:
        ((said, remedy),) = ill()
        assert said.startswith(self.SAID)
        assert "It may concern 1 person, who are no staff" in said
        assert "OPENID_LAUNCHPAD_STAFF_TEAMS" in remedy

    def test_afterwards_it_is_said_and_all_is_well(self) -> None:
        assert [finding.is_well for finding in examination.examine() if finding.said.startswith(self.SAID)] == [True]

    def test_not_those_that_a_group_stands_for(self, old: Old, settings: Any) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING["site-admins"] = "drivers"
        assert ill() == []
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {}
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING_AUTO = True
        settings.OPENID_LAUNCHPAD_STAFF_TEAMS = ["drivers"]
        assert ill() == []


def test_the_identities_of_nobody_are_named_before_migrate_with_what_removes_them(
    old: Old, ada: User, before_migrate: None
) -> None:
    old.identity(ada.pk, "https://op.example/a")
    old.identity(77777, "https://op.example/gone")
    report = refused(dry_run=True)
    assert "https://op.example/gone belongs to user 77777, who does not exist" in report
    delete = re.search("DELETE FROM [^;]+;", report)
    assert delete
    assert delete[0] in ill()[0][1]
    with connection.cursor() as cursor:
        cursor.execute(delete[0])
    assert "useropenid: 1 to copy, 0 here already, 0 expired, 0 in conflict" in adopt(dry_run=True)
    assert len(ill()) == 1


class TestTeams:
    """People whose provider has no say in teams here lose what teams gave them: the doctor knows before they do."""

    SAID = "1 person with an identity at op.example, which is not trusted with teams, will lose"

    @pytest.fixture(autouse=True)
    def teams(self, settings: Any) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"team": "drivers"}
        settings.OPENID_LAUNCHPAD_STAFF_TEAMS = ["team"]

    def said(self) -> list[str]:
        return [said[: len(self.SAID)] for said, _ in ill()]

    def of_people(self) -> list[tuple[str, str]]:
        """Without what is said of a provider that cannot be reached from here."""
        return [(said, remedy) for said, remedy in ill() if "with an identity" in said]

    @pytest.fixture
    def people(self, old: Old) -> dict[str, User]:
        Group.objects.create(name="drivers")
        found = {name: User.objects.create_user(name) for name in ("ada", "bruno", "chiara")}
        for name, host in (("ada", "op.example"), ("bruno", "op.example"), ("chiara", "login.launchpad.net")):
            old.identity(found[name].pk, f"https://{host}/{name}")
        adopt()
        return found

    def test_those_with_a_mapped_group(self, people: dict[str, User]) -> None:
        assert self.said() == []
        drivers = Group.objects.get(name="drivers")
        for name in ("ada", "chiara"):
            people[name].groups.add(drivers)
        assert self.said() == [self.SAID]

    def test_those_who_are_staff(self, people: dict[str, User], settings: Any) -> None:
        User.objects.filter(username__in=("bruno", "chiara")).update(is_staff=True)
        assert self.said() == [self.SAID]
        settings.OPENID_LAUNCHPAD_STAFF_TEAMS = None
        assert self.said() == []

    def test_nor_those_whom_nothing_lets_in(self, people: dict[str, User], settings: Any) -> None:
        """OPENID_SSO_SERVER_URL is the only way in, and trust in teams would not change that."""
        User.objects.filter(username__in=("bruno", "chiara")).update(is_staff=True)
        settings.OPENID_SSO_SERVER_URL = "https://login.launchpad.net/+openid"
        (said, remedy), *_ = self.of_people()
        assert said == (
            "2 people with an identity at op.example cannot sign in with it: OPENID_SSO_SERVER_URL lets nobody sign in "
            "from elsewhere than https://login.launchpad.net/+openid."
        )
        assert "Give them an identity there" in remedy
        settings.OPENID_TEAMS_TRUSTED_ENDPOINTS = ["https://elsewhere.example/"]
        assert len(self.of_people()) == 2  # the teams of the only provider are not trusted either

    def test_not_those_of_a_provider_that_is_trusted(self, people: dict[str, User], settings: Any) -> None:
        User.objects.filter(username="bruno").update(is_staff=True)
        settings.OPENID_TEAMS_TRUSTED_ENDPOINTS = ["https://login.op.example/openid"]
        assert self.said() == []

    def test_not_those_who_have_another_identity_at_one(self, people: dict[str, User], old: Old) -> None:
        User.objects.filter(username="bruno").update(is_staff=True)
        old.identity(people["bruno"].pk, "https://launchpad.net/~bruno")
        adopt()
        assert self.said() == []
