"""Whatever a provider or a browser sends, the site answers with a page: never with a 500, never with a stranger inside.

OPENID_FUZZ_EXAMPLES says how many of each kind are tried; `make fuzz-openid` is fuzz.py. In `FAILED` is what failed:
here, or in python3-openid, which raises all sorts of things, or with the application that came before.
"""

from __future__ import annotations

import base64
import os
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.http import HttpResponse, SimpleCookie
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openid.association import Association
from openid.consumer.discover import OPENID_2_0_TYPE, OPENID_IDP_2_0_TYPE, OpenIDServiceEndpoint
from openid.fetchers import HTTPFetchingError, HTTPResponse
from openid.store.nonce import mkNonce

from djintegrate.openid_auth.models import UserOpenID
from djintegrate.openid_auth.protocol import consumer
from djintegrate.openid_auth.protocol.state import PARAMETER, Begun, BegunRequests
from djintegrate.openid_auth.site.begun import Begun as Entries
from djintegrate.openid_auth.store import DjangoOpenIDStore
from tests.openid_auth.hostile import AX, PAPE, SELECT, SIGNON, SREG, TEAMS, xrds
from tests.openid_auth.site import set_up

EXAMPLES = int(os.environ.get("OPENID_FUZZ_EXAMPLES", "80"))
ENDPOINT = "http://provider.example/endpoint"
IDENTITY = "http://provider.example/id/mallory"
SECRET = b"s" * 32

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning:openid")]
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    derandomize="OPENID_FUZZ_EXAMPLES" not in os.environ,
)


