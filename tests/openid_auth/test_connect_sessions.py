"""Sessions that OpenID Connect opened: they end here and at the provider, by either's wish, and are checked again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import AsyncClient
from pytest_django.live_server_helper import LiveServer

from djintegrate.openid_auth.models import OpenIDSession, UserOpenID
from djintegrate.openid_auth.people import recheck, sessions
from tests.openid_auth.certified import ADA, BRUNO, Browser, Certified
from tests.openid_auth.live import Visitor as LiveVisitor
from tests.openid_auth.live import form_of
from tests.openid_auth.provider import Provider, hidden_fields
from tests.openid_auth.site import host_of, local, set_up
from tests.openid_auth.test_connect import Person

pytestmark = pytest.mark.django_db
PAGE = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def site(settings: Any, certified: Certified) -> None:
    cache.clear()
    set_up(settings, certified.host)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, sessions.MIDDLEWARE]
    settings.OPENID_PROVIDERS = [certified.register()]
    settings.LOGIN_URL = "openid-login"


class TestSigningOut:
    @pytest.mark.parametrize("prefix", ["/openid", "/aopenid"])
    def test_it_goes_on_to_the_provider_and_comes_back(self, certified: Certified, prefix: str) -> None:
        person = Person(certified)
        person.come()
        assert person.client.get(f"{prefix}/connect/sign-out/").status_code == 405
        response = person.client.post(f"{prefix}/connect/sign-out/")
        assert person.who == "nobody"
        assert not OpenIDSession.objects.exists()
        assert response["Location"].startswith(f"{certified.url}/session/end?")
        page = person.there.go(response["Location"])
        action, fields = form_of(page)
        assert person.there.post(action, {**fields, "logout": "yes"}).startswith("http://testserver/")

    def test_it_ends_here_though_the_provider_is_away(self, certified: Certified, settings: Any) -> None:
        person = Person(certified)
        person.come()
        cache.clear()
        settings.OPENID_FETCH_ALLOWED_HOSTS = []
        assert person.client.post("/openid/connect/sign-out/")["Location"] == "/"
        assert person.who == "nobody"

    def test_who_came_otherwise_stays_on_the_site(self, certified: Certified, settings: Any) -> None:
        person = Person(certified)
        grace = User.objects.create_user("grace")
        for setting, address in (("/bye/", "/bye/"), ("nope", "/"), (None, "/")):
            settings.LOGOUT_REDIRECT_URL = setting
            person.client.force_login(grace, "django.contrib.auth.backends.ModelBackend")
            assert person.client.post("/openid/connect/sign-out/")["Location"] == address
            assert person.who == "nobody"


@pytest.mark.django_db(transaction=True)
class TestProvidersWish:
    """Back-channel logout: the provider calls the site, which is a server of its own here."""

    @pytest.fixture(params=["db", "signed_cookies"])
    def own_server(self, request: Any, site: None, settings: Any) -> Iterator[LiveServer]:
        """A server that starts with the middleware of these tests."""
        settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
        settings.ROOT_URLCONF = "tests.openid_auth.live"
        settings.ALLOWED_HOSTS = ["*"]
        server = LiveServer("localhost")
        yield server
        server.stop()

    def test_who_signs_out_there_is_signed_out_here(
        self, own_server: LiveServer, certified: Certified, settings: Any
    ) -> None:
        settings.OPENID_PROVIDERS = [
            certified.register(
                own_server.url,
                backchannel_logout_uri=f"{own_server.url}/openid/connect/staff/logout/",
                backchannel_logout_session_required=True,
            )
        ]
        visitor = LiveVisitor(own_server.url, certified)  # type: ignore[arg-type]
        there = Browser(certified)
        form = hidden_fields(visitor.fetch("/openid/login/").text) | {"openid_issuer": certified.url}
        visitor.fetch(there.go(visitor.fetch("/openid/login/", form).location))
        elsewhere = LiveVisitor(own_server.url, certified)  # type: ignore[arg-type]
        form = hidden_fields(elsewhere.fetch("/openid/login/").text) | {"openid_issuer": certified.url}
        elsewhere.fetch(Browser(certified).go(elsewhere.fetch("/openid/login/", form).location))
        assert visitor.who()["user"] == elsewhere.who()["user"] == "ada"
        action, fields = form_of(there.go(f"{certified.url}/session/end"))
        there.post(action, {**fields, "logout": "yes"})
        assert visitor.who()["user"] is None
        assert elsewhere.who()["user"] == "ada"


class TestCheckingAgain:
    @pytest.fixture(autouse=True)
    def hourly(self, settings: Any, site: None) -> None:
        settings.OPENID_RECHECK_SECONDS = 3600
        settings.OPENID_PROVIDERS = [{**settings.OPENID_PROVIDERS[0], "trust_groups": True}]
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"sprint-schedulers": "drivers", "site-admins": "organisers"}
        for name in ("drivers", "organisers"):
            Group.objects.create(name=name)

    def old(self, certified: Certified) -> Person:
        person = Person(certified)
        person.come()
        session = person.client.session
        session[recheck.CHECKED] -= 3601
        session.save()
        return person

    def answered(self, person: Person) -> Any:
        begun = person.client.get("/?a=b", headers=PAGE)
        asked = dict(parse_qsl(urlsplit(begun["Location"]).query))
        assert asked["prompt"] == "none"
        return person.client.get(local(person.there.go(begun["Location"])))

    def test_groups_are_mapped_anew_without_a_question(self, certified: Certified) -> None:
        person = self.old(certified)
        certified.is_person(ADA | {"groups": ["site-admins"]})
        assert self.answered(person)["Location"] == "/?a=b"
        assert [group.name for group in person.user.groups.all()] == ["organisers"]
        assert person.client.get("/?a=b", headers=PAGE).status_code == 200

    def test_a_session_of_the_old_protocol_goes_on_with_the_new_one(
        self, certified: Certified, provider: Provider, settings: Any
    ) -> None:
        settings.OPENID_FETCH_ALLOWED_HOSTS = [certified.host, host_of(provider.url)]
        linked, stranger = Person(certified), Person(certified)
        for person, nickname in ((linked, "ada"), (stranger, "bruno")):
            person.sign_in(provider, nickname)
        linked.page = "/openid/identities/add/"
        linked.come()
        certified.is_person(BRUNO)
        for person in (linked, stranger):
            session = person.client.session
            session[recheck.CHECKED] -= 3601
            session.save()
        settings.OPENID_SSO_SERVER_URL = certified.url
        assert self.answered(linked)["Location"] == "/?a=b"
        assert linked.who == "ada"
        other = Person(certified)
        other.come()
        stranger.there = other.there
        assert self.answered(stranger).status_code == 403
        assert stranger.who == "nobody"

    def test_who_is_signed_out_there_is_signed_out_here(self, certified: Certified) -> None:
        person = self.old(certified)
        person.there = Browser(certified)
        assert self.answered(person)["Location"] == "/openid/login/?next=/%3Fa%3Db"
        assert person.who == "nobody"

    def test_somebody_else_there_ends_the_session(self, certified: Certified) -> None:
        person = self.old(certified)
        certified.is_person(BRUNO)
        person.there = Browser(certified)
        other = Person(certified)
        other.there = person.there
        other.come()
        assert self.answered(person).status_code == 403
        assert person.who == "nobody"

    def test_a_provider_that_is_away_ends_no_session(self, certified: Certified, settings: Any) -> None:
        person = self.old(certified)
        cache.clear()
        settings.OPENID_FETCH_ALLOWED_HOSTS = []
        assert person.client.get("/", headers=PAGE).content == b"ada"

    def test_one_that_the_settings_forgot_does(self, certified: Certified, settings: Any) -> None:
        person = self.old(certified)
        settings.OPENID_PROVIDERS = []
        assert person.client.get("/", headers=PAGE)["Location"] == "/openid/login/?next=/"
        assert person.who == "nobody"

    def test_with_asgi_too(self, certified: Certified, settings: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr(recheck, "UNDER_WAY", -1)
        person = self.old(certified)
        client = AsyncClient()
        client.cookies = person.client.cookies
        response = async_to_sync(client.get)("/", headers=PAGE)
        assert dict(parse_qsl(urlsplit(response["Location"]).query))["prompt"] == "none"
        settings.OPENID_PROVIDERS = []
        assert async_to_sync(client.get)("/", headers=PAGE)["Location"] == "/openid/login/?next=/"


class TestAsgi:
    @pytest.fixture(autouse=True)
    def addresses(self, settings: Any, site: None) -> None:
        settings.ROOT_URLCONF = "tests.openid_auth.async_urls"

    def test_a_whole_sign_in(self, certified: Certified) -> None:
        person = Person(certified)
        assert person.come(next="/?here")["Location"] == "/?here"
        assert person.who == "ada"

    def test_an_identity_is_added(self, certified: Certified) -> None:
        person = Person(certified)
        person.come()
        certified.is_person(BRUNO)
        person.page, person.there = "/openid/identities/add/", Browser(certified)
        assert person.come()["Location"] == "/openid/identities/"
        assert {identity.user.username for identity in UserOpenID.objects.all()} == {"ada"}

    def test_failures_are_pages(self, certified: Certified, settings: Any) -> None:
        person = Person(certified)
        assert person.client.get("/openid/connect/staff/complete/?code=x&state=y").status_code == 403
        assert person.client.get("/openid/connect/nobody/complete/?code=x&state=y").status_code == 403
        cache.clear()
        settings.OPENID_FETCH_ALLOWED_HOSTS = []
        assert person.begin_at().status_code == 400
