"""What a provider of OpenID Connect, or who poses as one, may try: nothing signs anybody in, and nothing is a 500."""

from __future__ import annotations

import json
import threading
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client

from djintegrate.openid_auth.models import UserOpenID
from djintegrate.openid_auth.site.begun import Begun
from tests.openid_auth.hostile import Hostile, sent_back
from tests.openid_auth.site import Visitor, refused
from tests.openid_auth.villain import KEY, OTHER_KEY, Villain, public, signed

pytestmark = pytest.mark.django_db
HOUR, MEGABYTE = 60 * 60, 1024 * 1024


class TestTheBrowser:
    def test_an_answer_to_nothing_is_refused_and_makes_no_request(self, villain: Villain) -> None:
        villain.process.hits()
        asked = {"redirect_uri": "http://testserver/openid/connect/op/complete/", "state": "guessed"}
        assert refused(villain.come_back(Visitor(), asked))
        assert villain.process.hits() == []

    def test_one_of_another_browser_is_refused(self, villain: Villain) -> None:
        attacker, victim = Visitor(), Visitor()
        asked = villain.begin(attacker)
        villain.gives(signed(villain.claims(asked)))
        villain.begin(victim)
        assert refused(villain.come_back(victim, asked))

    def test_it_counts_once(self, villain: Villain) -> None:
        visitor = Visitor()
        asked = villain.begin(visitor)
        villain.gives(signed(villain.claims(asked)))
        assert villain.come_back(visitor, asked).status_code == 302
        villain.process.hits()
        assert (villain.come_back(visitor, asked)["Location"], villain.process.hits()) == ("/", [])
        visitor.client.logout()
        assert villain.come_back(visitor, asked).status_code == 403

    def test_it_counts_once_though_the_browser_brings_back_a_cookie_of_before(self, villain: Villain) -> None:
        visitor = Visitor()
        asked = villain.begin(visitor)
        kept = visitor.begun
        villain.gives(signed(villain.claims(asked)))
        assert villain.come_back(visitor, asked).status_code == 302
        for _ in range(2):
            again = Visitor()
            again.keep(kept)
            villain.process.hits()
            response = villain.come_back(again, asked)
            assert (response.status_code, again.who, villain.process.hits()) == (403, "nobody", [])
            assert "has been used before" in response.content.decode()
            # Another request may have signed the browser in just now.
            assert "sessionid" not in response.cookies

    def test_nor_does_an_answer_that_came_to_nothing_count_again(self, villain: Villain) -> None:
        visitor = Visitor()
        asked = villain.begin(visitor)
        kept = visitor.begun
        assert refused(villain.come_back(visitor, asked, error="access_denied"))
        visitor.keep(kept)
        villain.gives(signed(villain.claims(asked)))
        assert refused(villain.come_back(visitor, asked))

    def test_one_that_goes_elsewhere_uses_nothing_up(self, villain: Villain, settings: Any) -> None:
        settings.OPENID_PROVIDERS = [villain.entry(), {**villain.entry(name="other"), "issuer": f"{villain.issuer}2"}]
        visitor = Visitor()
        asked = villain.begin(visitor)
        villain.gives(signed(villain.claims(asked)))
        wrong = {**asked, "redirect_uri": "http://testserver/openid/connect/other/complete/"}
        assert refused(villain.come_back(visitor, wrong))
        assert villain.come_back(visitor, asked).status_code == 302

    def test_a_code_of_another_session_brings_a_token_that_does_not_fit(self, villain: Villain) -> None:
        theirs, ours = Visitor(), Visitor()
        stolen, asked = villain.begin(theirs), villain.begin(ours)
        villain.gives(signed(villain.claims(stolen)))
        assert refused(villain.come_back(ours, asked, code="stolen"))

    def test_the_exchange_has_the_verifier_of_this_session(self, villain: Villain) -> None:
        visitor = Visitor()
        first, second = villain.begin(visitor), villain.begin(visitor)
        assert first["code_challenge_method"] == "S256"
        assert len({first["code_challenge"], second["code_challenge"]}) == 2
        assert len({first["nonce"], second["nonce"], first["state"], second["state"]}) == 4

    @pytest.mark.parametrize("changes", [{"iss": "https://login.example"}, {"iss": ""}])
    def test_one_that_names_another_issuer_is_refused(self, villain: Villain, changes: dict[str, str]) -> None:
        visitor = Visitor()
        asked = villain.begin(visitor)
        villain.gives(signed(villain.claims(asked)))
        villain.process.hits()
        assert refused(villain.come_back(visitor, asked, **changes))
        assert villain.process.hits() == []

    def test_a_provider_that_names_itself_has_to(self, villain: Villain) -> None:
        villain.describe(authorization_response_iss_parameter_supported=True)
        visitor = Visitor()
        asked = villain.begin(visitor)
        villain.gives(signed(villain.claims(asked)))
        assert refused(villain.come_back(visitor, asked))
        asked = villain.begin(visitor)
        villain.gives(signed(villain.claims(asked)))
        assert villain.come_back(visitor, asked, iss=villain.issuer).status_code == 302

    @pytest.mark.parametrize("method", ["post", "put", "delete", "head"])
    def test_answers_come_by_get(self, villain: Villain, method: str) -> None:
        assert getattr(Visitor().client, method)("/openid/connect/op/complete/?code=x&state=y").status_code == 405

    @pytest.mark.parametrize(
        "query", ["", "?x=y", "?code=x", "?state=%00", "?code=%ff%fe&state=%ed%a0%80", "?error=" + "x" * 5000]
    )
    def test_odd_addresses_are_pages(self, villain: Villain, query: str) -> None:
        assert Visitor().client.get(f"/openid/connect/op/complete/{query}").status_code == 403

    def test_what_is_in_the_address_is_not_on_the_page(self, villain: Villain) -> None:
        visitor = Visitor()
        asked = villain.begin(visitor)
        response = villain.come_back(visitor, asked, error="call_0800_HELP", error_description="Call 0800 HELP")
        assert response.status_code == 403
        assert "0800" not in response.content.decode()

    def test_they_are_throttled(self, villain: Villain, settings: Any) -> None:
        settings.OPENID_LOGIN_THROTTLE = (2, 10**6)
        cache.clear()
        client = Visitor().client
        codes = [client.get("/openid/connect/op/complete/?code=x&state=y").status_code for _ in range(3)]
        codes += [client.post("/openid/login/", {"openid_issuer": villain.issuer}).status_code for _ in range(3)]
        cache.clear()
        assert codes == [403, 403, 429, 302, 302, 429]

    def test_it_leads_nowhere_else(self, villain: Villain) -> None:
        visitor = Visitor()
        begun = visitor.client.post(
            "/openid/login/", {"openid_issuer": villain.issuer, "next": "https://evil.example/"}
        )
        token = dict(parse_qsl(urlsplit(begun["Location"]).query))["state"]
        assert Begun(visitor.begun).find(token)["following"] == ""  # type: ignore[index]
        assert begun.status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sessions", ["db", "signed_cookies"])
