"""Where a sign-in may end: on this site, or on a host that the settings name, however the address is written."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from djintegrate.openid_auth.site.redirects import sanitise_redirect_url
from tests.openid_auth.hostile import sent_back
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, host_of, set_up

OPEN = [
    "https://evil.example/", "http://evil.example", "HTTPS://EVIL.EXAMPLE/", "https:evil.example", "http:evil.example",
    "https:/evil.example", "http:/evil.example", "https:///evil.example", "http:////evil.example", "//evil.example",
    "///evil.example", "////evil.example", "//evil.example/%2f..", "//evil.example@testserver/", "/\\evil.example",
    "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "/\t/evil.example", "/\n/evil.example",
    "\t//evil.example", "\n//evil.example", " //evil.example", "\x00//evil.example", "\x01//evil.example",
    "\x1f//evil.example", "/\x00/evil.example", "ht\ntps://evil.example", "java\nscript:alert(1)",
    "javascript:alert(1)", "JavaScript:alert(1)", "javascript://evil.example/%0aalert(1)", "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>", "file:///etc/passwd", "ftp://evil.example/", "blob:https://evil.example",
    "https://testserver@evil.example/", "https://testserver:80@evil.example/", "https://evil.example#@testserver/",
    "https://evil.example?testserver", "https://testserver.evil.example/", "https://eviltestserver/",
    "https://good.example@evil.example/", "https://good.example.evil.example/", "https://evilgood.example/",
    "https://good.example:80@evil.example/", "https://good.example:x/", "https://good.example:@evil.example/",
    "https://user@good.example/", "https://user:pw@good.example/", "https://evil.example\\@good.example/",
    "https://evil.example\\.good.example/", "//good.example@evil.example", "//good.example\\@evil.example",
    "https://evil.example%2f@good.example/", "https://[::1]/", "http://[evil.example", "https://evil。example/",
    "//evil%E3%80%82example", "/%2fevil.example", "/%2F/evil.example", "/.//evil.example", "/..//evil.example",
    "/./%2fevil.example", "/%2e%2f/evil.example", "%2f%2fevil.example", "/ /evil.example", "/\u00a0/evil.example",
    "\ufeff//evil.example", "/\u2028/evil.example", "//", "///", "http://", "https://",
    "/" + "a" * 5000,
]  # fmt: skip
FINE = [
    "/", "/welcome/", "/a/b/?c=d&e=f", "/search?next=https://evil.example/", "/page#part", "/%C3%A9/", "/é/",
    "/a//b", "/a:b",
    "https://good.example/", "https://good.example:8443/x", "//good.example/x", "http://good.example",
]  # fmt: skip


RELATIVE = ["here", "who/", "./who/", "../who/", "?x=1", "#frag", ".", "who?next=/", "who:8000/x"]
"""To the page that takes the provider's answer, where nobody was."""


@pytest.fixture(autouse=True)
def names(settings: Any) -> None:
    settings.LOGIN_REDIRECT_URL = "/home/"
    settings.ALLOWED_EXTERNAL_OPENID_REDIRECT_DOMAINS = ["good.example"]


def test_there_are_enough_of_them() -> None:
    assert len(set(OPEN)) >= 60


@pytest.mark.parametrize("address", [*OPEN, *RELATIVE, "", None])
def test_an_address_that_leads_elsewhere_becomes_the_default(address: str | None) -> None:
    assert sanitise_redirect_url(address) == "/home/"


@pytest.mark.parametrize("address", FINE)
def test_one_of_this_site_or_of_an_allowed_host_stays(address: str) -> None:
    assert sanitise_redirect_url(address) == address


def test_the_default_may_be_the_name_of_a_view(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.openid_auth.urls"
    settings.LOGIN_REDIRECT_URL = "openid-login"
    assert sanitise_redirect_url("") == "/openid/login/"


@pytest.mark.parametrize("value", ["nope", "", None, "home/", "./home/", "openid-identity-icon"])
def test_a_default_that_names_nothing_is_the_front_page(
    settings: Any, value: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ROOT_URLCONF = "tests.openid_auth.urls"
    settings.LOGIN_REDIRECT_URL = value
    assert sanitise_redirect_url("") == "/"
    [record] = caplog.records
    assert (record.levelname, f"LOGIN_REDIRECT_URL is {str(value)!r}" in record.getMessage()) == ("ERROR", True)


@pytest.mark.django_db
@pytest.mark.parametrize("setting", [{"LOGIN_REDIRECT_URL": "nope"}, {"next": "who/"}])
def test_a_sign_in_that_succeeds_ends_at_a_page(settings: Any, provider: Provider, setting: dict[str, str]) -> None:
    set_up(settings, host_of(provider.url))
    settings.LOGIN_REDIRECT_URL = setting.get("LOGIN_REDIRECT_URL", "/")
    visitor = Visitor()
    assert visitor.sign_in(provider, next=setting.get("next", ""))["Location"] == "/"
    assert visitor.who == "ada"


@pytest.mark.django_db
def test_a_whole_sign_in_leads_nowhere_else(settings: Any, provider: Provider) -> None:
    set_up(settings, host_of(provider.url))
    for address in OPEN[:12]:
        visitor = Visitor()
        assert visitor.sign_in(provider, next=address)["Location"] == "/"
        assert visitor.who == "ada"
    visitor = Visitor()
    assert visitor.sign_in(provider, next="https://good.example/back")["Location"] == "https://good.example/back"


@pytest.mark.django_db
def test_nor_does_a_provider_that_changes_the_address_to_return_to(settings: Any, hostile: Any) -> None:
    set_up(settings, hostile.host)
    visitor = Visitor()
    request = visitor.request(hostile.select)
    request["openid.return_to"] += "&next=https://evil.example/"
    response = visitor.complete(sent_back(hostile.sign(hostile.answer(request))))
    assert (response.status_code, response["Location"]) == (302, "/")


def test_a_space_is_quoted_as_djangos_own_login_does() -> None:
    assert sanitise_redirect_url("/my file/?a=b c") == "/my%20file/?a=b%20c"
    for address in (
        " /x",
        "/x ",
        "/ /evil.example",
        "/ %2fevil.example",
        "https://go od.example/",
        "http: //evil.example",
    ):
        assert sanitise_redirect_url(address) == "/home/"


@pytest.mark.django_db
def test_a_long_address_is_kept_by_connect_and_dropped_by_openid_2_with_a_line_in_the_log(
    villain: Any, hostile: Any, caplog: pytest.LogCaptureFixture
) -> None:
    villain.next = ("/?ids=" + secrets.token_urlsafe(1500))[:2000]
    assert villain.sign_in()["Location"] == villain.next
    assert "next is dropped" not in caplog.text
    Visitor().begin(hostile.select, next=villain.next)
    assert "next is dropped: it has 2000 letters, and at most 1500 are kept" in caplog.text
    villain.next = "https://evil.example/"
    villain.begin(Visitor())
    assert "does not lead to a page of this site" in caplog.text
