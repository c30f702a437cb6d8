"""An address and its verification are one thing: neither lets anybody in, or marks an account, with another's half."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from djintegrate.openid_auth.people.address import Address
from tests.openid_auth.hostile import SREG, TEAMS, Hostile, sent_back
from tests.openid_auth.site import Visitor, refused
from tests.openid_auth.villain import Villain

pytestmark = pytest.mark.django_db
PERMISSION = "openid_auth.account_verified"
CORP = "@corp.example"
TOO_LONG = "a" * (254 - len(CORP)) + CORP + ".evil.example"
UNREADABLE = "mällory@evil.example"
NOT_OURS = [
    TOO_LONG, "ceo\u200b@corp.example", "ceo\ue000@corp.example", "ceo@corp\u200b.example", "ceo\0@corp.example",
    "ceo\ud800@corp.example", "ceo@corp.example\ud800", "ceo\u00a0@corp.example", "\u3000ceo@corp.example",
    "ceo@corp.example\u2028", "c  eo@corp.example", "ceo@corp.example\x1f", "evil@evil.example ceo@corp.example",
    "ceo@corp.example,evil@evil.example", "ceo@corp.example.", "<ceo@corp.example>",
    " ceo@corp.example", "ceo@corp.example\n", "\tceo@corp.example\r\n",
]  # fmt: skip


def come(villain: Villain, visitor: Visitor | None = None, token: Any = None, **userinfo: Any) -> Any:
    """A sign-in of `mallory`, with these claims in the userinfo."""
    villain.says({"sub": "mallory", "preferred_username": "m", **userinfo})
    return villain.sign_in(visitor, **(token or {}))


class TestTheWhitelist:
    @pytest.fixture(autouse=True)
    def listed(self, settings: Any, villain: Villain) -> None:
        settings.OPENID_LAUNCHPAD_TEAMS_REQUIRED = ["staff"]
        settings.OPENID_EMAIL_WHITELIST_REGEXP_LIST = [r".*@corp\.example"]

    @pytest.mark.parametrize("email", NOT_OURS)
    def test_an_address_is_not_made_to_fit(self, villain: Villain, email: str) -> None:
        assert refused(come(villain, email=email, email_verified=True))

    def test_one_as_it_is_lets_in(self, villain: Villain) -> None:
        visitor = Visitor()
        assert come(villain, visitor, email="ceo@corp.example", email_verified=True).status_code == 302
        assert visitor.user.email == "ceo@corp.example"

    @pytest.mark.parametrize("update", [False, True])
    def test_that_another_one_is_verified_lets_nobody_in(self, villain: Villain, settings: Any, update: bool) -> None:
        settings.OPENID_UPDATE_DETAILS_FROM_SREG = update
        assert come(villain, email="m2@corp.example", email_verified=False, groups=["staff"]).status_code == 302
        assert come(villain, email="m2@corp.example", email_verified=False).status_code == 403
        for email in ("m2@evil.example", UNREADABLE, TOO_LONG, None, ["m2@corp.example"]):
            assert come(villain, email=email, email_verified=True).status_code == 403
        assert come(villain, email="m2@corp.example", email_verified=True).status_code == 302

    def test_one_that_somebody_has_given_themselves_here_does_not_either(self, villain: Villain) -> None:
        assert come(villain, groups=["staff"]).status_code == 302
        User.objects.update(email="m@corp.example")
        assert come(villain, email="m@evil.example", email_verified=True).status_code == 403

    def test_nobody_without_an_address_is_listed(self, villain: Villain, settings: Any) -> None:
        settings.OPENID_EMAIL_WHITELIST_REGEXP_LIST = [r".*"]
        assert refused(come(villain, email=UNREADABLE, email_verified=True))

    @pytest.mark.parametrize("email", [TOO_LONG, "ceo\u200b@corp.example", "ceo\ue000@corp.example"])
    def test_with_openid_2_it_is_not_made_to_fit_either(
        self, hostile: Hostile, villain: Villain, settings: Any, email: str
    ) -> None:
        settings.OPENID_TEAMS_TRUSTED_ENDPOINTS = [hostile.endpoint]
        visitor = Visitor()
        said = {"ns__sreg": SREG, "sreg__email": email, "ns__lp": TEAMS, "lp__is_member": ""}
        answer = hostile.answer(visitor.request(hostile.select), **said)
        assert refused(visitor.complete(sent_back(hostile.sign(answer))))


class TestTheMark:
    @pytest.fixture(autouse=True)
    def updates(self, settings: Any, villain: Villain) -> None:
        settings.OPENID_UPDATE_DETAILS_FROM_SREG = True

    def is_marked(self) -> bool:
        return bool(User.objects.get().has_perm(PERMISSION))

    @pytest.mark.parametrize("email", [UNREADABLE, TOO_LONG, "a\u200b@evil.example", None])
    def test_it_is_not_for_the_address_that_the_account_has_kept(self, villain: Villain, email: str | None) -> None:
        come(villain, email="ceo@corp.example", email_verified=False)
        come(villain, email=email, email_verified=True)
        assert (User.objects.get().email, self.is_marked()) == ("ceo@corp.example", False)

    def test_nor_for_one_that_the_accounts_field_has_no_room_for(self, villain: Villain, monkeypatch: Any) -> None:
        monkeypatch.setattr(User._meta.get_field("email"), "max_length", 20)
        come(villain, email="ceo@corp.example", email_verified=False)
        come(villain, email="mallory-mallory@evil.example", email_verified=True)
        assert (User.objects.get().email, self.is_marked()) == ("ceo@corp.example", False)

    def test_it_goes_with_the_verification(self, villain: Villain) -> None:
        come(villain, email="ceo@CORP.example", email_verified=True)
        assert self.is_marked()
        come(villain, email="ceo@corp.example", email_verified=True)
        assert self.is_marked()
        come(villain, email="ceo@corp.example", email_verified=False)
        assert not self.is_marked()

    @pytest.mark.parametrize(
        ("token", "userinfo", "email", "marked"),
        [
            ({"email_verified": True}, {"email": "a@b.example", "email_verified": False}, "a@b.example", False),
            ({"email_verified": True}, {"email": "a@b.example"}, "a@b.example", False),
            ({"email_verified": False}, {"email": "a@b.example", "email_verified": True}, "a@b.example", True),
            ({"email": "a@b.example"}, {"email_verified": True}, "a@b.example", False),
            ({"email": "a@b.example"}, {"email": "c@d.example", "email_verified": True}, "a@b.example", False),
            ({"email": "a@b.example"}, {"email": "a@b.example", "email_verified": True}, "a@b.example", True),
            (
                {"email": "a@b.example", "email_verified": False},
                {"email": "a@b.example", "email_verified": True},
                "a@b.example",
                False,
            ),
            ({"email": "a@b.example", "email_verified": True}, {"email": "c@d.example"}, "a@b.example", True),
            ({"email": UNREADABLE, "email_verified": True}, {"email": "c@d.example"}, "c@d.example", False),
        ],
    )
    def test_address_and_verification_are_of_one_source(
        self, villain: Villain, token: dict[str, Any], userinfo: dict[str, Any], email: str, marked: bool
    ) -> None:
        assert come(villain, token=token, **userinfo).status_code == 302
        assert (User.objects.get().email, self.is_marked()) == (email, marked)

    def test_the_sites_own_rule_is_given_that_pair_too(self, villain: Villain, settings: Any) -> None:
        heard: list[Any] = []

        def link(issuer: str, claims: dict[str, Any]) -> None:
            heard.append((claims["email"], claims["email_verified"]))

        settings.OPENID_LINK = link
        settings.OPENID_CREATE_USERS = False
        come(villain, email="ceo\u200b@corp.example", email_verified=True)
        come(villain, token={"email_verified": True}, email="a@b.example")
        come(villain, email="c@d.example ", email_verified=True)
        come(villain, email="c@d.example", email_verified=True)
        assert heard == [
            ("ceo\u200b@corp.example", False),
            ("a@b.example", False),
            ("c@d.example ", False),
            ("c@d.example", True),
        ]


def test_what_is_no_text_is_no_address() -> None:
    values: list[object] = [None, 5, True, ["a@b.example"], {}, "", " ", "a", b"a@b.example"]
    for value in values:
        assert Address.said(value, is_verified=True) is None
