"""What the tests begin with: a sprint in Lisbon in a summer week, two rooms, and some people."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import transaction
from django.contrib.auth.models import Group, User
from django.test import Client, TestCase

from djintegrate.storm_backend import get_store
from testproject.sprints import actions
from testproject.sprints.storm_models import Room, Session, Sprint


class CommittingClient(Client):
    """Commits what the test wrote before each request, which begins a transaction of its own and would drop it."""

    def request(self, **request: Any) -> Any:
        transaction.commit()
        return super().request(**request)


class Made:
    """For Django's test classes, which are the second base."""

    client_class = CommittingClient

    def setUp(self) -> None:
        self.store = get_store("main")
        self.ada = self.person("ada", "Ada Okoye", "schedulers")
        self.bruno = self.person("bruno", "Bruno Keller", "proposers")
        self.dmitri = self.person("dmitri", "Dmitri Lund")
        self.sprint = self.store.add(
            Sprint(
                slug="lisbon", name="Lisbon", place="LX Factory", time_zone="Europe/Lisbon",
                first_day=date(2099, 6, 1), last_day=date(2099, 6, 3), summary="",
            )
        )  # fmt: skip
        self.aula = self.store.add(Room(sprint=self.sprint, name="Aula", seats=100))
        self.studio = self.store.add(Room(sprint=self.sprint, name="Studio", seats=10))
        self.store.flush()

    def person(self, name: str, full_name: str, *groups: str) -> Any:
        first, last = full_name.split()
        person = User.objects.create(username=name, first_name=first, last_name=last)
        person.groups.set(Group.objects.filter(name__in=groups))
        return person

    def session(self, title: str = "Engines", by: Any = None, **values: Any) -> Session:
        values = {"track": "engine", "description": "<p>x</p>", "minutes": 60, "seats": 5, **values}
        session = actions.propose(self.sprint, by or self.bruno, title=title, **values)
        self.store.flush()
        return session

    def scheduled(self, title: str, hour: float, room: Room | None = None, **values: Any) -> Session:
        session = self.session(title, **values)
        actions.schedule(session, self.ada, room or self.aula, self.at(hour))
        return session

    def at(self, hour: float, day: int = 1) -> datetime:
        """On the clocks in Lisbon."""
        return datetime.combine(date(2099, 6, day), time(int(hour), round(hour % 1 * 60)), self.sprint.zone)

    def url(self, session: Session | None = None, page: str = "") -> str:
        return f"/at/lisbon/{session.id}/{page}" if session else f"/at/lisbon/{page}"


class World(Made, TestCase):
    pass
