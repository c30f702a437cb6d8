"""What hostile endpoints answer to this site itself, and what hostile pages have a browser send to it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from tests.openid_auth.hostile import SELECT, SIGNON, Hostile, sent_back, xrds
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, host_of, refused, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any, provider: Provider, hostile: Hostile) -> None:
    set_up(settings, host_of(provider.url), hostile.host)


class TestHostileEndpoints:
    """What a site itself sends to an endpoint: the request for an association, and the question whether it signed."""

    @pytest.fixture(params=["flood", "drip", "round/1", "redirect", "inner", "nonsense", "yes to everything"])
    def endpoint(self, request: Any, settings: Any, hostile: Hostile, internal: Hostile) -> str:
        settings.OPENID_FETCH_TIMEOUT = 0.7
        return {
            "redirect": hostile.serve("to-inner", status=307, Location=internal.url),
            "inner": internal.url,
            "nonsense": hostile.serve("nonsense", "\xff\x00:::\n\n" * 100),
            "yes to everything": hostile.serve("yes", "is_valid:yes\nns:http://specs.openid.net/auth/2.0\n"),
        }.get(request.param, f"{hostile.url}{request.param}")

    def test_none_signs_anybody_in_or_holds_anybody_up(
        self, endpoint: str, hostile: Hostile, internal: Hostile
    ) -> None:
        url = hostile.serve("badly-served", xrds(endpoint, SELECT), Content_Type="application/xrds+xml")
        identity = hostile.serve("badly-vouched", xrds(endpoint, SIGNON), Content_Type="application/xrds+xml")
        began = time.monotonic()
        visitor = Visitor()
        request = visitor.request(url)
        assert "openid.assoc_handle" not in request
        answer = hostile.answer(request, identity, op_endpoint=endpoint) | {"openid.assoc_handle": "made-up"}
        assert refused(visitor.complete(sent_back(hostile.sign(answer))))
        assert time.monotonic() - began < 10
        assert internal.hits() == []

    def test_one_that_says_it_signed_is_believed_for_its_own(self, hostile: Hostile) -> None:
        """So that the others fail for what they say."""
        endpoint = hostile.serve("says-so", "is_valid:true\nns:http://specs.openid.net/auth/2.0\n")
        url = hostile.serve("served", xrds(endpoint, SELECT), Content_Type="application/xrds+xml")
        identity = hostile.serve("vouched", xrds(endpoint, SIGNON), Content_Type="application/xrds+xml")
        visitor = Visitor()
        answer = hostile.answer(visitor.request(url), identity, op_endpoint=endpoint)
        answer["openid.assoc_handle"] = "made-up"
        assert visitor.complete(sent_back(hostile.sign(answer))).status_code == 302


class TestBodies:
    """What a hostile page has a browser send to the completion, which asks for no CSRF token."""

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"openid.mode=id_res&x=" + b"x" * 10 * 1024 * 1024, "application/x-www-form-urlencoded"),
            (b"&".join(b"openid.a%d=1" % number for number in range(5000)), "application/x-www-form-urlencoded"),
            (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
            (b"nonsense", "multipart/form-data"),
            (
                b'--x\r\nContent-Disposition: form-data; name="openid.mode"\r\n\r\n\xff\r\n--x--',
                "multipart/form-data; boundary=x",
            ),
            (b"{", "application/json"),
            (b"openid.mode=\xff", "application/x-www-form-urlencoded; charset=nonsense"),
            (b"", "text/plain"),
        ],
        ids=["10 MB", "5000 fields", "broken parts", "no boundary", "bad text", "JSON", "charset", "nothing"],
    )
    def test_it_gets_a_page(self, provider: Provider, body: bytes, kind: str) -> None:
        visitor = Visitor()
        visitor.begin(provider.url)
        for address in ("/openid/complete/", "/openid/complete/?posted_again=1", "/aopenid/complete/"):
            response = visitor.client.generic("POST", address, body, content_type=kind)
            assert response.status_code in (200, 400, 403)
        assert visitor.who == "nobody"

    def test_without_a_session_cookie_too(self) -> None:
        for address in ("/openid/complete/", "/aopenid/complete/"):
            response = Client(raise_request_exception=True).post(address, {"openid.mode": "id_res"})
            assert response.status_code == 200
            assert b"posted_again" in response.content
            again = Client(raise_request_exception=True).post(address, {"openid.mode": "id_res", "posted_again": "1"})
            assert refused(again)
