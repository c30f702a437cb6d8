"""What a stranger could make this site fetch, keep waiting for, or take for encrypted; and what comes of it."""

from __future__ import annotations

import base64
import random
import time
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openid.consumer.discover import DiscoveryFailure
from openid.fetchers import HTTPFetcher, HTTPResponse

from djintegrate.openid_auth.models import Association
from djintegrate.openid_auth.protocol.discovery import discover
from djintegrate.openid_auth.site.addresses import MAPPED, TRANSLATED, is_public
from djintegrate.openid_auth.site.fetcher import Fetcher, FetchRefused, parse
from djintegrate.openid_auth.site.special_purpose import IPV4_NETWORKS, IPV6_NETWORKS
from tests.openid_auth.hostile import SELECT, SIGNON, Hostile, sent_back, xrds
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, host_of, refused, set_up, with_changes

pytestmark = pytest.mark.django_db
XML = "application/xrds+xml"


@pytest.fixture(autouse=True)
def site(settings: Any, provider: Provider, hostile: Hostile, internal: Hostile) -> None:
    set_up(settings, host_of(provider.url), hostile.host, internal.host)


class TestBeforeTheSignatureIsVerified:
    """`internal` is what the site would fetch if it believed what a browser brings."""

    @pytest.mark.parametrize("sso", [False, True])
    @pytest.mark.parametrize("path", ["/openid", "/aopenid"])
    def test_nothing_is_fetched_that_a_forged_answer_names(
        self, settings: Any, hostile: Hostile, internal: Hostile, sso: bool, path: str
    ) -> None:
        if sso:
            settings.OPENID_SSO_SERVER_URL = hostile.select
        visitor = Visitor()
        visitor.prefix = f"{path}/"
        begun = visitor.request(hostile.select)
        good = hostile.answer(begun, internal.identity())
        signed = hostile.sign(dict(good))
        hostile.hits()
        changed = signed | {"openid.sig": signed["openid.sig"][::-1]}
        assert refused(visitor.complete(sent_back(changed)))
        assert (internal.hits(), hostile.hits()) == ([], [])

    @pytest.mark.parametrize("what", ["openid_state", "openid.return_to", "openid.op_endpoint", "openid.assoc_handle"])
    def test_nor_what_a_signed_one_names_that_is_not_for_this_browser(
        self, hostile: Hostile, internal: Hostile, what: str
    ) -> None:
        visitor = Visitor()
        answer = hostile.sign(hostile.answer(visitor.request(hostile.select), internal.identity()))
        hostile.hits()
        assert refused(visitor.complete(with_changes(sent_back(answer), **{what: f"{internal.url}x"})))
        assert internal.hits() == []
        assert hostile.hits() in ([], ["/endpoint"])  # Where the session itself began, it may be asked.

    def test_an_unsolicited_answer_makes_no_fetch_at_all(
        self, settings: Any, hostile: Hostile, internal: Hostile
    ) -> None:
        settings.OPENID_ALLOW_UNSOLICITED = True
        answer = internal.answer({"openid.return_to": "http://testserver/openid/complete/"}, internal.identity())
        assert refused(Visitor().complete(sent_back(internal.sign(answer))))
        assert internal.hits() == []

    def test_a_signed_answer_has_its_identity_looked_up(self, hostile: Hostile) -> None:
        """So that the others fail for what they are."""
        visitor = Visitor()
        answer = hostile.sign(hostile.answer(visitor.request(hostile.select)))
        hostile.hits()
        assert visitor.complete(sent_back(answer)).status_code == 302
        assert hostile.hits() == ["/id/mallory"]

    def test_completions_are_throttled_as_beginnings_are(self, settings: Any, hostile: Hostile) -> None:
        from django.core.cache import cache

        settings.OPENID_LOGIN_THROTTLE = (3, 3600)
        cache.clear()
        for path in ("/openid/complete/", "/aopenid/complete/"):
            outcomes = [Visitor().client.get(path, {"openid.mode": "id_res"}).status_code for _ in range(5)]
            assert outcomes == [403, 403, 403, 429, 429]
            cache.clear()
        assert Visitor().client.get("/openid/complete/").status_code == 403
        cache.clear()