def test_of_16_simultaneous_callbacks_one_asks_the_provider_and_signs_in(
    villain: Villain, settings: Any, sessions: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{sessions}"
    if connection.vendor == "sqlite":
        settings.MIDDLEWARE = settings.MIDDLEWARE[1:]
    visitor = Visitor()
    asked = villain.begin(visitor)
    villain.gives(signed(villain.claims(asked)))
    villain.process.hits()
    barrier = threading.Barrier(16)
    outcomes: list[int] = []

    def arrive() -> None:
        again = Visitor(Client(raise_request_exception=False))
        again.client.cookies = visitor.client.cookies.copy()  # type: ignore[assignment]
        barrier.wait()
        try:
            outcomes.append(villain.come_back(again, asked).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=arrive) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [302, *[403] * 15]
    assert sum(path.endswith("/token") for path in villain.process.hits()) == 1


class TestTwoIssuers:
    @pytest.fixture
    def other(self, villain: Villain, settings: Any) -> Villain:
        other = Villain(villain.process, "honest")
        settings.OPENID_PROVIDERS = [villain.entry(), other.entry()]
        return other

    def test_an_answer_to_one_is_none_to_the_other(self, villain: Villain, other: Villain) -> None:
        visitor = Visitor()
        asked = other.begin(visitor)
        villain.gives(signed(villain.claims(asked)))
        mixed = {**asked, "redirect_uri": "http://testserver/openid/connect/op/complete/"}
        villain.process.hits()
        assert refused(villain.come_back(visitor, mixed))
        assert villain.process.hits() == []

    def test_a_token_of_one_is_none_of_the_other(self, villain: Villain, other: Villain) -> None:
        visitor = Visitor()
        asked = other.begin(visitor)
        other.gives(signed(villain.claims(asked)))
        assert refused(other.come_back(visitor, asked))

    def test_one_subject_at_two_issuers_is_two_people(self, villain: Villain, other: Villain) -> None:
        first, second = Visitor(), Visitor()
        villain.sign_in(first)
        other.sign_in(second)
        assert first.user != second.user

    def test_subjects_that_differ_in_case_are_different(self, villain: Villain) -> None:
        for subject in ("Mallory", "mallory"):
            villain.says({"sub": subject})
            assert villain.sign_in(sub=subject).status_code == 302
        assert User.objects.count() == 2

    def test_no_subject_makes_it_the_identity_of_another_issuer(self, villain: Villain, settings: Any) -> None:
        inner = Villain(villain.process, "op/deeper")
        settings.OPENID_PROVIDERS = [villain.entry(), inner.entry(name="deeper")]
        villain.says({"sub": "/deeper mallory"})
        assert villain.sign_in(sub="/deeper mallory").status_code == 302
        inner.sign_in()
        assert UserOpenID.objects.count() == User.objects.count() == 2


class TestUserinfo:
    @pytest.mark.parametrize(
        "said",
        [{}, {"sub": "ada"}, {"sub": ["mallory"]}, [], "nonsense", {"sub": None}, "[" * 100_000, b"\xff",
         "eyJhbGciOiJub25lIn0.e30."],
    )  # fmt: skip
    def test_of_somebody_else_or_of_nobody_signs_nobody_in(self, villain: Villain, said: Any) -> None:
        villain.says(said)
        assert refused(villain.sign_in())

    def test_it_may_not_speak_for_the_token(self, villain: Villain, settings: Any) -> None:
        settings.OPENID_PHYSICAL_MULTIFACTOR_REQUIRED = True
        villain.says({"sub": "mallory", "amr": ["hwk"], "acr": "phrh"})
        assert refused(villain.sign_in())
        assert villain.sign_in(amr=["pwd", "hwk"]).status_code == 302

    def test_it_is_not_followed_elsewhere_with_the_token(
        self, villain: Villain, internal: Hostile, settings: Any
    ) -> None:
        settings.OPENID_FETCH_ALLOWED_HOSTS = [villain.process.host, internal.host]
        villain.serves("userinfo", "", status=302, Location=f"{internal.url}inside")
        assert refused(villain.sign_in())
        assert internal.hits() == []

    @pytest.mark.parametrize(
        "claims",
        [
            {"email": ["a@b.example"], "groups": {"a": 1}, "name": 5, "preferred_username": None, "email_verified": 1},
            {"email": "x" * 300_000, "name": "y" * 300_000, "preferred_username": "z" * 300_000},
            {"groups": ["g" * 10_000, 5, None, [], "ok"] * 100, "given_name": {"$ne": 1}},
            {"preferred_username": "a\x00b\ud800\u202e", "name": "\ud800", "locale": "\n\n"},
        ],
    )  # fmt: skip
    def test_claims_of_wrong_types_and_of_a_megabyte_are_as_good_as_none(
        self, villain: Villain, claims: dict[str, Any]
    ) -> None:
        villain.says({"sub": "mallory", **claims})
        visitor = Visitor()
        began = time.process_time()
        assert villain.sign_in(visitor).status_code == 302
        assert time.process_time() - began < 2
        user = visitor.user
        assert len(user.username) <= 150 and user.email == "" and not user.has_perm("openid_auth.account_verified")
        assert "\0" not in UserOpenID.objects.get().display_id

    @pytest.mark.parametrize(
        "number", ["a\0", "a\ud800", "\udfff", ["\0", {"\ud800": "\0"}], {"\0": "\ud800"}, 5, 10**4000, "7" * 5000]
    )
    def test_the_sites_own_rule_may_ask_the_database_for_any_of_them(
        self, villain: Villain, settings: Any, number: Any
    ) -> None:
        settings.OPENID_LINK = by_number
        villain.says({"sub": "mallory", "employee_number": number, "more": {"\ud800": ["\0", {"x": "\udfff"}]}})
        assert villain.sign_in().status_code == 302
        assert User.objects.get().username == "openiduser"

    def test_a_character_that_is_lost_leads_to_nobody(self, villain: Villain, settings: Any) -> None:
        settings.OPENID_LINK = by_number
        User.objects.create_user("staff-7")
        for number in ("7\0", "\ud8007"):
            villain.says({"sub": "mallory", "employee_number": number})
            villain.sign_in()
        assert UserOpenID.objects.get().user.username == "openiduser"

    @pytest.mark.parametrize("name", ["a\0dmin", "a\ud800dmin", "\u200badmin\u202e"])
    def test_a_name_is_without_what_does_not_show_and_that_of_its_owner(self, villain: Villain, name: str) -> None:
        User.objects.create_user("admin")
        villain.says({"sub": "mallory", "preferred_username": name, "nickname": "m"})
        visitor = Visitor()
        villain.sign_in(visitor)
        assert visitor.who == "admin2"
        villain.says({"sub": "ada", "preferred_username": "\u200b\0", "nickname": "ada"})
        villain.sign_in(visitor, sub="ada")
        assert visitor.who == "ada"

    def test_somebody_elses_address_does_not_lead_to_their_account(self, villain: Villain) -> None:
        ada = User.objects.create_user("ada", "ada@people.example")
        villain.says(
            {"sub": "mallory", "email": "ada@people.example", "email_verified": True, "preferred_username": "ada"}
        )
        visitor = Visitor()
        villain.sign_in(visitor)
        assert visitor.user != ada


class TestTokens:
    @pytest.mark.parametrize(
        ("document", "status"),
        [
            ("", 200), ("[]", 200), ("nonsense", 200), ("[" * 100_000, 200), ('{"error": "invalid_grant"}', 400),
            ("<html>", 502), ('{"error": ["x"], "error_description": 5}', 400), (b"\xff\xfe\x00", 200),
            ('{"access_token": 5, "token_type": [], "id_token": {}}', 200), ('{"expires_in": "soon"}', 200),
            ('{"access_token": "x", "token_type": "Bearer", "expires_in": 1e999, "id_token": "a.b.c"}', 200),
        ],
    )  # fmt: skip
    def test_odd_answers_are_pages(self, villain: Villain, document: Any, status: int) -> None:
        visitor = Visitor()
        asked = villain.begin(visitor)
        villain.serves("token", document, status=status)
        assert refused(villain.come_back(visitor, asked))

    def test_an_error_of_the_providers_begins_no_line(self, villain: Villain, caplog: Any) -> None:
        visitor = Visitor()
        asked = villain.begin(visitor)
        villain.serves("token", json.dumps({"error": "x\nWARNING forged", "error_description": "y\r\nz"}), status=400)
        assert refused(villain.come_back(visitor, asked))
        assert not [line for record in caplog.records for line in record.getMessage().splitlines()[1:]]

    def test_a_secret_may_have_any_letters(self, villain: Villain, settings: Any) -> None:
        for method in ("client_secret_basic", "client_secret_post"):
            settings.OPENID_PROVIDERS = [villain.entry(client_secret="pä€:%\u3042", auth_method=method)]
            assert villain.sign_in().status_code == 302

    def test_a_redirect_of_the_exchange_is_not_followed(
        self, villain: Villain, internal: Hostile, settings: Any
    ) -> None:
        settings.OPENID_FETCH_ALLOWED_HOSTS = [villain.process.host, internal.host]
        visitor = Visitor()
        asked = villain.begin(visitor)
        villain.serves("token", "", status=307, Location=f"{internal.url}inside")
        assert refused(villain.come_back(visitor, asked))
        assert internal.hits() == []

    @pytest.mark.parametrize("where", ["drip", "flood"])
    def test_slow_and_endless_answers_end(self, villain: Villain, settings: Any, where: str) -> None:
        settings.OPENID_FETCH_TIMEOUT = 1
        villain.describe(token_endpoint=f"{villain.process.url}{where}")
        visitor = Visitor()
        asked = villain.begin(visitor)
        began = time.monotonic()
        assert refused(villain.come_back(visitor, asked))
        assert time.monotonic() - began < 10

    def test_all_of_a_completion_has_one_deadline(self, villain: Villain, settings: Any) -> None:
        settings.OPENID_FETCH_TIMEOUT = 2
        visitor = Visitor()
        asked = villain.begin(visitor)
        body = json.dumps({"access_token": "x", "token_type": "Bearer", "id_token": signed(villain.claims(asked))})
        villain.serves("token", body, delay=1.2)
        villain.serves("keys", json.dumps(public(KEY)), delay=1.2)
        assert refused(villain.come_back(visitor, asked))


def by_number(issuer: str, claims: dict[str, Any]) -> Any:
    """The rule that the docs show."""
    assert json.dumps(claims, ensure_ascii=False).encode()
    return User.objects.filter(username=f"staff-{claims.get('employee_number')}").first()


def test_a_space_makes_no_identity_of_openid_2_one_of_connect(hostile: Hostile, villain: Villain) -> None:
    visitor = Visitor()
    request = visitor.request(hostile.select)
    for text in (f"{villain.issuer} mallory", hostile.identity("a b")):
        answer = hostile.answer(request, text)
        assert refused(visitor.complete(sent_back(hostile.sign(answer))))


def test_a_sign_in_that_is_refused_writes_nothing(villain: Villain) -> None:
    visitor = Visitor()
    asked = villain.begin(visitor)
    villain.gives(signed(villain.claims(asked), OTHER_KEY))
    with connection.execute_wrapper(no_writes):
        assert refused(villain.come_back(visitor, asked))


def no_writes(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    """But to the session, and that its answer was used."""
    used = sql.startswith("INSERT") and "openid_auth_nonce" in sql.partition("(")[0]
    reads = sql.startswith(("SELECT", "SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))
    assert reads or used or "django_session" in sql, sql
    return execute(sql, params, many, context)
