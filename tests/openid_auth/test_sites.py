"""Sites of other kinds: each session backend, ASGI, user models of their own, Django's native engine."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient

from tests.openid_auth.hostile import Hostile, sent_back, xrds
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, host_of, local, set_up
from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any, provider: Provider, hostile: Hostile) -> None:
    set_up(settings, host_of(provider.url), hostile.host)


@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "signed_cookies", "file"])
def test_every_session_backend_will_do(settings: Any, provider: Provider, engine: str, tmp_path: Path) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    visitor = Visitor()
    visitor.client.get("/")
    for _ in range(2):
        assert visitor.sign_in(provider).status_code == 302
        assert visitor.who == "ada"
    assert visitor.begun == {}


def test_what_a_visitor_had_in_the_session_stays_and_its_key_changes(provider: Provider) -> None:
    visitor = Visitor()
    session = visitor.client.session
    session["basket"] = ["apples"]
    session.save()
    visitor.client.cookies["sessionid"] = before = session.session_key
    visitor.sign_in(provider)
    assert visitor.client.session["basket"] == ["apples"]
    assert visitor.client.session.session_key != before
    assert not type(session)().exists(before)


def test_several_sign_ins_may_be_begun_at_once(provider: Provider) -> None:
    visitor = Visitor()
    answers = [provider.decide(visitor.begin(provider.url)["Location"]) for _ in range(3)]
    assert [visitor.complete(answer).status_code for answer in answers] == [302, 302, 302]


def test_a_browser_has_room_for_as_many_as_somebody_begins(provider: Provider) -> None:
    visitor = Visitor()
    for _ in range(30):
        location = visitor.begin(provider.url)["Location"]
    assert sum(len(name + value) for name, value in visitor.begun.items()) < 4000
    assert visitor.complete(provider.decide(location)).status_code == 302


def test_a_provider_of_openid_1_still_works_and_its_answers_count_once(hostile: Hostile) -> None:
    url = hostile.serve(
        "old", xrds(hostile.endpoint, "http://openid.net/signon/1.1"), Content_Type="application/xrds+xml"
    )
    visitor = Visitor()
    request = visitor.request(url)
    assert "openid.ns" not in request
    answer = {
        "openid.mode": "id_res", "openid.identity": url, "openid.return_to": request["openid.return_to"],
        "openid.assoc_handle": request["openid.assoc_handle"], "openid.sreg.nickname": "grandma",
    }  # fmt: skip
    address = sent_back(hostile.sign(answer))
    assert visitor.complete(address).status_code == 302
    assert visitor.who == "grandma"
    again = Visitor()
    again.begin(url)
    assert again.complete(address).status_code == 403


class TestASGI:
    def test_a_whole_sign_in(self, provider: Provider) -> None:
        async def go() -> None:
            client = AsyncClient()
            begun = await client.post("/aopenid/login/", {"openid_identifier": provider.url})
            answer = sent_back(provider.decide(begun["Location"]).fields)
            assert (await client.get(local(answer)))["Location"] == "/"
            assert (await client.get("/")).content == b"ada"
            assert (await client.get(local(answer)))["Location"] == "/"
            del client.cookies["sessionid"]
            assert (await client.get(local(answer))).status_code == 403

        async_to_sync(go)()
        assert User.objects.get().email == "ada@people.example"

    @pytest.mark.parametrize("prefix", ["openid", "aopenid"])
    def test_tabs_that_begin_at_the_same_moment_all_find_their_way(self, provider: Provider, prefix: str) -> None:
        async def go() -> None:
            tabs, browser = [AsyncClient() for _ in range(8)], AsyncClient()
            asked = [{"openid_identifier": provider.url, "next": f"/?tab={tab}"} for tab in range(8)]
            begun = await asyncio.gather(
                *(tab.post(f"/{prefix}/login/", form) for tab, form in zip(tabs, asked, strict=True))
            )
            for tab in tabs:
                browser.cookies.update(tab.cookies)
            assert "sessionid" not in browser.cookies
            answers = [local(sent_back(provider.decide(response["Location"]).fields)) for response in begun]
            for number, answer in enumerate(answers):
                assert (await browser.get(answer))["Location"] == f"/?tab={number}"
            assert not [name for name, cookie in browser.cookies.items() if "-openid-" in name and cookie.value]

        async_to_sync(go)()

    def test_the_sync_views_do_as_well(self, provider: Provider) -> None:
        async def go() -> None:
            client = AsyncClient()
            begun = await client.post("/openid/login/", {"openid_identifier": provider.url})
            assert (await client.get(local(sent_back(provider.decide(begun["Location"]).fields)))).status_code == 302

        async_to_sync(go)()

    def test_failures_are_pages(self, provider: Provider) -> None:
        async def go() -> list[int]:
            client = AsyncClient()
            return [
                (await client.get("/aopenid/login/")).status_code,
                (await client.post("/aopenid/login/", {"openid_identifier": ""})).status_code,
                (await client.post("/aopenid/login/", {"openid_identifier": "http://127.0.0.1:9/"})).status_code,
                (await client.get("/aopenid/complete/")).status_code,
                (await client.get("/aopenid/complete/?openid.mode=id_res")).status_code,
                (await client.get("/aopenid/complete/?openid.mode=cancel")).status_code,
            ]

        assert async_to_sync(go)() == [200, 200, 400, 403, 403, 403]

    def test_a_slow_provider_keeps_nobody_else_waiting(
        self, settings: Any, provider: Provider, hostile: Hostile
    ) -> None:
        # AsyncClient's requests share a thread, and the engine's middleware has such requests take turns. Without that
        # middleware, it is the views alone that decide who waits.
        settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if "storm_backend" not in path]
        settings.OPENID_FETCH_TIMEOUT = 4
        times: dict[str, float] = {}

        async def begin(url: str) -> int:
            response = await AsyncClient().post("/aopenid/login/", {"openid_identifier": url})
            times[url] = time.monotonic()
            return int(response.status_code)

        async def go() -> list[int]:
            return list(await asyncio.gather(begin(f"{hostile.url}drip"), begin(provider.url)))

        assert async_to_sync(go)() == [400, 302]
        assert times[provider.url] < times[f"{hostile.url}drip"] - 1


@pytest.mark.parametrize("model", ["EmailUser", "UniqueUser", "BareUser"])
def test_user_models_of_a_sites_own_on_djangos_native_engine(provider: Provider, hostile: Hostile, model: str) -> None:
    arguments = [model, provider.url, str(provider.folder), hostile.url]
    done = python("-m", "tests.openid_auth.other_users", *arguments, cwd=ROOT)
    assert done.returncode == 0, done.stderr
