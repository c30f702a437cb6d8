"""What a provider of OpenID Connect says of itself, and what it may not say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.openid_auth.hostile import Hostile
from tests.openid_auth.site import Visitor, refused
from tests.openid_auth.villain import GONE, Villain

pytestmark = pytest.mark.django_db
HOUR = 60 * 60
MEGABYTE = 1024 * 1024


class TestDescription:
    @pytest.mark.parametrize(
        "changes",
        [
            {"issuer": "https://login.example"}, {"issuer": GONE}, {"issuer": ["x"]}, {"token_endpoint": GONE},
            {"jwks_uri": GONE}, {"authorization_endpoint": GONE}, {"authorization_endpoint": "javascript:alert(1)"},
            {"authorization_endpoint": "data:text/html,x"}, {"authorization_endpoint": 5},
            {"token_endpoint": "file:///etc/passwd"}, {"jwks_uri": "gopher://127.0.0.1/"},
            {"userinfo_endpoint": ["x"]}, {"end_session_endpoint": "javascript:alert(1)"},
            {"authorization_endpoint": "https://a.example/#b"}, {"token_endpoint": "https://user:pw@a.example/"},
        ],
    )  # fmt: skip
    def test_one_that_cannot_be_used_is_a_page(self, villain: Villain, changes: dict[str, Any]) -> None:
        villain.describe(**changes)
        response = Visitor().client.post("/openid/login/", {"openid_issuer": villain.issuer})
        assert response.status_code == 400
        page = response.content.decode()
        assert "What op says of itself cannot be used" in page

    def test_one_that_is_not_to_be_had_is_a_page_that_says_to_wait(self, villain: Villain) -> None:
        for status in (500, 503, 429):
            villain.serves(".well-known/openid-configuration", "busy", status=status)
            response = Visitor().client.post("/openid/login/", {"openid_issuer": villain.issuer})
            assert response.status_code == 400
            assert "op does not answer at the moment" in response.content.decode()
            assert "That is not your fault." in response.content.decode()

    @pytest.mark.parametrize("document", ["", "[]", "nonsense", "[" * 100_000, b"\xff", '"x"', "null", "9" * 10_000])
    def test_what_is_none_is_a_page(self, villain: Villain, document: Any) -> None:
        villain.serves(".well-known/openid-configuration", document)
        assert Visitor().client.post("/openid/login/", {"openid_issuer": villain.issuer}).status_code == 400

    @pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "userinfo_endpoint"])
    def test_one_that_points_inside_the_network_reaches_nothing(
        self, villain: Villain, internal: Hostile, name: str
    ) -> None:
        villain.describe(**{name: f"{internal.url}inside"})
        assert refused(villain.sign_in())
        assert internal.hits() == []

    def test_an_issuer_inside_the_network_is_not_asked(
        self, villain: Villain, internal: Hostile, settings: Any
    ) -> None:
        settings.OPENID_PROVIDERS = [villain.entry(issuer=f"{internal.url}op")]
        response = Visitor().client.post("/openid/login/", {"openid_issuer": f"{internal.url}op"})
        assert (response.status_code, internal.hits()) == (400, [])

    def test_an_issuer_in_the_open_is_none_unless_the_settings_say_so(
        self, villain: Villain, settings: Any, monkeypatch: Any
    ) -> None:
        """Not even at a public address, and though nobody looks at the checks."""
        monkeypatch.setattr("djintegrate.openid_auth.site.fetcher.is_public", lambda text: True)
        settings.OPENID_FETCH_ALLOWED_HOSTS = []
        villain.process.hits()
        response = Visitor().client.post("/openid/login/", {"openid_issuer": villain.issuer})
        assert (response.status_code, villain.process.hits()) == (400, [])

    def test_a_redirect_inside_is_not_followed(self, villain: Villain, internal: Hostile) -> None:
        villain.serves(".well-known/openid-configuration", "", status=302, Location=f"{internal.url}inside")
        assert Visitor().client.post("/openid/login/", {"openid_issuer": villain.issuer}).status_code == 400
        assert internal.hits() == []

    def test_a_long_one_is_not_read_to_its_end(self, villain: Villain, settings: Any) -> None:
        settings.OPENID_FETCH_MAX_BYTES = 10_000
        villain.describe(padding="x" * 20_000)
        assert Visitor().client.post("/openid/login/", {"openid_issuer": villain.issuer}).status_code == 400