@pytest.fixture(autouse=True)
def site(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(settings)
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    settings.OPENID_UPDATE_DETAILS_FROM_SREG = True
    settings.OPENID_FOLLOW_RENAMES = True
    settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = {"team": "group"}
    settings.OPENID_LAUNCHPAD_STAFF_TEAMS = ["team"]
    settings.OPENID_TEAMS_TRUSTED_ENDPOINTS = [ENDPOINT]
    settings.OPENID_VALID_VERIFICATION_SCHEMES = {ENDPOINT: ["token_via_email"]}
    monkeypatch.setattr(consumer, "make_fetcher", lambda: Canned)


class Canned:
    """The network: an answer for each fetch, in turn, the last one for ever."""

    answers: list[HTTPResponse] = []
    asked = 0

    @classmethod
    def hold(cls, *answers: HTTPResponse) -> None:
        cls.answers, cls.asked = list(answers), 0

    @classmethod
    def fetch(cls, url: str, body: Any = None, headers: Any = None) -> HTTPResponse:
        if not cls.answers:
            raise HTTPFetchingError("nothing there")
        answer = cls.answers[min(cls.asked, len(cls.answers) - 1)]
        cls.asked += 1
        return HTTPResponse(answer.final_url or url, answer.status, answer.headers, answer.body)


# Answers

VALUES = [
    "", " ", "\0", "\n", "\r\n", "a\nb:c", "%00", "\ufffd", "\U0001f600", "\u202e", "x" * 5000, "9" * 5000, "-1", "0",
    "NaN", "id_res", "cancel", "error", "setup_needed", "check_authentication", "associate", "no such mode",
    "Invalid", "http://", "http://[", "https://[::1", "//", "javascript:alert(1)", "=name", "xri://=name",
    "http://a:b@c/", "http://x:99999/", "2026-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59Zx",
    "1969-01-01T00:00:00Zx", "http://specs.openid.net/auth/2.0", "http://openid.net/signon/1.0",
    "http://openid.net/signon/1.1", "sreg", "lp", IDENTITY, IDENTITY + "#fragment", IDENTITY + "?x=%zz", ENDPOINT,
    "true", "false", ",", ",,,", "signed,signed", "ns,mode", TEAMS, SREG, AX, PAPE, "fetch_response",
    "http://axschema.org/contact/email", "\ud800",
]  # fmt: skip
KEYS = [
    "openid.ns", "openid.mode", "openid.op_endpoint", "openid.claimed_id", "openid.identity", "openid.return_to",
    "openid.response_nonce", "openid.assoc_handle", "openid.sig", "openid.signed", "openid.invalidate_handle",
    "openid.user_setup_url", "openid.error", "openid.contact", "openid.reference", "openid", "openid.", "openid..",
    "openid.ns.", "openid.ns.ns", "openid.ns.mode", "openid.ns.sreg", "openid.ns.lp", "openid.ns.ax",
    "openid.ns.pape", "openid.ns.a.b", "openid.ns.x", "openid.sreg.email", "openid.sreg.nickname",
    "openid.sreg.fullname", "openid.sreg.dob", "openid.lp.is_member", "openid.ax.mode", "openid.ax.type.a",
    "openid.ax.value.a", "openid.ax.count.a", "openid.ax.value.a.1", "openid.ax.type.", "openid.ax.type.a.b",
    "openid.ax.type.b,c", "openid.ax.update_url", "openid.pape.auth_policies", "openid.pape.auth_level.ns.x",
    "openid.pape.auth_time", "next", PARAMETER, "janrain_nonce", "openid1_claimed_id", "posted_again", "", "\0",
    "a=b&c",
]  # fmt: skip
EXTENSIONS = {
    "openid.ns.sreg": SREG, "openid.sreg.email": "m@example.com", "openid.sreg.nickname": "mallory",
    "openid.sreg.fullname": "Mallory M", "openid.ns.lp": TEAMS, "openid.lp.is_member": "team", "openid.ns.ax": AX,
    "openid.ax.mode": "fetch_response", "openid.ax.type.a": "http://axschema.org/contact/email",
    "openid.ax.value.a": "m@example.com", "openid.ns.pape": PAPE, "openid.pape.auth_policies": "none",
}  # fmt: skip

keys = st.sampled_from(KEYS) | st.text(max_size=20).map(lambda text: f"openid.{text}")
values = st.sampled_from(VALUES) | st.text(max_size=60)
changes = st.lists(st.tuples(keys, st.none() | values), max_size=6)
FETCHED = [b"", xrds(ENDPOINT, SIGNON).encode(), xrds(ENDPOINT, SELECT).encode(), b"is_valid:true\n"]
bad_bytes = st.sampled_from([b"", b"&openid.x=%ff%fe", b"&%ff=1", b"&openid.sig=%", b"&openid.mode", b"&&=&", b";"])


def cookies_and_return_to(kind: str) -> tuple[SimpleCookie, str]:
    entries = Entries({})
    endpoint = OpenIDServiceEndpoint()
    endpoint.server_url = ENDPOINT
    endpoint.type_uris = [OPENID_2_0_TYPE if kind == "claimed" else OPENID_IDP_2_0_TYPE]
    if kind == "claimed":
        endpoint.claimed_id = IDENTITY
    token = BegunRequests(entries).add(Begun(endpoint, IDENTITY))
    response = HttpResponse()
    entries.write(response)
    return response.cookies, f"http://testserver/openid/complete/?next=%2F&{PARAMETER}={token}"


def signed(fields: dict[str, str]) -> dict[str, str]:
    names = fields.get("openid.signed", "").split(",")
    association = Association.fromExpiresIn(1000, "handle", SECRET, "HMAC-SHA256")
    content = "".join(f"{name}:{fields.get('openid.' + name, '')}\n" for name in names)
    mac = association._macs["HMAC-SHA256"](SECRET, content.encode("utf-8", "surrogatepass"))
    return {**fields, "openid.sig": base64.b64encode(mac).decode()}


def encoded(fields: dict[str, str]) -> str:
    def quoted(text: str) -> str:
        return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="")

    return "&".join(f"{quoted(name)}={quoted(value)}" for name, value in fields.items())


@fuzz
@given(
    before=changes,
    after=changes,
    kind=st.sampled_from(["claimed", "select"]),
    extensions=st.booleans(),
    post=st.booleans(),
    tail=bad_bytes,
    document=st.sampled_from(
        [b"", xrds(ENDPOINT, SIGNON).encode(), xrds(ENDPOINT, SELECT).encode(), b"is_valid:true\n"]
    ),
)
def test_any_answer_gets_a_page(
    before: Any, after: Any, kind: str, extensions: bool, post: bool, tail: bytes, document: bytes
) -> None:
    answer(before, after, kind, extensions, post, tail, document)


