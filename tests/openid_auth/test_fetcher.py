"""Fetching over real HTTP: what is refused is never connected to, and nothing takes more than the settings allow."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

import pytest
from openid.fetchers import HTTPFetchingError

from djintegrate.openid_auth.site.fetcher import Fetcher, FetchRefused, parse
from tests.openid_auth.hostile import Hostile

PUBLIC = "93.184.215.14"


@pytest.fixture(autouse=True)
def allowed(settings: Any, hostile: Hostile) -> None:
    settings.OPENID_FETCH_ALLOWED_HOSTS = [hostile.host]


def port_of(server: Hostile) -> str:
    return server.host.partition(":")[2]


def inward(port: str) -> list[str]:
    """Addresses that end at this machine, or at one that only this machine reaches."""
    hosts = [
        "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1",
        "017700000001", "0177.0.0.1", "127.000.000.001", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "127.0.0.2", "0x0", "00",
        "%31%32%37.0.0.1", "①②⑦.0.0.1", "127。0。0。1",
    ]  # fmt: skip
    return [f"http://{host}:{port}/" for host in hosts] + [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://[fe80::1%25lo]/",
        "http://10.0.0.1/",
        "http://192.168.0.1/",
        "http://100.100.100.200/",
        f"http://user@127.0.0.1:{port}/",
        f"http://example.com:80@127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}\\@example.com/",
        f"http:///127.0.0.1:{port}/",
        f"http:127.0.0.1:{port}",
        f"http://127.0.0.1:{port}\t/",
        f"http://127.0.0.1:{port}/\r\nX: y",
        f"//127.0.0.1:{port}/",
        f"gopher://127.0.0.1:{port}/",
        f"ftp://127.0.0.1:{port}/",
        "file:///etc/passwd",
        "http://",
        "http://[",
        "http://a:b",
        "",
    ]


def test_no_way_to_write_an_inner_address_reaches_it(internal: Hostile) -> None:
    for url in inward(port_of(internal)):
        for body in (None, "x=y"):
            with pytest.raises(HTTPFetchingError):
                Fetcher().fetch(url, body)
    assert internal.hits() == []


def test_nor_does_a_redirect_to_it(hostile: Hostile, internal: Hostile) -> None:
    for number, url in enumerate(inward(port_of(internal))):
        if not url.isascii() or not url.isprintable() or not url:
            continue
        with suppress(HTTPFetchingError):
            # Some of them are relative, and lead back to where they come from.
            response = Fetcher().fetch(hostile.serve(f"inward/{number}", status=302, Location=url))
            assert response.final_url.startswith(hostile.url)
    assert internal.hits() == []


def test_nor_a_longer_way_round(hostile: Hostile, internal: Hostile) -> None:
    last = hostile.serve("third", status=307, Location=f"http://2130706433:{port_of(internal)}/")
    second = hostile.serve("second", status=301, Location=last)
    with pytest.raises(FetchRefused):
        Fetcher().fetch(hostile.serve("first", status=303, Location=second))
    assert hostile.hits() == ["/first", "/second", "/third"]
    assert internal.hits() == []


class Names:
    """A name server for this process: `evil.example` is what the test says, one answer after another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.asked = 0
        self.connected: list[Any] = []
        real_look_up = socket.getaddrinfo

        def look_up(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
            if host != "evil.example":
                return real_look_up(host, port, *arguments, **options)
            found = answers[min(self.asked, len(answers) - 1)]
            self.asked += 1
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_a_name_that_changes_between_check_and_use_is_looked_up_once(
    monkeypatch: pytest.MonkeyPatch, settings: Any, internal: Hostile
) -> None:
    settings.OPENID_FETCH_TIMEOUT = 0.5
    names = Names(monkeypatch, [PUBLIC], ["127.0.0.1"])
    with pytest.raises(HTTPFetchingError) as caught:
        Fetcher().fetch(f"http://evil.example:{port_of(internal)}/")
    assert not isinstance(caught.value, FetchRefused)
    assert names.asked == 1
    assert internal.hits() == []


def test_one_inner_address_among_public_ones_is_too_many(monkeypatch: pytest.MonkeyPatch, internal: Hostile) -> None:
    for answer in ([PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], ["::ffff:127.0.0.1"]):
        Names(monkeypatch, answer)
        with pytest.raises(FetchRefused):
            Fetcher().fetch(f"http://evil.example:{port_of(internal)}/")
    assert internal.hits() == []


def test_a_redirect_is_looked_up_and_judged_anew(
    monkeypatch: pytest.MonkeyPatch, hostile: Hostile, internal: Hostile
) -> None:
    Names(monkeypatch, ["127.0.0.1"])
    with pytest.raises(FetchRefused):
        Fetcher().fetch(hostile.serve("to-name", status=302, Location=f"http://evil.example:{port_of(internal)}/"))
    assert internal.hits() == []


def test_a_host_that_the_settings_allow_is_allowed_with_that_port_only(
    settings: Any, hostile: Hostile, internal: Hostile
) -> None:
    assert Fetcher().fetch(hostile.serve("fine", "hello")).body == b"hello"
    with pytest.raises(FetchRefused):
        Fetcher().fetch(internal.serve("fine", "hello"))
    settings.OPENID_FETCH_ALLOWED_HOSTS = ["127.0.0.1"]
    with pytest.raises(FetchRefused):
        Fetcher().fetch(internal.serve("fine", "hello"))


def test_ten_megabytes_are_not_read(hostile: Hostile) -> None:
    began = time.monotonic()
    with pytest.raises(FetchRefused, match="longer than"):
        Fetcher().fetch(f"{hostile.url}flood")
    assert time.monotonic() - began < 5


def test_the_limit_is_what_the_setting_says(settings: Any, hostile: Hostile) -> None:
    settings.OPENID_FETCH_MAX_BYTES = 5
    assert Fetcher().fetch(hostile.serve("five", "12345")).body == b"12345"
    with pytest.raises(FetchRefused):
        Fetcher().fetch(hostile.serve("six", "123456"))


def test_endless_redirects_end(hostile: Hostile) -> None:
    with pytest.raises(FetchRefused, match="redirects more than 5 times"):
        Fetcher().fetch(f"{hostile.url}round/1")
    assert len(hostile.hits()) == 6


def test_an_answer_that_drips_is_given_up_when_the_time_is_over(settings: Any, hostile: Hostile) -> None:
    settings.OPENID_FETCH_TIMEOUT = 0.7
    began = time.monotonic()
    with pytest.raises(HTTPFetchingError):
        Fetcher().fetch(f"{hostile.url}drip")
    assert 0.5 < time.monotonic() - began < 3


def test_a_name_server_that_does_not_answer_is_given_up_too(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.OPENID_FETCH_TIMEOUT = 0.3
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: time.sleep(5))
    began = time.monotonic()
    with pytest.raises(HTTPFetchingError):
        Fetcher().fetch("http://slow.example/")
    assert time.monotonic() - began < 2


def test_encryption_is_not_given_up_by_a_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    from djintegrate.openid_auth.site import fetcher

    class Redirects:
        status, headers, body = 302, {"location": "http://site.example/"}, b""

    monkeypatch.setattr(fetcher, "_request", lambda *arguments: Redirects())
    with pytest.raises(FetchRefused, match="from https"):
        Fetcher().fetch("https://site.example/")


def test_a_post_follows_no_redirect(hostile: Hostile, internal: Hostile) -> None:
    url = hostile.serve("post", status=307, Location=hostile.serve("landing", "x"))
    assert Fetcher().fetch(url, "a=b").status == 307
    assert hostile.hits() == ["/post"]


@pytest.mark.parametrize("port", [22, 25, 6379 // 10, 1023])
def test_ports_of_other_services_are_refused(port: int) -> None:
    with pytest.raises(FetchRefused, match="port"):
        parse(f"http://example.com:{port}/")


def test_without_a_server_there_is_no_answer(hostile: Hostile, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings.OPENID_FETCH_ALLOWED_HOSTS = [f"127.0.0.1:{port}"]
    with pytest.raises(HTTPFetchingError):
        Fetcher().fetch(f"http://127.0.0.1:{port}/")
