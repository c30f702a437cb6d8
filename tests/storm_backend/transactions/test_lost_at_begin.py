"""What was written in a transaction, and is lost where another begins, is said in the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import transaction
from django.db import connection
from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse
from django.test import TestCase, TransactionTestCase, override_settings
from django.urls import path
from transaction.interfaces import TransientError

from djintegrate.common.engine import MIDDLEWARE
from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormVisit
from tests.support.fixtures import have_sister_stores
from tests.support.helpers import in_thread, marked


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


pytest_plugins = ["tests.support.fixtures"]
urlpatterns = [path("nothing/", nothing)]
LOST = (
    "What was written to the store 'main' is lost, by Storm and by Django: nobody has committed it, and another "
    "transaction begins. Put `with transaction.manager:` around the work."
)
NESTED = (
    "What was written to the store 'main' is lost, by Storm and by Django: another transaction begins before the one "
    "that was begun is committed, which aborts it. Do not put one `with transaction.manager:` into another, nor into a "
    "request, which is in one: use atomic() for the inner one."
)


def write_by_django() -> None:
    Person.objects.create(name="outer")


def write_by_cursor() -> None:
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO people_person (name) VALUES (%s)", [("outer",)])


def add_to_storm() -> None:
    get_store("main").add(StormVisit("outer"))


def write_by_storm() -> None:
    add_to_storm()
    get_store("main").flush()


def read_by_django() -> None:
    with atomic():
        assert not Person.objects.filter(name="outer").exists()


def read_by_storm() -> None:
    assert get_store("main").find(StormVisit).count() == 0


def do_nothing() -> None:
    pass


WRITES = [write_by_django, write_by_cursor, add_to_storm, write_by_storm]
READS = [read_by_django, read_by_storm, do_nothing]


class WithLog:
    @pytest.fixture(autouse=True)
    def log(self, caplog: pytest.LogCaptureFixture) -> None:
        self.caplog = caplog

    @contextmanager
    def said(self, *messages: str) -> Iterator[None]:
        self.caplog.clear()
        yield
        assert [record.getMessage() for record in self.caplog.records] == list(messages)


class Both(WithLog):
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

    def test_what_was_committed_or_aborted(self: Any) -> None:
        for end in (transaction.commit, transaction.abort):
            get_store("main").add(StormVisit("x"))
            end()
            with self.said():
                self.client.get("/nothing/")

    def test_what_was_written_in_the_outer_one_of_two_blocks(self: Any) -> None:
        for write in WRITES:
            with self.said(NESTED), transaction.manager:
                write()
                with transaction.manager:
                    Person.objects.create(name=f"inner {write.__name__}")
            assert not Person.objects.filter(name="outer").exists() and not get_store("main").find(StormVisit).count()
            transaction.abort()

    def test_what_was_only_read_in_it(self: Any) -> None:
        for read in READS:
            with self.said(), transaction.manager:
                read()
                with transaction.manager:
                    pass

    def test_what_an_attempt_has_written_that_is_run_again(self: Any) -> None:
        with self.said():
            for attempt in transaction.attempts(2):
                with attempt:
                    write_by_django()
                    if attempt is not transaction.manager.manager:
                        raise TransientError
        assert Person.objects.filter(name="outer").count() == 1

    def test_what_was_aborted_in_a_begun_one(self: Any) -> None:
        for write in WRITES:
            transaction.begin()
            write()
            transaction.abort()
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


@SITE
class TestWithOneStore(TestInATransactionTestCase):
    """Where nobody counts what is written."""

    @pytest.fixture(autouse=True)
    def alone(self) -> Iterator[None]:
        have_sister_stores(False)
        yield
        have_sister_stores(True)


class OfAClass(WithLog):
    """What a class has written stays for all of its tests, and each test loses only what it has written itself."""

    told = LOST

    def is_there(self) -> bool:
        return Person.objects.filter(name="outer").exists() or bool(get_store("main").find(StormVisit).count())

    def begin(self) -> None:
        transaction.begin()
        assert self.is_there()
        transaction.abort()

    def test_1_nothing_is_lost_and_nothing_is_said(self) -> None:
        with self.said():
            self.begin()

    def test_2_nothing_in_the_next_test_either(self) -> None:
        with self.said():
            self.begin()

    def test_3_what_the_test_has_written_itself_is_lost(self) -> None:
        get_store("main").add(StormVisit("lost"))
        with self.said(LOST):
            self.begin()


class OfAClassThatIsStillOpen(OfAClass):
    """The first test writes in the class's transaction, and leaves it open; the second begins one."""

    def test_1_nothing_is_lost_and_nothing_is_said(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO people_person (name) VALUES ('of the first test')")

    def test_2_nothing_in_the_next_test_either(self) -> None:
        super().test_2_nothing_in_the_next_test_either()
        assert not Person.objects.filter(name="of the first test").exists()


class OfAClassAndOfATest(OfAClass):
    """The test writes in the class's transaction, too."""

    def test_1_nothing_is_lost_and_nothing_is_said(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO people_person (name) VALUES ('of the test')")
        with self.said(self.told):
            self.begin()
        assert not Person.objects.filter(name="of the test").exists()


class ByStorm:
    @classmethod
    def setUpTestData(cls) -> None:
        write_by_storm()


class ByStormAndNotYetFlushed:
    @classmethod
    def setUpTestData(cls) -> None:
        add_to_storm()


class ByDjangoInWhatStormHasJoined:
    @classmethod
    def setUpTestData(cls) -> None:
        read_by_storm()
        write_by_django()


class ByDjangoInOneThatWasBegun:
    told = NESTED

    @classmethod
    def setUpTestData(cls) -> None:
        transaction.begin()
        write_by_django()


class ByDjangoWhereNobodyCounts(ByDjangoInOneThatWasBegun):
    @classmethod
    def setUpClass(cls) -> None:
        have_sister_stores(False)
        super().setUpClass()  # type: ignore[misc]
        cls.addClassCleanup(have_sister_stores, True)  # type: ignore[attr-defined]


class BeforeTheTestsData:
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()  # type: ignore[misc]
        write_by_storm()


WRITTEN_BY = [
    ByStorm,
    ByStormAndNotYetFlushed,
    ByDjangoInWhatStormHasJoined,
    ByDjangoInOneThatWasBegun,
    ByDjangoWhereNobodyCounts,
    BeforeTheTestsData,
]
for _kind in (OfAClass, OfAClassThatIsStillOpen, OfAClassAndOfATest):
    for _by in WRITTEN_BY:
        _name = f"Test{_kind.__name__}{_by.__name__}"
        globals()[_name] = SITE(type(_name, (_by, _kind, TestCase), {"__module__": __name__}))


@SITE
class TestWithinTheClass(WithLog, TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        write_by_storm()
        transaction.begin()

    def test_it_is_lost_there(self) -> None:
        assert [record.getMessage() for record in self.caplog.get_records("setup")] == [LOST]
        assert get_store("main").find(StormVisit).count() == 0


@marked
def test_what_was_written_in_a_block_that_was_there_before_the_thread_had_used_a_store(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def work() -> None:
        with transaction.manager:
            write_by_django()
            with transaction.manager:
                pass

    in_thread(work)
    assert [record.getMessage() for record in caplog.records] == [NESTED]


@marked
def test_what_was_written_to_two_stores_is_said_of_each(caplog: pytest.LogCaptureFixture) -> None:
    with transaction.manager:
        for alias in ("default", "second"):
            Person.objects.using(alias).create(name="outer")
        transaction.begin()
    said = [record.getMessage() for record in caplog.records]
    assert said == [NESTED, NESTED.replace("'main'", "'second'")]
