"""The tests' tables as Storm classes; models.py makes them."""

from __future__ import annotations

from datetime import timezone

from storm.locals import Bool, Bytes, Date, DateTime, Decimal, Float, Int, Reference, Time, Unicode


class StormPerson:
    __storm_table__ = "people_person"

    id = Int(primary=True)
    name = Unicode()

    def __init__(self, name: str) -> None:
        self.name = name


class StormVisit:
    __storm_table__ = "people_visit"

    id = Int(primary=True)
    note = Unicode()
    person_id = Int()
    person = Reference(person_id, StormPerson.id)

    def __init__(self, note: str, person: StormPerson | None = None) -> None:
        self.note = note
        self.person = person


class StormSample:
    __storm_table__ = "people_sample"

    id = Int(primary=True)
    text = Unicode()
    flag = Bool()
    number = Int()
    ratio = Float()
    amount = Decimal()
    day = Date()
    moment = DateTime(tzinfo=timezone.utc)
    clock = Time()
    raw = Bytes()
