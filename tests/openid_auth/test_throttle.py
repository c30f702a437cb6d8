"""One client cannot make the site fetch without end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from djintegrate.openid_auth.site.throttle import client, seconds_to_wait
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, host_of, set_up


@pytest.fixture(autouse=True)
def limit(settings: Any) -> Iterator[None]:
    settings.OPENID_LOGIN_THROTTLE = (3, 3600)
    cache.clear()
    yield
    cache.clear()


def request(address: str, forwarded: str | None = None) -> Any:
    extra = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=address, **extra)


def test_each_client_has_a_number_of_tries() -> None:
    assert [seconds_to_wait(request("8.8.8.8")) > 0 for _ in range(5)] == [False, False, False, True, True]
    assert seconds_to_wait(request("8.8.4.4")) == 0


def test_it_may_be_turned_off(settings: Any) -> None:
    settings.OPENID_LOGIN_THROTTLE = None
    assert not any(seconds_to_wait(request("8.8.8.8")) for _ in range(10))


@pytest.mark.parametrize(
    ("address", "forwarded", "expected"),
    [
        ("8.8.8.8", None, "8.8.8.8"),
        ("8.8.8.8", "1.1.1.1", "8.8.8.8"),
        ("10.0.0.1", "1.1.1.1, 8.8.4.4", "8.8.4.4"),
        ("127.0.0.1", "spoofed, 8.8.4.4", "8.8.4.4"),
        ("", "8.8.4.4", "8.8.4.4"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("", None, "unknown"),
        ("2606:4700:4700::1111", None, "2606:4700:4700::/64"),
    ],
)
def test_behind_a_proxy_the_client_is_who_the_proxy_says(address: str, forwarded: str | None, expected: str) -> None:
    assert client(request(address, forwarded)) == expected


def test_garbage_in_the_header_is_one_more_client() -> None:
    assert client(request("127.0.0.1", "x" * 5000)) != client(request("127.0.0.1", "y"))


@pytest.mark.django_db
def test_who_tries_too_often_is_told_when_to_come_back(settings: Any, provider: Provider) -> None:
    set_up(settings, host_of(provider.url))
    settings.OPENID_LOGIN_THROTTLE = (2, 3600)
    visitor = Visitor()
    codes = [visitor.begin(provider.url).status_code for _ in range(3)]
    assert codes == [302, 302, 429]
    response = visitor.begin(provider.url)
    assert 0 < int(response["Retry-After"]) <= 3600
    assert visitor.client.get("/openid/login/").status_code == 200


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        (0, "8.8.8.8", "1.1.1.1", "8.8.8.8"),
        (0, "10.0.0.1", "1.1.1.1", "10.0.0.1"),
        (1, "8.8.8.8", "spoofed, 1.1.1.1", "1.1.1.1"),
        (2, "10.0.0.1", "spoofed, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
        (3, "10.0.0.1", "1.1.1.1", "1.1.1.1"),
        (1, "8.8.8.8", None, "8.8.8.8"),
        (1, "10.0.0.1", "1.1.1.1:4711", "1.1.1.1"),
        (1, "10.0.0.1", "[2606:4700:4700::1111]:4711", "2606:4700:4700::/64"),
        (1, "::ffff:10.0.0.1", "::ffff:1.1.1.1", "1.1.1.1"),
    ],
)
def test_as_many_proxies_are_looked_through_as_the_setting_says(
    settings: Any, proxies: int, peer: str, forwarded: str | None, expected: str
) -> None:
    settings.OPENID_THROTTLE_PROXIES = proxies
    assert client(request(peer, forwarded)) == expected


def test_clients_of_ipv4_are_counted_one_by_one_on_a_socket_of_ipv6() -> None:
    assert client(request("::ffff:8.8.8.8")) == "8.8.8.8"
    assert client(request("::ffff:8.8.8.8")) != client(request("::ffff:8.8.4.4"))
    assert client(request("::ffff:10.0.0.1", "::ffff:8.8.4.4")) == "8.8.4.4"
