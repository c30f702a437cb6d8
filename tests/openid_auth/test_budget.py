"""What a stranger's document costs: no shape of it costs more than its length, in time and in memory.

The shapes are those in which a few bytes could multiply. Each is made in three lengths, up to what a fetch may bring.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from openid.consumer.consumer import Response
from openid.consumer.discover import DiscoveryFailure
from openid.fetchers import HTTPFetcher, HTTPResponse

from djintegrate.openid_auth.conf import config
from djintegrate.openid_auth.protocol import discovery, html
from djintegrate.openid_auth.protocol.consumer import OpenIDConsumer
from djintegrate.openid_auth.protocol.discovery import discover
from djintegrate.openid_auth.site.begun import Begun
from djintegrate.openid_auth.site.fetcher import Fetcher
from djintegrate.openid_auth.store import DjangoOpenIDStore
from tests.openid_auth.hostile import SELECT, Hostile, xrds

UNITS_PER_MEGABYTE = 250
BYTES_PER_BYTE = 32
ALLOWANCE_UNITS, ALLOWANCE_BYTES = 75, 20 * 1024 * 1024
"""What a small document may cost: the bound of HTML's quadratic rules is in it."""
LENGTHS = (64 * 1024, 256 * 1024, 1024 * 1024)
TYPE, URI = f"<Type>{SELECT}</Type>", "<URI>https://op.example/</URI>"
HEAD = "<xrds:XRDS xmlns:xrds='xri://$xrds' xmlns='xri://$xrd*($v*2.0)'><XRD>"


