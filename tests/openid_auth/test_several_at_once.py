"""Several tabs of one browser: each sign-in finds its way, and none that is lost does harm."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.http import HttpResponse

from djintegrate.openid_auth.models import UserOpenID
from djintegrate.openid_auth.people import recheck, sessions
from djintegrate.openid_auth.site import begun
from tests.openid_auth.hostile import Hostile, sent_back
from tests.openid_auth.site import Visitor, fields_of
from tests.openid_auth.test_connect_recheck import HOUR, PAGE, old
from tests.openid_auth.villain import Villain, signed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any, villain: Villain) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, sessions.MIDDLEWARE]
    settings.LOGIN_URL = "openid-login"
    villain.says({"sub": "mallory", "preferred_username": "m"})


@pytest.fixture(params=["openid", "async"])
def addresses(request: Any, settings: Any) -> None:
    if request.param == "async":
        settings.ROOT_URLCONF = "tests.openid_auth.async_urls"


@pytest.mark.usefixtures("addresses")
class TestACheckThatIsDue:
    @pytest.fixture
    def visitor(self, villain: Villain, settings: Any) -> Visitor:
        settings.OPENID_RECHECK_SECONDS = HOUR
        visitor = Visitor()
        assert villain.sign_in(visitor).status_code == 302
        return old(visitor)

    def test_begins_in_one_tab_and_the_others_go_on(self, visitor: Visitor) -> None:
        codes = [visitor.client.get(f"/?tab={tab}", headers=PAGE).status_code for tab in range(5)]
        assert codes == [302, 200, 200, 200, 200]

    def test_begins_again_where_it_is_not_finished(self, visitor: Visitor, monkeypatch: Any) -> None:
        assert visitor.client.get("/", headers=PAGE).status_code == 302
        assert visitor.client.get("/", headers=PAGE).status_code == 200
        monkeypatch.setattr(recheck, "UNDER_WAY", -1)
        assert [visitor.client.get("/", headers=PAGE).status_code for _ in range(3)] == [302, 302, 302]

    def test_is_one_of_its_session_alone(self, visitor: Visitor, villain: Villain) -> None:
        assert visitor.client.get("/", headers=PAGE).status_code == 302
        other = Visitor()
        villain.sign_in(other)
        assert old(other).client.get("/", headers=PAGE).status_code == 302

    def test_ends_nobody_elses_session(self, visitor: Visitor, villain: Villain) -> None:
        asked = dict(parse_qsl(urlsplit(visitor.client.get("/", headers=PAGE)["Location"]).query))
        cookies = visitor.begun
        visitor.client.logout()
        visitor.keep(cookies)
        villain.says({"sub": "somebody-else", "preferred_username": "else"})
        villain.sign_in(visitor, sub="somebody-else")
        assert visitor.who == "else"
        assert villain.come_back(visitor, asked, error="login_required")["Location"] == "/"
        assert visitor.who == "else"


class TestAnAnswerWhoseStateIsNotKnown:
    def test_goes_on_where_somebody_is_signed_in_and_changes_nothing(self, villain: Villain) -> None:
        visitor = Visitor()
        villain.sign_in(visitor)
        asked = villain.begin(visitor)
        visitor.forget_begun()
        villain.says({"sub": "somebody-else", "preferred_username": "else"})
        villain.gives(signed(villain.claims(asked, sub="somebody-else")))
        before, key = dict(visitor.client.session.items()), visitor.client.session.session_key
        villain.process.hits()
        response = villain.come_back(visitor, asked)
        assert (response.status_code, response["Location"], visitor.who) == (302, "/", "m")
        assert (dict(visitor.client.session.items()), visitor.client.session.session_key) == (before, key)
        assert villain.process.hits() == []
        assert UserOpenID.objects.count() == 1

    def test_is_refused_where_nobody_is(self, villain: Villain) -> None:
        visitor = Visitor()
        asked = villain.begin(visitor)
        visitor.forget_begun()
        villain.gives(signed(villain.claims(asked)))
        response = villain.come_back(visitor, asked)
        assert (response.status_code, visitor.who) == (403, "nobody")
        assert "Please begin anew" in response.content.decode()

    def test_of_another_issuer_is_refused_all_the_same(self, villain: Villain, settings: Any) -> None:
        first = settings.OPENID_PROVIDERS[0]
        second = {**first, "name": "Second", "key": "second", "issuer": f"{first['issuer']}/second"}
        settings.OPENID_PROVIDERS = [first, second]
        visitor = Visitor()
        villain.sign_in(visitor)
        asked = villain.begin(visitor)
        response = visitor.client.get("/openid/connect/second/complete/", {"state": asked["state"], "code": "c"})
        assert response.status_code == 403

    @pytest.mark.usefixtures("addresses")
    def test_with_openid_2_it_goes_where_it_was_to(self, villain: Villain, hostile: Hostile) -> None:
        visitor = Visitor()
        first = hostile.answer(visitor.request(hostile.select))
        assert visitor.complete(sent_back(hostile.sign(first))).status_code == 302
        asked = fields_of(visitor.begin(hostile.select, next="/?a=b"))
        visitor.forget_begun()
        response = visitor.complete(sent_back(hostile.sign(hostile.answer(asked, hostile.identity("other")))))
        assert (response.status_code, response["Location"]) == (302, "/?a=b")
        assert UserOpenID.objects.count() == 1
        assert visitor.complete(sent_back(hostile.sign(first) | {"openid.mode": "cancel"})).status_code == 302

    def test_with_openid_2_it_leads_nowhere_else(self, villain: Villain, hostile: Hostile) -> None:
        visitor = Visitor()
        visitor.complete(sent_back(hostile.sign(hostile.answer(visitor.request(hostile.select)))))
        page = "/openid/complete/?openid_state=x&openid.mode=id_res&next=https://evil.example/"
        assert visitor.client.get(page)["Location"] == "/"


class TestHowManyAreRemembered:
    def test_ten_tabs_find_where_they_were_going(self, villain: Villain) -> None:
        visitor = Visitor()
        tabs = []
        for tab in range(10):
            villain.next = f"/?tab={tab}{'x' * 500}"
            tabs.append(villain.begin(visitor))
        cache.clear()
        found = []
        for asked in tabs:
            villain.gives(signed(villain.claims(asked)))
            found.append(villain.come_back(visitor, asked)["Location"][:7])
        assert found == [f"/?tab={tab}" for tab in range(10)]

    def test_the_oldest_goes_with_a_line_in_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        browser = begun.Begun({})
        tokens = [browser.add({"purpose": "login"}) for _ in range(5)]
        assert not caplog.records
        while browser.find(tokens[0]):
            tokens.append(browser.add({"purpose": "login"}))
        assert len(tokens) > 10
        assert browser.find(tokens[1])
        assert "is forgotten" in caplog.text

    def test_which_is_the_oldest_does_not_depend_on_the_order_of_the_cookies(self) -> None:
        tokens, cookies = [], {}
        for _ in range(30):
            browser = begun.Begun(dict(sorted(cookies.items(), reverse=bool(len(tokens) % 2))))
            tokens.append(browser.add({"purpose": "login"}))
            response = HttpResponse()
            browser.write(response)
            cookies |= {name: morsel.value for name, morsel in response.cookies.items()}
        known = [bool(begun.Begun(cookies).find(token)) for token in tokens]
        assert known == sorted(known)
        assert not known[0]

    def test_nobody_fills_a_browser_with_cookies(self, caplog: pytest.LogCaptureFixture) -> None:
        visitor = Visitor()
        for number in range(60):
            browser = begun.Begun({**visitor.begun})
            last = browser.add({"purpose": "login", "following": "/" + secrets.token_urlsafe(300 * (number % 7))})
            response = HttpResponse()
            browser.write(response)
            visitor.client.cookies.update(response.cookies)
        assert sum(len(f"{name}={value}; ") for name, value in visitor.begun.items()) <= begun.MAX_SIZE < 4096
        assert begun.Begun(visitor.begun).find(last)
        assert "forgets where" in caplog.text


@pytest.mark.usefixtures("addresses")
class TestTabsThatBeginAtTheSameMoment:
    """As a browser opens them again: no one has yet the cookies that another is given."""

    def begun_by(self, browser: Visitor, begin: Callable[[Visitor], dict[str, str]]) -> dict[str, str]:
        tab = Visitor()
        asked = begin(tab)
        browser.client.cookies.update(tab.client.cookies)
        return asked

    def test_each_finds_its_way(self, villain: Villain) -> None:
        browser, tabs = Visitor(), []
        for tab in range(5):
            villain.next = f"/?tab={tab}"
            tabs.append(self.begun_by(browser, villain.begin))
        found = []
        for asked in tabs:
            villain.gives(signed(villain.claims(asked)))
            found.append(villain.come_back(browser, asked)["Location"])
        assert found == [f"/?tab={tab}" for tab in range(5)]
        assert browser.begun == {}

    def test_with_openid_2_too(self, villain: Villain, hostile: Hostile) -> None:
        browser = Visitor()
        tabs = [
            self.begun_by(browser, lambda tab, n=tab: tab.request(hostile.select, next=f"/?tab={n}"))  # type: ignore[misc]
            for tab in range(5)
        ]
        found = [browser.complete(sent_back(hostile.sign(hostile.answer(asked)))) for asked in tabs]
        assert [response["Location"] for response in found] == [f"/?tab={tab}" for tab in range(5)]
        assert browser.begun == {}

    def test_who_only_looks_at_the_provider_needs_no_session(self, villain: Villain, hostile: Hostile) -> None:
        visitor = Visitor()
        villain.begin(visitor)
        visitor.request(hostile.select)
        assert len(visitor.begun) == 2
        assert "sessionid" not in visitor.client.cookies
        assert not Session.objects.exists()


class TestTheCookieOfASignIn:
    def test_is_the_sessions_but_for_scripts_and_other_sites(self, villain: Villain, settings: Any) -> None:
        settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY = True, False
        settings.SESSION_COOKIE_PATH, settings.SESSION_COOKIE_SAMESITE = "/openid/", "None"
        visitor = Visitor()
        villain.begin(visitor)
        ((name, _value),) = visitor.begun.items()
        cookie = visitor.client.cookies[name]
        kept = [cookie[each] for each in ("secure", "httponly", "samesite", "path", "max-age")]
        assert kept == [True, True, "Lax", "/openid/", begun.MAX_AGE]

    def test_is_of_use_to_no_other_sign_in(self, villain: Villain) -> None:
        visitor = Visitor()
        first, second = villain.begin(visitor), villain.begin(visitor)
        one, other = visitor.begun.items()
        visitor.keep({one[0]: other[1], other[0]: one[1]})
        for asked in (first, second):
            villain.gives(signed(villain.claims(asked)))
            assert villain.come_back(visitor, asked).status_code == 403

    @pytest.mark.parametrize("garbage", ["", "x", "a:b:c", "é", "." * 3000])
    def test_with_garbage_is_none(self, villain: Villain, garbage: str) -> None:
        visitor = Visitor()
        asked = villain.begin(visitor)
        visitor.keep(dict.fromkeys(visitor.begun, garbage))
        villain.gives(signed(villain.claims(asked)))
        assert villain.come_back(visitor, asked).status_code == 403
        assert villain.sign_in(visitor).status_code == 302

    def test_is_no_younger_for_having_lost_where_it_was_to_lead(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = time.time()
        monkeypatch.setattr(begun.time, "time", lambda: now - begun.MAX_AGE + 60)
        browser = begun.Begun({})
        token = browser.add({"purpose": "login", "following": "/" + secrets.token_urlsafe(1400)})
        browser.add({"purpose": "login", "following": "/" + secrets.token_urlsafe(1400)})
        monkeypatch.setattr(begun.time, "time", lambda: now)
        response = HttpResponse()
        browser.write(response)
        cookies = {name: morsel.value for name, morsel in response.cookies.items()}
        found = begun.Begun(cookies).find(token)
        assert found is not None and found["following"] == ""
        monkeypatch.setattr(begun.time, "time", lambda: now + 120)
        assert begun.Begun(cookies).find(token) is None

    def test_keeps_where_it_was_to_lead_if_it_has_failed(self, villain: Villain) -> None:
        villain.next = "/?a=b"
        visitor = Visitor()
        asked = villain.begin(visitor)
        cookies = visitor.begun
        for error in ("access_denied", "no_more"):
            visitor.keep(cookies)
            page = villain.come_back(visitor, asked, error=error)
            assert page.status_code == 403
            assert "/openid/login/?next=%2F%3Fa%3Db" in page.content.decode()
