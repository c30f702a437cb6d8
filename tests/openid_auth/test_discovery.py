"""From an identifier to its provider: documents over real HTTP, honest ones and others."""

from __future__ import annotations

import time
from typing import Any

import pytest
from openid.consumer.discover import DiscoveryFailure, OpenIDServiceEndpoint

from djintegrate.openid_auth.protocol.discovery import discover
from djintegrate.openid_auth.site.fetcher import Fetcher
from tests.openid_auth.hostile import SELECT, SIGNON, Hostile, xrds
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import host_of

XML = "application/xrds+xml"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "{}">'.format("a" * 1000)
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    + "]><x>&m;</x>"
)


@pytest.fixture(autouse=True)
def allowed(settings: Any, provider: Provider, hostile: Hostile) -> None:
    settings.OPENID_FETCH_ALLOWED_HOSTS = [host_of(provider.url), hostile.host]


def first(url: str) -> OpenIDServiceEndpoint:
    return discover(url, Fetcher())[1][0]


def fails(url: str) -> bool:
    with pytest.raises(DiscoveryFailure) as caught:
        discover(url, Fetcher())
    return url in str(caught.value)


def test_a_provider_and_a_person_are_found(provider: Provider) -> None:
    assert first(provider.url).isOPIdentifier()
    person = first(provider.identity("ada"))
    assert (person.claimed_id, person.server_url) == (provider.identity("ada"), provider.endpoint)
    assert first(provider.url.removeprefix("http://")).server_url == provider.endpoint


@pytest.mark.parametrize("how", ["header", "meta"])
def test_a_page_may_say_where_its_document_is(hostile: Hostile, how: str) -> None:
    document = hostile.serve("document", xrds(hostile.endpoint, SIGNON), Content_Type=XML)
    if how == "header":
        url = hostile.serve("page", "hello", X_XRDS_Location=document)
    else:
        url = hostile.serve("page", f'<head><meta content="{document}" http-equiv="x-xrds-location"></head>')
    assert (first(url).claimed_id, first(url).server_url) == (url, hostile.endpoint)


def test_a_page_may_name_its_provider_by_links(hostile: Hostile) -> None:
    page = f"<html><head><LINK href='{hostile.endpoint}?a=1&amp;b=2' rel='x OpenID2.Provider'></head><body></body>"
    assert first(hostile.serve("links", page)).server_url == f"{hostile.endpoint}?a=1&b=2"


@pytest.mark.parametrize(
    "page",
    [
        "<head><!-- {} --></head>", "<head><script>'{}'</script></head>", "<head><style>{}</style></head>",
        "<head><title>{}</title></head>", "<head><textarea>{}</textarea></head>", "<head></head><body>{}</body>",
        "<head><noscript>{}</noscript></head>", "<body>{}", "<head><!-- {}", "<head><![CDATA[{}]]></head>",
        "<head><meta name='description' content='{}'></head>", "<head><link title='{}'></head>",
        "<html title='{}'><head></head>",

        "<head><template>{}</template></head>", "<head><x title='>{}'></head>",
        "<p>{}", "<head><script>/*<!--*/{}</script>",
    ],
)  # fmt: skip
def test_what_visitors_may_have_put_into_a_page_does_not_count(hostile: Hostile, page: str) -> None:
    assert fails(hostile.serve("comment", page.format(f'<link rel="openid2.provider" href="{hostile.endpoint}">')))


@pytest.mark.parametrize(
    "endpoint",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example/",
        "/relative",
        "",
        "http://",
        "ftp://x/",
        "http://x/#y",
    ],
)
def test_an_endpoint_that_a_browser_must_not_be_sent_to_is_none(hostile: Hostile, endpoint: str) -> None:
    assert fails(hostile.serve("bad", xrds(endpoint, SELECT), Content_Type=XML))


@pytest.mark.parametrize(
    "document",
    [
        BOMB,
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        '<!DOCTYPE x SYSTEM "{internal}dtd"><x/>',
        '<!DOCTYPE x [<!ENTITY % e SYSTEM "{internal}entity"> %e;]><x/>',
        "<" * 1000,
        "<a>" * 100000,
        "",
    ],
    ids=["bomb", "file", "dtd", "parameter entity", "angles", "deep", "empty"],
)
def test_hostile_documents_are_none(hostile: Hostile, internal: Hostile, document: str) -> None:
    began = time.monotonic()
    assert fails(hostile.serve("xml", document.replace("{internal}", internal.url), Content_Type=XML))
    assert time.monotonic() - began < 3
    assert internal.hits() == []


def test_entities_inside_of_a_good_document_are_refused(hostile: Hostile) -> None:
    good = xrds(hostile.endpoint, SELECT)
    entity = good.replace("<xrds:XRDS", '<!DOCTYPE x [<!ENTITY e "x">]><xrds:XRDS', 1)
    assert fails(hostile.serve("entity", entity.replace("<XRD>", "<XRD><x>&e;</x>"), Content_Type=XML))


@pytest.mark.parametrize("piece", ["<!--", "<link ", "<link a=", "<link a='", "<script", "<meta x='\"", "<", "a=\"'"])
def test_a_page_that_is_made_to_be_slow_is_not(hostile: Hostile, piece: str) -> None:
    url = hostile.serve("slow", "<head>" + piece * (900_000 // len(piece)))
    began = time.monotonic()
    assert fails(url)
    assert time.monotonic() - began < 4


def test_i_names_are_not_looked_up(hostile: Hostile) -> None:
    for name in ("=someone", "@company", "xri://=someone", "!1234"):
        assert fails(name)


def test_a_redirected_identifier_is_the_one_it_leads_to(hostile: Hostile) -> None:
    url = hostile.serve("moved", status=301, Location=hostile.identity("mallory"))
    assert first(url).claimed_id == hostile.identity("mallory")
