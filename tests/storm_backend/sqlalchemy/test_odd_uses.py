"""What programs do besides: hooks within flushes, relationships, bulk operations, callbacks, many live objects."""

from __future__ import annotations

import time
from typing import Any

import pytest
import transaction
from django.db import connection
from django.db.models.signals import post_save
from django.db.transaction import TransactionManagementError, on_commit
from sqlalchemy import ForeignKey, Integer, Text, event, exc, func, select
from sqlalchemy.orm import Session, column_property, mapped_column, relationship

from djintegrate.storm_backend import get_store, invalidate
from djintegrate.storm_backend.sqlalchemy import engine
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.support.helpers import TRANSACTIONS, Outside, django_add, django_names, names_in_both, storm_add

from .people import AlchemyPerson, Base, alchemy_add, alchemy_names, session

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


class AlchemyVisit(Base):
    __tablename__ = "people_visit"

    id = mapped_column(Integer, primary_key=True)
    note = mapped_column(Text)
    person_id = mapped_column(ForeignKey(AlchemyPerson.id))
    person = relationship(AlchemyPerson, backref="visits")
    of_person = column_property(
        select(func.count(AlchemyPerson.id)).where(AlchemyPerson.id == person_id).scalar_subquery()
    )


# ##### What hangs on a table that another ORM writes #####


@pytest.mark.parametrize("by", ["django", "storm"])
def test_a_relationship_to_a_table_that_was_written_is_read_anew(by: str) -> None:
    with transaction.manager:
        person = alchemy_add("visited")
        session.flush()
        assert person.visits == []
        if by == "django":
            Visit.objects.create(note="x", person_id=person.id)
        else:
            visit = get_store("main").add(StormVisit("x"))
            visit.person_id = person.id
            get_store("main").flush()
        assert [each.note for each in person.visits] == ["x"]


def test_a_computed_attribute_is_read_anew_whatever_was_written() -> None:
    with transaction.manager:
        person = django_add("visited")
        visit = AlchemyVisit(note="x", person_id=person.id)
        session.add(visit)
        session.flush()
        assert visit.of_person == 1
        Visit.objects.update(person_id=None)
        person.delete()
        assert visit.of_person == 0


def test_what_cascades_in_the_database_is_known(outside: Outside) -> None:
    with transaction.manager:
        person = alchemy_add("visited")
        visit = AlchemyVisit(note="x", person=person)
        session.add(visit)
        session.flush()
        assert Visit.objects.get().person_id == person.id
        session.delete(visit)
        session.delete(person)
    assert outside.names() == []


def test_new_objects_stay_pending_when_what_they_hang_on_expires() -> None:
    with transaction.manager, session().no_autoflush:
        person = alchemy_add("visited")
        session.flush()
        person.visits.append(AlchemyVisit(note="pending"))
        Person.objects.update(name="changed")
        assert [each.note for each in person.visits] == ["pending"]
        session.flush()
        assert Visit.objects.get().note == "pending"
        assert person.name == "changed"


# ##### Hooks #####


def test_djangos_orm_in_a_hook_of_a_flush(outside: Outside) -> None:
    def also(mapper: Any, connection: Any, target: Any) -> None:
        if not target.name.startswith("also "):
            Person.objects.create(name=f"also {target.name}")
            Person.objects.filter(name="one").update(name="changed by the hook")

    event.listen(AlchemyPerson, "after_insert", also)
    event.listen(AlchemyPerson, "after_update", also)
    try:
        with transaction.manager:
            one, two = alchemy_add("one"), alchemy_add("two")
            session.flush()
            assert one.name == "changed by the hook"
            one.name, two.name = "1", "2"
            alchemy_add("three")
            session.flush()
            expected = ["1", "2", "also 1", "also 2", "also one", "also three", "also two", "three"]
            assert names_in_both() == expected
            assert alchemy_names() == expected
    finally:
        event.remove(AlchemyPerson, "after_insert", also)
        event.remove(AlchemyPerson, "after_update", also)
    assert len(outside.names()) == 8


def test_a_session_in_a_hook_of_storms_flush(outside: Outside) -> None:
    class Hooked(StormPerson):
        def __storm_pre_flush__(self) -> None:
            if alchemy_names() == []:
                alchemy_add(f"before {self.name}")

        def __storm_flushed__(self) -> None:
            assert self.name in alchemy_names()

    with transaction.manager:
        get_store("main").add(Hooked("storm"))
        assert sorted(alchemy_names()) == ["before storm", "storm"]
    assert outside.names() == ["before storm", "storm"]


