"""What people and the log are told when a sign-in by OpenID Connect comes to nothing, and whose turn it is then."""

from __future__ import annotations

import json
from secrets import token_hex
from typing import Any

import pytest

from tests.openid_auth.hostile import SREG, Hostile, sent_back
from tests.openid_auth.site import Visitor, refused
from tests.openid_auth.villain import Villain, signed

pytestmark = pytest.mark.django_db
AWAY = "op does not answer at the moment"
MORE = "the provider needs more from you"
UNWILLING = "the provider does not accept what this site asks of it"
UNREADABLE = "The provider&#x27;s answer cannot be read."
USED = "This answer has been used before, or it is too old."


def page_of(response: Any) -> str:
    assert refused(response)
    return str(response.content.decode())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("server_error", AWAY), ("temporarily_unavailable", AWAY), ("login_required", MORE),
        ("interaction_required", MORE), ("invalid_scope", UNWILLING), ("unauthorized_client", UNWILLING),
        ("x" * 5000, UNWILLING), ("access_denied", "Authentication cancelled"),
    ],
)  # fmt: skip
def test_an_error_that_the_browser_brings(villain: Villain, caplog: Any, error: str, said: str) -> None:
    visitor = Visitor()
    asked = villain.begin(visitor)
    page = page_of(villain.come_back(visitor, asked, error=error, error_description="Call 0800"))
    assert said in page and "0800" not in page
    assert ("Call 0800" in caplog.text) == (error != "access_denied")


@pytest.mark.parametrize(
    ("status", "document", "said"),
    [
        (503, "busy", AWAY), (429, "{}", AWAY), (500, {"error": "server_error"}, AWAY), (404, "<html>", UNWILLING),
        (401, {"error": "invalid_client", "error_description": "wrong: s3cr3t-s3cr3t"}, UNWILLING),
        (400, {"error": "invalid_grant", "error_description": "expired"}, USED), (401, "", UNWILLING),
        (200, "nonsense", UNREADABLE), (200, "x" * 5000, UNREADABLE), (200, {}, UNREADABLE),
    ],
)  # fmt: skip
def test_what_the_exchange_comes_to(
    villain: Villain, settings: Any, caplog: Any, status: int, document: Any, said: str
) -> None:
    settings.OPENID_PROVIDERS = [villain.entry(client_secret="s3cr3t-s3cr3t")]
    settings.OPENID_FETCH_MAX_BYTES = 4000
    visitor = Visitor()
    asked = villain.begin(visitor)
    villain.serves("token", document, status=status)
    assert said in page_of(villain.come_back(visitor, asked))
    assert "s3cr3t" not in caplog.text
    if isinstance(document, dict) and "error_description" in document:
        assert document["error_description"].replace("s3cr3t-s3cr3t", "********") in caplog.text


def test_who_is_in_no_team_that_may_come_in(villain: Villain, hostile: Hostile, settings: Any) -> None:
    settings.OPENID_LAUNCHPAD_TEAMS_REQUIRED = ["staff"]
    visitor = Visitor()
    answer = hostile.answer(visitor.request(hostile.select), ns__sreg=SREG, sreg__nickname="m")
    for create, said in ((True, "none of the teams whose members"), (False, "Unknown user")):
        settings.OPENID_CREATE_USERS = create
        assert said in page_of(villain.sign_in())
    settings.OPENID_CREATE_USERS = True
    assert "none of the teams whose members" in page_of(visitor.complete(sent_back(hostile.sign(answer))))


def test_an_answer_that_came_twice_says_so(villain: Villain) -> None:
    visitor, again = Visitor(), Visitor()
    asked = villain.begin(visitor)
    again.keep(visitor.begun)
    villain.gives(signed(villain.claims(asked)))
    assert villain.come_back(visitor, asked).status_code == 302
    page = villain.come_back(again, asked).content.decode()
    assert USED in page and "go to the front page" in page


def test_several_tabs_have_room_and_lose_rather_where_they_go_afterwards(villain: Villain) -> None:
    visitor = Visitor()
    begun = []
    for following in ("/?first" + token_hex(800), "/?second" + token_hex(700), "/?third" + token_hex(700)):
        villain.next = following
        begun.append(villain.begin(visitor))
    went = []
    for asked in begun:
        villain.gives(signed(villain.claims(asked)))
        went.append(villain.come_back(visitor, asked)["Location"][:7])
    assert went == ["/", "/?secon", "/?third"]


def test_one_with_too_long_a_way_afterwards_goes_in_all_the_same(villain: Villain, settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    visitor = Visitor()
    villain.next = "/?" + json.dumps(["x"] * 2000)
    asked = villain.begin(visitor)
    villain.gives(signed(villain.claims(asked)))
    assert villain.come_back(visitor, asked)["Location"] == "/"
    assert visitor.who != "nobody"


@pytest.mark.parametrize("path", ["/openid/complete/", "/aopenid/complete/"])
def test_with_openid_2_too_nobody_is_signed_in_by_a_request_for_a_head(
    hostile: Hostile, villain: Villain, path: str
) -> None:
    visitor = Visitor()
    answer = sent_back(hostile.sign(hostile.answer(visitor.request(hostile.select))))
    query = answer.partition("?")[2]
    assert visitor.client.head(f"{path}?{query}").status_code == 405
    assert visitor.who == "nobody"
    assert visitor.complete(answer).status_code == 302
