"""What a hostile provider and a hostile page try, each over real HTTP, and what comes of it: nothing."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection, connections
from django.test import Client

from djintegrate.openid_auth.models import Association, Nonce, UserOpenID
from djintegrate.openid_auth.site import begun
from djintegrate.openid_auth.site.begun import cookie_of
from tests.openid_auth.hostile import SREG, TEAMS, Hostile, sent_back
from tests.openid_auth.provider import Answer, Provider
from tests.openid_auth.site import Visitor, fields_of, host_of, local, refused, set_up, with_changes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any, provider: Provider, hostile: Hostile) -> None:
    set_up(settings, host_of(provider.url), hostile.host)


class TestReplay:
    def test_an_answer_is_accepted_once(self, provider: Provider) -> None:
        visitor = Visitor()
        answer = provider.decide(visitor.begin(provider.url)["Location"])
        assert visitor.complete(answer).status_code == 302
        key = visitor.client.session.session_key
        assert visitor.complete(answer)["Location"] == "/"
        assert visitor.client.session.session_key == key
        visitor.client.logout()
        visitor.complete(answer)
        assert visitor.who == "nobody"

    def test_another_browser_cannot_use_it_even_with_a_sign_in_of_its_own(self, provider: Provider) -> None:
        victim, thief = Visitor(), Visitor()
        answer = provider.decide(victim.begin(provider.url)["Location"])
        thief.begin(provider.url)
        assert refused(thief.complete(answer))
        token = next(iter(thief.begun)).removeprefix(cookie_of(""))
        assert refused(thief.complete(with_changes(sent_back(answer.fields), openid_state=token)))

    def test_a_nonce_out_of_its_time_is_refused(self, hostile: Hostile) -> None:
        for nonce in ("2001-01-01T00:00:00Zold", "2999-01-01T00:00:00Znew", "yesterday", ""):
            visitor = Visitor()
            answer = hostile.answer(visitor.request(hostile.select), response_nonce=nonce)
            assert refused(visitor.complete(sent_back(hostile.sign(answer))))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sessions", ["db", "signed_cookies"])
def test_of_32_simultaneous_replays_exactly_one_signs_in(settings: Any, provider: Provider, sessions: str) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{sessions}"
    if connection.vendor == "sqlite":
        # SQLite would refuse a lock at once to who has read before; here everybody is to get as far as the nonce.
        settings.MIDDLEWARE = settings.MIDDLEWARE[1:]
    visitor = Visitor()
    answer = provider.decide(visitor.begin(provider.url)["Location"])
    cookies = visitor.client.cookies
    barrier = threading.Barrier(32)
    outcomes: list[int] = []

    def replay() -> None:
        client = Client(raise_request_exception=False)
        client.cookies = cookies.copy()  # type: ignore[assignment]
        barrier.wait()
        try:
            outcomes.append(client.get(local(sent_back(answer.fields))).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=replay) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(302) == 1, outcomes
    assert Nonce.objects.count() == 1
    assert get_user_model().objects.count() == 1
    assert set(outcomes) <= {302, 403, 400}


@pytest.mark.django_db(transaction=True)
def test_first_sign_ins_of_one_person_at_the_same_time_make_one_user(settings: Any, provider: Provider) -> None:
    if connection.vendor == "sqlite":
        settings.MIDDLEWARE = settings.MIDDLEWARE[1:]
    visitors = [Visitor() for _ in range(6)]
    answers = [sent_back(provider.decide(visitor.begin(provider.url)["Location"]).fields) for visitor in visitors]
    barrier = threading.Barrier(len(visitors))
    outcomes: list[int] = []

    def arrive(visitor: Visitor, answer: str) -> None:
        barrier.wait()
        try:
            outcomes.append(visitor.complete(answer).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=arrive, args=pair) for pair in zip(visitors, answers, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [302] * len(visitors)
    assert UserOpenID.objects.count() == get_user_model().objects.count() == 1


class TestTeams:
    @pytest.fixture(autouse=True)
    def mapping(self, settings: Any, site: None) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"site-admins": "admins"}
        settings.OPENID_LAUNCHPAD_STAFF_TEAMS = ["site-admins"]
        Group.objects.create(name="admins")

    def claim(self, hostile: Hostile, **fields: str) -> Visitor:
        visitor = Visitor()
        answer = hostile.answer(visitor.request(hostile.select), **(fields or claims()))
        assert visitor.complete(sent_back(hostile.sign(answer))).status_code == 302
        return visitor

    def test_a_stranger_provider_has_no_say_in_teams(self, hostile: Hostile) -> None:
        user = self.claim(hostile).user
        assert not user.is_staff
        assert not user.groups.exists()

    def test_what_teams_gave_is_taken_away_by_a_sign_in_at_one_and_the_log_says_so(
        self, hostile: Hostile, caplog: pytest.LogCaptureFixture
    ) -> None:
        user = self.claim(hostile).user
        assert "trusted with teams" not in caplog.text
        user.groups.add(Group.objects.get(name="admins"))
        get_user_model().objects.update(is_staff=True)
        for _again in range(2):
            self.claim(hostile)
        told = [record.getMessage() for record in caplog.records if "trusted with teams" in record.getMessage()]
        end = f"{hostile.endpoint!r} is not trusted with teams. If it should be, OPENID_TEAMS_TRUSTED_ENDPOINTS is to"
        assert [line[: line.index(end)] for line in told] == [
            f"User {user.pk} has lost what teams give, {what}: " for what in ("admins", "staff")
        ]
        user.refresh_from_db()
        assert not user.is_staff and not user.groups.exists()

    def test_one_that_the_settings_trust_has(self, settings: Any, hostile: Hostile) -> None:
        settings.OPENID_TEAMS_TRUSTED_ENDPOINTS = [hostile.endpoint]
        user = self.claim(hostile).user
        assert user.is_staff
        assert [group.name for group in user.groups.all()] == ["admins"]

    @pytest.mark.parametrize("trusted", [[], ["https://login.launchpad.net/+openid"]])
    def test_nor_has_it_where_the_settings_name_others(
        self, settings: Any, hostile: Hostile, trusted: list[str]
    ) -> None:
        settings.OPENID_TEAMS_TRUSTED_ENDPOINTS = trusted
        assert not self.claim(hostile).user.is_staff

    def test_nor_can_it_let_somebody_into_a_site_for_a_team(self, settings: Any, hostile: Hostile) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_REQUIRED = ["site-admins"]
        settings.OPENID_EMAIL_WHITELIST_REGEXP_LIST = [r".*@people\.example"]
        visitor = Visitor()
        claimed = claims() | {"ns__sreg": SREG, "sreg__email": "chiara@people.example"}
        answer = hostile.answer(visitor.request(hostile.select), **claimed)
        assert refused(visitor.complete(sent_back(hostile.sign(answer))))

    def test_unsigned_teams_do_not_count_even_from_a_trusted_provider(self, settings: Any, hostile: Hostile) -> None:
        settings.OPENID_TEAMS_TRUSTED_ENDPOINTS = [hostile.endpoint]
        visitor = Visitor()
        answer = hostile.sign(hostile.answer(visitor.request(hostile.select)))
        response = visitor.complete(sent_back(answer | {"openid.ns.lp": TEAMS, "openid.lp.is_member": "site-admins"}))
        assert response.status_code == 302
        assert not visitor.user.is_staff

    def test_teams_whose_namespace_is_unsigned_do_not_count(self, settings: Any, hostile: Hostile) -> None:
        """Signed values of one extension must not become those of another on the way."""
        settings.OPENID_TEAMS_TRUSTED_ENDPOINTS = [hostile.endpoint]
        visitor = Visitor()
        answer = hostile.answer(
            visitor.request(hostile.select), ns__x="http://harmless.example/", x__is_member="site-admins"
        )
        names = [name[7:] for name in answer if name not in ("openid.mode", "openid.ns.x")]
        answer = hostile.sign(answer, names) | {"openid.ns.x": TEAMS}
        assert visitor.complete(sent_back(answer)).status_code == 302
        assert not visitor.user.is_staff


class TestSomebodyElsesIdentity:
    def test_a_provider_cannot_vouch_for_anothers_people(self, hostile: Hostile, provider: Provider) -> None:
        visitor = Visitor()
        answer = hostile.answer(visitor.request(hostile.select), provider.identity("ada"))
        assert refused(visitor.complete(sent_back(hostile.sign(answer))))

    def test_nor_sign_in_the_others_name(self, hostile: Hostile, provider: Provider) -> None:
        visitor = Visitor()
        request = visitor.request(hostile.select)
        for op_endpoint in (provider.endpoint, hostile.endpoint + "?", hostile.endpoint + "/../endpoint"):
            answer = hostile.answer(request, provider.identity("ada"), op_endpoint=op_endpoint)
            assert refused(visitor.complete(sent_back(hostile.sign(answer))))

    def test_nor_answer_a_request_that_went_to_the_other(self, hostile: Hostile, provider: Provider) -> None:
        own = Visitor().request(hostile.select)
        for op_endpoint in (provider.endpoint, hostile.endpoint):
            for handle in (own["openid.assoc_handle"], None):
                visitor = Visitor()
                request = visitor.request(provider.url)
                if handle:
                    request["openid.assoc_handle"] = handle
                answer = hostile.answer(request, provider.identity("ada"), op_endpoint=op_endpoint)
                assert refused(visitor.complete(sent_back(hostile.sign(answer))))

    def test_an_identity_that_says_it_delegates_is_asked_where_it_points(
        self, hostile: Hostile, provider: Provider
    ) -> None:
        """mallory's page may name ada's provider, but then it is ada's provider that has to agree."""
        page = f'<head><link rel="openid2.provider" href="{provider.endpoint}">'
        page += f'<link rel="openid2.local_id" href="{provider.identity("ada")}"></head>'
        url = hostile.serve("delegates", page, Content_Type="text/html")
        visitor = Visitor()
        request = visitor.request(url)
        answer = hostile.answer(request, url, identity=provider.identity("ada"))
        assert refused(visitor.complete(sent_back(hostile.sign(answer))))

    def test_identities_that_differ_in_case_are_different(self, hostile: Hostile) -> None:
        for name in ("Mallory", "mallory", "MALLORY"):
            visitor = Visitor()
            answer = hostile.answer(visitor.request(hostile.select), hostile.identity(name))
            assert visitor.complete(sent_back(hostile.sign(answer))).status_code == 302
        assert UserOpenID.objects.values("user").distinct().count() == 3

    def test_an_answer_without_an_identity_signs_nobody_in(self, hostile: Hostile) -> None:
        visitor = Visitor()
        answer = hostile.answer(visitor.request(hostile.select))
        del answer["openid.claimed_id"], answer["openid.identity"]
        assert refused(visitor.complete(sent_back(hostile.sign(answer))))


