"""What was written in an implicit transaction, and is lost where another begins, is said in the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import transaction
from django.http import HttpRequest, HttpResponse
from django.test import TestCase, TransactionTestCase, override_settings
from django.urls import path

from djintegrate.common.engine import MIDDLEWARE
from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormVisit


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [path("nothing/", nothing)]
LOST = (
    "What was written to the store 'main' is lost, by Storm and by Django: nobody has committed it, and another "
    "transaction begins. Put `with transaction.manager:` around the work."
)


class Both:
    @pytest.fixture(autouse=True)
    def log(self, caplog: pytest.LogCaptureFixture) -> None:
        self.caplog = caplog

    @contextmanager
    def said(self, *messages: str) -> Iterator[None]:
        self.caplog.clear()
        yield
        assert [record.getMessage() for record in self.caplog.records] == list(messages)

    def test_what_storm_has_flushed(self: Any) -> None:
        get_store("main").add(StormVisit("lost"))
        get_store("main").flush()
        with self.said(LOST):
            self.client.get("/nothing/")
        with self.said():
            self.client.get("/nothing/")
        assert get_store("main").find(StormVisit).count() == 0

    def test_what_storm_has_not(self: Any) -> None:
        get_store("main").add(StormVisit("lost"))
        with self.said(LOST), transaction.manager:
            pass

    def test_what_django_wrote_after_storm_has_read(self: Any) -> None:
        list(get_store("main").find(StormVisit))
        Person.objects.create(name="lost")
        with self.said(LOST):
            transaction.begin()
        transaction.abort()

    def test_what_was_only_read(self: Any) -> None:
        list(get_store("main").find(StormVisit))
        with self.said():
            self.client.get("/nothing/")

    def test_what_was_committed_aborted_or_begun(self: Any) -> None:
        for end in (transaction.commit, transaction.abort):
            get_store("main").add(StormVisit("x"))
            end()
            with self.said():
                self.client.get("/nothing/")
        transaction.begin()
        get_store("main").add(StormVisit("x"))
        with self.said(), transaction.manager:
            pass

    # Tests run in the order of their names.

    def test_y_something_is_left(self: Any) -> None:
        get_store("main").add(StormVisit("left by a test"))
        get_store("main").flush()

    def test_z_what_a_test_before_has_left(self: Any) -> None:
        with self.said():
            self.client.get("/nothing/")


SITE = override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[MIDDLEWARE])


@SITE
class TestInATestCase(Both, TestCase):
    pass


@SITE
class TestInATransactionTestCase(Both, TransactionTestCase):
    available_apps = ["djintegrate.storm_backend", "tests.apps.people"]