class TestTime:
    @pytest.mark.parametrize("path", ["/openid", "/aopenid"])
    def test_all_of_a_beginning_has_one_deadline(self, settings: Any, hostile: Hostile, path: str) -> None:
        """A page, its document, and an association that is asked for twice: each in time, all together not."""
        settings.OPENID_FETCH_TIMEOUT = 1
        error = "ns:http://specs.openid.net/auth/2.0\nerror:x\nerror_code:unsupported-type\n"
        error += "assoc_type:HMAC-SHA1\nsession_type:DH-SHA1\n"
        endpoint = hostile.serve("slow-endpoint", error, status=400, delay=0.6)
        document = hostile.serve("slow-document", xrds(endpoint, SELECT), delay=0.3, Content_Type=XML)
        page = hostile.serve("slow-page", "hello", delay=0.3, X_XRDS_Location=document)
        visitor = Visitor()
        visitor.prefix = f"{path}/"
        began = time.monotonic()
        assert visitor.begin(page).status_code == 302
        assert time.monotonic() - began < 1.6
        assert hostile.hits() == ["/slow-page", "/slow-document", "/slow-endpoint"]

    def test_all_of_a_completion_too(self, settings: Any, hostile: Hostile) -> None:
        settings.OPENID_FETCH_TIMEOUT = 1
        said = "is_valid:true\nns:http://specs.openid.net/auth/2.0\n"
        endpoint = hostile.serve("slow-check", said, delay=0.7)
        select = hostile.serve("slow-select", xrds(endpoint, SELECT), Content_Type=XML)
        identity = hostile.serve("slow-identity", xrds(endpoint, SIGNON), delay=0.7, Content_Type=XML)
        visitor = Visitor()
        answer = hostile.answer(visitor.request(select), identity, op_endpoint=endpoint)
        answer["openid.assoc_handle"] = "made-up"
        began = time.monotonic()
        assert refused(visitor.complete(sent_back(hostile.sign(answer))))
        assert time.monotonic() - began < 1.7


class TestSecretsInTheOpen:
    KEY = base64.b64encode(b"s" * 20).decode()

    @pytest.mark.parametrize("version", [SELECT, "http://openid.net/signon/1.1"])
    @pytest.mark.parametrize("ns", ["", "ns:http://specs.openid.net/auth/2.0\n", "ns:http://openid.net/signon/1.1\n"])
    @pytest.mark.parametrize("session_type", ["", "session_type:\n", "session_type:no-encryption\n"])
    def test_no_association_is_made_of_one(self, hostile: Hostile, version: str, ns: str, session_type: str) -> None:
        answer = f"{ns}assoc_type:HMAC-SHA1\nassoc_handle:open\nexpires_in:1000\nmac_key:{self.KEY}\n{session_type}"
        endpoint = hostile.serve("open-secret", answer)
        url = hostile.serve("open", xrds(endpoint, version), Content_Type=XML)
        assert "openid.assoc_handle" not in Visitor().request(url)
        assert not Association.objects.exists()


class Documents(HTTPFetcher):
    """A network of https addresses."""

    def __init__(self, **documents: str) -> None:
        self._documents = documents

    def fetch(self, url: str, body: Any = None, headers: Any = None) -> HTTPResponse:
        name = url.rpartition("/")[2]
        return HTTPResponse(url, 200, {"content-type": XML if name == "xrds" else "text/html"}, self._documents[name])


