"""A site's own tests, and its settings and views: `test_testcases` has Django run them in a process of its own."""

from __future__ import annotations

import os
from typing import Any
from urllib.request import urlopen

from django.http import HttpRequest, JsonResponse
from django.test import LiveServerTestCase, TestCase, TransactionTestCase
from django.urls import path

from djintegrate.storm_backend import get_store, store_policy

ENGINE = "djintegrate.storm_backend"
SECRET_KEY = "tests"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = __name__
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STORM_STORES = {"main": {"URI": os.environ.get("PRIMARY_URI", ""), "REPLICAS": [os.environ.get("REPLICA_URI", "")]}}
DATABASES = {"default": {"ENGINE": ENGINE, "NAME": "main"}}
INSTALLED_APPS = [ENGINE, "tests.apps.people"]
MIDDLEWARE = [f"{ENGINE}.middleware.ZopeTransactionMiddleware"]


def people(request: HttpRequest) -> JsonResponse:
    from tests.apps.people.models import Person

    if request.method == "POST":
        Person.objects.create(name="posted")
    by_storm = get_store("main").execute("SELECT name FROM people_person ORDER BY name").get_all()
    by_django = list(Person.objects.order_by("name").values_list("name", flat=True))
    return JsonResponse({"django": by_django, "storm": [name for (name,) in by_storm]})


urlpatterns = [path("", people)]


def both(*names: str) -> dict[str, Any]:
    return {"django": list(names), "storm": list(names)}


class InTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        from tests.apps.people.models import Person

        cls.people = Person.objects
        Person.objects.create(name="ann")

    def test_requests_see_what_the_test_has_not_committed(self) -> None:
        self.assertEqual(self.client.get("/").json(), both("ann"))
        self.client.post("/")
        self.assertEqual(self.client.get("/").json(), both("ann", "posted"))

    def test_a_policy_changes_nothing(self) -> None:
        with store_policy("replica"), self.assertNumQueries(1):
            self.assertEqual(self.people.count(), 1)


class InTransactionTestCase(TransactionTestCase):
    def test_requests_see_what_was_written(self) -> None:
        self.client.post("/")
        self.assertEqual(self.client.get("/").json(), both("posted"))


class OnALiveServer(LiveServerTestCase):
    def test_its_threads_see_what_was_written(self) -> None:
        urlopen(self.live_server_url, b"x=1").close()
        with urlopen(self.live_server_url) as response:
            self.assertEqual(response.read().decode(), '{"django": ["posted"], "storm": ["posted"]}')
