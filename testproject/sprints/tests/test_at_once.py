"""Several people who want the same room or the last seat in the same moment: one of them gets it."""

from __future__ import annotations

import threading
from typing import Any

import transaction
from django.db import connection
from django.test import Client, TransactionTestCase, skipUnlessDBFeature

from testproject.sprints.storm_models import Session
from testproject.sprints.tests.world import Made

PEOPLE = 4


class AtOnceTests(Made, TransactionTestCase):
    @skipUnlessDBFeature("has_select_for_update")
    def test_of_those_who_want_one_room_at_one_time_one_gets_it(self) -> None:
        sessions = [self.session(f"S{number}", by=self.person(f"p{number}", "P Q")) for number in range(PEOPLE)]
        form = {"room": self.studio.id, "day": "2099-06-01", "time": "10:00"}
        paths = [self.url(session, "schedule/") for session in sessions]
        transaction.commit()
        answers = self.at_once([(path, form) for path in paths])
        self.assertEqual(sorted(answers), [302] + [400] * (PEOPLE - 1))
        self.assertEqual(self.store.find(Session, Session.room_id == self.studio.id).count(), 1)

    @skipUnlessDBFeature("has_select_for_update")
    def test_the_last_seat_is_taken_once(self) -> None:
        session = self.session(seats=1)
        people = [self.person(f"p{number}", "P Q") for number in range(PEOPLE)]
        transaction.commit()
        self.at_once([(self.url(session, "attend/"), {})] * PEOPLE, people)
        self.assertEqual(session.attendances.count(), 1)

    def at_once(self, requests: list[tuple[str, dict[str, Any]]], people: list[Any] | None = None) -> list[int]:
        clients = [Client() for _ in requests]
        for client, person in zip(clients, people or [self.ada] * len(clients), strict=True):
            client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        transaction.commit()
        barrier, answers = threading.Barrier(len(clients)), []

        def post(client: Client, path: str, form: dict[str, Any]) -> None:
            barrier.wait()
            try:
                answers.append(client.post(path, form).status_code)
            finally:
                connection.close()

        jobs = zip(clients, requests, strict=True)
        threads = [threading.Thread(target=post, args=(client, *one)) for client, one in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers
