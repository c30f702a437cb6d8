"""What a write of Django's costs depends neither on Storm's objects of other tables, nor on how long its literals are.

Python's instructions are counted, never the time; only where C may be at work for long is a time compared with another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import transaction
from django.db import connection

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.storm_backend.seams.counting import instructions
from tests.support.helpers import TRANSACTIONS, django_add, storm_insert

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

FEW, MANY = 10, 5000
SHORT, LONG = 100_000, 1_000_000


def update() -> object:
    return Person.objects.filter(name="ann").update(name="ann")


def create_and_delete() -> object:
    return Person.objects.create(name="bob").delete()


def raw_update() -> object:
    with connection.cursor() as cursor:
        return cursor.execute("UPDATE people_person SET name = %s WHERE name = %s", ["ann", "ann"])


def read() -> object:
    return list(Person.objects.all())


WRITES: list[Callable[[], object]] = [update, create_and_delete, raw_update, read]


@pytest.fixture
def begun(nothing_left: None) -> Iterator[None]:
    transaction.begin()
    yield
    transaction.abort()


def have_visits(number: int) -> list[StormVisit]:
    """So many live objects, read by Storm, whose values are known."""
    Visit.objects.bulk_create([Visit(note=f"visit {count}") for count in range(number)])
    return list(get_store("main").find(StormVisit))


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_objects_of_another_table_cost_nothing(write: Callable[[], object], begun: None) -> None:
    django_add("ann")
    person = get_store("main").find(StormPerson).one()
    counts = {}
    for number in (FEW, MANY - FEW):
        visits = have_visits(number)
        write()  # What is done once is not counted.
        assert person.name == "ann"
        counts[len(visits)] = instructions(write)
    assert len(counts) == 2
    few, many = counts[FEW], counts[MANY]
    assert many <= few * 1.1, f"{few} instructions beside {FEW} objects, {many} beside {MANY}."


def test_objects_that_are_pending_cost_the_next_write_nothing_once_they_are_flushed(begun: None) -> None:
    django_add("ann")
    counts = []
    kept = []
    for number in (FEW, MANY // 5):
        for count in range(number):
            kept.append(get_store("main").add(StormVisit(f"visit {count}")))
        get_store("main").flush()
        update()
        counts.append(instructions(update))
    assert counts[1] <= counts[0] * 1.1


CONTENTS = {
    "letters": "x",
    "quotes": "''",
    "comments": "-- ",
    "long comments": "/* */",
    "parentheses": "((",
    "words of SQL": "SELECT f() INSERT ",
    "semicolons": "; ",
    "dollars": "$a$",
    "double quotes": '"',
    "spaces": " ",
}
FORMS = {
    "plain": "INSERT INTO people_visit (note) VALUES ('{0}')",
    "after a comment": "/* by hand */ INSERT INTO people_visit (note) VALUES ('{0}')",
    "an update": "UPDATE people_visit SET note = '{0}' WHERE note = 'none'",
    "a query": "SELECT id FROM people_visit WHERE note = '{0}'",
    "a query of a function": "SELECT lower('{0}') FROM people_visit",
}


def execute(form: str, content: str, size: int) -> Callable[[], object]:
    sql = FORMS[form].format(CONTENTS[content] * (size // len(CONTENTS[content])))

    def run() -> None:
        # Past Django's log of queries, which is another's cost.
        with connection.cursor() as cursor:
            cursor.execute(sql)

    return run


def shortest(work: Callable[[], object]) -> float:
    times = []
    for _ in range(2):
        begun = time.thread_time()
        work()
        times.append(time.thread_time() - begun)
    return min(times)


@pytest.mark.at_length
@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("form", FORMS)
def test_a_literal_of_any_length_costs_as_many_instructions(form: str, content: str, begun: None) -> None:
    storm_insert("ann")
    # Python 3.13 tells of a function's instructions only from the second time on that it is watched.
    instructions(execute(form, content, 10))
    # A short statement may be one that is remembered.
    short, long = (instructions(execute(form, content, size)) for size in (SHORT // 5, SHORT * 2))
    assert long <= short * 1.1, f"{short} instructions for {SHORT // 5} letters, {long} for {SHORT * 2}."


@pytest.mark.at_length
@pytest.mark.parametrize("content", CONTENTS)
def test_and_no_more_than_its_share_of_time(content: str, begun: None) -> None:
    storm_insert("ann")
    for form in FORMS:
        execute(form, content, 10)()
        short, long = (shortest(execute(form, content, size)) for size in (SHORT, LONG))
        # Ten times as long: linear is 10, quadratic is 100. Below a millisecond, noise is most of it.
        assert long <= max(short, 0.002) * 40, f"{form}: {short:.4f} s for {SHORT} letters, {long:.4f} s for {LONG}."