def repeated(piece: str, length: int) -> str:
    return piece * (length // len(piece))


def numbered(piece: str, length: int) -> str:
    """`piece` again and again, with a number of its own where it has {}."""
    return "".join(piece.format(number) for number in range(length // (len(piece) + 4)))


def service(inside: str) -> str:
    return f"{HEAD}<Service>{inside}</Service></XRD></xrds:XRDS>"


XML: dict[str, Callable[[int], str]] = {
    "types by URIs of one service": lambda n: service(repeated(TYPE, n // 2) + repeated(URI, n // 2)),
    "services": lambda n: f"{HEAD}{repeated(f'<Service>{TYPE}{URI}</Service>', n)}</XRD></xrds:XRDS>",
    "services by types by URIs": lambda n: HEAD
    + repeated(f"<Service>{TYPE * 20}{URI * 20}</Service>", n)
    + "</XRD></xrds:XRDS>",
    "services in services": lambda n: service(repeated(f"<Service/>{TYPE}{URI}", n)),
    "local identifiers": lambda n: service(TYPE * 5 + URI * 20 + repeated("<LocalID>x</LocalID>", n)),
    "nesting": lambda n: HEAD + repeated("<a>", n),
    "attributes of one element": lambda n: HEAD + "<Service " + numbered("a{}='' ", n) + "/></XRD></xrds:XRDS>",
    "a long namespace with many elements": lambda n: f"<x xmlns:a='{'n' * (n // 2)}'>{repeated('<a:b/>', n // 2)}</x>",
    "many namespaces": lambda n: HEAD + "<Service " + numbered("xmlns:a{}='u' ", n) + "/></XRD></xrds:XRDS>",
    "namespaces one in the other": lambda n: HEAD + repeated("<a xmlns='n'>", n),
    "entities": lambda n: f"<!DOCTYPE x [<!ENTITY a '{'a' * (n // 2)}'>]><x>{repeated('&a;', n // 2)}</x>",
    "entities of entities": lambda n: "<!DOCTYPE x [<!ENTITY a0 'aaaa'>"
    + "".join(f"<!ENTITY a{i + 1} '{f'&a{i};' * 20}'>" for i in range(min(n // 150, 60)))
    + "]><x>&a20;</x>",
    "attributes by default": lambda n: f"<!DOCTYPE x [<!ATTLIST a b CDATA '{'v' * (n // 2)}'>]><x>"
    + repeated("<a/>", n // 2),
    "character references": lambda n: service(f"<URI>{repeated('&#97;', n)}</URI>"),
    "one long text": lambda n: service(f"{TYPE}<URI>https://op.example/{'x' * n}</URI>"),
    "priorities": lambda n: f"{HEAD}<Service priority='{'9' * n}'>{TYPE}{URI}</Service></XRD></xrds:XRDS>",
    "comments": lambda n: HEAD + repeated("<!-- - -->", n),
    "instructions": lambda n: HEAD + repeated("<?a b?>", n),
}  # fmt: skip
PIECES = [
    "<!--", "<!-",
    "<link ", "<link a=", "<link a='", "<link rel=openid2.provider href=x>", "<script", "<script><!--",
    "<meta x='\"", "<", "</", "a=\"'", "&", "&#", "&amp", "&notin", "<![CDATA[",
    "<?", "<!doctype ", "<title>", "<style>",
    "<textarea>", "<template>", "<noscript>", "<b>", "<b><p>", "<a><table>", "<table><b>", "<svg><b>", "<font><i>x</p>",
    "<b><a><i>", "<nobr>", "<select>", "<table><tr><td>", "</p>", "<li>", "<form>", "\0", "\n", "<p ", " x=y",
    "<b id=x{}>", "<font c{}=x>", "<link a{}=b>", "<a{}>", "<i x{}><p>",
]  # fmt: skip
PAGES: dict[str, Callable[[int], str]] = {
    "one tag with many attributes": lambda n: "<head><link " + numbered("a{}='' ", n) + ">",
    "one attribute again and again": lambda n: "<head><link " + repeated("rel='x' ", n) + ">",
    "relations": lambda n: "<head><link href=x rel='" + numbered("r{} ", n) + "'>",
    "spaces": lambda n: f"<head><link rel={' ' * n}x>",
}


def page_of(piece: str) -> Callable[[int], str]:
    return lambda length: "<head>" + numbered(piece, length)


PAGES |= {f"many {piece!r}": page_of(piece) for piece in PIECES}


class Canned(HTTPFetcher):
    """The network: the same answer whatever is asked."""

    def __init__(self, body: bytes, headers: dict[str, str]) -> None:
        self._body, self._headers = body, headers

    def fetch(self, url: str, body: Any = None, headers: Any = None) -> HTTPResponse:
        return HTTPResponse(url, 200, self._headers, self._body)


def seconds_of(action: Callable[[], object]) -> float:
    began = time.thread_time()
    action()
    return time.thread_time() - began


def unit() -> None:
    """Plain work on texts, to measure with: it becomes slower as the machine does, and with what runs beside the tests.

    It takes some 3 ms.
    """
    for number in range(20_000):
        f"{number}x".split("1")


def cost(action: Callable[[], object]) -> tuple[float, int]:
    """The units of CPU time, and the bytes at most, of `action`."""
    before = seconds_of(unit)
    seconds = seconds_of(action)
    units = seconds / max(before, seconds_of(unit))
    tracemalloc.start()
    try:
        action()
        return units, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def within_bounds(action: Callable[[], object], length: int) -> bool:
    units, memory = cost(action)
    megabytes = length / 1024 / 1024
    assert units < ALLOWANCE_UNITS + UNITS_PER_MEGABYTE * megabytes, f"{units:.0f} units for {length} bytes"
    assert memory < ALLOWANCE_BYTES + BYTES_PER_BYTE * length, f"{memory} bytes for {length}"
    return True


def looked_at(document: bytes, kind: str) -> None:
    try:
        found = discover("https://me.example/", Canned(document, {"content-type": kind}))[1]
    except DiscoveryFailure:
        return
    assert len(found) <= discovery.MAX_ENDPOINTS


@pytest.mark.parametrize("length", LENGTHS[::2])
@pytest.mark.parametrize("shape", XML)
def test_an_xrds_document_costs_no_more_than_its_length(shape: str, length: int) -> None:
    document = XML[shape](length).encode()
    assert within_bounds(lambda: looked_at(document, "application/xrds+xml"), len(document))


@pytest.mark.parametrize("length", LENGTHS[::2])
@pytest.mark.parametrize("shape", PAGES)
def test_a_page_costs_no_more_than_its_length(shape: str, length: int) -> None:
    page = PAGES[shape](length).encode()
    assert within_bounds(lambda: looked_at(page, "text/html"), len(page))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(
    "piece", ["a:b\n", "a{}:b\n", "ns.a{0}:http://x.example/{0}\n", ":\n", "\n", "openid.a.b{}:c\n", "a"]
)
def test_the_answer_of_an_endpoint_costs_no_more_than_its_length(piece: str, length: int) -> None:
    document = numbered(piece, length).encode()
    consumer = OpenIDConsumer(Begun({}), DjangoOpenIDStore(), fetcher=Canned(document, {}))
    endpoint = discover("https://me.example/", Canned(xrds("https://op.example/", SELECT).encode(), {
        "content-type": "application/xrds+xml"
    }))[1][0]  # fmt: skip
    assert within_bounds(lambda: consumer.negotiate(endpoint), len(document))


@pytest.mark.parametrize(("count", "length"), [(90, 60_000), (5000, 10), (90, 10), (1, 60_000)])
@pytest.mark.parametrize("name", ["X-{}", "X-XRDS-Location", "Content-Type", "Location"])
def test_headers_cost_no_more_than_their_length(
    settings: Any, hostile: Hostile, name: str, count: int, length: int
) -> None:
    settings.OPENID_FETCH_ALLOWED_HOSTS = [hostile.host]
    # A server may send one header many times over; what serves here sends those of a list of pairs.
    headers = [[name.format(number), "a" * length] for number in range(count)]
    url = hostile.serve_headers("headers", headers)

    def look() -> None:
        with suppress(DiscoveryFailure):
            discover(url, Fetcher())

    assert within_bounds(look, count * (length + len(name)))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_cost_no_more_than_the_settings_allow(settings: Any, hostile: Hostile, status: int) -> None:
    settings.OPENID_FETCH_ALLOWED_HOSTS = [hostile.host]
    long = hostile.serve("long", "x" * 500_000, status=status, Location=hostile.url + "y" * 60_000)
    round_about = hostile.serve("about", "x" * 500_000, status=status, Location="/about")

    def look() -> None:
        for url in (long, round_about):
            with suppress(DiscoveryFailure):
                discover(url, Fetcher())

    assert within_bounds(look, 500_000 * (2 + config.fetch_max_redirects))


@pytest.mark.parametrize("fields", [100, 400, 1000])
@pytest.mark.parametrize("name", ["openid.a{}", "openid.ns.a{}", "openid.ax.value.a.{}", "a{}", "openid.sreg.{}"])
def test_an_answer_costs_no_more_than_its_length(settings: Any, name: str, fields: int) -> None:
    """Django takes a thousand fields."""
    settings.OPENID_ALLOW_UNSOLICITED = True
    values = {
        "openid.mode": "id_res", "openid.ns": "http://specs.openid.net/auth/2.0", "openid.sig": "x",
        "openid.signed": "x",        "openid.return_to": "http://site.example/",
        **{name.format(number): f"http://x/{number}" for number in range(fields)},
    }  # fmt: skip
    consumer = OpenIDConsumer(Begun({}), DjangoOpenIDStore(), fetcher=Canned(b"", {}))

    def verify() -> Response:
        return consumer.verify(consumer.receive(values, "http://site.example/"))[0]

    assert within_bounds(verify, sum(len(name) + len(value) for name, value in values.items()))


def test_the_bounds_do_find_what_multiplies() -> None:
    from openid.consumer.discover import OpenIDServiceEndpoint

    document = XML["types by URIs of one service"](LENGTHS[1]).encode()
    with pytest.raises(AssertionError, match="units for"):
        within_bounds(lambda: OpenIDServiceEndpoint.fromXRDS("https://me.example/", document), len(document))


def test_no_document_is_longer_than_what_was_tried() -> None:
    assert config.fetch_max_bytes <= LENGTHS[-1]
    assert LENGTHS[-1] >= html.MAX_BYTES