def answer(before: Any, after: Any, kind: str, extensions: bool, post: bool, tail: bytes, document: bytes) -> None:
    """An answer that is changed, signed and changed again, brought to the site by a browser that began a sign-in."""
    store = DjangoOpenIDStore()
    store.storeAssociation(ENDPOINT, Association.fromExpiresIn(1000, "handle", SECRET, "HMAC-SHA256"))
    Canned.hold(HTTPResponse(None, 200, {"content-type": "application/xrds+xml"}, document))
    cookies, return_to = cookies_and_return_to(kind)
    fields = {
        "openid.ns": "http://specs.openid.net/auth/2.0", "openid.mode": "id_res", "openid.op_endpoint": ENDPOINT,
        "openid.claimed_id": IDENTITY, "openid.identity": IDENTITY, "openid.return_to": return_to,
        "openid.response_nonce": mkNonce(), "openid.assoc_handle": "handle", **(EXTENSIONS if extensions else {}),
    }  # fmt: skip
    names = [name[7:] for name in fields if name != "openid.mode"]
    fields["openid.signed"] = ",".join([*names, "signed"])
    genuine = signed(changed(fields, before))
    sent = changed(genuine, after)
    client = Client(raise_request_exception=True)
    client.cookies.update(cookies)
    query = return_to.partition("?")[2]
    data = encoded(sent) + tail.decode("latin1")
    if post:
        response = client.generic(
            "POST", f"/openid/complete/?{query}", data, content_type="application/x-www-form-urlencoded"
        )
    else:
        response = client.get(f"/openid/complete/?{query}&{data}")
    assert response.status_code in (200, 302, 400, 403), response.status_code
    if response.status_code == 302 and document != b"is_valid:true\n":
        tampered = [name for name in names if genuine.get(f"openid.{name}") != sent.get(f"openid.{name}")]
        assert not tampered, tampered


def changed(fields: dict[str, str], by: list[tuple[str, str | None]]) -> dict[str, str]:
    fields = dict(fields)
    for name, value in by:
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    return fields


# Documents

DOCUMENTS = [
    xrds(ENDPOINT, SELECT, SREG, AX).encode(), xrds(ENDPOINT, SIGNON, AX).encode(),
    xrds(ENDPOINT, "http://openid.net/signon/1.1", "http://openid.net/signon/1.0").encode(),
    f'<html><head><link rel="openid2.provider openid.server" href="{ENDPOINT}"><link rel="openid2.local_id" '
    f'href="{IDENTITY}"><meta http-equiv="X-XRDS-Location" content="http://provider.example/xrds"></head>'.encode(),
    b"ns:http://specs.openid.net/auth/2.0\nassoc_handle:handle\nsession_type:DH-SHA256\nassoc_type:HMAC-SHA256\n"
    b"expires_in:1000\ndh_server_public:AQ==\nenc_mac_key:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    b"ns:http://specs.openid.net/auth/2.0\nerror:x\nerror_code:unsupported-type\nassoc_type:HMAC-SHA1\n"
    b"session_type:DH-SHA1\n",
]  # fmt: skip
PIECES = [
    b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"<", b">", b"</", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&amp;",
    b"&x;", b"&#0;", b"&#xD800;", b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]>", b"&b;",
    b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>", b"<!ENTITY % p SYSTEM 'http://127.0.0.1/'> %p;",
    b"<?xml version='1.0' encoding='utf-16'?>", b"<?xml version='1.0' encoding='nonsense'?>", b"<a>" * 2000,
    b"<link " * 500, b"<!--" * 2000, b"<script", b" priority='x'", b" priority='-1'",
    b" priority='" + b"9" * 5000 + b"'", b"<LocalID>x</LocalID>", b"<URI/>", b"<URI>javascript:alert(1)</URI>",
    b"<URI>http://[</URI>", b"<Type/>", b"<XRD/>", b"<URI>\n" + ENDPOINT.encode() + b"\n</URI>",
    b"<URI>" + b"x" * 5000 + b"</URI>", b"<Service/>" * 300, b"expires_in:" + b"9" * 5000 + b"\n", b"expires_in:-5\n",
    b"dh_server_public:\n", b"enc_mac_key:!\n", b"assoc_handle:\n", b"assoc_handle:" + b"h" * 300 + b"\n",
    b"ns:nonsense\n", b"mode\n", b":\n", b"ns.x:y\n", b"error_code:unsupported-type\n",
]  # fmt: skip
HEADERS = [
    {}, {"content-type": "application/xrds+xml"}, {"content-type": "application/xrds+xml; charset=nonsense"},
    {"content-type": "text/html; charset=utf-7"}, {"content-type": ";;;"},
    {"x-xrds-location": "http://provider.example/xrds"}, {"x-xrds-location": "http://["},
    {"x-xrds-location": "\u00e9"}, {"x-xrds-location": "javascript:alert(1)"}, {"content-type": "text/plain"},
]  # fmt: skip

