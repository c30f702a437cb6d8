"""Who attends a session that moves hears of it, once the request has committed."""

from __future__ import annotations

import re
from unittest import mock

from django.contrib.auth.models import User
from django.core import mail
from django.test import override_settings
from django_tasks_db.models import DBTaskResult

from testproject.sprints import actions
from testproject.sprints.storm_models import Session
from testproject.sprints.tests.test_exports import MEMORY, work
from testproject.sprints.tests.world import World


@override_settings(
    CACHES=MEMORY,
    JOBS_CACHE="default",
    EMAIL_BACKEND="djintegrate.jobs.mail.EmailBackend",
    JOBS_EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
)
class NoticeTests(World):
    def setUp(self) -> None:
        super().setUp()
        for person in (self.ada, self.dmitri):
            person.email = f"{person.username}@people.example"
            person.save()
        self.client.force_login(self.ada, backend="django.contrib.auth.backends.ModelBackend")

    def attended(self) -> Session:
        session = self.scheduled("Engines", 10)
        for person in (self.ada, self.bruno, self.dmitri):
            actions.attend(session, person)
        return session

    def move(self, session: Session, hour: int) -> None:
        form = {"room": self.studio.id, "day": "2099-06-01", "time": f"{hour}:00"}
        self.assertEqual(self.client.post(self.url(session, "schedule/"), form).status_code, 302)

    def test_those_who_attend_are_told_where_it_is_now(self) -> None:
        self.move(self.attended(), 14)
        work()
        # Ada has moved it herself, and nobody knows an address of Bruno's.
        [message] = mail.outbox
        self.assertEqual((message.to, message.subject), (["dmitri@people.example"], "“Engines” has moved"))
        self.assertIn("Hello Dmitri Lund,", message.body)
        self.assertIn("is now in Studio, on 1 June at 14:00.", message.body)
        self.assertIn("Ada Okoye has moved it.", message.body)

    def test_a_first_room_and_time_is_no_move(self) -> None:
        session = self.session("Looms")
        actions.attend(session, self.dmitri)
        self.move(session, 14)
        work()
        [message] = mail.outbox
        self.assertEqual(message.subject, "“Looms” is on the schedule")
        self.assertIn("in Studio, on 1 June at 14:00.\nAda Okoye has put it there.", message.body)
        self.assertNotIn("moved", message.body)

    def test_that_it_is_off_the_schedule_is_news_too(self) -> None:
        session = self.attended()
        self.client.post(self.url(session, "unschedule/"))
        self.client.post(self.url(session, "unschedule/"))
        work()
        [message] = mail.outbox
        self.assertEqual(message.subject, "“Engines” is off the schedule")
        self.assertIn("Ada Okoye has taken it off.", message.body)

    def test_nothing_is_sent_when_nothing_moves(self) -> None:
        session = self.attended()
        actions.schedule(session, self.ada, self.aula, self.at(10))
        waiting = self.session("Looms")
        actions.attend(waiting, self.dmitri)
        actions.unschedule(waiting, self.ada)
        work()
        self.assertEqual(mail.outbox, [])

    def test_a_request_that_fails_sends_nothing(self) -> None:
        session = self.attended()
        form = {"room": self.studio.id, "day": "2099-06-01", "time": "14:00"}
        failing = mock.patch("testproject.sprints.views.redirect", side_effect=ZeroDivisionError)
        with failing, self.assertRaises(ZeroDivisionError):
            self.client.post(self.url(session, "schedule/"), form)
        self.assertFalse(DBTaskResult.objects.exists())
        work()
        self.assertEqual(mail.outbox, [])
        self.assertEqual(User.objects.filter(email__endswith="@people.example").count(), 2)

    def test_exports_are_listed_before_the_mail_by_the_names_of_their_files(self) -> None:
        exports = [self.client.post(self.url(page=f"export/{kind}/"))["Location"] for kind in ("csv", "ics")]
        self.move(self.attended(), 12)
        listed = self.client.get("/jobs/").content.decode()
        found = re.findall(r'<a href="(/at/lisbon/exports/[^"]+)">([^<]+)</a>', listed)
        self.assertEqual(found, [(exports[1], "lisbon.ics"), (exports[0], "lisbon.csv")])
        self.assertNotIn("Export programme", listed)
        self.assertLess(listed.index("lisbon.csv"), listed.index("“Engines” has moved"))
