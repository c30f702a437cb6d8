"""A site to sign in to: its addresses, for ROOT_URLCONF, and a visitor of it over real HTTP without a browser."""

from __future__ import annotations

import html
import http.client
import http.cookies
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LogoutView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from tests.openid_auth.provider import Answer, Provider, hidden_fields


def who(request: HttpRequest) -> HttpResponse:
    """Who is signed in, as JSON."""
    user = request.user
    if not user.is_authenticated:
        return JsonResponse({"user": None})
    groups = sorted(user.groups.values_list("name", flat=True))
    return JsonResponse({"user": user.username, "email": user.email, "name": user.get_full_name(), "groups": groups})


def strict_scripts(get_response: Any) -> Any:
    """A middleware: only scripts with the request's nonce run, as django-csp has it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.csp_nonce = "bm9uY2U="
        response = get_response(request)
        response["Content-Security-Policy"] = f"script-src 'nonce-{request.csp_nonce}'"
        return response

    return middleware


urlpatterns = [
    path("", who, name="who"),
    path("private/", login_required(who)),
    path("admin/", admin.site.urls),
    path("log-out/", LogoutView.as_view(next_page="/")),
    path("openid/", include("djintegrate.openid_auth.urls")),
]


@dataclass
class Page:
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def location(self) -> str:
        return self.headers["Location"] or ""

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Visitor:
    """Somebody with cookies at the site, who has an OpenID at the provider."""

    site: str
    provider: Provider
    cookies: dict[str, str] = field(default_factory=dict)

    def fetch(self, address: str, form: dict[str, str] | None = None, *, from_elsewhere: bool = False) -> Page:
        """`from_elsewhere`: another site's page posts the form, and no cookie that is SameSite=Lax comes along."""
        url = urljoin(self.site, address)
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        headers = {} if from_elsewhere else {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        target = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        if form is None:
            connection.request("GET", target, headers=headers)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("POST", target, urlencode(form), headers)
        response = connection.getresponse()
        page = Page(response.status, response.headers, response.read().decode())
        connection.close()
        for line in page.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0" or not morsel.value:
                    del self.cookies[name]
        return page

    def begin(self, identifier: str | None = None, following: str = "") -> Page:
        """Give the login page an identifier; the provider's own address, if none is said."""
        login = "/openid/login/" + (f"?{urlencode({'next': following})}" if following else "")
        page = self.fetch(login)
        if page.status == 302:
            return page
        form = hidden_fields(page.text) | {"openid_identifier": identifier or self.provider.url}
        return self.fetch(login, form)

    def decide(self, begun: Page, nickname: str = "ada", **decision: Any) -> Answer:
        if begun.status == 302:
            return self.provider.decide(begun.location, nickname, **decision)
        action, fields = form_of(begun.text)
        return self.provider.decide(action, nickname, form=fields, **decision)

    def deliver(self, answer: Answer) -> Page:
        if answer.posted is None:
            return self.fetch(answer.url)
        page = self.fetch(answer.url, answer.posted, from_elsewhere=True)
        action, fields = form_of(page.text)
        return self.fetch(urljoin(answer.url, action), fields)

    def sign_in(self, nickname: str = "ada", identifier: str | None = None, **decision: Any) -> Page:
        return self.deliver(self.decide(self.begin(identifier), nickname, **decision))

    def who(self) -> Any:
        return self.fetch("/").json()

    def log_out(self) -> None:
        self.fetch("/log-out/", hidden_fields(self.fetch("/openid/login/").text))
        assert self.who() == {"user": None}


def form_of(page: str) -> tuple[str, dict[str, str]]:
    """The action and the hidden fields of a page that only sends a form."""
    action = re.search(r'<form[^>]* action="([^"]*)"', page)
    assert action, page
    return html.unescape(action[1]), hidden_fields(page)
