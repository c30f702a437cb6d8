"""The middleware, sync and async: which requests commit, which abort, and what the next request finds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import transaction
from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory

from djintegrate.storm_backend.transactions.thread import current
from tests.support import views
from tests.support.helpers import (
    MIDDLEWARE,
    TRANSACTIONS,
    Oops,
    Outside,
    Spy,
    django_add,
    is_mariadb,
    joined,
    names_in_both,
    storm_add,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.urls("tests.support.urls"), pytest.mark.usefixtures("sister_stores")]

Send = Callable[..., Any]
VIEW_ERRORS = "djintegrate.storm_backend.middleware.ViewErrorMiddleware"
VETO = "djintegrate.storm_backend.middleware.default_commit_veto"


@pytest.fixture(autouse=True)
def site(settings: Any, nothing_left: None) -> Iterator[None]:
    """A site with nothing but the middleware and the tests' views."""
    settings.MIDDLEWARE = MIDDLEWARE
    views.seen.clear()
    yield
    views.seen.clear()


@pytest.fixture(params=["sync", "async"])
def send(request: pytest.FixtureRequest) -> Send:
    """send(method, path, …): a request through WSGI's handler, and through ASGI's."""
    if request.param == "sync":
        client = Client(raise_request_exception=False)
        return lambda method, path, *args, **kwargs: getattr(client, method)(path, *args, **kwargs)
    async_client = AsyncClient(raise_request_exception=False)
    return lambda method, path, *args, **kwargs: async_to_sync(getattr(async_client, method))(path, *args, **kwargs)


class TestOutcomes:
    def test_a_request_that_succeeds_commits_both_orms(self, send: Send, outside: Outside) -> None:
        assert send("post", "/write/").status_code == 200
        assert outside.names() == ["django", "storm"]

    @pytest.mark.parametrize("path", ["raises", "raises-after-flush", "renders"])
    def test_an_exception_of_the_view_aborts(self, path: str, send: Send, outside: Outside) -> None:
        assert send("post", f"/write/{path}/").status_code == 500
        assert outside.names() == []

    @pytest.mark.parametrize(("path", "status"), [("not-found", 404), ("forbidden", 403)])
    def test_an_exception_that_becomes_a_page_aborts_too(
        self, path: str, status: int, send: Send, outside: Outside
    ) -> None:
        assert send("post", f"/write/{path}/").status_code == status
        assert outside.names() == []

    @pytest.mark.parametrize("path", ["dooms", "sets-rollback", "aborts"])
    def test_the_view_may_refuse_the_commit_without_an_error(self, path: str, send: Send, outside: Outside) -> None:
        assert send("post", f"/write/{path}/").status_code == 200
        assert outside.names() == []

    def test_the_view_may_commit_itself(self, send: Send, outside: Outside) -> None:
        assert send("post", "/write/commits/").status_code == 200
        assert outside.names() == ["django", "storm"]

    @pytest.mark.parametrize("path", ["redirects", "answers-400", "answers-500", "tm-abort"])
    def test_without_a_veto_every_response_commits(self, path: str, send: Send, outside: Outside) -> None:
        send("post", f"/write/{path}/")
        assert outside.names() == ["django", "storm"]

    def test_safe_methods_commit_by_default(self, send: Send, outside: Outside) -> None:
        for number, method in enumerate(["get", "head", "options"]):
            assert send(method, f"/write/?name={number}").status_code == 200
        assert len(outside.names()) == 6

    def test_an_async_view_is_in_the_transaction(self, send: Send, outside: Outside) -> None:
        assert send("post", "/async/raises/").status_code == 500
        assert outside.names() == []
        assert send("post", "/async/returns/").status_code == 200
        assert outside.names() == ["async"]

    def test_an_address_that_is_unknown_is_a_404_and_leaves_nothing_begun(self, send: Send) -> None:
        assert send("get", "/no/such/address/").status_code == 404
        assert current().begun is None

    def test_requests_follow_each_other(self, send: Send, outside: Outside) -> None:
        for number in range(3):
            assert send("post", f"/write/?name={number}").status_code == 200
            assert send("post", f"/write/raises/?name=lost{number}").status_code == 500
            assert len(outside.names()) == 2 * (number + 1)

    def test_a_request_sees_what_is_committed(self, send: Send, outside: Outside) -> None:
        outside.rows("INSERT INTO people_person (name) VALUES ('ann')")
        assert send("get", "/names/").json() == {"names": ["ann"]}
        outside.rows("INSERT INTO people_person (name) VALUES ('bob')")
        assert send("get", "/names/").json() == {"names": ["ann", "bob"]}

    @pytest.mark.parametrize("path", ["raises", "not-found", "renders"])
    def test_an_exception_that_other_middleware_turns_into_a_page_aborts(
        self, path: str, send: Send, settings: Any, outside: Outside
    ) -> None:
        settings.MIDDLEWARE = [
            *MIDDLEWARE,
            f"{__name__}.FriendlyMiddleware",
            VIEW_ERRORS,
        ]
        assert send("post", f"/write/{path}/").content == b"Sorry."
        assert outside.names() == []
        assert send("post", "/write/").status_code == 200
        assert outside.names() == ["django", "storm"]

    def test_what_other_middleware_writes_is_in_the_transaction(
        self, send: Send, settings: Any, outside: Outside
    ) -> None:
        settings.MIDDLEWARE = [*MIDDLEWARE, f"{__name__}.WritingMiddleware"]
        send("post", "/write/raises/")
        assert outside.names() == []
        send("post", "/write/")
        assert outside.names() == ["django", "from the middleware", "storm"]

    def test_an_error_in_other_middleware_aborts(self, send: Send, settings: Any, outside: Outside) -> None:
        settings.MIDDLEWARE = [*MIDDLEWARE, f"{__name__}.FailingMiddleware"]
        assert send("post", "/write/").status_code == 500
        assert outside.names() == []

    def test_the_exception_reaches_the_test_client(self, outside: Outside) -> None:
        with pytest.raises(Oops):
            Client().post("/write/raises/")
        assert outside.names() == []
        with pytest.raises(Oops):
            async_to_sync(AsyncClient().post)("/write/raises/")
        assert outside.names() == []