def test_a_session_in_a_signal_of_djangos(outside: Outside) -> None:
    def also(sender: Any, instance: Any, **kwargs: Any) -> None:
        alchemy_add(f"also {instance.name}")

    post_save.connect(also, sender=Person)
    try:
        with transaction.manager:
            django_add("one")
            assert django_names() == ["also one", "one"]
    finally:
        post_save.disconnect(also, sender=Person)
    assert outside.names() == ["also one", "one"]


def test_a_hook_that_fails_breaks_the_transaction(outside: Outside) -> None:
    def fail(*args: Any) -> None:
        raise ValueError("on purpose")

    event.listen(AlchemyPerson, "before_insert", fail)
    try:
        with pytest.raises(TransactionManagementError), transaction.manager:
            storm_add("storm")
            alchemy_add("alchemy")
            with pytest.raises(ValueError, match="on purpose"):
                django_names()
    finally:
        event.remove(AlchemyPerson, "before_insert", fail)
    assert outside.names() == []


def test_a_callback_after_the_commit_finds_a_session_that_works(outside: Outside) -> None:
    found = []

    def read() -> None:
        with transaction.manager:
            found.extend(alchemy_names())
            alchemy_add("written by the callback")

    with transaction.manager:
        alchemy_add("alchemy")
        session.flush()
        on_commit(read)
    assert found == ["alchemy"]
    assert outside.names() == ["alchemy", "written by the callback"]


# ##### Other ways to write #####


def test_bulk_operations_of_a_session(outside: Outside) -> None:
    with transaction.manager:
        person = storm_add("0")
        session().bulk_save_objects([AlchemyPerson(name="1")])
        session().bulk_insert_mappings(AlchemyPerson, [{"name": "2"}, {"name": "3"}])
        session().bulk_update_mappings(AlchemyPerson, [{"id": person.id, "name": "zero"}])
        assert person.name == "zero"
        session.query(AlchemyPerson).filter_by(name="1").delete()
    assert outside.names() == ["2", "3", "zero"]


def test_an_object_that_was_merged_is_true() -> None:
    with transaction.manager:
        made = django_add("before")
        merged = session.merge(AlchemyPerson(id=made.id, name="after"))
        made.refresh_from_db()
        assert made.name == merged.name == "after"


def test_what_was_written_past_all_is_read_anew_on_demand() -> None:
    with transaction.manager:
        person = storm_add("before")
        with engine("main").connect() as by_core:
            driver = by_core.connection.driver_connection
            cursor = driver.cursor()
            get_store("main").flush()
            cursor.execute("UPDATE people_person SET name = 'after'")
            cursor.close()
        invalidate("main")
        assert person.name == "after"


def test_a_statement_that_fails_in_a_nested_transaction_leaves_every_object_true() -> None:
    with transaction.manager:
        person, taken = storm_add("person"), alchemy_add("taken")
        session.flush()
        with pytest.raises(exc.IntegrityError), session.begin_nested():
            taken.name = "changed"
            session.flush()
            alchemy_add("person")
            session.flush()
        assert (taken.name, person.name) == ("taken", "person")
        assert django_names() == ["person", "taken"]


# ##### Costs #####


def cost_of_writing_elsewhere() -> float:
    """In time of the processor, and the least of some rounds: others use it as well."""

    def once() -> float:
        began = time.thread_time()
        for _ in range(20):
            Visit.objects.create(note="x")
        return time.thread_time() - began

    return min(once() for _ in range(5))


def test_many_live_objects_cost_a_write_of_anothers_little() -> None:
    with transaction.manager, Session(engine("main")) as many:
        many.add_all([AlchemyPerson(name=str(number)) for number in range(2000)])
        many.flush()
        kept = many.query(AlchemyPerson).all()
        Visit.objects.create(note="the first looks at all of them")
        with_many = cost_of_writing_elsewhere()
        many.commit()
        assert len(kept) == 2000
    with transaction.manager:
        session.query(AlchemyPerson).first()
        with_one = cost_of_writing_elsewhere()
    assert with_many < 3 * with_one
    assert connection.data_manager is None
