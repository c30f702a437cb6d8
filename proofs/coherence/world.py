"""Both ORMs at work on the same two tables, beside a model of them in plain dictionaries.

Each operation is a method that takes two numbers, which choose among what there is. It does the same to the database,
by one ORM or the other, and to the model; those that look compare. What cannot be done at the moment does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import storm.exceptions
import transaction
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.db.transaction import atomic
from storm.expr import Coalesce
from storm.store import Store

from djintegrate.storm_backend import get_store, invalidate
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.support.helpers import Oops, Outside

# So few that keys are used again and again.
KEYS = (1, 2, 3, 4)
CLASSES = {"person": StormPerson, "visit": StormVisit}


@dataclass
class Tables:
    """What is in the database: the names of the people; the notes of the visits, and whose they are."""

    person: dict[int, str] = field(default_factory=dict)
    visit: dict[int, tuple[str, int | None]] = field(default_factory=dict)

    def copy(self) -> Tables:
        return Tables(dict(self.person), dict(self.visit))


@dataclass(eq=False)
class Held:
    """A Storm object that somebody holds on to."""

    kind: str
    key: int
    object: Any
    born: int  # when Storm was given it, or gave it
    superseded: bool = False  # Storm was given another one with its key


class World:
    """The database, and the model of it."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.store = get_store("main")
        self.now = Tables()
        self.committed = Tables()
        self.begun = False
        self.joined = False  # Storm has started the implicit transaction
        self.blocks: list[tuple[Any, Tables, int]] = []
        self.savepoints: list[tuple[Any, Tables, int, int]] = []
        self.held: list[Held] = []
        self.clock = 0

    # Transactions

    @property
    def in_transaction(self) -> bool:
        return self.begun or self.joined or bool(self.blocks)

    def begin(self, a: int, b: int) -> None:
        if not self.in_transaction:
            transaction.begin()
            self.begun = True

    def commit(self, a: int, b: int) -> None:
        if not self.blocks:
            transaction.commit() if a % 2 else self.store.commit()
            self._ended(self.now)

    def abort(self, a: int, b: int) -> None:
        if not self.blocks:
            transaction.abort() if a % 2 else self.store.rollback()
            self._undone(self.committed, 0 if self.in_transaction else self.clock)
            self._ended(self.now)

    def enter_block(self, a: int, b: int) -> None:
        block = atomic()
        block.__enter__()
        self.blocks.append((block, self.now.copy(), self.clock))

    def leave_block(self, a: int, b: int) -> None:
        if not self.blocks:
            return
        block, before, began = self.blocks.pop()
        self.savepoints = [each for each in self.savepoints if each[3] <= len(self.blocks)]
        if a % 3:
            block.__exit__(None, None, None)
        else:
            block.__exit__(Oops, Oops(), None)
            self._undone(before, began)
        if not self.in_transaction:
            self._ended(self.now)

    def take_savepoint(self, a: int, b: int) -> None:
        if not self.in_transaction:
            return
        if self.blocks:
            # One that is taken before the first statement is rolled back with the blocks around it.
            assert Person.objects.count() == len(self.now.person)
        self.savepoints.append((transaction.savepoint(), self.now.copy(), self.clock, len(self.blocks)))

    def roll_back_to_savepoint(self, a: int, b: int) -> None:
        possible = [at for at, each in enumerate(self.savepoints) if each[3] == len(self.blocks)]
        if not possible:
            return
        at = possible[a % len(possible)]
        savepoint, before, began, _ = self.savepoints[at]
        del self.savepoints[at + 1 :]
        savepoint.rollback()
        self._undone(before, began)

    def _undone(self, before: Tables, began: int) -> None:
        self.now = before.copy()
        for held in list(self.held):
            if Store.of(held.object) is None and not held.superseded:
                # Only what was still pending is in no store.
                assert held.born > began, "an object from before was thrown out of its store"
                self.held.remove(held)

    def _ended(self, state: Tables) -> None:
        self.committed = state.copy()
        self.begun = self.joined = False
        self.savepoints = []

    # Django

    def django_creates_a_person(self, a: int, b: int) -> None:
        if key := self._free("person", a):
            name = self._text()
            if b % 2:
                Person.objects.create(pk=key, name=name)
            else:
                self._sql("INSERT INTO people_person (id, name) VALUES (%s, %s)", key, name)
            self.now.person[key] = name
        self._by_django()

    def django_creates_visits(self, a: int, b: int) -> None:
        created: dict[int, tuple[str, int | None]] = {}
        for step in range(1 + b % 3):
            if key := self._free("visit", a + step, created):
                created[key] = (self._text(), self._some("person", b + step) if step % 2 else None)
        visits = [Visit(pk=key, note=note, person_id=person) for key, (note, person) in created.items()]
        if len(visits) == 1:
            visits[0].save(force_insert=b % 2 == 0)
        else:
            Visit.objects.bulk_create(visits)
        self.now.visit |= created
        self._by_django()

    def django_changes_a_person(self, a: int, b: int) -> None:
        if key := self._some("person", a):
            name = self.now.person[key] = self._text()
            if b % 3 == 0:
                person = Person.objects.get(pk=key)
                person.name = name
                person.save()
            elif b % 3 == 1:
                Person.objects.filter(pk=key).update(name=name)
            else:
                Person.objects.update_or_create(pk=key, defaults={"name": name})
        self._by_django()

    def django_changes_all_people(self, a: int, b: int) -> None:
        Person.objects.update(name=Concat("name", Value("+")))
        self.now.person = {key: name + "+" for key, name in self.now.person.items()}
        self._by_django()

    def django_changes_visits(self, a: int, b: int) -> None:
        note = self._text()
        person = self._some("person", b)
        if a % 4 == 0:
            Visit.objects.update(note=note)
            changed = set(self.now.visit)
        elif a % 4 == 1:
            name = self.now.person[person] if person else "nobody"
            Visit.objects.filter(person__name=name).update(note=note)
            changed = {key for key, (_, whose) in self.now.visit.items() if person and whose == person}
        elif a % 4 == 2:
            changed = set(list(self.now.visit)[::2])
            Visit.objects.bulk_update([Visit(pk=key, note=note) for key in changed], ["note"])
        else:
            changed = set(list(self.now.visit)[1::2])
            with connection.cursor() as cursor:
                cursor.executemany(
                    "UPDATE people_visit SET note = %s WHERE id = %s", [(note, key) for key in changed] or [(note, -1)]
                )
        for key in changed:
            self.now.visit[key] = (note, self.now.visit[key][1])
        self._by_django()

    def django_moves_a_visit(self, a: int, b: int) -> None:
        if key := self._some("visit", a):
            person = self._some("person", b) if b % 3 else None
            Visit.objects.filter(pk=key).update(person=person)
            self.now.visit[key] = (self.now.visit[key][0], person)
        self._by_django()

    def django_deletes_a_person(self, a: int, b: int) -> None:
        if key := self._some("person", a):
            if b % 2:
                Person.objects.get(pk=key).delete()
            else:
                Person.objects.filter(name=self.now.person[key]).delete()
            del self.now.person[key]
            self.now.visit = {each: row for each, row in self.now.visit.items() if row[1] != key}
        self._by_django()

    def django_deletes_visits(self, a: int, b: int) -> None:
        if b % 4 == 0:
            Visit.objects.filter(person__isnull=True).delete()
            self.now.visit = {key: row for key, row in self.now.visit.items() if row[1] is not None}
        elif key := self._some("visit", a):
            if b % 4 == 1:
                Visit.objects.get(pk=key).delete()
            elif b % 4 == 2:
                Visit.objects.filter(note=self.now.visit[key][0], pk=key).delete()
            else:
                self._sql("DELETE FROM people_visit WHERE id = %s", key)
            del self.now.visit[key]
        self._by_django()

    def django_looks(self, a: int, b: int) -> None:
        assert dict(Person.objects.values_list("id", "name")) == self.now.person
        assert {visit.pk: (visit.note, visit.person_id) for visit in Visit.objects.iterator()} == self.now.visit

    # Storm

    def storm_adds_a_person(self, a: int, b: int) -> None:
        if key := self._free("person", a):
            person = StormPerson(self._text())
            self.now.person[key] = person.name
            self._add("person", key, person)

    def storm_adds_a_visit(self, a: int, b: int) -> None:
        if key := self._free("visit", a):
            visit = StormVisit(self._text())
            visit.person_id = self._some("person", b)
            self.now.visit[key] = (visit.note, visit.person_id)
            self._add("visit", key, visit)

    def storm_changes_what_is_held(self, a: int, b: int) -> None:
        if not self.held:
            return
        held = self.held[a % len(self.held)]
        if Store.of(held.object) is None:
            self._look_at(held)
            return
        text = self._text()
        self._by_storm()
        try:
            setattr(held.object, {"person": "name", "visit": "note"}[held.kind], text)
        except storm.exceptions.LostObjectError:
            assert held.superseded or held.key not in getattr(self.now, held.kind)
            return
        if not held.superseded:
            self._change(held.kind, held.key, text)
        else:
            # What becomes of it is decided by the flush, which finds another one there or not.
            self.store.flush()
            self._change(held.kind, held.key, text) if Store.of(held.object) else self.held.remove(held)

    def storm_changes_what_it_finds(self, a: int, b: int) -> None:
        kind = ("person", "visit")[b % 2]
        if key := self._some(kind, a):
            text = self._text()
            found = self._hold(kind, self.store.get(CLASSES[kind], key))
            setattr(found, {"person": "name", "visit": "note"}[kind], text)
            self._change(kind, key, text)

    def storm_moves_a_visit(self, a: int, b: int) -> None:
        if key := self._some("visit", a):
            self.store.flush()
            visit = self._hold("visit", self.store.find(StormVisit, id=key).one())
            person = self._some("person", b) if b % 3 else None
            visit.person = self.store.get(StormPerson, person) if person else None
            self.now.visit[key] = (self.now.visit[key][0], person)

    def storm_sets(self, a: int, b: int) -> None:
        note, person = self._text(), self._some("person", b)
        key = self._some("visit", b)
        if a % 5 == 0:
            self.store.find(StormVisit).set(note=note)
            changed = set(self.now.visit)
        elif a % 5 == 1:
            self.store.find(StormVisit, person_id=person).set(note=note)
            changed = {each for each, row in self.now.visit.items() if row[1] == person}
        elif a % 5 == 2:
            self.store.find(StormVisit, id=b % len(KEYS)).set(note=note)
            changed = {b % len(KEYS)} & set(self.now.visit)
        elif a % 5 == 3:
            self.store.find(StormVisit).set(note=Coalesce(StormVisit.note, note))
            changed = set()
        else:
            old = self.now.visit[key][0] if key else "none"
            self.store.find(StormVisit, StormVisit.note == old).set(note=note, person_id=None)
            changed = {each for each, row in self.now.visit.items() if row[0] == old}
            self.now.visit |= dict.fromkeys(changed, (note, None))
        for each in changed:
            self.now.visit[each] = (note, self.now.visit[each][1])
        self._by_storm()

    def storm_removes(self, a: int, b: int) -> None:
        kind = ("person", "visit")[b % 2]
        key = self._some(kind, a)
        if key is None or (kind == "person" and any(row[1] == key for row in self.now.visit.values())):
            return
        if kind == "person":
            # So that a visit that was moved away from it is written before.
            self.store.flush()
        self.store.remove(self.store.get(CLASSES[kind], key))
        del getattr(self.now, kind)[key]
        # Until this is flushed, an undone part may bring it back.
        self.held = [held for held in self.held if (held.kind, held.key) != (kind, key)]
        self._by_storm()

    def storm_removes_by_a_query(self, a: int, b: int) -> None:
        note = self.now.visit[key][0] if (key := self._some("visit", a)) else "none"
        self.store.find(StormVisit, note=note).remove()
        # As with Storm alone, its objects do not notice.
        invalidate("main", "people_visit")
        self.now.visit = {key: row for key, row in self.now.visit.items() if row[0] != note}
        self._by_storm()

    def storm_flushes(self, a: int, b: int) -> None:
        self.store.flush()

    def storm_looks(self, a: int, b: int) -> None:
        people, visits = list(self.store.find(StormPerson)), list(self.store.find(StormVisit))
        assert {person.id: person.name for person in people} == self.now.person
        assert {visit.id: (visit.note, visit.person_id) for visit in visits} == self.now.visit
        for kind, found in [*(("person", each) for each in people), *(("visit", each) for each in visits)][a % 3 :: 3]:
            self._hold(kind, found)
        self._by_storm()

    def look_at_what_is_held(self, a: int, b: int) -> None:
        for held in self.held[a % 2 :: 1 + b % 2]:
            self._look_at(held)

    def _look_at(self, held: Held) -> None:
        if Store.of(held.object) is not None:
            self._by_storm()
        seen: Any
        try:
            if held.kind == "person":
                seen = held.object.name
            else:
                seen = (held.object.note, held.object.person_id)
                assert held.object.person is self.store.get(StormPerson, seen[1]) if seen[1] else True
        except storm.exceptions.LostObjectError:
            seen = None
        if Store.of(held.object) is None:
            assert held.superseded, "an object is in no store"
            assert seen is None
            self.held.remove(held)
            return
        expected = getattr(self.now, held.kind).get(held.key)
        assert seen == expected
        assert self.store.get(CLASSES[held.kind], held.key) is (held.object if expected else None)

    # The end

    def finish(self) -> None:
        """Leave the blocks, and compare what others see with what was committed."""
        while self.blocks:
            self.leave_block(1, 1)
        self.look_at_what_is_held(0, 0)
        self.django_looks(0, 0)
        self.storm_looks(0, 0)
        self.commit(0, 0)
        rows = self.outside.rows
        assert dict(rows("SELECT id, name FROM people_person")) == self.committed.person
        visits = rows("SELECT id, note, person_id FROM people_visit")
        assert {key: (note, person) for key, note, person in visits} == self.committed.visit

    # Help

    def _by_django(self) -> None:
        if not self.in_transaction:
            self.committed = self.now.copy()

    def _by_storm(self) -> None:
        if not self.in_transaction:
            self.joined = True

    def _add(self, kind: str, key: int, added: Any) -> None:
        added.id = key
        self._by_storm()
        self.store.add(added)
        for held in self.held:
            held.superseded = held.superseded or (held.kind, held.key) == (kind, key)
        self._hold(kind, added)

    def _hold(self, kind: str, found: Any) -> Any:
        self._by_storm()
        if all(held.object is not found for held in self.held):
            self.clock += 1
            self.held.append(Held(kind, found.id, found, self.clock))
        return found

    def _change(self, kind: str, key: int, text: str) -> None:
        if kind == "person":
            self.now.person[key] = text
        else:
            self.now.visit[key] = (text, self.now.visit[key][1])

    def _text(self) -> str:
        self.clock += 1
        return f"text {self.clock}"

    def _some(self, kind: str, number: int) -> int | None:
        keys = sorted(getattr(self.now, kind))
        return keys[number % len(keys)] if keys else None

    def _free(self, kind: str, number: int, taken: Any = ()) -> int | None:
        keys = [key for key in KEYS if key not in getattr(self.now, kind) and key not in taken]
        return keys[number % len(keys)] if keys else None

    def _sql(self, sql: str, *params: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)


OPERATIONS = [
    name
    for name in vars(World)
    if not name.startswith("_") and name not in ("in_transaction", "finish")
]  # fmt: skip
