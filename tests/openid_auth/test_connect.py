"""OpenID Connect with a certified provider: people sign in, link identities, change groups, and sign out."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from joserfc import jwk

from djintegrate.openid_auth import checks
from djintegrate.openid_auth.models import UserOpenID
from tests.openid_auth.certified import ADA, BRUNO, Browser, Certified
from tests.openid_auth.live import form_of
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, host_of, local, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any, certified: Certified) -> None:
    cache.clear()
    set_up(settings, certified.host)
    settings.OPENID_PROVIDERS = [certified.register()]


def found_by_checks() -> list[str]:
    return [message.id for message in checks.check_configuration() if message.id != "openid_auth.W007"]


class Person(Visitor):
    """Somebody with a browser that both the site and the provider know."""

    def __init__(self, provider: Certified, begin: str = "/openid/login/") -> None:
        super().__init__()
        self.provider = provider
        self.there = Browser(provider)
        self.page = begin

    def begin_at(self, **data: str) -> Any:
        return self.client.post(self.page, {"openid_issuer": self.provider.url, **data})

    def come(self, **data: str) -> Any:
        """The response to the provider's answer."""
        begun = self.begin_at(**data)
        assert begun.status_code == 302, begun.content.decode()
        return self.client.get(local(self.there.go(begun["Location"])))


def test_a_person_signs_in_with_what_the_provider_says(certified: Certified) -> None:
    person = Person(certified)
    response = person.come(next="/?here")
    assert (response.status_code, response["Location"]) == (302, "/?here"), response.content.decode()
    user = person.user
    assert (user.username, user.email, user.get_full_name()) == ("ada", "ada@people.example", "Ada Okoye")
    identity = UserOpenID.objects.get()
    assert identity.claimed_id == f"{certified.url} ada-1"
    assert str(identity) == "ada (Staff)"


def test_they_are_the_same_user_the_next_time_and_another_person_is_not(certified: Certified) -> None:
    assert Person(certified).come().status_code == 302
    assert Person(certified).come().status_code == 302
    certified.is_person(BRUNO)
    person = Person(certified)
    person.come()
    assert person.who == "bruno"
    assert sorted(User.objects.values_list("username", flat=True)) == ["ada", "bruno"]


def test_the_button_is_on_the_login_page_and_no_other_issuer_is_asked(certified: Certified) -> None:
    page = Visitor().client.get("/openid/login/").content.decode()
    assert f'name="openid_issuer" value="{certified.url}"' in page
    assert "Sign in with Staff" in page
    assert "openid_identifier" in page
    response = Visitor().client.post("/openid/login/", {"openid_issuer": "https://elsewhere.example"})
    assert response.status_code == 200


def test_the_session_holds_neither_tokens_nor_what_was_begun(certified: Certified) -> None:
    person = Person(certified)
    person.come()
    assert not [name for name, cookie in person.client.cookies.items() if "-openid-" in name and cookie.value]
    assert not [
        value for value in person.client.session.values() if str(value).count(".") == 2 and len(str(value)) > 99
    ]


@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "signed_cookies", "file"])
def test_every_session_backend_will_do(settings: Any, certified: Certified, engine: str, tmp_path: Any) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    person = Person(certified)
    assert person.come().status_code == 302
    assert person.who == "ada"


def test_an_answer_arrives_though_the_cookie_does_not_at_first(settings: Any, certified: Certified) -> None:
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    person = Person(certified)
    answer = local(person.there.go(person.begin_at()["Location"]))
    kept = person.client.cookies.copy()
    person.client.cookies.clear()
    page = person.client.get(answer).content.decode()
    person.client.cookies = kept  # type: ignore[assignment]
    action, fields = form_of(page)
    assert person.client.get(action, fields).status_code == 302
    assert person.who == "ada"


def test_who_says_no_is_told_so(certified: Certified) -> None:
    certified.is_person(None)
    response = Person(certified).come()
    assert response.status_code == 403
    assert "Authentication cancelled" in response.content.decode()
    assert not User.objects.exists()