class TestUnsolicited:
    def test_an_answer_that_nobody_asked_for_is_refused(self, hostile: Hostile, provider: Provider) -> None:
        request = {"openid.return_to": "http://testserver/openid/complete/"}
        assert refused(Visitor().complete(sent_back(hostile.sign(hostile.answer(request)))))

    def test_unless_the_settings_allow_it(self, settings: Any, hostile: Hostile) -> None:
        settings.OPENID_ALLOW_UNSOLICITED = True
        visitor = Visitor()
        request = {"openid.return_to": "http://testserver/openid/complete/"}
        answer = sent_back(hostile.sign(hostile.answer(request)))
        assert refused(visitor.complete(answer))
        Visitor().begin(hostile.select)  # A provider is asked only once this site has dealt with it.
        assert visitor.complete(answer).status_code == 302
        assert visitor.complete(answer).status_code == 403

    def test_a_victim_cannot_be_signed_in_as_the_attacker(self, provider: Provider) -> None:
        """Login CSRF: the attacker's own good answer, in the victim's browser, which may be about to sign in too."""
        attacker, victim = Visitor(), Visitor()
        answer = provider.decide(attacker.begin(provider.url)["Location"], "bruno")
        victim.begin(provider.url)
        assert refused(victim.complete(answer))
        assert victim.who == "nobody"

    def test_nor_by_a_provider_that_fetches_the_answer_elsewhere(self, hostile: Hostile, provider: Provider) -> None:
        """It knows the victim's address to return to, and has the attacker's own provider sign that."""
        victim = Visitor()
        request = victim.request(hostile.select)
        elsewhere = {name: request[name] for name in request if name != "openid.assoc_handle"}
        answer = provider.decide(f"{provider.endpoint}?{urlencode(elsewhere)}", "bruno")
        assert answer.fields["openid.return_to"] == request["openid.return_to"]
        assert refused(victim.complete(sent_back(answer.fields)))

    @pytest.mark.parametrize("mode", ["error", "cancel", "setup_needed", "Call 555-1234"])
    def test_a_page_shows_nothing_that_is_only_in_its_address(self, mode: str) -> None:
        crafted = {
            "openid.mode": mode,
            "openid.error": "Call 555-1234",
            "openid.ns": "http://specs.openid.net/auth/2.0",
        }
        response = Visitor().client.get("/openid/complete/", crafted)
        assert refused(response)
        assert "555-1234" not in response.content.decode()

    @pytest.mark.parametrize("garbage", ["", "x", "a:b:c", ":", ".x:y:z"])
    def test_a_cookie_with_garbage_is_like_none(self, provider: Provider, garbage: str) -> None:
        visitor = Visitor()
        answer = provider.decide(visitor.begin(provider.url)["Location"])
        visitor.keep({**dict.fromkeys(visitor.begun, garbage), cookie_of("x"): garbage})
        assert refused(visitor.complete(with_changes(sent_back(answer.fields), openid_state="x")))
        assert refused(visitor.complete(answer))

    def test_an_old_sign_in_is_forgotten(self, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
        visitor = Visitor()
        answer = provider.decide(visitor.begin(provider.url)["Location"])
        monkeypatch.setattr(begun, "MAX_AGE", -1)
        assert refused(visitor.complete(answer))


class TestSingleSignOn:
    def test_an_answer_from_elsewhere_is_refused(self, settings: Any, hostile: Hostile, provider: Provider) -> None:
        visitor = Visitor()
        request = visitor.request(hostile.select)
        settings.OPENID_SSO_SERVER_URL = provider.url
        assert refused(visitor.complete(sent_back(hostile.sign(hostile.answer(request)))))

    def test_an_unsolicited_one_too(self, settings: Any, hostile: Hostile, provider: Provider) -> None:
        settings.OPENID_SSO_SERVER_URL = provider.url
        settings.OPENID_ALLOW_UNSOLICITED = True
        request = {"openid.return_to": "http://testserver/openid/complete/"}
        assert refused(Visitor().complete(sent_back(hostile.sign(hostile.answer(request)))))

    def test_a_posted_identifier_is_not_even_looked_at(
        self, settings: Any, hostile: Hostile, provider: Provider
    ) -> None:
        settings.OPENID_SSO_SERVER_URL = provider.url
        response = Visitor().begin(hostile.select)
        assert response["Location"].startswith(provider.endpoint)
        assert hostile.hits() == []

    def test_its_own_people_come_in_with_their_teams(self, settings: Any, provider: Provider) -> None:
        settings.OPENID_SSO_SERVER_URL = provider.url
        settings.OPENID_LAUNCHPAD_STAFF_TEAMS = ["site-admins"]
        visitor = Visitor()
        visitor.sign_in(provider, "chiara")
        assert visitor.user.is_staff


class TestAssociations:
    def test_one_that_has_expired_is_of_no_use(self, provider: Provider) -> None:
        visitor = Visitor()
        answer = provider.decide(visitor.begin(provider.url)["Location"])
        Association.objects.update(issued=1)
        assert refused(visitor.complete(answer))
        assert not Association.objects.exists()

    def test_one_that_was_removed_is_of_no_use(self, provider: Provider) -> None:
        visitor = Visitor()
        answer = provider.decide(visitor.begin(provider.url)["Location"])
        Association.objects.all().delete()
        assert refused(visitor.complete(answer))

    def test_without_one_the_provider_is_asked(self, provider: Provider) -> None:
        provider.behave(associates=False)
        visitor = Visitor()
        assert visitor.sign_in(provider).status_code == 302
        assert visitor.who == "ada"

    def test_a_direct_check_goes_to_the_discovered_endpoint(self, hostile: Hostile, provider: Provider) -> None:
        visitor = Visitor()
        request = visitor.request(provider.url)
        hostile.hits()
        request["openid.assoc_handle"] = "made-up"
        answer = hostile.answer(request, provider.identity("ada"), op_endpoint=provider.endpoint)
        assert refused(visitor.complete(sent_back(hostile.sign(answer))))
        assert hostile.hits() == []


def test_a_session_that_is_gone_when_the_answer_comes_is_no_error(provider: Provider) -> None:
    visitor = Visitor()
    answer = provider.decide(visitor.begin(provider.url)["Location"])
    visitor.client.session.delete()
    assert visitor.complete(answer).status_code == 302
    assert visitor.who == "ada"


def test_a_long_answer_by_a_form_arrives_although_the_cookie_stayed_behind(provider: Provider) -> None:
    visitor = Visitor()
    url = visitor.begin(provider.url)["Location"]
    answer = provider.decide(url)
    path, _, _ = local(answer.url).partition("?")
    inside = {k: v for k, v in answer.fields.items() if not k.startswith("openid.")}
    outside = Visitor()  # A browser whose cookie does not come along.
    page = outside.client.post(
        with_changes(path, **inside), {k: v for k, v in answer.fields.items() if k not in inside}
    )
    assert page.status_code == 200
    again = fields_of(page)
    response = visitor.complete(Answer(with_changes(f"http://testserver{path}", **inside), again))
    assert response.status_code == 302
    assert visitor.who == "ada"


def claims() -> dict[str, str]:
    return {"ns__lp": TEAMS, "lp__is_member": "site-admins"}
