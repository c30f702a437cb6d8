"""STORM_RETRY_ATTEMPTS: a request runs again, on a fresh request object with the same body, when it is asked to."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import got_request_exception
from django.test import AsyncClient, Client

from tests.support import views
from tests.support.helpers import MIDDLEWARE, TRANSACTIONS, Outside, Retryable

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.urls("tests.support.urls"), pytest.mark.usefixtures("sister_stores")]

Post = Callable[..., Any]
BIG = 3 * 1024 * 1024


@pytest.fixture(autouse=True)
def site(settings: Any, nothing_left: None) -> Iterator[None]:
    settings.MIDDLEWARE = MIDDLEWARE
    settings.STORM_RETRY_ATTEMPTS = 3
    views.seen.clear()
    yield
    views.seen.clear()


@pytest.fixture(params=["sync", "async"])
def post(request: pytest.FixtureRequest) -> Post:
    if request.param == "sync":
        return Client(raise_request_exception=False).post
    return async_to_sync(AsyncClient(raise_request_exception=False).post)


def test_it_runs_again_until_it_succeeds(post: Post, outside: Outside) -> None:
    response = post("/retried/3/")
    assert (response.status_code, response.content) == (200, b"done")
    assert len(views.seen) == 3
    assert outside.names() == ["django", "storm"]


def test_each_run_begins_with_nothing_of_the_one_before(post: Post) -> None:
    post("/retried/3/", {"field": "value"})
    assert [run["names"] for run in views.seen] == [[], [], []]
    assert [run["attributes"] for run in views.seen] == [[], [], []]
    assert [run["META"] for run in views.seen] == [None, None, None]


def test_storm_does_not_stumble_over_objects_of_the_one_before(post: Post, outside: Outside) -> None:
    assert post("/retried-over-all/2/").status_code == 200
    assert list(outside.rows("SELECT note FROM people_visit")) == [("seen",)]


def test_it_runs_no_more_often_than_allowed(post: Post, outside: Outside) -> None:
    assert post("/retried/4/").status_code == 500
    assert len(views.seen) == 3
    assert outside.names() == []
    assert post("/write/").status_code == 200
    assert outside.names() == ["django", "storm"]


def test_the_default_is_to_run_once(post: Post, settings: Any, outside: Outside) -> None:
    del settings.STORM_RETRY_ATTEMPTS
    assert post("/retried/2/").status_code == 500
    assert len(views.seen) == 1
    assert outside.names() == []


def test_another_error_is_not_retried(post: Post) -> None:
    assert post("/write/raises/").status_code == 500
    assert len(views.seen) == 1


@pytest.mark.parametrize("path", ["not-found", "forbidden", "dooms", "answers-500"])
def test_a_page_that_is_an_answer_is_not_retried(path: str, post: Post) -> None:
    post(f"/write/{path}/")
    assert len(views.seen) == 1


def test_a_commit_that_asks_for_it_is_retried(post: Post, outside: Outside) -> None:
    assert post("/retried-at-the-commit/3/").status_code == 200
    assert views.seen == [[], [], []]
    assert outside.names() == ["django"]


def test_a_commit_that_asks_too_often_is_a_500(post: Post, outside: Outside) -> None:
    assert post("/retried-at-the-commit/4/").status_code == 500
    assert len(views.seen) == 3
    assert outside.names() == []


FORM = {"name": "Zoë", "note": "two\nlines"}


@pytest.mark.parametrize(
    "sent",
    [
        ((FORM,), {}),
        (("name=Zo%C3%AB&note=two%0Alines",), {"content_type": "application/x-www-form-urlencoded"}),
    ],
    ids=["multipart", "urlencoded"],
)
def test_a_form_is_the_same_in_each_run(sent: Any, post: Post) -> None:
    arguments, options = sent
    assert post("/retried/3/", *arguments, **options).status_code == 200
    assert [run["POST"] for run in views.seen] == [FORM] * 3


@pytest.mark.parametrize("size", [5, BIG])
def test_an_uploaded_file_is_the_same_in_each_run(size: int, post: Post) -> None:
    content = b"x" * size
    response = post("/retried/2/", {"title": "t", "file": SimpleUploadedFile("a.bin", content)})
    assert response.status_code == 200
    assert [run["POST"] for run in views.seen] == [{"title": "t"}] * 2
    assert all(run["files"] == {"file": content} for run in views.seen)


@pytest.mark.parametrize("body", [b"", b'{"a": 1}', bytes(range(256)) * 10, b"y" * (2 * 1024 * 1024)])
def test_a_raw_body_is_the_same_in_each_run(body: bytes, post: Post) -> None:
    response = post("/retried-raw/3/", body, content_type="application/octet-stream")
    assert response.status_code == 200
    assert response.content == body
    # The client names no type for a body that is empty.
    assert views.seen == [(body, "application/octet-stream" if body else "")] * 3


def test_a_request_that_is_not_retried_has_its_body_too(post: Post) -> None:
    assert post("/retried-raw/1/", b"once", content_type="text/plain").content == b"once"


@pytest.mark.parametrize(("path", "errors"), [("/retried/3/", []), ("/retried/4/", [Retryable])])
def test_only_the_last_error_is_reported(
    path: str, errors: list[type], post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    reported: list[object] = []

    def note(sender: object, **kwargs: object) -> None:
        reported.append(sys.exc_info()[0])

    got_request_exception.connect(note)
    try:
        with caplog.at_level(logging.ERROR, "django.request"):
            post(path)
    finally:
        got_request_exception.disconnect(note)
    assert reported == errors
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == errors


def test_other_middleware_is_called_again_in_each_run(post: Post, settings: Any) -> None:
    settings.MIDDLEWARE = [*MIDDLEWARE, "tests.storm_backend.middleware.test_middleware_retry.StampingMiddleware"]
    StampingMiddleware.stamps.clear()
    assert post("/retried/3/").status_code == 200
    assert StampingMiddleware.stamps == [False, False, False]


def test_a_body_that_the_client_limits_is_refused_as_natively(post: Post, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    body = "name=" + "x" * 100
    assert post("/retried/2/", body, content_type="application/x-www-form-urlencoded").status_code == 400
    assert views.seen == []


class StampingMiddleware:
    """Puts something on the request, and says whether it was there already."""

    stamps: list[bool] = []

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        self.stamps.append(hasattr(request, "stamp"))
        request.stamp = True
        return self.get_response(request)