class TestAuthentication:
    """How the site shows the provider who it is."""

    def come_as(self, settings: Any, certified: Certified, entry: dict[str, Any]) -> str:
        settings.OPENID_PROVIDERS = [entry]
        assert found_by_checks() == []
        person = Person(certified)
        assert person.come().status_code == 302
        return person.who

    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
    def test_by_a_secret(self, settings: Any, certified: Certified, method: str) -> None:
        entry = certified.register(token_endpoint_auth_method=method) | {"auth_method": method}
        # The provider decodes them as the rules have it: of a form, and in a header once more before that.
        assert set(" +:%&=/") <= set(entry["client_secret"])
        assert self.come_as(settings, certified, entry) == "ada"

    def test_not_at_all(self, settings: Any, certified: Certified) -> None:
        entry = certified.register(token_endpoint_auth_method="none") | {"auth_method": "none"}
        assert self.come_as(settings, certified, entry) == "ada"

    @pytest.mark.parametrize(("kind", "algorithm"), [("RSA", "RS256"), ("EC", "ES256")])
    def test_by_a_key(self, settings: Any, certified: Certified, kind: str, algorithm: str) -> None:
        key = jwk.RSAKey.generate_key(2048) if kind == "RSA" else jwk.ECKey.generate_key("P-256")
        public = {**key.as_dict(private=False), "alg": algorithm, "use": "sig", "kid": "ours"}
        entry = certified.register(
            token_endpoint_auth_method="private_key_jwt",
            token_endpoint_auth_signing_alg=algorithm,
            jwks={"keys": [public]},
        )
        entry["private_key"] = key.as_pem(private=True).decode()
        assert self.come_as(settings, certified, entry) == "ada"

    @pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
    def test_the_provider_signs_as_it_likes(self, settings: Any, certified: Certified, algorithm: str) -> None:
        entry = certified.register(id_token_signed_response_alg=algorithm)
        assert self.come_as(settings, certified, entry) == "ada"

    def test_a_secret_is_no_key_to_sign_with(self, settings: Any, certified: Certified) -> None:
        settings.OPENID_PROVIDERS = [certified.register(id_token_signed_response_alg="HS256")]
        assert Person(certified).come().status_code == 403

    def test_a_wrong_secret_is_refused_by_the_provider(self, settings: Any, certified: Certified, caplog: Any) -> None:
        settings.OPENID_PROVIDERS = [certified.register() | {"client_secret": "wrong"}]
        assert Person(certified).come().status_code == 403
        assert "invalid_client" in caplog.text
        assert "wrong" not in caplog.text


def test_keys_may_change_between_sign_ins(certified: Certified) -> None:
    assert Person(certified).come().status_code == 302
    certified.control(rotate=True)
    assert Person(certified).come().status_code == 302


class TestGroups:
    @pytest.fixture(autouse=True)
    def groups(self, settings: Any, site: None) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"sprint-schedulers": "drivers", "site-admins": "organisers"}
        settings.OPENID_LAUNCHPAD_STAFF_TEAMS = ["site-admins"]
        Group.objects.create(name="drivers")
        Group.objects.create(name="organisers")

    def trust(self, settings: Any, **more: Any) -> None:
        settings.OPENID_PROVIDERS = [{**settings.OPENID_PROVIDERS[0], "trust_groups": True, **more}]

    def groups_of(self, person: Person) -> list[str]:
        return sorted(person.user.groups.values_list("name", flat=True))

    def test_an_issuer_has_no_say_in_them(self, certified: Certified) -> None:
        person = Person(certified)
        person.come()
        assert self.groups_of(person) == []

    def test_unless_the_settings_trust_it_and_then_they_follow(self, settings: Any, certified: Certified) -> None:
        self.trust(settings)
        person = Person(certified)
        person.come()
        assert (self.groups_of(person), person.user.is_staff) == (["drivers"], False)
        certified.is_person(ADA | {"groups": ["site-admins", "others"]})
        person.come()
        assert (self.groups_of(person), person.user.is_staff) == (["organisers"], True)

    def test_the_claim_may_have_another_name(self, settings: Any, certified: Certified) -> None:
        self.trust(settings, groups_claim="zoneinfo")
        certified.is_person(ADA | {"zoneinfo": "sprint-schedulers"})
        person = Person(certified)
        person.come()
        assert self.groups_of(person) == ["drivers"]

    def test_who_is_in_no_required_team_stays_outside_and_leaves_nothing(
        self, settings: Any, certified: Certified
    ) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_REQUIRED = ["sprint-schedulers"]
        assert Person(certified).come().status_code == 403
        assert not User.objects.exists()
        self.trust(settings)
        assert Person(certified).come().status_code == 302

    def test_a_listed_address_lets_in_only_if_the_issuer_is_trusted_with_it(
        self, settings: Any, certified: Certified
    ) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_REQUIRED = ["nobody"]
        settings.OPENID_EMAIL_WHITELIST_REGEXP_LIST = [r".*@people\.example"]
        assert Person(certified).come().status_code == 403
        self.trust(settings)
        assert Person(certified).come().status_code == 403
        self.trust(settings, trust_email=True)
        certified.is_person(ADA | {"email_verified": False})
        assert Person(certified).come().status_code == 403
        certified.is_person(ADA)
        assert Person(certified).come().status_code == 302

    def test_a_verified_address_marks_the_account_if_the_issuer_is_trusted_with_it(
        self, settings: Any, certified: Certified
    ) -> None:
        settings.OPENID_UPDATE_DETAILS_FROM_SREG = True
        person = Person(certified)
        person.come()
        assert not person.user.has_perm("openid_auth.account_verified")
        self.trust(settings, trust_email=True)
        person.come()
        assert person.user.has_perm("openid_auth.account_verified")
        certified.is_person(ADA | {"email_verified": "true"})
        person.come()
        assert not person.user.has_perm("openid_auth.account_verified")


