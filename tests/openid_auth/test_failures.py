"""What people are told when a sign-in does not work: what it was, whose fault it is, and what they can do."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from django.http import HttpResponse

from tests.openid_auth.hostile import Hostile
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, host_of, set_up

pytestmark = pytest.mark.django_db
PATHS = pytest.mark.parametrize("path", ["/openid/", "/aopenid/"])


@pytest.fixture(autouse=True)
def site(settings: Any, provider: Provider, hostile: Hostile) -> None:
    set_up(settings, host_of(provider.url), hostile.host)


@pytest.fixture
def silent(settings: Any) -> str:
    """The address of a provider that is down."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
    settings.OPENID_FETCH_ALLOWED_HOSTS = [where]
    return f"http://{where}/"


def begun(path: str, identifier: str) -> str:
    visitor = Visitor()
    visitor.prefix = path
    response = visitor.begin(identifier)
    assert response.status_code == 400
    return str(response.content.decode())


@PATHS
def test_a_provider_that_is_down_is_nobodys_typing_error(settings: Any, silent: str, path: str) -> None:
    for chosen in ({"OPENID_PROVIDERS": [{"name": "Launchpad", "url": silent}]}, {"OPENID_SSO_SERVER_URL": silent}, {}):
        for name, value in chosen.items():
            setattr(settings, name, value)
        page = begun(path, silent)
        assert f"{silent} does not answer at the moment." in page
        assert "That is not your fault." in page
        assert "address is right" not in page


@PATHS
@pytest.mark.parametrize("status", [500, 502, 503])
def test_nor_is_one_that_answers_with_an_error_of_its_own(hostile: Hostile, path: str, status: int) -> None:
    assert "That is not your fault." in begun(path, hostile.serve("broken", "sorry", status=status))


@PATHS
def test_one_that_the_site_offers_is_not_looked_up_wrongly(settings: Any, hostile: Hostile, path: str) -> None:
    url = hostile.serve("no-provider", "hello")
    assert "Look whether the address is right" in begun(path, url)
    settings.OPENID_PROVIDERS = [{"name": "Launchpad", "url": url}]
    assert "That is not your fault." in begun(path, url)


@PATHS
@pytest.mark.parametrize("url", ["http://no-such-name.invalid/", "http://10.0.0.1/", "http://127.0.0.1:9/"])
def test_what_is_refused_and_what_is_not_known_look_alike(path: str, url: str) -> None:
    """Or a stranger could learn which names our network has."""
    page = begun(path, url)
    assert f"No OpenID provider could be found at {url}." in page
    assert "Look whether the address is right" in page


def test_with_one_provider_nobody_is_told_to_choose_another(settings: Any, provider: Provider) -> None:
    settings.OPENID_CREATE_USERS = False
    assert "choose another provider" in Visitor().sign_in(provider).content.decode()
    settings.OPENID_SSO_SERVER_URL = provider.url
    page = Visitor().sign_in(provider).content.decode()
    assert "You can try again." in page
    assert "choose another provider" not in page


@PATHS
def test_who_opens_the_endpoint_is_told_where_to_go(path: str) -> None:
    response = Visitor().client.get(f"{path}complete/")
    page = response.content.decode()
    assert response.status_code == 403
    assert "If you want to sign in, begin on the login page." in page
    assert '<a class="openid-button" href="/openid/login/">Sign in</a>' in page
    assert 'role="alert"' not in page


def only_message(request: Any, message: Any) -> HttpResponse:
    return HttpResponse(f"ours: {message}", status=418)


def with_exception(request: Any, message: Any, exception: Any = None) -> HttpResponse:
    return HttpResponse(f"ours: {message}", status=418)


def with_everything(request: Any, message: Any, **options: Any) -> HttpResponse:
    return HttpResponse(f"ours: {message}", status=options["status"])


@pytest.mark.parametrize(
    ("handler", "status"), [(only_message, 418), (with_exception, 418), (with_everything, 403)], ids=lambda x: str(x)
)
def test_a_function_of_the_sites_own_need_not_take_everything(settings: Any, handler: Any, status: int) -> None:
    settings.OPENID_RENDER_FAILURE = handler
    response = Visitor().client.get("/openid/complete/")
    assert (response.status_code, response.content.decode()[:5]) == (status, "ours:")