class TestSettings:
    def test_safe_methods_abort_if_so_set(self, send: Send, settings: Any, outside: Outside) -> None:
        settings.STORM_COMMIT_SAFE_METHODS = False
        for method in ("get", "head", "options"):
            assert send(method, "/write/").status_code == 200
        assert outside.names() == []
        for method in ("post", "put", "patch", "delete"):
            assert send(method, f"/write/?name={method}").status_code == 200
        assert len(outside.names()) == 8

    @pytest.mark.parametrize(
        ("path", "commits"),
        [
            ("returns", True),
            ("redirects", True),
            ("answers-400", False),
            ("answers-500", False),
            ("tm-abort", False),
            ("tm-commit", True),
        ],
    )
    def test_the_default_veto(self, path: str, commits: bool, send: Send, settings: Any, outside: Outside) -> None:
        settings.STORM_COMMIT_VETO = VETO
        send("post", f"/write/{path}/")
        assert outside.names() == (["django", "storm"] if commits else [])

    def test_a_veto_of_ones_own_gets_request_and_response(self, send: Send, settings: Any, outside: Outside) -> None:
        settings.STORM_COMMIT_VETO = f"{__name__}.veto_deletes"
        send("delete", "/write/")
        assert outside.names() == []
        send("post", "/write/")
        assert outside.names() == ["django", "storm"]

    def test_an_error_in_the_veto_aborts(self, send: Send, settings: Any, outside: Outside) -> None:
        settings.STORM_COMMIT_VETO = f"{__name__}.veto_fails"
        assert send("post", "/write/").status_code == 500
        assert outside.names() == []
        assert current().begun is None

    def test_an_unknown_veto_stops_the_site_with_a_remedy(self, settings: Any) -> None:
        settings.STORM_COMMIT_VETO = "tests.nowhere.veto"
        with pytest.raises(ImproperlyConfigured, match=r"STORM_COMMIT_VETO is 'tests\.nowhere\.veto'.*dotted path"):
            Client().get("/names/")


class TestAFailingCommit:
    def test_it_is_a_500_is_logged_and_leaves_no_half(
        self, send: Send, outside: Outside, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR):
            assert send("post", "/write/refused/").status_code == 500
        assert outside.names() == []
        assert any(record.exc_info and record.exc_info[0] is Oops for record in caplog.records)
        assert any(record.name == "django.request" for record in caplog.records)
        assert send("post", "/write/").status_code == 200
        assert outside.names() == ["django", "storm"]

    def test_a_database_that_refuses_is_the_same(self, send: Send, outside: Outside) -> None:
        if is_mariadb():
            pytest.skip("MariaDB checks constraints at once.")
        assert send("post", "/write/fails-late/").status_code == 500
        assert outside.names() == []
        assert send("post", "/write/").status_code == 200
        assert outside.names() == ["django", "storm"]

    def test_what_storm_has_pending_and_cannot_flush_is_the_same(self, send: Send, outside: Outside) -> None:
        outside.rows("INSERT INTO people_person (name) VALUES ('storm')")
        assert send("post", "/write/").status_code == 500
        assert outside.names() == ["storm"]
        assert send("post", "/write/?name=2").status_code == 200
        assert outside.names() == ["django2", "storm", "storm2"]


class TestStreaming:
    def test_the_body_runs_after_the_commit_in_autocommit(self, outside: Outside) -> None:
        response = Client().get("/streams/")
        assert outside.names() == ["before"]
        assert b"".join(response.streaming_content) == b"first,second"
        assert views.seen == [True]
        assert outside.names() == ["before", "while streaming"]

    def test_asynchronously_too(self, outside: Outside) -> None:
        async def get() -> bytes:
            response = await AsyncClient().get("/streams/")
            assert await sync_to_async(outside.names)() == ["before"]
            return b"".join([part async for part in response])

        with pytest.warns(Warning, match="StreamingHttpResponse must consume synchronous iterators"):
            assert async_to_sync(get)() == b"first,second"
        assert views.seen == [True]
        assert outside.names() == ["before", "while streaming"]