edits = st.lists(
    st.tuples(st.integers(0, 700), st.integers(0, 60), st.sampled_from(PIECES) | st.binary(max_size=20)), max_size=4
)
answers = st.builds(
    lambda document, by, headers, status, url: HTTPResponse(url, status, headers, edited(document, by)),
    st.sampled_from(DOCUMENTS) | st.binary(max_size=200),
    edits,
    st.sampled_from(HEADERS),
    st.sampled_from([200, 200, 200, 206, 400, 404, 500]),
    st.sampled_from(
        [None, None, None, IDENTITY, "http://provider.example/#x", "http://[", "https://provider.example/x y"]
    ),
)
identifiers = st.sampled_from(
    [
        IDENTITY, "provider.example", "=name", "xri://@x", "http://", "http://[", "https://x:99999999/", "http://a b/", "ftp://x/",
        "http://é.example/%zz", "http://%E0%80%80/", "http://" + "a" * 200 + "/", "http://xn--/", "http://./", "HTTP://X/../..",
    ]
) | st.text(max_size=60)  # fmt: skip


def edited(document: bytes, by: list[tuple[int, int, bytes]]) -> bytes:
    for start, length, piece in by:
        document = document[:start] + piece + document[start + length :]
    return document


@fuzz
@given(identifier=identifiers, found=st.lists(answers, min_size=1, max_size=3), sso=st.booleans())
def test_any_document_gets_a_page(identifier: str, found: list[HTTPResponse], sso: bool) -> None:
    begin(identifier, found, sso)


def begin(identifier: str, found: list[HTTPResponse], sso: bool) -> None:
    from django.test import override_settings

    Canned.hold(*found)
    with override_settings(OPENID_SSO_SERVER_URL=IDENTITY if sso else None):
        data = {"openid_identifier": identifier.encode("utf-8", "surrogatepass"), "next": "/"}
        response = Client(raise_request_exception=True).post("/openid/login/", data)
    assert response.status_code in (200, 302, 400), response.status_code
    if response.status_code == 302:
        assert response["Location"].startswith(("http://", "https://"))


# What ever failed

CLAIMED: dict[str, Any] = {"kind": "claimed", "extensions": True, "post": False, "tail": b"", "document": b""}
FAILED: list[dict[str, Any]] = [
    {"before": [("openid.ns", "nonsense")]},
    {"before": [("openid.ns.mode", SREG)]},
    {"before": [("openid.ns.ns", SREG)]},
    {"before": [("openid.ns.a", SREG), ("openid.ns.b", SREG)]},
    {"before": [("openid.ns.a.b", SREG)]},
    {"before": [("openid.return_to", "http://[")]},
    {"before": [("openid.return_to", "ht\ntp://testserver/")]},
    {"before": [("openid.return_to", None)]},
    {"before": [("openid.signed", "")]},
    {"before": [("openid.signed", "a:b,c\nd")]},
    {"before": [("openid.sreg.email", "a\nb")]},
    {"before": [("openid.response_nonce", mkNonce() + "s" * 300)]},
    {"before": [("openid.response_nonce", mkNonce() + "\0")]},
    {"before": [("openid.claimed_id", "http://[")], "kind": "select"},
    {"before": [("openid.claimed_id", IDENTITY + "x" * 3000)], "kind": "select"},
    {"before": [("openid.claimed_id", None), ("openid.identity", None)], "kind": "select"},
    {"before": [("openid.ax.count.a", "9" * 5000)]},
    {"before": [("openid.ax.type.a", "")]},
    {"before": [("openid.ax.mode", "store_response_success")]},
    {"after": [("openid.lp.more", "unsigned")]},
    {"after": [("openid.mode", "setup_needed")]},
    {"after": [("openid.mode", "no such mode")]},
    {"after": [("openid.assoc_handle", "")]},
    {"after": [("openid.assoc_handle", "\0")]},
    {"tail": b"&openid.x=%ff%fe"},
]


@pytest.mark.parametrize("case", FAILED)
def test_what_once_was_a_500_is_a_page(case: dict[str, Any]) -> None:
    answer(**{**CLAIMED, "before": [], "after": [], **case})


def test_the_plain_answer_signs_in() -> None:
    """So that the others are close to one that works."""
    answer(**CLAIMED, before=[], after=[])
    assert UserOpenID.objects.get().user.email == "m@example.com"
