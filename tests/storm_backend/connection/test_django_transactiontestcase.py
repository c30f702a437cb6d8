"""TransactionTestCase and LiveServerTestCase: as native, and what Storm did is flushed away between tests as well."""

from __future__ import annotations

import gc
import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import transaction
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.sql import emit_post_migrate_signal
from django.db import IntegrityError, connection
from django.db.transaction import atomic, on_commit
from django.test import LiveServerTestCase, TransactionTestCase, override_settings
from storm.exceptions import Error as StormError
from storm.exceptions import IntegrityError as StormIntegrityError

from djintegrate.storm_backend import get_store
from tests.apps.people.storm_models import StormPerson
from tests.apps.sprints.models import Comment
from tests.apps.sprints.storm_models import Session
from tests.support.helpers import (
    MIDDLEWARE,
    Oops,
    Outside,
    Spy,
    connections_left,
    connections_open,
    django_add,
    django_names,
    joined,
    names_in_both,
    start_afresh,
    storm_add,
    storm_insert,
    storm_names,
    wait_until,
    with_keys,
)


class FlushedTests(TransactionTestCase):
    """Each test leaves something that no other may see."""

    available_apps = ["tests.apps.people"]
    databases = {"default", "second"}

    def setUp(self) -> None:
        look = Outside()
        self.addCleanup(look.close)
        self.look = look
        try:
            assert look.names() == look.names("second") == []
            assert django_names() == django_names("second") == []
            assert storm_names() == storm_names("second") == []
        finally:
            transaction.abort()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        start_afresh()

    def test_a_committed_object_of_storms(self) -> None:
        storm_add("left")
        storm_add("left", "second")
        transaction.commit()
        assert self.look.names() == self.look.names("second") == ["left"]

    def test_a_flushed_object_of_storms(self) -> None:
        storm_insert("left")

    def test_a_pending_object_of_storms(self) -> None:
        storm_add("left")

    def test_a_storm_object_that_is_only_read(self) -> None:
        storm_insert("left")
        transaction.commit()
        assert get_store("main").find(StormPerson).one().name == "left"

    def test_a_transaction_that_was_begun(self) -> None:
        transaction.begin()
        django_add("left")
        storm_add("left as well")

    def test_a_transaction_that_was_begun_on_the_second_database(self) -> None:
        transaction.begin()
        storm_insert("left", "second")

    def test_a_doomed_transaction(self) -> None:
        transaction.begin()
        storm_insert("left")
        transaction.doom()

    def test_an_autocommitted_object_of_djangos(self) -> None:
        django_add("left")
        assert self.look.names() == ["left"]

    def test_blocks_and_callbacks_are_as_in_production(self) -> None:
        runs: list[int] = []
        with atomic():
            django_add("django")
            storm_add("storm")
            on_commit(lambda: runs.append(1))
            assert self.look.names() == []
        assert runs == [1]
        assert self.look.names() == ["django", "storm"]
        with pytest.raises(Oops), transaction.manager:
            storm_insert("lost")
            raise Oops
        assert self.look.names() == ["django", "storm"]

    def test_a_failed_commit(self) -> None:
        storm_insert("left")
        joined(Spy(fails_at="tpc_vote"))
        with pytest.raises(Oops):
            transaction.commit()


class AfterErrorsTests(TransactionTestCase):
    """What has failed in one test does not fail the others. As on a site, all of its apps are available."""

    databases = {"default", "second"}

    def setUp(self) -> None:
        assert names_in_both() == []
        transaction.abort()

    def test_an_error_of_a_flush_of_storms(self) -> None:
        storm_insert("ann")
        storm_add("ann")
        with pytest.raises(StormIntegrityError):
            get_store("main").flush()

    def test_an_error_of_a_statement_of_storms(self) -> None:
        with pytest.raises(StormError):
            get_store("second").execute("SELECT nothing FROM people_person")

    def test_an_error_of_djangos_after_a_storm_object_was_read(self) -> None:
        django_add("ann")
        storm_names()
        with pytest.raises(IntegrityError):
            django_add("ann")

    def test_an_error_in_a_transaction_that_was_begun(self) -> None:
        transaction.begin()
        django_add("ann")
        with pytest.raises(IntegrityError):
            django_add("ann")


