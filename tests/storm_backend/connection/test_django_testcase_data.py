"""More of Django's TestCase: the data of a class, on_commit(), the test client, and databases it may not use."""

from __future__ import annotations

from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import DatabaseError, connections
from django.db.transaction import atomic, on_commit
from django.test import TestCase, override_settings

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import LeavesNothing, Oops, django_add, django_names, names_in_both, storm_add, storm_insert


class SetUpTestDataTests(LeavesNothing):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.ann = django_add("ann")
        with transaction.manager:
            # Django copies what a class keeps for each test, and a Storm object cannot be copied.
            cls.bob = storm_insert("bob")
            cls.key = cls.bob.id
            django_add("cid", using="second")
        cls.visit = Visit.objects.create(note="of ann", person=cls.ann)
        storm_add("pending and never committed")

    def setUp(self) -> None:
        assert names_in_both() == ["ann", "bob", "pending and never committed"]
        assert names_in_both("second") == ["cid"]

    def test_what_a_test_deletes_is_there_in_the_next(self) -> None:
        self.visit.delete()
        get_store("main").find(StormPerson).remove()
        transaction.commit()
        assert django_names() == []

    def test_what_a_test_changes_is_as_it_was_in_the_next(self) -> None:
        get_store("main").get(StormPerson, self.key).name = "changed"
        transaction.commit()
        assert "changed" in django_names()

    def test_an_abort_keeps_what_the_class_has_made(self) -> None:
        storm_insert("lost")
        transaction.abort()
        assert get_store("main").get(StormPerson, self.key).name == "bob"

    def test_an_abort_at_once_keeps_what_the_class_has_made(self) -> None:
        transaction.abort()
        with pytest.raises(Oops), transaction.manager:
            django_add("lost")
            raise Oops
        assert get_store("main").get(StormPerson, self.key).name == "bob"

    def test_a_commit_and_a_mess(self) -> None:
        with transaction.manager:
            storm_add("committed")
        storm_insert("left")

    def test_a_storm_object_of_the_class_is_refused_with_the_remedy(self) -> None:
        with pytest.raises(TypeError, match="key"):
            assert self.bob

    def test_a_django_object_of_the_class_can_be_used(self) -> None:
        self.ann.name = "anna"
        self.ann.save()
        assert get_store("main").find(StormPerson, name="anna").one() is not None


class SetUpTestDataThatStaysOpenTests(LeavesNothing):
    """Storm's transaction of setUpTestData() is neither committed nor aborted."""

    @classmethod
    def setUpTestData(cls) -> None:
        storm_insert("ann")
        django_add("bob")

    def test_a_commit_in_a_test(self) -> None:
        storm_add("lost")
        transaction.commit()
        assert names_in_both() == ["ann", "bob", "lost"]

    def test_an_abort_in_a_test(self) -> None:
        storm_add("lost")
        transaction.abort()
        assert names_in_both() == ["ann", "bob"]

    def test_a_block_in_a_test(self) -> None:
        with atomic():
            storm_add("kept")
        with pytest.raises(Oops), atomic():
            storm_insert("lost")
            raise Oops
        assert names_in_both() == ["ann", "bob", "kept"]

    def test_nothing_in_a_test(self) -> None:
        assert names_in_both() == ["ann", "bob"]


class SetUpTestDataThatBeginsTests(LeavesNothing):
    @classmethod
    def setUpTestData(cls) -> None:
        transaction.begin()
        storm_add("ann")
        django_add("bob")

    def test_a_first_test(self) -> None:
        assert names_in_both() == ["ann", "bob"]
        storm_insert("left")

    def test_a_second_test(self) -> None:
        assert names_in_both() == ["ann", "bob"]
        transaction.abort()
        assert names_in_both() == ["ann", "bob"]
        storm_insert("left")


class ATransactionForEachTestTests(LeavesNothing):
    """As tests written for Zope do it."""

    def setUp(self) -> None:
        transaction.begin()

    def tearDown(self) -> None:
        transaction.abort()

    def test_a_first_test(self) -> None:
        assert names_in_both() == []
        django_add("ann")
        storm_add("bob")

    def test_a_second_test(self) -> None:
        assert names_in_both() == []
        storm_add("bob")
        transaction.commit()
        assert django_names() == ["bob"]


