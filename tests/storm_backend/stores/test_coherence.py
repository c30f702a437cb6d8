"""Both ORMs on the same tables: what Storm has pending Django reads, what Django has written Storm reads, and no more
than that is read anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django.db
import pytest
import storm.exceptions
import transaction
from django.contrib.admin import ModelAdmin, site
from django.db import connection
from django.db.models import F
from django.db.transaction import atomic
from storm.locals import Int, Unicode

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.support.coherence_helpers import begun as begun
from tests.support.coherence_helpers import known, run, storm_statements
from tests.support.helpers import (
    TRANSACTIONS,
    Outside,
    django_add,
    django_names,
    is_postgres,
    storm_insert,
    storm_names,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


class TestWhatStormHasPending:
    def test_django_reads_it(self) -> None:
        person = storm_insert("ann")
        person.name = "changed"
        get_store("main").add(StormPerson("added"))
        assert django_names() == ["added", "changed"]

    def test_raw_sql_reads_it(self) -> None:
        get_store("main").add(StormPerson("ann"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM people_person")
            assert [row[0] for row in cursor.fetchall()] == ["ann"]

    def test_a_cursor_that_was_opened_before_reads_it(self) -> None:
        with connection.cursor() as cursor:
            get_store("main").add(StormPerson("ann"))
            cursor.execute("SELECT name FROM people_person")
            assert [row[0] for row in cursor.fetchall()] == ["ann"]

    def test_an_iterator_reads_it(self) -> None:
        get_store("main").add(StormPerson("ann"))
        assert [person.name for person in Person.objects.iterator(chunk_size=10)] == ["ann"]

    def test_a_removal_is_seen(self) -> None:
        person = storm_insert("ann")
        get_store("main").remove(person)
        assert not Person.objects.exists()

    def test_it_is_there_for_a_foreign_key(self) -> None:
        person = storm_insert("ann")
        person.id = person.id + 1000
        visit = Visit.objects.create(note="note", person_id=person.id)
        assert Visit.objects.get(person__name="ann") == visit

    def test_it_is_not_lost_by_a_write_to_the_same_row(self) -> None:
        visit = get_store("main").add(StormVisit("before"))
        get_store("main").flush()
        visit.note = "pending"
        Visit.objects.update(person=django_add("ann"))
        assert visit.note == "pending"
        assert visit.person is not None
        assert visit.person.name == "ann"

    def test_nothing_is_executed_where_nothing_is_pending(self) -> None:
        storm_insert("ann")
        with storm_statements() as statements:
            assert django_names() == ["ann"]
        assert statements == []

    def test_another_databases_statement_does_not_flush_it(self) -> None:
        get_store("main").add(StormPerson("ann"))
        with storm_statements() as statements:
            Person.objects.using("second").count()
        assert statements == []

    def test_blocked_implicit_flushes_are_respected_and_lose_nothing(self) -> None:
        store = get_store("main")
        ann, bob = storm_insert("ann"), storm_insert("bob")
        store.block_implicit_flushes()
        ann.name = "pending"
        assert django_names() == ["ann", "bob"]
        Person.objects.filter(pk=bob.id).update(name="by django")
        assert (ann.name, bob.name) == ("pending", "by django")
        store.unblock_implicit_flushes()
        assert django_names() == ["by django", "pending"]

    def test_an_error_in_it_is_djangos_and_nothing_is_committed_without_it(self, outside: Outside) -> None:
        storm_insert("ann")
        get_store("main").add(StormPerson("ann"))
        with pytest.raises(django.db.IntegrityError):
            Visit.objects.count()
        with pytest.raises(django.db.transaction.TransactionManagementError):
            transaction.commit()
        transaction.abort()
        assert outside.names() == []

    def test_an_atomic_block_survives_an_error_in_what_was_made_in_it(self, outside: Outside) -> None:
        storm_insert("ann")
        with pytest.raises(django.db.IntegrityError), atomic():
            get_store("main").add(StormPerson("ann"))
            Visit.objects.count()
        transaction.commit()
        assert outside.names() == ["ann"]

    def test_a_flush_hook_may_use_django(self) -> None:
        class Counting(StormPerson):
            def __storm_pre_flush__(self) -> None:
                self.name = f"{self.name} of {Person.objects.count()}"

        storm_insert("ann")
        get_store("main").add(Counting("bob"))
        assert django_names() == ["ann", "bob of 1"]


WRITES: dict[str, Callable[[int], object]] = {
    "save": lambda key: Person(pk=key, name="new").save(),
    "update": lambda key: Person.objects.filter(pk=key).update(name="new"),
    "update with an expression": lambda key: Person.objects.filter(pk=key).update(name=F("name")),
    "update_or_create": lambda key: Person.objects.update_or_create(pk=key, defaults={"name": "new"}),
    "bulk_update": lambda key: Person.objects.bulk_update([Person(pk=key, name="new")], ["name"]),
    "create": lambda key: Person.objects.create(name="another"),
    "bulk_create": lambda key: Person.objects.bulk_create([Person(name="another"), Person(name="one more")]),
    "get_or_create": lambda key: Person.objects.get_or_create(name="another"),
    "update over a join": lambda key: Person.objects.filter(visit__note="of ann").update(name="new"),
    "update with a subselect": lambda key: Person.objects.filter(pk__in=Visit.objects.values("person")).update(
        name="n"
    ),
    "execute": lambda key: run("UPDATE people_person SET name = %s WHERE id = %s", "new", key),
    "executemany": lambda key: connection.cursor().executemany("UPDATE people_person SET name = %s", [("new",)]),
    "raw": lambda key: run("INSERT INTO people_person (name) VALUES ('another')"),
}

# Of visits: nothing depends on them, and so nothing else is written.
DELETES: dict[str, Callable[[int], object]] = {
    "delete": lambda key: Visit.objects.filter(pk=key).delete(),
    "delete of an instance": lambda key: Visit.objects.get(pk=key).delete(),
    "delete over a join": lambda key: Visit.objects.filter(person__name="ann").delete(),
    "raw delete": lambda key: Visit.objects.all()._raw_delete("default"),
    "execute": lambda key: run("DELETE FROM people_visit WHERE id = %s", key),
    "admin": lambda key: ModelAdmin(Visit, site).delete_queryset(None, Visit.objects.filter(pk=key)),
}


class TestAfterDjangosWrite:
    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_storms_objects_of_that_table_are_read_anew_and_only_those(self, write: Callable[[int], object]) -> None:
        ann = storm_insert("ann")
        visit = get_store("main").add(StormVisit("of ann", ann))
        get_store("main").flush()
        assert known(ann, visit)
        write(ann.id)
        assert known(visit)
        assert not known(ann)

    @pytest.mark.parametrize("delete", DELETES.values(), ids=DELETES)
    def test_so_are_they_after_a_delete(self, delete: Callable[[int], object]) -> None:
        ann = storm_insert("ann")
        visit = get_store("main").add(StormVisit("of ann", ann))
        get_store("main").flush()
        assert known(ann, visit)
        delete(visit.id)
        assert known(ann)
        assert not known(visit)

    def test_a_value_that_django_changed_is_shown(self) -> None:
        person = storm_insert("ann")
        Person.objects.update(name="anna")
        assert person.name == "anna"
        assert get_store("main").get(StormPerson, person.id).name == "anna"

    def test_an_object_that_django_deleted_is_gone(self) -> None:
        person = storm_insert("ann")
        key = person.id
        Person.objects.all().delete()
        assert get_store("main").get(StormPerson, key) is None
        assert get_store("main").find(StormPerson).is_empty()
        with pytest.raises(storm.exceptions.LostObjectError):
            assert person.name

    def test_a_reference_follows(self) -> None:
        ann, bob = storm_insert("ann"), storm_insert("bob")
        visit = get_store("main").add(StormVisit("note", ann))
        assert visit.person is ann
        Visit.objects.update(person_id=bob.id)
        assert visit.person is bob

    def test_the_cascade_of_djangos_delete_is_followed(self) -> None:
        ann = storm_insert("ann")
        visit = get_store("main").add(StormVisit("note", ann))
        get_store("main").flush()
        Person.objects.get().delete()
        with pytest.raises(storm.exceptions.LostObjectError):
            assert visit.note

    def test_reading_leaves_all_as_it_was(self) -> None:
        person = storm_insert("ann")
        assert Person.objects.filter(name__contains="n", visit__isnull=True).order_by("-name").count() == 1
        assert list(Person.objects.values_list("name").distinct()) == [("ann",)]
        assert known(person)

    def test_a_savepoint_leaves_all_as_it_was(self) -> None:
        person = storm_insert("ann")
        with atomic():
            assert known(person)
        assert known(person)

    def test_a_statement_that_is_not_understood_may_have_written_everything(self) -> None:
        person = storm_insert("ann")
        visit = get_store("main").add(StormVisit("note"))
        get_store("main").flush()
        run({"sqlite": "ANALYZE", "postgresql": "DO 'BEGIN END'", "mysql": "DO 1"}[connection.vendor])
        assert not known(person)
        assert person.name == "ann"
        run("CREATE TABLE made (id integer)" if connection.vendor != "mysql" else "EXECUTE IMMEDIATE 'SELECT 1'")
        assert not known(visit)

    def test_a_failed_statement_counts_too(self) -> None:
        ann, bob = storm_insert("ann"), storm_insert("bob")
        with pytest.raises(django.db.IntegrityError), atomic():
            with pytest.raises(django.db.IntegrityError), connection.cursor() as cursor:
                # The first of the two changes is made, on SQLite and MariaDB.
                changes = [("anna", ann.id), ("anna", bob.id)]
                cursor.executemany("UPDATE people_person SET name = %s WHERE id = %s", changes)
            if not is_postgres():
                assert ann.name == "anna"
            raise django.db.IntegrityError
        assert (ann.name, bob.name) == ("ann", "bob")

    def test_an_object_pending_removal_stays_removed(self) -> None:
        person = storm_insert("ann")
        get_store("main").remove(person)
        Person.objects.update(name="anna")
        assert storm_names() == []

    def test_what_storm_alone_does_is_not_read_anew(self) -> None:
        ann, bob = storm_insert("ann"), storm_insert("bob")
        ann.name = "anna"
        get_store("main").flush()
        get_store("main").find(StormPerson, name="nobody").set(name="somebody")
        assert known(ann, bob)

    def test_each_object_is_told_once(self) -> None:
        class Told(StormPerson):
            times = 0

            def __storm_invalidated__(self) -> None:
                self.times += 1

        person = get_store("main").add(Told("ann"))
        get_store("main").flush()
        Person.objects.update(name="anna")
        Person.objects.update(name="hanna")
        assert person.times == 1
        assert person.name == "hanna"

    def test_another_class_on_the_same_table_is_read_anew_too(self) -> None:
        class Named:
            __storm_table__ = "PEOPLE_PERSON" if connection.vendor != "mysql" else "people_person"
            id = Int(primary=True)
            name = Unicode()

        storm_insert("ann")
        named = get_store("main").find(Named).one()
        Person.objects.update(name="anna")
        assert named.name == "anna"

    def test_another_database_has_its_own_tables(self) -> None:
        person = storm_insert("ann")
        Person.objects.using("second").create(name="bob")
        assert known(person)

    def test_the_next_transaction_begins_without_it(self) -> None:
        Person.objects.count()
        wrappers = len(connection.execute_wrappers)
        for end in (transaction.commit, transaction.abort):
            storm_names()
            end()
            transaction.begin()
            Person.objects.count()
            assert len(connection.execute_wrappers) == wrappers
            transaction.abort()
            transaction.begin()

    def test_a_wrapper_of_the_users_goes_on_working(self) -> None:
        seen: list[str] = []

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            seen.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            person = storm_insert("ann")
            Person.objects.update(name="anna")
        updates = [sql for sql in seen if sql.startswith("UPDATE")]
        assert len(updates) == 1
        Person.objects.update(name="hanna")
        assert person.name == "hanna"
        assert [sql for sql in seen if sql.startswith("UPDATE")] == updates