class SequencesTests(TransactionTestCase):
    available_apps = ["tests.apps.people"]
    reset_sequences = True

    def test_a_first_test_counts_from_one(self) -> None:
        assert django_add("ann").pk == 1
        with transaction.manager:
            assert storm_insert("bob").id == 2

    def test_a_second_test_counts_from_one(self) -> None:
        with transaction.manager:
            assert storm_insert("ann").id == 1


@override_settings(
    STORM_STORES={
        **settings.STORM_STORES,
        "main": with_keys(settings.STORM_STORES["main"], SCHEMA="tests.apps.sprints.schema"),
    }
)
class TablesThatPointAtEachOtherTests(TransactionTestCase):
    """Rows of Storm's schema point at Django's, and Django's at those. No database takes them in just any order."""

    available_apps = ["django.contrib.contenttypes", "django.contrib.auth", "tests.apps.people", "tests.apps.sprints"]

    @classmethod
    def setUpClass(cls) -> None:
        # After all else: Django empties the tables of these apps, where other tests want what `migrate` makes in them.
        cls.addClassCleanup(emit_post_migrate_signal, verbosity=0, interactive=False, db="default")
        super().setUpClass()

    def setUp(self) -> None:
        assert not User.objects.exists()
        assert not Comment.objects.exists()
        with transaction.manager:
            assert get_store("main").find(Session).is_empty()

    def leave_both(self) -> None:
        with transaction.manager:
            talk = get_store("main").add(Session("left", owner=User.objects.create(username="left")))
            Comment.objects.create(session=talk)

    test_what_the_first_leaves_is_gone = leave_both
    test_what_the_second_leaves_is_gone = leave_both


@override_settings(ROOT_URLCONF="tests.support.urls", MIDDLEWARE=MIDDLEWARE)
class LiveServerTests(LiveServerTestCase):
    available_apps = ["tests.apps.people"]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path: str, data: bytes | None = None) -> tuple[int, Any]:
        try:
            with self.opener.open(self.live_server_url + path, data, timeout=30) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, None

    def names(self) -> list[str]:
        return list(json.loads(self.get("/names/")[1])["names"])

    def test_the_test_sees_what_a_request_committed(self) -> None:
        assert self.get("/write/", b"")[0] == 200
        with transaction.manager:
            assert names_in_both() == ["django", "storm"]

    def test_a_request_sees_what_the_test_committed_and_nothing_else(self) -> None:
        django_add("autocommitted")
        with transaction.manager:
            storm_add("committed")
        with pytest.raises(Oops), transaction.manager:
            storm_insert("uncommitted")
            assert self.names() == ["autocommitted", "committed"]
            raise Oops
        assert self.names() == ["autocommitted", "committed"]

    def test_a_request_that_fails_leaves_nothing_and_the_next_one_works(self) -> None:
        assert self.get("/write/raises-after-flush/", b"")[0] == 500
        assert self.names() == []
        assert self.get("/write/", b"")[0] == 200
        assert self.names() == ["django", "storm"]

    def test_requests_at_the_same_time_are_transactions_of_their_own(self) -> None:
        paths = [f"/write/{'raises' if number % 2 else 'returns'}/?name={number}" for number in range(8)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda path: self.get(path, b"")[0], paths))
        # SQLite may find the database locked; then all of that request is refused.
        assert set(answers[1::2]) == {500}
        kept = [number for number in range(0, 8, 2) if answers[number] == 200]
        assert self.names() == sorted([f"{orm}{number}" for number in kept for orm in ("django", "storm")])
        assert len(kept) == 4 or connection.vendor == "sqlite"

    def test_the_servers_threads_leave_no_connection_behind(self) -> None:
        self.names()
        before = connections_left()
        for _ in range(5):
            self.names()
        gc.collect()
        wait_until(lambda: connections_open() <= before)
