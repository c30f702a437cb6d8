"""Several tabs of one browser: each sign-in finds its way, and none that is lost does harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.backends.signed_cookies import SessionStore as CookieStore
from django.core.cache import cache

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


class TestAnAnswerWhoseStateIsNotKnown:
    def lose(self, visitor: Visitor) -> None:
        session = visitor.client.session
        session.pop(begun.KEY, None)
        session.save()

    def test_goes_on_where_somebody_is_signed_in_and_changes_nothing(self, villain: Villain) -> None:
        visitor = Visitor()
        villain.sign_in(visitor)
        asked = villain.begin(visitor)
        self.lose(visitor)
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
        self.lose(visitor)
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
        self.lose(visitor)
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
        session = DatabaseStore()
        tokens = [begun.Begun(session).add({"purpose": "login"}) for _ in range(begun.MOST)]
        assert not caplog.records
        begun.Begun(session).add({"purpose": "login"})
        assert [begun.Begun(session).find(token) is None for token in tokens[:2]] == [True, False]
        assert "is forgotten" in caplog.text

    def test_nobody_fills_a_session(self, caplog: pytest.LogCaptureFixture) -> None:
        session = DatabaseStore()
        for _ in range(begun.MOST):
            last = begun.Begun(session).add({"purpose": "login", "following": "/" + "a" * 3999})
        assert len(json.dumps(session[begun.KEY])) <= begun.MAX_SIZE < 100_000
        assert begun.Begun(session).find(last)
        assert len(session[begun.KEY]) == begun.MOST
        assert "forgets where" in caplog.text

    def test_a_signed_cookie_has_room_for_less(self) -> None:
        session = CookieStore()
        for _ in range(10):
            begun.Begun(session).add({"purpose": "login", "following": "/" + "a" * 500})
        assert len(json.dumps(session[begun.KEY])) <= begun.MAX_SIZE_IN_COOKIE == 2000
