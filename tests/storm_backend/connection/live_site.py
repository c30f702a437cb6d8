"""A site's own tests with a live server, its settings and views: `test_live_server` runs them in a process of its own.

IN_MEMORY has the aliases whose test databases are in memory, where the server's threads use the connection of the test.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import transaction
from django.contrib.staticfiles.testing import StaticLiveServerTestCase
from django.db import connection
from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse
from django.test import LiveServerTestCase
from django.urls import path

from djintegrate.storm_backend import get_store

ENGINE = "djintegrate.storm_backend"
SECRET_KEY = "tests"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = __name__
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STORM_STORES = {"main": os.environ.get("MAIN_URI", "sqlite:main.sqlite3"), "second": "sqlite:second.sqlite3"}
TEST = {"NAME": "test_of_live_server"} if "MAIN_URI" in os.environ else {}
DATABASES = {
    "default": {"ENGINE": ENGINE, "NAME": "main", "TEST": TEST},
    "second": {"ENGINE": ENGINE, "NAME": "second"},
}
INSTALLED_APPS = [ENGINE, "tests.apps.people", "django.contrib.staticfiles"]
MIDDLEWARE = [f"{ENGINE}.middleware.ZopeTransactionMiddleware"]

REQUESTS = 60
opener = build_opener(ProxyHandler({}))


def add(request: HttpRequest) -> HttpResponse:
    """Writes with both ORMs, and reads in the other database; fails if it is asked to."""
    from tests.apps.people.models import Person
    from tests.apps.people.storm_models import StormPerson

    name = request.GET["name"]
    get_store("second").find(StormPerson).count()
    Person.objects.create(name=f"django {name}")
    get_store("main").add(StormPerson(f"storm {name}"))
    Person.objects.get_or_create(name=f"block {name}")
    if "fails" in request.GET:
        raise ValueError
    return HttpResponse()


def wait_in_block(request: HttpRequest) -> HttpResponse:
    """Is in an atomic() block until the test has had some time to begin a transaction."""
    with atomic():
        is_in_block.set()
        time.sleep(0.2)
    return HttpResponse()


urlpatterns = [path("", add), path("block", wait_in_block)]
is_in_block = threading.Event()


def send(url: str, threads: int = 1, fails: bool = False) -> set[str]:
    """The names that requests have sent with success; with `fails`, every fourth has none."""

    def ask(name: int) -> int:
        query = f"/?name={name}" + ("&fails" if fails and name % 4 == 3 else "")
        try:
            return int(opener.open(url + query, timeout=60).status)
        except HTTPError as error:
            return error.code

    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(ask, range(REQUESTS)))
    expected = [500 if fails and name % 4 == 3 else 200 for name in range(REQUESTS)]
    assert answers == expected, answers
    return {str(name) for name, status in enumerate(answers) if status == 200}


def assert_kept(names: set[str]) -> None:
    from tests.apps.people.models import Person

    wanted = {f"{by} {name}" for by in ("django", "storm", "block") for name in names}
    found = set(Person.objects.values_list("name", flat=True))
    assert found == wanted, (sorted(wanted - found), sorted(found - wanted))


class Requests:
    databases = ["default", "second"]
    live_server_url: str

    def test_each_answer_is_of_a_transaction_that_is_kept(self) -> None:
        assert_kept(send(self.live_server_url))

    def test_what_fails_is_undone_and_nothing_else(self) -> None:
        assert_kept(send(self.live_server_url, fails=True))

    def test_requests_at_the_same_time_are_transactions_of_their_own(self) -> None:
        assert_kept(send(self.live_server_url, threads=4, fails=True))

    def test_the_test_may_read_and_write_meanwhile(self) -> None:
        from tests.apps.people.models import Person

        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(send, self.live_server_url, 2)
            while not sent.done():
                with transaction.manager:
                    Person.objects.using("second").get_or_create(name="the test's")
        Person.objects.using("second").filter(name="the test's").delete()
        assert_kept(sent.result())

    def test_the_test_may_begin_a_transaction_while_a_request_is_in_a_block(self) -> None:
        is_in_block.clear()
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(opener.open, self.live_server_url + "/block", timeout=60)
            assert is_in_block.wait(60)
            with transaction.manager:
                get_store("main").execute("SELECT 1")
            assert sent.result().status == 200

    def test_a_transaction_of_the_tests_that_nobody_began_has_the_requests_in_it(self) -> None:
        in_memory = connection.vendor == "sqlite"
        get_store("main").execute("SELECT 1")
        names = send(self.live_server_url)
        transaction.abort()
        assert_kept(set() if in_memory else names)


class PlainTests(Requests, LiveServerTestCase):
    pass


class StaticTests(Requests, StaticLiveServerTestCase):
    pass


def check(live_server: Any) -> None:
    """The same for pytest-django's fixture."""
    assert_kept(send(live_server.url, threads=4, fails=True))
