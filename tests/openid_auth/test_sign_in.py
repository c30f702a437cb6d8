"""Signing in from end to end: the site and the provider talk over real HTTP, the site's sessions are of every kind."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import Group, User

from djintegrate.openid_auth.models import Association, Nonce, UserOpenID
from tests.openid_auth.live import Visitor
from tests.openid_auth.provider import Provider

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visitor(relying_site: str, provider: Provider) -> Visitor:
    return Visitor(relying_site, provider)


SESSIONS = {
    "database": {},
    "signed cookies": {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"},
    "cache": {"SESSION_ENGINE": "django.contrib.sessions.backends.cache"},
    "cached database": {"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"},
}


@pytest.mark.parametrize("sessions", SESSIONS.values(), ids=SESSIONS)
def test_a_person_signs_in_and_out_and_in(visitor: Visitor, settings: Any, sessions: dict[str, str]) -> None:
    for name, value in sessions.items():
        setattr(settings, name, value)
    page = visitor.sign_in("ada")
    assert (page.status, page.location) == (302, "/"), page.text
    assert visitor.who() == {
        "user": "ada", "email": "ada@people.example", "name": "Ada Okoye", "groups": ["drivers", "speakers"],
    }  # fmt: skip
    visitor.log_out()
    visitor.sign_in("ada")
    assert visitor.who()["user"] == "ada"
    assert User.objects.count() == 1
    assert "OPENID" not in str(visitor.fetch("/").text)


def test_ones_own_openid_works_as_the_provider_does(visitor: Visitor) -> None:
    visitor.sign_in("bruno", visitor.provider.identity("bruno"))
    assert visitor.who()["user"] == "bruno"
    assert UserOpenID.objects.get().claimed_id == visitor.provider.identity("bruno")


def test_one_comes_back_to_where_one_wanted_to_go(visitor: Visitor) -> None:
    assert visitor.fetch("/private/").location == "/openid/login/?next=/private/"
    page = visitor.deliver(visitor.decide(visitor.begin(following="/private/")))
    assert page.location == "/private/"


@pytest.mark.parametrize("offers", [True, False], ids=["attribute exchange", "simple registration"])
def test_details_come_by_either_extension(visitor: Visitor, offers: bool) -> None:
    visitor.provider.behave(offers_attribute_exchange=offers)
    visitor.sign_in("chiara")
    assert visitor.who()["email"] == "chiara@people.example"
    assert visitor.who()["name"] == "Chiara Neri"


def test_cancelling_signs_nobody_in(visitor: Visitor) -> None:
    page = visitor.deliver(visitor.decide(visitor.begin(), allow=False))
    assert page.status == 403
    assert "cancelled" in page.text
    assert visitor.who() == {"user": None}


def test_an_address_that_is_no_openid_is_explained(visitor: Visitor) -> None:
    page = visitor.begin(f"{visitor.provider.url}+id/nobody")
    assert page.status == 400
    assert "No OpenID provider could be found" in page.text


@pytest.mark.parametrize("field", ["openid.response_nonce", "openid.sig", "openid.claimed_id", "openid.return_to"])
def test_an_answer_that_was_changed_on_its_way_is_refused(visitor: Visitor, field: str) -> None:
    answer = visitor.decide(visitor.begin())
    changed = answer.fields | {field: changed_a_little(answer.fields[field])}
    page = visitor.fetch(urlsplit(answer.url)._replace(query="").geturl(), changed)
    assert page.status == 403
    assert visitor.who() == {"user": None}
    assert not User.objects.exists()


def test_an_answer_counts_once(visitor: Visitor) -> None:
    answer = visitor.decide(visitor.begin())
    assert visitor.deliver(answer).status == 302
    visitor.log_out()
    assert visitor.deliver(answer).status == 403
    assert visitor.who() == {"user": None}
    assert Nonce.objects.count() == 1


def test_an_association_that_expired_meanwhile_is_no_obstacle_for_the_next_time(visitor: Visitor) -> None:
    answer = visitor.decide(visitor.begin())
    Association.objects.update(issued=time.time() - 10**7)
    # Nobody can check the signature by it any more: the site asks the provider itself, or says no. Never an error.
    assert visitor.deliver(answer).status in (302, 403)
    visitor.cookies.clear()
    visitor.sign_in()
    assert visitor.who()["user"] == "ada"
    assert Association.objects.filter(issued__gt=time.time() - 1000).count() == 1


def test_an_association_that_the_provider_forgot_is_replaced_by_a_direct_check(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.log_out()
    begun = visitor.begin()
    visitor.provider.forget_associations()
    assert visitor.deliver(visitor.decide(begun)).status == 302
    assert visitor.who()["user"] == "ada"
    assert not Association.objects.exists()


def test_a_provider_without_associations_is_asked_directly_each_time(visitor: Visitor) -> None:
    visitor.provider.behave(associates=False)
    begun = visitor.begin()
    assert "openid.assoc_handle" not in dict(parse_qsl(urlsplit(begun.location).query))
    assert visitor.deliver(visitor.decide(begun)).status == 302
    assert visitor.who()["user"] == "ada"
    assert not Association.objects.exists()


def test_a_rename_at_the_provider_is_followed(visitor: Visitor, settings: Any) -> None:
    settings.OPENID_FOLLOW_RENAMES = True
    visitor.sign_in("ada")
    visitor.log_out()
    visitor.provider.rename("ada", "countess")
    visitor.sign_in("countess")
    assert visitor.who()["user"] == "countess"
    assert User.objects.count() == 1


def test_a_rename_is_not_followed_unasked(visitor: Visitor) -> None:
    visitor.sign_in("ada")
    visitor.log_out()
    visitor.provider.rename("ada", "countess")
    visitor.sign_in("countess")
    assert visitor.who()["user"] == "ada"


def test_groups_follow_the_teams_from_one_sign_in_to_the_next(visitor: Visitor) -> None:
    by_hand = Group.objects.create(name="by hand")
    visitor.sign_in("bruno")
    assert visitor.who()["groups"] == ["speakers"]
    User.objects.get().groups.add(by_hand)
    visitor.log_out()
    visitor.provider.put_into("bruno", "sprint-schedulers")
    visitor.sign_in("bruno")
    assert visitor.who()["groups"] == ["by hand", "drivers"]
    visitor.log_out()
    visitor.provider.put_into("bruno")
    visitor.sign_in("bruno")
    assert visitor.who()["groups"] == ["by hand"]


def test_an_answer_by_a_form_arrives_though_the_cookie_does_not_at_first(visitor: Visitor, settings: Any) -> None:
    teams = [f"a-team-with-a-rather-long-name-{number}" for number in range(80)]
    settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = dict.fromkeys(teams, "speakers")
    visitor.provider.put_into("ada", *teams)
    begun = visitor.begin()
    assert begun.status == 200, "a request this long goes by a form"
    answer = visitor.decide(begun)
    assert answer.posted
    assert visitor.deliver(answer).status == 302
    assert visitor.who()["groups"] == ["speakers"]


def test_with_a_single_provider_there_is_nothing_to_choose(visitor: Visitor, settings: Any) -> None:
    settings.OPENID_SSO_SERVER_URL = visitor.provider.url
    begun = visitor.fetch("/openid/login/")
    assert begun.location.startswith(visitor.provider.endpoint)
    assert visitor.deliver(visitor.decide(begun, "bruno")).status == 302
    assert visitor.who()["user"] == "bruno"


def test_a_site_may_ask_for_a_security_key(visitor: Visitor, settings: Any) -> None:
    settings.OPENID_PHYSICAL_MULTIFACTOR_REQUIRED = True
    assert visitor.sign_in("chiara").status == 403
    assert visitor.sign_in("chiara", security_key=True).status == 302
    assert visitor.who()["user"] == "chiara"


def test_a_verified_account_is_marked_as_one(visitor: Visitor, settings: Any) -> None:
    settings.OPENID_VALID_VERIFICATION_SCHEMES = {visitor.provider.endpoint: ("token_via_email",)}
    visitor.sign_in("ada")
    visitor.log_out()
    visitor.sign_in("dmitri")
    for name, verified in (("ada", True), ("dmitri", False)):
        assert User.objects.get(username=name).has_perm("openid_auth.account_verified") is verified


def changed_a_little(value: str) -> str:
    return value[:-2] + ("A" if value[-2] != "A" else "B") + value[-1]
