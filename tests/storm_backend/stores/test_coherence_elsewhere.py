"""Both ORMs on the same tables: writes that are no statement of a model, rows that are gone, Django's own objects."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import connection
from django.db.transaction import atomic
from storm.store import Store

from djintegrate.storm_backend import get_store, invalidate
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.support.coherence_helpers import begun as begun
from tests.support.coherence_helpers import known, run
from tests.support.helpers import TRANSACTIONS, Oops, django_add, django_names, is_postgres, storm_insert, storm_names

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


class TestOtherWaysToWrite:
    def test_a_script(self) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("Only sqlite3 has scripts.")
        # It commits first, so there is a transaction no more; but what Storm shows is what was written.
        person = storm_insert("ann")
        with connection.cursor() as cursor:
            cursor.executescript("UPDATE people_person SET name = 'anna';")
        assert person.name == "anna"

    def test_several_statements_in_one(self) -> None:
        if not is_postgres():
            pytest.skip("Only PostgreSQL's drivers take several statements in one.")
        person = storm_insert("ann")
        run("SELECT 1; UPDATE people_person SET name = 'anna'; SELECT 2")
        assert person.name == "anna"

    def test_a_copy(self) -> None:
        if not is_postgres():
            pytest.skip("Only PostgreSQL has COPY.")
        person = storm_insert("ann")
        visit = get_store("main").add(StormVisit("pending"))
        with connection.cursor() as cursor:
            if hasattr(cursor.cursor, "copy_expert"):
                cursor.copy_expert("COPY people_person (name) FROM STDIN", StringIO("bob\n"))
            else:
                with cursor.copy("COPY people_person (name) FROM STDIN") as copy:
                    copy.write("bob\n")
        assert Visit.objects.get().note == visit.note
        assert storm_names() == ["ann", "bob"]
        Person.objects.filter(name="ann").update(name="anna")
        assert person.name == "anna"

    def test_a_debug_cursor_watches_as_well(self, settings: Any) -> None:
        connection.force_debug_cursor = True
        try:
            self.test_a_copy() if is_postgres() else None
            get_store("main").add(StormPerson("carl"))
            assert "carl" in django_names()
            with connection.cursor() as cursor:
                cursor.execute("UPDATE people_person SET name = 'dan' WHERE name = 'carl'")
            assert "dan" in storm_names()
        finally:
            connection.force_debug_cursor = False

    def test_a_function_that_writes(self) -> None:
        if not is_postgres():
            pytest.skip("On MariaDB CREATE FUNCTION commits, and SQLite has none.")
        person = storm_insert("ann")
        run(
            "CREATE FUNCTION renamed() RETURNS integer LANGUAGE sql "
            "AS 'UPDATE people_person SET name = ''anna'' RETURNING 1'"
        )
        assert person.name == "ann"
        run("SELECT renamed()")
        assert person.name == "anna"

    def test_a_procedure_that_writes(self) -> None:
        if not is_postgres():
            pytest.skip("On MariaDB CREATE PROCEDURE commits, and SQLite has none.")
        person = storm_insert("ann")
        run(
            "CREATE FUNCTION renamed() RETURNS integer LANGUAGE sql "
            "AS 'UPDATE people_person SET name = ''anna'' RETURNING 1'"
        )
        visit = get_store("main").add(StormVisit("pending"))
        assert person.name == "ann"
        with connection.cursor() as cursor:
            cursor.callproc("renamed")
        assert person.name == "anna"
        assert Visit.objects.get().note == visit.note

    def test_a_truncate(self) -> None:
        if not is_postgres():
            pytest.skip("On MariaDB TRUNCATE commits, and SQLite has none.")
        person, visit = storm_insert("ann"), get_store("main").add(StormVisit("note"))
        transaction.commit()
        transaction.begin()
        assert (person.name, visit.note) == ("ann", "note")
        run("TRUNCATE people_visit")
        assert person.name == "ann"
        with pytest.raises(storm.exceptions.LostObjectError):
            assert visit.note

    def test_an_upsert(self) -> None:
        person = storm_insert("ann")
        Person.objects.bulk_create(
            [Person(pk=person.id, name="anna")],
            update_conflicts=True,
            update_fields=["name"],
            unique_fields=None if connection.vendor == "mysql" else ["id"],
        )
        assert person.name == "anna"

    def test_a_delete_of_several_tables(self) -> None:
        if connection.vendor != "mysql":
            pytest.skip("Only MariaDB has it.")
        ann, visit = storm_insert("ann"), get_store("main").add(StormVisit("note"))
        get_store("main").flush()
        run("DELETE v, p FROM people_visit AS v JOIN people_person AS p")
        assert not known(ann)
        assert not known(visit)

    def test_sql_that_rolls_back_to_a_savepoint(self) -> None:
        person = storm_insert("ann")
        run("SAVEPOINT mine")
        person.name = "flushed"
        assert django_names() == ["flushed"]
        person.name = "pending"
        run("ROLLBACK TO SAVEPOINT mine")
        assert person.name == "ann"
        assert django_names() == ["ann"]

    def test_what_was_written_past_both_orms_is_invalidated_by_hand(self) -> None:
        ann, bob = storm_insert("ann"), storm_insert("bob")
        visit = get_store("main").add(StormVisit("note"))
        get_store("main").flush()
        connection.connection.cursor().execute(f"UPDATE people_person SET name = 'anna' WHERE id = {ann.id}")
        bob.name = "pending"
        assert ann.name == "ann"
        invalidate("main", "people_person")
        assert known(visit)
        assert (ann.name, bob.name) == ("anna", "pending")
        invalidate("main")
        assert not known(visit)


class TestObjectsWhoseRowsAreGone:
    def test_they_do_not_stand_in_the_way_of_a_set(self) -> None:
        gone, kept = storm_insert("gone"), storm_insert("kept")
        Person.objects.filter(name="gone").delete()
        assert kept.name == "kept"
        get_store("main").find(StormPerson).set(name="changed")
        assert kept.name == "changed"
        get_store("main").find(StormPerson, id=gone.id).set(name="nobody's")
        assert django_names() == ["changed"]
        with pytest.raises(storm.exceptions.LostObjectError):
            assert gone.name

    def test_a_set_reaches_objects_that_are_known_in_part(self) -> None:
        ann = storm_insert("ann")
        visit = get_store("main").add(StormVisit("old", ann))
        get_store("main").flush()
        Visit.objects.update(note="old")
        # Known again is only the note.
        visit.note = "known"
        get_store("main").find(StormVisit, person_id=ann.id).set(person_id=None, note="new")
        assert (visit.note, visit.person_id) == ("new", None)

    def test_a_value_that_cannot_be_saved_is_not_shown(self) -> None:
        person = storm_insert("ann")
        Person.objects.all().delete()
        for _ in range(2):
            with pytest.raises(storm.exceptions.LostObjectError):
                person.name = "unsaved"
            with pytest.raises(storm.exceptions.LostObjectError):
                assert person.name

    def test_they_are_back_with_their_row(self) -> None:
        person = storm_insert("ann")
        with pytest.raises(Oops), atomic():
            Person.objects.all().delete()
            with pytest.raises(storm.exceptions.LostObjectError):
                person.name = "unsaved"
            raise Oops
        assert person.name == "ann"

    def test_another_object_with_the_same_key_is_not_mistaken_for_them(self) -> None:
        store = get_store("main")
        old = storm_insert("old")
        key = old.id
        Person.objects.all().delete()
        new = StormPerson("new")
        new.id = key
        store.add(new)
        store.flush()
        with pytest.raises(storm.exceptions.LostObjectError):
            assert old.name
        assert Store.of(old) is None
        assert store.get(StormPerson, key) is new
        assert django_names() == ["new"]
        store.add(old)
        old.id, old.name = key + 1, "again"
        assert django_names() == ["again", "new"]
        assert old.name == "again"


class TestDjangosOwnObjects:
    def test_they_are_as_old_as_their_query(self) -> None:
        person = django_add("ann")
        get_store("main").find(StormPerson).set(name="anna")
        assert person.name == "ann"
        person.refresh_from_db()
        assert person.name == "anna"