class TestOneAccount:
    """OpenID 2.0 and OpenID Connect lead to the same account, by what its owner did or the site's own rule."""

    @pytest.fixture(autouse=True)
    def both(self, settings: Any, site: None, provider: Provider, certified: Certified) -> None:
        settings.OPENID_FETCH_ALLOWED_HOSTS = [certified.host, host_of(provider.url)]

    def test_an_identity_of_the_other_protocol_is_added_and_then_signs_in(
        self, certified: Certified, provider: Provider
    ) -> None:
        person = Person(certified)
        person.sign_in(provider)
        person.page = "/openid/identities/add/"
        assert person.come()["Location"] == "/openid/identities/"
        assert "ada (Staff)" in person.client.get("/openid/identities/").content.decode()
        again = Person(certified)
        again.come()
        assert again.who == "ada"
        back = Visitor()
        back.sign_in(provider)
        assert back.who == "ada"
        assert (User.objects.count(), UserOpenID.objects.count()) == (1, 2)

    def test_it_is_for_who_began_it(self, certified: Certified, provider: Provider) -> None:
        person = Person(certified, "/openid/identities/add/")
        person.sign_in(provider)
        begun = person.begin_at()
        answer = person.there.go(begun["Location"])
        person.client.logout()
        assert person.client.get(local(answer)).status_code == 403
        person.sign_in(provider, "bruno")
        assert person.client.get(local(answer))["Location"] == "/"
        assert UserOpenID.objects.filter(claimed_id__startswith=certified.url).count() == 0

    def test_one_of_somebody_else_is_not_taken_over(self, certified: Certified, provider: Provider) -> None:
        Person(certified).come()
        thief = Person(certified, "/openid/identities/add/")
        thief.sign_in(provider, "bruno")
        assert thief.come().status_code == 403
        assert UserOpenID.objects.get(claimed_id__startswith=certified.url).user.username == "ada"

    def test_an_address_alone_never_links(self, settings: Any, certified: Certified) -> None:
        victim = User.objects.create_user("victim", "ada@people.example")
        settings.OPENID_PROVIDERS = [{**settings.OPENID_PROVIDERS[0], "trust_email": True}]
        person = Person(certified)
        person.come()
        assert person.who == "ada"
        assert not UserOpenID.objects.filter(user=victim).exists()

    def test_the_sites_own_rule_may(self, settings: Any, certified: Certified) -> None:
        known = User.objects.create_user("countess", "ada@people.example")
        settings.OPENID_LINK = link_by_verified_address
        settings.OPENID_CREATE_USERS = False
        assert Person(certified).come().status_code == 403
        settings.OPENID_PROVIDERS = [{**settings.OPENID_PROVIDERS[0], "trust_email": True}]
        person = Person(certified)
        person.come()
        assert person.who == "countess"
        assert UserOpenID.objects.get().user == known
        settings.OPENID_LINK = None
        again = Person(certified)
        again.come()
        assert again.who == "countess"

    def test_a_rule_signs_no_disabled_account_in(self, settings: Any, certified: Certified) -> None:
        User.objects.create_user("countess", "ada@people.example", is_active=False)
        settings.OPENID_LINK = link_by_verified_address
        settings.OPENID_PROVIDERS = [{**settings.OPENID_PROVIDERS[0], "trust_email": True}]
        assert Person(certified).come().status_code == 403
        assert not UserOpenID.objects.exists()


