"""Sessions that are checked again: what the provider says then counts, and what it does not say ends nothing."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from djintegrate.openid_auth.models import OpenIDSession, UserOpenID
from djintegrate.openid_auth.people import recheck, sessions
from tests.openid_auth.hostile import SELECT, SIGNON, Hostile, sent_back, xrds
from tests.openid_auth.site import Visitor, fields_of, host_of
from tests.openid_auth.villain import GONE, KEY, Villain, public, signed

pytestmark = pytest.mark.django_db
PAGE = {"Accept": "text/html"}
HOUR = 3600


@pytest.fixture(autouse=True)
def site(settings: Any, villain: Villain) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, sessions.MIDDLEWARE]
    settings.OPENID_RECHECK_SECONDS = HOUR
    settings.LOGIN_URL = "openid-login"


@pytest.fixture(params=["openid", "async"])
def addresses(request: Any, settings: Any) -> None:
    if request.param == "async":
        settings.ROOT_URLCONF = "tests.openid_auth.async_urls"


def old(visitor: Visitor) -> Visitor:
    session = visitor.client.session
    session[recheck.CHECKED] -= HOUR + 1
    session.save()
    return visitor


def signed_in(villain: Villain, **claims: Any) -> Visitor:
    visitor = Visitor()
    assert villain.sign_in(visitor, **claims).status_code == 302
    return old(visitor)


def asked_again(visitor: Visitor) -> dict[str, str]:
    response = visitor.client.get("/?a=b", headers=PAGE)
    asked = dict(parse_qsl(urlsplit(response["Location"]).query))
    assert asked["prompt"] == "none"
    return asked


def checked(villain: Villain, visitor: Visitor, **claims: Any) -> Any:
    asked = asked_again(visitor)
    villain.gives(signed(villain.claims(asked, **claims)))
    return villain.come_back(visitor, asked)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def tell(token: str) -> None:
    assert Client().post("/openid/connect/op/logout/", {"logout_token": token}).status_code == 200


class TestTheProvidersSession:
    @pytest.mark.parametrize("about", [{"sub": GONE, "sid": "new"}, {"sid": "new"}, {"sid": GONE}])
    def test_that_of_the_check_counts_from_then_on(self, villain: Villain, about: dict[str, Any]) -> None:
        visitor = signed_in(villain, sid="old")
        assert checked(villain, visitor, sid="new").status_code == 302
        tell(villain.logout_token(sid="old"))
        assert visitor.who != "nobody"
        tell(villain.logout_token(**about))
        assert visitor.who == "nobody"

    @pytest.mark.parametrize("is_checked", [False, True])
    def test_one_without_a_name_ends_with_any_of_the_persons(self, villain: Villain, is_checked: bool) -> None:
        visitor = signed_in(villain)
        if is_checked:
            checked(villain, visitor)
        other = Visitor()
        villain.says({"sub": "ada"})
        villain.sign_in(other, sub="ada")
        tell(villain.logout_token(sub=GONE, sid="any"))
        assert visitor.who != "nobody"
        tell(villain.logout_token(sid="any"))
        assert (visitor.who, other.who != "nobody") == ("nobody", True)

    def test_it_is_one_of_the_identity_that_vouches_now(
        self, villain: Villain, hostile: Hostile, settings: Any
    ) -> None:
        visitor = Visitor()
        visitor.complete(sent_back(hostile.sign(hostile.answer(visitor.request(hostile.select)))))
        UserOpenID.objects.create(user=visitor.user, claimed_id=f"{villain.issuer} mallory", display_id="m")
        settings.OPENID_SSO_SERVER_URL = villain.issuer
        assert checked(villain, old(visitor), sid="new").status_code == 302
        assert OpenIDSession.objects.get().identity.claimed_id == f"{villain.issuer} mallory"
        assert visitor.client.session[sessions.ISSUER] == villain.issuer
        tell(villain.logout_token())
        assert visitor.who == "nobody"


AWAY = {
    "token 503": {"token": {"document": "busy", "status": 503}},
    "token 429": {"token": {"document": "{}", "status": 429}},
    "userinfo 500": {"userinfo": {"document": "{}", "status": 500}},
    "keys 502": {"keys": {"document": "<html>", "status": 502}},
}


@pytest.mark.usefixtures("addresses")
class TestAHiccup:
    def still_in(self, response: Any, visitor: Visitor) -> bool:
        assert (response.status_code, response["Location"]) == (302, "/?a=b")
        # Nor is the next visit interrupted.
        return visitor.client.get("/?a=b", headers=PAGE).status_code == 200 and visitor.who != "nobody"

    @pytest.mark.parametrize("away", AWAY.values(), ids=AWAY)
    def test_of_the_provider_ends_no_session(self, villain: Villain, away: dict[str, Any]) -> None:
        visitor = signed_in(villain)
        asked = asked_again(visitor)
        villain.gives(signed(villain.claims(asked)))
        cache.clear()
        for path, said in away.items():
            villain.serves(path, **said)
        assert self.still_in(villain.come_back(visitor, asked), visitor)

    @pytest.mark.parametrize("where", ["drip", "nobody"])
    def test_nor_does_one_that_does_not_answer_at_all(self, villain: Villain, settings: Any, where: str) -> None:
        visitor = signed_in(villain)
        cache.clear()
        nobody = f"http://127.0.0.1:{free_port()}/"
        settings.OPENID_FETCH_ALLOWED_HOSTS = [villain.process.host, host_of(nobody)]
        settings.OPENID_FETCH_TIMEOUT = 1
        villain.describe(token_endpoint=nobody if where == "nobody" else f"{villain.process.url}drip")
        assert self.still_in(villain.come_back(visitor, asked_again(visitor)), visitor)

    @pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable"])
    def test_that_the_browser_tells_of_is_believed_for_a_while(self, villain: Villain, error: str) -> None:
        visitor = signed_in(villain)
        assert self.still_in(villain.come_back(visitor, asked_again(visitor), code="", error=error), visitor)
        old(visitor)
        session = visitor.client.session
        session[recheck.POSTPONED] -= HOUR
        session.save()
        response = villain.come_back(visitor, asked_again(visitor), code="", error=error)
        assert (response["Location"], visitor.who) == ("/openid/login/?next=/%3Fa%3Db", "nobody")

    def test_the_while_begins_anew_with_each_check(self, villain: Villain) -> None:
        visitor = signed_in(villain)
        for _ in range(3):
            villain.come_back(visitor, asked_again(visitor), error="server_error")
            session = visitor.client.session
            session[recheck.POSTPONED] -= HOUR - 60
            session.save()
            assert checked(villain, old(visitor)).status_code == 302
            old(visitor)
        assert visitor.who != "nobody"


REFUSALS = {
    "login_required": {"error": "login_required"}, "interaction_required": {"error": "interaction_required"},
    "denied": {"error": "access_denied"}, "any": {"error": "invalid_scope"},
}  # fmt: skip


class TestARefusal:
    @pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
    def test_ends_the_session(self, villain: Villain, answer: dict[str, str]) -> None:
        visitor = signed_in(villain)
        response = villain.come_back(visitor, asked_again(visitor), **answer)
        assert (response["Location"], visitor.who) == ("/openid/login/?next=/%3Fa%3Db", "nobody")

    @pytest.mark.parametrize(
        "path, document, status",
        [
            ("token", {"error": "invalid_grant"}, 400),
            ("token", "<html>", 404),
            ("userinfo", {"sub": "mallory", "picture": "x" * 2000}, 200),
            ("userinfo", {"sub": "ada"}, 200),
        ],
    )
    def test_of_the_exchange_does_too_and_an_answer_that_is_too_long(
        self, villain: Villain, settings: Any, path: str, document: Any, status: int
    ) -> None:
        visitor = signed_in(villain)
        asked = asked_again(visitor)
        villain.gives(signed(villain.claims(asked)))
        villain.serves(path, document, status=status)
        settings.OPENID_FETCH_MAX_BYTES = 1500
        villain.come_back(visitor, asked)
        assert visitor.who == "nobody"

    def test_of_the_sites_own_rules_does_too(self, villain: Villain, settings: Any) -> None:
        settings.OPENID_PHYSICAL_MULTIFACTOR_REQUIRED = True
        visitor = signed_in(villain, amr=["hwk"])
        assert checked(villain, visitor, amr=["hwk"]).status_code == 302
        assert checked(villain, old(visitor), amr=["pwd"]).status_code == 403
        assert visitor.who == "nobody"


@pytest.mark.usefixtures("addresses")
class TestTheThrottle:
    def test_an_office_behind_one_address_is_not_refused(self, villain: Villain, settings: Any) -> None:
        office = [signed_in(villain) for _ in range(5)]
        settings.OPENID_LOGIN_THROTTLE = (3, 10**6)
        cache.clear()
        villain.has_keys(public(KEY))
        codes = []
        for visitor in office:
            response = visitor.client.get("/?a=b", headers=PAGE)
            if response.status_code == 302:
                asked = dict(parse_qsl(urlsplit(response["Location"]).query))
                villain.gives(signed(villain.claims(asked)))
                response = villain.come_back(visitor, asked)
            codes.append(response.status_code)
        # Nor are those who sign in.
        for _ in range(3):
            assert villain.sign_in().status_code == 302
        cache.clear()
        assert codes == [302, 302, 302, 200, 200]
        assert all(visitor.who != "nobody" for visitor in office)

    def test_nor_one_that_is_checked_by_the_old_protocol(self, hostile: Hostile, settings: Any) -> None:
        office = []
        for _ in range(3):
            visitor = Visitor()
            visitor.complete(sent_back(hostile.sign(hostile.answer(visitor.request(hostile.select)))))
            office.append(old(visitor))
        settings.OPENID_LOGIN_THROTTLE = (2, 10**6)
        cache.clear()
        asked = [visitor.client.get("/?a=b", headers=PAGE) for visitor in office]
        assert [response.status_code for response in asked] == [302, 302, 200]
        for visitor, response in zip(office[:2], asked[:2], strict=True):
            answer = hostile.answer(fields_of(response))
            assert visitor.complete(sent_back(hostile.sign(answer))).status_code == 302
        newcomer = Visitor()
        answer = hostile.answer(newcomer.request(hostile.select))
        assert newcomer.complete(sent_back(hostile.sign(answer))).status_code == 302
        cache.clear()
        assert all(visitor.who != "nobody" for visitor in [*office, newcomer])

    def test_answers_to_checks_are_counted_too(self, villain: Villain, settings: Any) -> None:
        """A session in a cookie can be brought back, with all that it remembers."""
        visitor = signed_in(villain)
        first = asked_again(visitor)
        cache.clear()  # The second is begun so much later that it is not one of the same moment.
        second = asked_again(visitor)
        settings.OPENID_LOGIN_THROTTLE = (1, 10**6)
        cache.clear()
        villain.gives(signed(villain.claims(first)))
        assert villain.come_back(visitor, first).status_code == 302
        villain.process.hits()
        assert villain.come_back(visitor, second)["Location"] == "/?a=b"
        assert villain.process.hits() == []
        session = visitor.client.session
        session[recheck.POSTPONED] -= HOUR
        session.save()
        assert villain.come_back(visitor, second).status_code == 429
        cache.clear()


def test_with_openid_2_a_hiccup_ends_no_session_either(hostile: Hostile, settings: Any) -> None:
    visitor = Visitor()
    visitor.complete(sent_back(hostile.sign(hostile.answer(visitor.request(hostile.select)))))
    fields = fields_of(old(visitor).client.get("/?a=b", headers=PAGE))
    answer = hostile.sign(hostile.answer(fields, hostile.identity("another")))
    hostile.serve("id/another", json.dumps({}), status=503)
    assert visitor.complete(sent_back(answer))["Location"] == "/?a=b"
    assert visitor.who != "nobody"
    hostile.serve("id/another", json.dumps({}), status=404)
    fields = fields_of(old(visitor).client.get("/?a=b", headers=PAGE))
    answer = hostile.sign(hostile.answer(fields, hostile.identity("another")))
    assert visitor.complete(sent_back(answer))["Location"] == "/openid/login/?next=/%3Fa%3Db"
    assert visitor.who == "nobody"


def test_nor_does_that_of_an_endpoint_that_is_asked_whether_it_signed(hostile: Hostile, settings: Any) -> None:
    endpoint = hostile.serve("direct", b"ns:http://specs.openid.net/auth/2.0\nis_valid:true\n")
    select = hostile.serve("direct-select", xrds(endpoint, SELECT), Content_Type="application/xrds+xml")
    identity = hostile.serve("direct-id", xrds(endpoint, SIGNON), Content_Type="application/xrds+xml")

    def answered(asked: Any) -> Any:
        fields = {**hostile.answer(fields_of(asked), identity), "openid.op_endpoint": endpoint}
        return visitor.complete(sent_back(hostile.sign(fields)))

    visitor = Visitor()
    assert answered(visitor.begin(select)).status_code == 302
    asked = old(visitor).client.get("/?a=b", headers=PAGE)
    hostile.serve("direct", b"busy", status=503)
    assert answered(asked)["Location"] == "/?a=b"
    assert visitor.who != "nobody"
    asked = old(visitor).client.get("/?a=b", headers=PAGE)
    hostile.serve("direct", b"ns:http://specs.openid.net/auth/2.0\nis_valid:false\n")
    assert answered(asked)["Location"] == "/openid/login/?next=/%3Fa%3Db"
    assert visitor.who == "nobody"