class OnCommitTests(LeavesNothing):
    def test_callbacks_are_captured_and_not_run(self) -> None:
        runs: list[str] = []
        with self.captureOnCommitCallbacks() as callbacks:
            with transaction.manager:
                storm_add("ann")
                on_commit(lambda: runs.append("begun"))
            with atomic():
                on_commit(lambda: runs.append("atomic"))
        assert runs == []
        assert len(callbacks) == 2

    def test_captured_callbacks_are_executed_in_order(self) -> None:
        runs: list[Any] = []
        with self.captureOnCommitCallbacks(execute=True):
            with transaction.manager:
                storm_add("ann")
                on_commit(lambda: runs.append(names_in_both()))
                on_commit(lambda: runs.append("second"))
            assert runs == []
        assert runs == [["ann"], "second"]

    def test_what_was_aborted_is_not_captured(self) -> None:
        with self.captureOnCommitCallbacks() as callbacks:
            with pytest.raises(Oops), transaction.manager:
                storm_insert("ann")
                on_commit(lambda: None)
                raise Oops
            with pytest.raises(Oops), atomic():
                django_add("ann")
                on_commit(lambda: None)
                raise Oops
            with transaction.manager:
                django_names()
                savepoint = transaction.savepoint()
                on_commit(lambda: None)
                savepoint.rollback()
        assert callbacks == []

    def test_callbacks_do_not_run_without_being_captured(self) -> None:
        with transaction.manager:
            django_add("ann")
            on_commit(lambda: pytest.fail("This test's transaction was never committed."))


@override_settings(ROOT_URLCONF="tests.support.urls")
class ClientTests(LeavesNothing):
    def setUp(self) -> None:
        self.client.raise_request_exception = False
        assert django_names() == []

    def test_a_request_commits_for_the_rest_of_the_test(self) -> None:
        assert self.client.post("/write/").status_code == 200
        assert names_in_both() == ["django", "storm"]
        transaction.abort()
        assert self.client.get("/names/").json() == {"names": ["django", "storm"]}

    def test_a_request_that_fails_undoes_its_own_writes_alone(self) -> None:
        django_add("before")
        self.client.post("/write/?name=-kept")
        assert self.client.post("/write/raises-after-flush/").status_code == 500
        assert names_in_both() == ["before", "django-kept", "storm-kept"]

    def test_a_request_sees_what_the_test_wrote_with_storm(self) -> None:
        with transaction.manager:
            storm_add("ann")
        assert self.client.get("/names/").json() == {"names": ["ann"]}

    def test_a_request_in_a_begun_transaction_leaves_the_commit_to_the_test(self) -> None:
        with pytest.raises(Oops), transaction.manager:
            storm_add("of the test")
            self.client.post("/write/")
            assert self.client.post("/write/raises/?name=-lost").status_code == 500
            assert names_in_both() == ["django", "of the test", "storm"]
            raise Oops
        assert names_in_both() == []

    def test_a_request_while_storm_is_uncommitted_does_not_lose_that_silently(self) -> None:
        storm_insert("uncommitted")
        response = self.client.get("/names/")
        if response.status_code == 200:
            assert response.json()["names"] == names_in_both()

    async def test_an_async_request_commits_too(self) -> None:
        response = await self.async_client.post("/write/")
        assert response.status_code == 200
        response = await self.async_client.get("/names/")
        assert response.json() == {"names": ["django", "storm"]}

    async def test_an_async_request_that_fails_leaves_nothing(self) -> None:
        self.async_client.raise_request_exception = False
        assert (await self.async_client.post("/async/raises/")).status_code == 500
        assert (await self.async_client.get("/names/")).json() == {"names": []}


class OneDatabaseTests(TestCase):
    """`databases` names the first alone."""

    @classmethod
    def setUpClass(cls) -> None:
        # Connecting is forbidden in any case; a connection that another test has opened is there to be used.
        connections["second"].ensure_connection()
        super().setUpClass()

    def test_a_store_of_another_database_is_forbidden_as_natively(self) -> None:
        with pytest.raises((DatabaseError, AssertionError), match="not allowed"):
            Person.objects.using("second").count()
        try:
            with pytest.raises((DatabaseError, AssertionError, storm.exceptions.Error), match="not allowed"):
                storm_insert("ann", "second")
        finally:
            transaction.abort()

    def test_the_store_of_the_database_itself_is_not(self) -> None:
        storm_insert("ann")
        assert names_in_both() == ["ann"]