def link_by_verified_address(issuer: str, claims: dict[str, Any]) -> Any:
    return User.objects.filter(email=claims["email"]).first() if claims["email_verified"] else None


class TestSingleSignOn:
    def test_it_may_be_an_issuer(self, settings: Any, certified: Certified) -> None:
        settings.OPENID_SSO_SERVER_URL = certified.url
        person = Person(certified)
        begun = person.client.get("/openid/login/?next=/?here")
        assert begun["Location"].startswith(f"{certified.url}/auth?")
        assert person.client.get(local(person.there.go(begun["Location"])))["Location"] == "/?here"
        assert person.who == "ada"

    def test_and_then_nothing_else_is_asked(self, settings: Any, certified: Certified, provider: Provider) -> None:
        settings.OPENID_SSO_SERVER_URL = certified.url
        other = {"name": "Other", "issuer": "https://other.example.com", "client_id": "x", "client_secret": "y"}
        settings.OPENID_PROVIDERS = [*settings.OPENID_PROVIDERS, other, {"name": "Old", "url": provider.url}]
        for asked in ({"openid_identifier": provider.url}, {"openid_issuer": other["issuer"]}, {}):
            begun = Visitor().client.post("/openid/login/", asked)
            assert begun["Location"].startswith(f"{certified.url}/auth?")
        person = Person(certified)
        person.come()
        page = person.client.get("/openid/identities/").content.decode()
        assert "Add another one of your provider" in page
        assert "other.example.com" not in page

    def test_in_between_both_are_there_and_no_others(
        self, settings: Any, certified: Certified, provider: Provider
    ) -> None:
        settings.OPENID_SSO_SERVER_URL = provider.url
        settings.OPENID_FETCH_ALLOWED_HOSTS = [certified.host, host_of(provider.url)]
        page = Visitor().client.get("/openid/login/").content.decode()
        assert f'name="openid_issuer" value="{certified.url}"' in page
        assert f'name="openid_identifier" value="{provider.url}"' in page
        assert 'type="text"' not in page
        visitor = Visitor()
        visitor.sign_in(provider)
        assert visitor.who == "ada"
        begun = Visitor().client.post("/openid/login/", {"openid_identifier": "https://elsewhere.example/"})
        assert begun["Location"].startswith(provider.endpoint)
        person = Person(certified)
        person.come()
        assert person.who == "ada2"


class TestCost:
    def test_a_sign_in_makes_two_requests_once_the_provider_is_known(self, certified: Certified) -> None:
        Person(certified).come()
        certified.control()
        Person(certified).come()
        by_browser = ("/auth", "/interaction")
        asked = [each for each in certified.control() if not each.split()[1].startswith(by_browser)]
        assert asked == ["POST /token", "GET /me"]

    def test_it_takes_no_more_statements_than_one_by_openid_2(
        self, settings: Any, certified: Certified, provider: Provider
    ) -> None:
        settings.OPENID_FETCH_ALLOWED_HOSTS = [certified.host, host_of(provider.url)]
        settings.OPENID_UPDATE_DETAILS_FROM_SREG = True
        counted = []
        for come in (lambda: Visitor().sign_in(provider), lambda: Person(certified).come()):
            for _ in range(2):
                with CaptureQueriesContext(connection) as statements:
                    assert come().status_code == 302
                counted.append(len(statements))
        first, again, connect_first, connect_again = counted
        assert connect_first <= first
        assert connect_again <= again
