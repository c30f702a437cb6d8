"""The sample provider speaks OpenID Connect too: what it says is what this app accepts, for the same people."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client

from djintegrate.openid_auth.models import UserOpenID
from tests.openid_auth.provider import Provider, hidden_fields
from tests.openid_auth.site import Visitor, host_of, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any, provider: Provider) -> None:
    cache.clear()
    set_up(settings, host_of(provider.url))
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.OPENID_PROVIDERS = [
        {
            "name": "Sample", "key": "sample", "issuer": provider.url.rstrip("/"), "client_id": "tests",
            "client_secret": "sample", "scope": "openid email profile groups", "trust_groups": True,
        }
    ]  # fmt: skip


class Person(Visitor):
    def __init__(self, provider: Provider, path: str = "/openid/login/") -> None:
        super().__init__(Client(HTTP_HOST="localhost"))
        self.provider = provider
        self.path = path
        self.cookie = ""

    def ask(self) -> str:
        response = self.client.post(self.path, {"openid_issuer": self.provider.url.rstrip("/")})
        assert response.status_code == 302, response.content.decode()
        return str(response["Location"])

    def decide(self, request: str, nickname: str, *, allow: bool = True, **more: str) -> str:
        status, headers, page = self.provider.fetch(request)
        assert status == 200, page
        fields = hidden_fields(page) | {"person": self.provider.register.read().called(nickname).key, **more}
        fields["allow" if allow else "cancel"] = "1"
        csrf = headers["Set-Cookie"].partition(";")[0]
        status, headers, page = self.provider.fetch(f"{self.provider.url}connect/authorize", fields, csrf)
        assert status == 302, page
        self.cookie = (headers["Set-Cookie"] or "").partition(";")[0]
        return str(headers["Location"])

    def come(self, nickname: str = "ada", **more: Any) -> Any:
        return self.arrive(self.decide(self.ask(), nickname, **more))

    def arrive(self, answer: str) -> Any:
        parts = urlsplit(answer)
        assert parts.netloc == "localhost", answer
        return self.client.get(f"{parts.path}?{parts.query}")


def test_a_person_comes_with_details_and_groups(settings: Any, provider: Provider) -> None:
    settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"sprint-schedulers": "schedulers"}
    Group.objects.create(name="schedulers")
    person = Person(provider)
    response = person.come()
    assert response.status_code == 302, response.content.decode()
    assert (person.user.username, person.user.email) == ("ada", "ada@people.example")
    assert [group.name for group in person.user.groups.all()] == ["schedulers"]


def test_who_came_by_openid_2_links_it_and_keeps_the_account(provider: Provider) -> None:
    person = Person(provider, "/openid/identities/add/")
    begun = person.begin(provider.url)
    answer = provider.decide(begun["Location"], "ada")
    parts = urlsplit(answer.url)
    assert person.client.post(f"{parts.path}?{parts.query}", answer.posted or {}).status_code == 302
    assert person.come()["Location"] == "/openid/identities/"
    again = Person(provider)
    again.come()
    assert again.who == "ada"
    assert (User.objects.count(), UserOpenID.objects.count()) == (1, 2)


def test_who_says_no_does_not_come_in(provider: Provider) -> None:
    response = Person(provider).come(allow=False)
    assert "Authentication cancelled" in response.content.decode()


def test_only_who_has_a_security_key_may_have_used_it(settings: Any, provider: Provider) -> None:
    settings.OPENID_PHYSICAL_MULTIFACTOR_REQUIRED = True
    assert Person(provider).come("ada", security_key="on").status_code == 403
    assert Person(provider).come("chiara").status_code == 403
    assert Person(provider).come("chiara", security_key="on").status_code == 302


def test_a_code_counts_once_and_for_who_has_the_verifier(provider: Provider) -> None:
    person = Person(provider)
    answer = person.decide(person.ask(), "ada")
    code = dict(parse_qsl(urlsplit(answer).query))["code"]
    form = {
        "grant_type": "authorization_code", "code": code, "client_id": "tests", "client_secret": "sample",
        "redirect_uri": "http://localhost/openid/connect/sample/complete/",
    }  # fmt: skip
    for more in ({"client_secret": "wrong"}, {}, {"code_verifier": "x" * 43}, {"client_id": "other"}):
        status, _, page = provider.fetch(f"{provider.url}connect/token", {**form, **more})
        assert status in (400, 401), page
    assert person.arrive(answer).status_code == 302
    assert provider.fetch(f"{provider.url}connect/token", form)[0] == 400


def test_without_a_question_only_who_has_agreed_before(provider: Provider) -> None:
    person = Person(provider)
    asked = person.ask()
    status, headers, _ = provider.fetch(f"{asked}&prompt=none")
    assert (status, "error=login_required" in headers["Location"]) == (302, True)
    person.arrive(person.decide(asked, "ada"))
    status, headers, _ = provider.fetch(f"{person.ask()}&prompt=none", cookie=person.cookie)
    assert status == 302
    assert person.arrive(headers["Location"]).status_code == 302


def test_a_site_elsewhere_is_refused(provider: Provider) -> None:
    asked = Person(provider).ask().replace("localhost", "elsewhere.example")
    assert provider.fetch(asked)[0] == 400


def test_it_tells_who_has_a_token_and_nobody_else(provider: Provider) -> None:
    assert provider.fetch(f"{provider.url}connect/userinfo")[0] == 401
    page = provider.fetch(f"{provider.url}.well-known/openid-configuration")[2]
    assert json.loads(page)["issuer"] == provider.url.rstrip("/")


def test_signing_out_goes_there_and_comes_back(provider: Provider) -> None:
    person = Person(provider)
    person.come()
    away = person.client.post("/openid/connect/sign-out/")["Location"]
    status, headers, _ = provider.fetch(away, cookie=person.cookie)
    assert (status, headers["Location"]) == (302, "http://localhost/")
    elsewhere = provider.fetch(f"{provider.url}connect/end?post_logout_redirect_uri=https://evil.example/")
    assert elsewhere[1]["Location"] == "/"


def test_the_sample_sites_rule_knows_people_by_both_protocols(settings: Any, provider: Provider) -> None:
    settings.OPENID_LINK = "testproject.sprints.linking.same_person"
    ada = User.objects.create_user("ada")
    key = provider.register.read().called("ada").key
    UserOpenID.objects.create(claimed_id=f"{provider.url}+id/{key}", display_id="x", user=ada)
    for nickname in ("ada", "bruno"):
        assert Person(provider).come(nickname).status_code == 302
    assert sorted(User.objects.values_list("username", flat=True)) == ["ada", "bruno"]
    assert ada.useropenid_set.count() == 2
