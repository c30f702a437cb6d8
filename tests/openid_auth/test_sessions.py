"""The sessions that identities opened: seen, ended, and checked again by their provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import AsyncClient, Client
from django.utils import timezone

from djintegrate.openid_auth.fields import digest_of
from djintegrate.openid_auth.models import OpenIDSession, UserOpenID
from djintegrate.openid_auth.people import recheck, sessions
from djintegrate.openid_auth.signals import openid_session_ended
from djintegrate.openid_auth.upkeep.cleanup import remove_old_sessions
from tests.openid_auth.hostile import TEAMS, Hostile, sent_back
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, fields_of, host_of, set_up

pytestmark = pytest.mark.django_db
ENGINES = ["db", "signed_cookies", "cache", "cached_db", "file"]
PAGE = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def site(settings: Any, provider: Provider, tmp_path: Any) -> None:
    set_up(settings, host_of(provider.url))
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, sessions.MIDDLEWARE]


def signed_in(provider: Provider, nickname: str = "ada") -> Visitor:
    visitor = Visitor()
    assert visitor.sign_in(provider, nickname).status_code == 302
    return visitor


class TestEnding:
    @pytest.mark.parametrize("engine", ENGINES)
    def test_another_browsers_session_is_seen_and_ended(self, settings: Any, provider: Provider, engine: str) -> None:
        settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
        first, second = signed_in(provider), signed_in(provider)
        kept = second.client.cookies.copy()
        assert OpenIDSession.objects.count() == 2
        page = first.client.get("/openid/identities/")
        other = OpenIDSession.objects.exclude(pk=page.context["own_session"].pk).get()
        assert f"/openid/sessions/{other.pk}/end/" in page.content.decode()
        first.client.post(f"/openid/sessions/{other.pk}/end/")
        assert (first.who, second.who) == ("ada", "nobody")
        # Not even with the cookie that it had before.
        again = Client()
        again.cookies = kept  # type: ignore[assignment]
        assert again.get("/").content == b"nobody"

    @pytest.mark.parametrize("engine", ENGINES)
    def test_an_identity_that_is_removed_takes_its_sessions_along(
        self, settings: Any, provider: Provider, engine: str
    ) -> None:
        settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
        visitor = signed_in(provider)
        UserOpenID.objects.all().delete()
        assert visitor.who == "nobody"

    @pytest.mark.parametrize("prefix", ["/openid", "/aopenid"])
    def test_all_others_are_ended_at_once(self, provider: Provider, prefix: str) -> None:
        here, there, elsewhere = signed_in(provider), signed_in(provider), signed_in(provider)
        bruno = signed_in(provider, "bruno")
        assert "Sign out everywhere else" in here.client.get("/openid/identities/").content.decode()
        assert here.client.get(f"{prefix}/sessions/end-others/").status_code == 405
        assert here.client.post(f"{prefix}/sessions/end-others/").status_code == 302
        assert (here.who, there.who, elsewhere.who, bruno.who) == ("ada", "nobody", "nobody", "bruno")
        assert "Sign out everywhere else" not in here.client.get("/openid/identities/").content.decode()

    def test_who_came_by_password_ends_those_of_the_identities(self, provider: Provider) -> None:
        there = signed_in(provider)
        client = Client()
        user = there.user
        user.set_password("secret")
        user.save()
        assert client.login(username="ada", password="secret")
        client.post("/openid/sessions/end-others/")
        assert there.who == "nobody"

    def test_nobody_ends_anothers(self, provider: Provider) -> None:
        ada, bruno = signed_in(provider), signed_in(provider, "bruno")
        row = sessions.of(bruno.user).get()
        assert ada.client.post(f"/openid/sessions/{row.pk}/end/").status_code == 404
        assert bruno.who == "bruno"

    def test_signing_out_and_in_again_leaves_no_row_behind(self, provider: Provider) -> None:
        visitor = signed_in(provider)
        visitor.sign_in(provider)
        assert OpenIDSession.objects.count() == 1
        visitor.client.logout()
        assert OpenIDSession.objects.count() == 0

    def test_sessions_by_password_are_left_alone(self, settings: Any) -> None:
        User.objects.create_user("grace", password="secret")
        client = Client()
        assert client.login(username="grace", password="secret")
        assert client.get("/").content == b"grace"
        assert not OpenIDSession.objects.exists()

    def test_without_the_middleware_nothing_is_recorded(self, settings: Any, provider: Provider) -> None:
        settings.MIDDLEWARE = settings.MIDDLEWARE[:-1]
        assert signed_in(provider).who == "ada"
        assert not OpenIDSession.objects.exists()

    def test_the_table_holds_no_token(self, provider: Provider) -> None:
        visitor = signed_in(provider)
        token = visitor.client.session[sessions.TOKEN]
        assert token not in str(OpenIDSession.objects.values().get())

    def test_old_rows_are_cleaned_up(self, settings: Any, provider: Provider) -> None:
        signed_in(provider)
        assert remove_old_sessions() == 0
        long_ago = timezone.now() - timezone.timedelta(seconds=settings.SESSION_COOKIE_AGE + 2 * 24 * 60 * 60)
        OpenIDSession.objects.update(seen=long_ago)
        assert remove_old_sessions() == 1

    def test_it_works_with_asgi_too(self, provider: Provider) -> None:
        visitor = signed_in(provider)
        client = AsyncClient()
        client.cookies = visitor.client.cookies
        assert async_to_sync(client.get)("/").content == b"ada"
        OpenIDSession.objects.all().delete()
        assert async_to_sync(client.get)("/").content == b"nobody"


class TestTrail:
    @pytest.fixture
    def heard(self) -> Iterator[list[int]]:
        """The users whose sessions were said to be ended."""
        found: list[int] = []

        def hear(sender: Any, session: OpenIDSession, user_id: int, **kwargs: Any) -> None:
            assert sender is OpenIDSession
            assert session.identity.user_id == user_id
            found.append(user_id)

        openid_session_ended.connect(hear)
        yield found
        openid_session_ended.disconnect(hear)

    def ended(self, caplog: Any) -> int:
        return sum("was ended" in record.getMessage() for record in caplog.records)

    @pytest.mark.parametrize("way", ["sign out", "elsewhere", "all others", "admin", "identity", "user"])
    def test_each_end_is_one_signal_and_one_line(
        self, provider: Provider, heard: list[int], caplog: Any, way: str
    ) -> None:
        caplog.set_level("INFO", "djintegrate.openid_auth")
        here, there = signed_in(provider), signed_in(provider)
        user, row = there.user, OpenIDSession.objects.get(digest=digest_of(there.client.session[sessions.TOKEN]))
        if way == "sign out":
            there.client.logout()
        elif way == "elsewhere":
            here.client.post(f"/openid/sessions/{row.pk}/end/")
        elif way == "all others":
            here.client.post("/openid/sessions/end-others/")
        elif way == "admin":
            OpenIDSession.objects.filter(pk=row.pk).delete()
        elif way == "identity":
            UserOpenID.objects.all().delete()
        else:
            user.delete()
        count = 2 if way in ("identity", "user") else 1
        assert len(heard) == self.ended(caplog) == count
        assert "http" in caplog.text

    def test_signing_in_again_ends_the_session_before(self, provider: Provider, heard: list[int]) -> None:
        visitor = signed_in(provider)
        visitor.sign_in(provider)
        assert heard == [visitor.user.pk]

    def test_one_that_has_run_out_ends_without_a_word(self, provider: Provider, heard: list[int], caplog: Any) -> None:
        signed_in(provider)
        OpenIDSession.objects.update(seen=timezone.now() - timezone.timedelta(days=100))
        assert remove_old_sessions() == 1
        assert (heard, self.ended(caplog)) == ([], 0)


class TestCheckingAgain:
    @pytest.fixture(autouse=True)
    def hourly(self, settings: Any, site: None, provider: Provider) -> None:
        settings.OPENID_RECHECK_SECONDS = 3600
        settings.LOGIN_URL = "openid-login"
        settings.OPENID_TEAMS_TRUSTED_ENDPOINTS = [provider.endpoint]
        settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"sprint-schedulers": "drivers"}
        Group.objects.create(name="drivers")

    def old(self, visitor: Visitor, seconds: int = 3601) -> Visitor:
        session = visitor.client.session
        session[recheck.CHECKED] -= seconds
        session.save()
        return visitor

    def test_a_young_session_is_not_interrupted(self, provider: Provider) -> None:
        visitor = signed_in(provider)
        assert visitor.client.get("/", headers=PAGE).status_code == 200

    def test_the_next_visit_of_an_old_one_asks_the_provider_without_a_question(self, provider: Provider) -> None:
        visitor = self.old(signed_in(provider))
        response = visitor.client.get("/?a=b", headers=PAGE)
        fields = fields_of(response)
        assert response.status_code == 302
        assert response["Location"].startswith(provider.endpoint)
        assert fields["openid.mode"] == "checkid_immediate"
        assert "next=%2F%3Fa%3Db" in fields["openid.return_to"]

    @pytest.mark.parametrize(
        ("method", "headers"),
        [
            ("post", PAGE),
            ("get", {}),
            ("get", {"Accept": "application/json"}),
            ("get", {**PAGE, "Sec-Fetch-Mode": "cors"}),
        ],
    )
    def test_nothing_but_the_visit_of_a_page_is_interrupted(
        self, provider: Provider, method: str, headers: dict[str, str]
    ) -> None:
        visitor = self.old(signed_in(provider))
        assert getattr(visitor.client, method)("/", headers=headers).status_code == 200
        assert visitor.who == "ada"

    def test_who_avoids_pages_is_signed_out_after_twice_the_time(self, provider: Provider) -> None:
        visitor = self.old(signed_in(provider), 2 * 3600 + 1)
        assert visitor.client.post("/", headers=PAGE).content == b"nobody"

    def test_who_never_goes_there_makes_the_site_ask_no_more_than_anybody(
        self, settings: Any, provider: Provider, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(recheck, "UNDER_WAY", -1)
        visitor = self.old(signed_in(provider))
        settings.OPENID_LOGIN_THROTTLE = (3, 10**6)
        cache.clear()
        client = AsyncClient()
        client.cookies = visitor.client.cookies
        found = [visitor.client.get("/", headers=PAGE).status_code for _ in range(3)]
        found += [async_to_sync(client.get)("/", headers=PAGE).status_code for _ in range(1)]
        found += [visitor.client.get("/", headers=PAGE).status_code]
        cache.clear()
        assert found == [302, 302, 302, 200, 200]

    def test_and_that_holds_the_check_back_once_and_not_for_ever(
        self, settings: Any, provider: Provider, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(recheck, "UNDER_WAY", -1)
        visitor = self.old(signed_in(provider))
        settings.OPENID_LOGIN_THROTTLE = (1, 10**6)
        cache.clear()
        found = [visitor.client.get("/", headers=PAGE).status_code for _ in range(2)]
        session = visitor.client.session
        session[recheck.POSTPONED] -= 3601
        session[recheck.CHECKED] -= 3601
        session.save()
        found += [visitor.client.get("/", headers=PAGE).status_code]
        cache.clear()
        assert found == [302, 200, 429]

    def test_a_provider_that_does_not_vouch_without_a_question_is_asked_with_one(self, provider: Provider) -> None:
        visitor = self.old(signed_in(provider))
        request = fields_of(visitor.client.get("/", headers=PAGE))
        answer = {"openid.mode": "setup_needed", "openid.ns": request["openid.ns"]}
        back = request["openid.return_to"] + "&" + "&".join(f"{name}={value}" for name, value in answer.items())
        page = visitor.client.get(back.partition("testserver")[2])
        assert page["Location"] == "/openid/login/?next=/"
        assert visitor.who == "nobody"

    def test_a_provider_that_is_away_ends_no_session(self, provider: Provider, settings: Any) -> None:
        visitor = self.old(signed_in(provider))
        session = visitor.client.session
        session[recheck.IDENTITY] = "http://127.0.0.1:9999/gone"
        session.save()
        assert visitor.client.get("/", headers=PAGE).status_code == 200
        assert visitor.who == "ada"
        assert visitor.client.get("/", headers=PAGE).status_code == 200

    @pytest.mark.parametrize("loses", [False, True])
    def test_teams_are_mapped_anew_and_who_lost_a_required_one_is_signed_out(
        self, settings: Any, hostile: Hostile, loses: bool
    ) -> None:
        set_up(settings, hostile.host)
        settings.OPENID_TEAMS_TRUSTED_ENDPOINTS = [hostile.endpoint]
        settings.OPENID_LAUNCHPAD_TEAMS_REQUIRED = ["staff", "sprint-schedulers"]
        visitor = Visitor()
        claims = {"ns__lp": TEAMS, "lp__is_member": "staff"}
        answer = hostile.answer(visitor.request(hostile.select), **claims)
        assert visitor.complete(sent_back(hostile.sign(answer))).status_code == 302
        user = visitor.user
        self.old(visitor)
        request = fields_of(visitor.client.get("/", headers=PAGE))
        teams = {"ns__lp": TEAMS, "lp__is_member": "" if loses else "sprint-schedulers"}
        answer = hostile.answer(request, **teams)
        response = visitor.complete(sent_back(hostile.sign(answer)))
        assert response.status_code == (403 if loses else 302)
        assert visitor.who == ("nobody" if loses else user.username)
        assert [group.name for group in user.groups.all()] == ([] if loses else ["drivers"])
        if not loses:
            assert visitor.client.get("/", headers=PAGE).status_code == 200

    def test_another_persons_answer_ends_the_session(self, settings: Any, hostile: Hostile) -> None:
        set_up(settings, hostile.host)
        visitor = Visitor()
        visitor.complete(sent_back(hostile.sign(hostile.answer(visitor.request(hostile.select)))))
        self.old(visitor)
        request = fields_of(visitor.client.get("/", headers=PAGE))
        answer = hostile.answer(request, hostile.identity("somebody-else"))
        assert visitor.complete(sent_back(hostile.sign(answer))).status_code == 403
        assert visitor.who == "nobody"

    def test_with_asgi_too(self, provider: Provider) -> None:
        visitor = self.old(signed_in(provider))
        client = AsyncClient()
        client.cookies = visitor.client.cookies
        response = async_to_sync(client.get)("/", headers=PAGE)
        assert fields_of(response)["openid.mode"] == "checkid_immediate"
        session = visitor.client.session
        session[recheck.IDENTITY] = "http://127.0.0.1:9999/gone"
        session.save()
        assert async_to_sync(client.get)("/", headers=PAGE).content == b"ada"


def test_the_async_pages_do_what_the_others_do(settings: Any, provider: Provider) -> None:
    visitor = signed_in(provider)
    page = visitor.client.get("/aopenid/identities/")
    assert page.status_code == 200
    answer = provider.decide(
        visitor.client.post("/aopenid/identities/add/", {"openid_identifier": provider.url})["Location"], "bruno"
    )
    assert visitor.complete(answer)["Location"] == "/openid/identities/"
    assert [identity.user.username for identity in UserOpenID.objects.all()] == ["ada", "ada"]
    added = UserOpenID.objects.get(claimed_id=provider.identity("bruno"))
    assert visitor.client.post(f"/aopenid/identities/{added.pk}/remove/").status_code == 302
    assert UserOpenID.objects.get().claimed_id == provider.identity("ada")
    row = OpenIDSession.objects.get()
    assert visitor.client.post(f"/aopenid/sessions/{row.pk}/end/").status_code == 302
    assert visitor.who == "nobody"
