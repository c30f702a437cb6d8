"""A fetcher of the site's own, such as one that goes through a proxy, and what python3-openid's users set there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from openid import fetchers
from openid.fetchers import HTTPFetcher, HTTPFetchingError, HTTPResponse

from djintegrate.openid_auth import checks
from djintegrate.openid_auth.protocol import library
from djintegrate.openid_auth.site.egress import make_fetcher
from djintegrate.openid_auth.site.fetcher import Fetcher
from tests.openid_auth.hostile import SELECT, xrds
from tests.openid_auth.site import Visitor, set_up

pytestmark = pytest.mark.django_db


class Own(HTTPFetcher):
    """Answers everything itself, with text and headers as careless fetchers have them."""

    asked: list[str] = []

    def fetch(self, url: str, body: Any = None, headers: Any = None) -> HTTPResponse:
        self.asked.append(url)
        return HTTPResponse(url, 200, {"Content-Type": "application/xrds+xml"}, xrds("https://op.example/", SELECT))


@pytest.fixture(autouse=True)
def nothing_left(settings: Any) -> Iterator[None]:
    set_up(settings)
    Own.asked.clear()
    yield
    fetchers.setDefaultFetcher(None)


def test_without_one_it_is_ours() -> None:
    assert isinstance(make_fetcher(), Fetcher)


@pytest.mark.parametrize("path", ["/openid/", "/aopenid/"])
def test_the_setting_names_one(settings: Any, path: str) -> None:
    settings.OPENID_FETCHER = "tests.openid_auth.test_egress.Own"
    visitor = Visitor()
    visitor.prefix = path
    assert visitor.begin("http://10.0.0.1/")["Location"].startswith("https://op.example/")
    assert Own.asked[0] == "http://10.0.0.1/"


def test_what_was_given_to_python3_openid_is_used_and_warned_about(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = ["djintegrate.openid_auth.auth.OpenIDBackend"]
    assert [message.id for message in checks.check_configuration()] == []
    fetchers.setDefaultFetcher(Own())
    assert Visitor().begin("http://10.0.0.1/")["Location"].startswith("https://op.example/")
    assert [message.id for message in checks.check_configuration()] == ["openid_auth.W006"]
    settings.OPENID_FETCHER = Own
    assert [message.id for message in checks.check_configuration()] == []


def test_the_one_that_python3_openid_makes_for_itself_is_not_used(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = ["djintegrate.openid_auth.auth.OpenIDBackend"]
    with pytest.raises(HTTPFetchingError):
        fetchers.fetch("http://127.0.0.1:9/")
    assert fetchers._default_fetcher is not None
    assert isinstance(make_fetcher(), Fetcher)
    assert [message.id for message in checks.check_configuration()] == []


def test_looking_for_one_makes_none() -> None:
    assert library.default_fetcher() is None
    assert fetchers._default_fetcher is None


def test_one_is_not_asked_any_more_when_the_time_is_over(settings: Any) -> None:
    settings.OPENID_FETCHER = Own
    settings.OPENID_FETCH_TIMEOUT = 0.05
    fetcher = make_fetcher()
    fetcher.fetch("http://a.example/")
    time.sleep(0.06)
    with pytest.raises(HTTPFetchingError):
        fetcher.fetch("http://b.example/")
    assert Own.asked == ["http://a.example/"]
