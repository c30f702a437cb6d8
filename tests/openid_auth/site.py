"""A visitor of the site under test: begins sign-ins, comes back with answers, without a browser."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.contrib.auth import get_user_model
from django.test import Client

from tests.openid_auth.provider import Answer, Provider, hidden_fields

BACKENDS = ["djintegrate.openid_auth.auth.OpenIDBackend", "django.contrib.auth.backends.ModelBackend"]


def set_up(settings: Any, *hosts: str) -> None:
    """Settings of a site that creates users, and may fetch from these hosts beside public ones."""
    settings.ROOT_URLCONF = "tests.openid_auth.urls"
    settings.AUTHENTICATION_BACKENDS = BACKENDS
    settings.LOGIN_REDIRECT_URL = "/"
    settings.OPENID_CREATE_USERS = True
    settings.OPENID_LOGIN_THROTTLE = None
    settings.OPENID_FETCH_ALLOWED_HOSTS = list(hosts)


def host_of(url: str) -> str:
    return urlsplit(url).netloc


class Visitor:
    """One browser, of a kind."""

    prefix = "/openid/"

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client(raise_request_exception=True)

    def begin(self, identifier: str = "", **data: str) -> Any:
        """The response to the login form."""
        return self.client.post(f"{self.prefix}login/", {"openid_identifier": identifier, **data})

    def request(self, identifier: str = "", **data: str) -> dict[str, str]:
        """The fields of the request that the browser is sent to the provider with."""
        return fields_of(self.begin(identifier, **data))

    def complete(self, answer: Answer | str) -> Any:
        """The response to what the provider sent the browser back with."""
        if isinstance(answer, str):
            return self.client.get(local(answer))
        if answer.posted is None:
            return self.client.get(local(answer.url))
        return self.client.post(local(answer.url), answer.posted)

    def sign_in(self, provider: Provider, nickname: str = "ada", identifier: str = "", **data: str) -> Any:
        response = self.begin(identifier or provider.url, **data)
        if response.status_code == 302:
            answer = provider.decide(response["Location"], nickname)
        else:
            page = response.content.decode()
            action = re.search(r'action="([^"]+)"', page)
            assert response.status_code == 200 and action, page
            answer = provider.decide(html.unescape(action[1]), nickname, form=hidden_fields(page))
        return self.complete(answer)

    @property
    def begun(self) -> dict[str, str]:
        """The names and values of the cookies of the sign-ins on their way."""
        found = {name: morsel.value for name, morsel in self.client.cookies.items() if "-openid-" in name}
        return {name: value for name, value in found.items() if value}

    def forget_begun(self) -> dict[str, str]:
        """As if the browser had never had those cookies; what they were."""
        cookies = self.begun
        for name in cookies:
            del self.client.cookies[name]
        return cookies

    def keep(self, cookies: dict[str, str]) -> None:
        for name, value in cookies.items():
            self.client.cookies[name] = value

    @property
    def who(self) -> str:
        return str(self.client.get("/").content.decode())

    @property
    def user(self) -> Any:
        return get_user_model().objects.get(**{get_user_model().USERNAME_FIELD: self.who})


def refused(response: Any) -> bool:
    return response.status_code == 403 and not get_user_model().objects.exists()


def fields_of(response: Any) -> dict[str, str]:
    if response.status_code == 302:
        return dict(parse_qsl(urlsplit(response["Location"]).query, keep_blank_values=True))
    return hidden_fields(response.content.decode())


def local(url: str) -> str:
    """A path for the test client from an address of its."""
    parts = urlsplit(url)
    assert parts.netloc in ("testserver", ""), url
    return parts._replace(scheme="", netloc="").geturl()


def with_changes(url: str, **changes: str | None) -> str:
    """`url` with fields of its query changed, added or (None) left out. A double underscore stands for a dot."""
    parts = urlsplit(url)
    fields: dict[str, str | None] = dict(parse_qsl(parts.query, keep_blank_values=True))
    fields |= {name.replace("__", "."): value for name, value in changes.items()}
    query = urlencode({name: value for name, value in fields.items() if value is not None})
    return parts._replace(query=query).geturl()