class TestNotes:
    def test_path_and_user_are_noted_on_the_transaction(self, send: Send, settings: Any) -> None:
        settings.MIDDLEWARE = [*MIDDLEWARE, f"{__name__}.SignedInMiddleware"]
        send("post", "/write/notes-user/")
        assert views.seen[1:] == [("carla", "/write/notes-user/")]

    def test_without_a_user_the_path_is_noted(self, send: Send, settings: Any) -> None:
        settings.MIDDLEWARE = [*MIDDLEWARE, f"{__name__}.AnonymousMiddleware"]
        send("post", "/write/notes-user/")
        assert views.seen[1:] == [("", "/write/notes-user/")]


class TestARequestInsideOfABegunTransaction:
    def test_it_is_a_savepoint_of_that(self, outside: Outside) -> None:
        with transaction.manager:
            storm_add("before")
            Client().post("/write/")
            assert names_in_both() == ["before", "django", "storm"]
            assert outside.names() == []
        assert outside.names() == ["before", "django", "storm"]

    def test_one_that_fails_undoes_its_own_writes_alone(self, outside: Outside) -> None:
        with transaction.manager:
            storm_add("before")
            with pytest.raises(Oops):
                Client().post("/write/raises-after-flush/")
            assert Client(raise_request_exception=False).post("/write/raises/").status_code == 500
            assert names_in_both() == ["before"]
            django_add("after")
        assert outside.names() == ["after", "before"]

    def test_as_the_first_thing_in_the_transaction_too(self, outside: Outside) -> None:
        with transaction.manager:
            Client(raise_request_exception=False).post("/write/raises-after-flush/")
            Client().post("/write/")
        assert outside.names() == ["django", "storm"]

    def test_a_veto_undoes_its_own_writes_alone(self, settings: Any, outside: Outside) -> None:
        settings.STORM_COMMIT_VETO = VETO
        with transaction.manager:
            storm_add("before")
            Client().post("/write/answers-400/")
        assert outside.names() == ["before"]

    def test_other_data_managers_without_savepoints_do_not_prevent_it(self, outside: Outside) -> None:
        with transaction.manager:
            spy = joined(Spy())
            Client().post("/write/")
        assert spy.committed
        assert outside.names() == ["django", "storm"]


def test_a_transaction_that_the_thread_left_open_is_not_committed_by_the_request(send: Send, outside: Outside) -> None:
    """What an earlier piece of code in the thread forgot to end is not part of the next request."""
    storm_add("forgotten")
    spy = joined(Spy())
    assert send("post", "/write/").status_code == 200
    assert outside.names() == ["django", "storm"]
    assert spy.aborted


def test_a_begun_transaction_that_a_request_left_behind_does_not_swallow_the_next_one(
    outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    """Through the handler that a server calls: the test client keeps connections from being looked after."""
    django_add("connected")
    transaction.begin()
    storm_add("left behind")
    with caplog.at_level(logging.ERROR, "djintegrate.storm_backend"):
        assert serve("/write/") == "200 OK"
    assert "neither committed nor aborted" in caplog.text
    assert outside.names() == ["connected", "django", "storm"]


def test_a_site_without_the_middleware_works_as_natively(settings: Any, send: Send, outside: Outside) -> None:
    settings.MIDDLEWARE = []
    send("get", "/names/")
    transaction.abort()
    assert outside.names() == []


def serve(path: str) -> str:
    """A request as a WSGI server makes it, signals and all; its status."""
    status: list[str] = []
    path, _, query = path.partition("?")
    environ = RequestFactory()._base_environ(PATH_INFO=path, QUERY_STRING=query, REQUEST_METHOD="POST")
    response = WSGIHandler()(environ, lambda line, headers: status.append(line))
    try:
        b"".join(response)
    finally:
        response.close()
    return status[0]


class FriendlyMiddleware:
    """Other people's: turns every exception into a page."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self.get_response(request)

    def process_exception(self, request: Any, error: Exception) -> HttpResponse:
        return HttpResponse("Sorry.")


class WritingMiddleware:
    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        django_add("from the middleware")
        return self.get_response(request)


class FailingMiddleware:
    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        self.get_response(request)
        raise Oops


class SignedInMiddleware:
    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        request.user = User()
        return self.get_response(request)


class AnonymousMiddleware(SignedInMiddleware):
    def __call__(self, request: Any) -> Any:
        request.user = User(is_authenticated=False)
        return self.get_response(request)


class User:
    def __init__(self, is_authenticated: bool = True) -> None:
        self.is_authenticated = is_authenticated

    def get_username(self) -> str:
        return "carla"


def veto_deletes(request: Any, response: Any) -> bool:
    return bool(request.method == "DELETE" and response.status_code == 200)


def veto_fails(request: Any, response: Any) -> bool:
    raise Oops