@pytest.mark.parametrize("name", ["xrds", "page"])
@pytest.mark.parametrize(("identity", "endpoint", "found"), [
    ("https", "http", False), ("https", "https", True), ("http", "http", True), ("http", "https", True),
])  # fmt: skip
def test_an_identity_over_https_is_not_vouched_for_over_http(
    name: str, identity: str, endpoint: str, found: bool
) -> None:
    url = f"{endpoint}://op.example/"
    documents = {"xrds": xrds(url, SIGNON), "page": f'<link rel="openid2.provider" href="{url}">'}
    network = Documents(**{key: text.encode() for key, text in documents.items()})  # type: ignore[arg-type]
    if found:
        assert discover(f"{identity}://me.example/{name}", network)[1][0].server_url == url
    else:
        with pytest.raises(DiscoveryFailure):
            discover(f"{identity}://me.example/{name}", network)


class TestExceptions:
    @pytest.mark.parametrize(("exception", "opens"), [
        ("op.internal", {"http://op.internal/", "https://op.internal/"}),
        ("op.internal:8000", {"http://op.internal:8000/", "https://op.internal:8000/"}),
        ("op.internal:80", {"http://op.internal/", "https://op.internal:80/"}),
        ("op.internal:443", {"https://op.internal/", "http://op.internal:443/"}),
        ("op.internal:22", {"http://op.internal:22/", "https://op.internal:22/"}),
    ])  # fmt: skip
    def test_one_for_a_host_opens_that_host_and_port(self, settings: Any, exception: str, opens: set[str]) -> None:
        settings.OPENID_FETCH_ALLOWED_HOSTS = [exception]
        ports = ("", ":22", ":80", ":443", ":8000", ":6379")
        urls = {f"{scheme}://{host}{port}/" for scheme in ("http", "https") for host in ("op.internal", "internal")
                for port in ports}  # fmt: skip
        allowed = set()
        for url in urls:
            try:
                target = parse(url)
            except FetchRefused:
                continue
            if target.allowed_by_setting:
                scheme, host = target.scheme, target.host_header
                allowed.add(f"{scheme}://{host}/")
        assert allowed == opens

    def test_other_ports_of_an_allowed_host_are_not_reached(self, settings: Any, internal: Hostile) -> None:
        settings.OPENID_FETCH_ALLOWED_HOSTS = ["127.0.0.1"]
        with pytest.raises(FetchRefused):
            Fetcher().fetch(internal.url)
        assert internal.hits() == []


class TestAddresses:
    @pytest.mark.parametrize("network", [*IPV4_NETWORKS, *IPV6_NETWORKS], ids=str)
    def test_no_special_purpose_address_is_public(self, network: IPv4Network | IPv6Network) -> None:
        generator = random.Random(str(network))
        size = network.num_addresses
        numbers = [0, size - 1, size // 2, *(generator.randrange(size) for _ in range(20))]
        found = {str(network[number]) for number in numbers if is_public(str(network[number]))}
        # These two are IPv4 in other clothes, and what they wear is judged.
        assert not found or network in (MAPPED, TRANSLATED)

    @pytest.mark.parametrize("prefix", ["::ffff:", "64:ff9b::"])
    @pytest.mark.parametrize("network", IPV4_NETWORKS, ids=str)
    def test_nor_is_one_of_ipv4_in_the_clothes_of_ipv6(self, network: IPv4Network, prefix: str) -> None:
        assert not is_public(f"{prefix}{network[0]}")
        assert not is_public(f"{prefix}{network[-1]}")

    @settings(max_examples=500, derandomize=True)
    @given(st.ip_addresses())
    def test_what_is_public_is_global_to_python_too(self, address: Any) -> None:
        if is_public(str(address)):
            judged = ip_address(int(address) & 0xFFFFFFFF) if str(address).startswith("64:ff9b::") else address
            assert judged.is_global
            assert not judged.is_multicast

    @settings(max_examples=300, derandomize=True)
    @given(st.ip_addresses(v=4))
    def test_most_of_the_internet_is_public(self, address: Any) -> None:
        """What no list names may be fetched from."""
        special = any(address in network for network in IPV4_NETWORKS) or address.is_multicast
        assert is_public(str(address)) == (not special) or str(address) == "168.63.129.16"
