"""What people do to sessions: both halves are written, Storm's and Django's, or neither."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import ProtectedError
from django.db.transaction import atomic

from testproject.sprints import actions
from testproject.sprints.models import Activity, SessionRow
from testproject.sprints.storm_models import Attendance, Session
from testproject.sprints.tests.world import World


class ActionTests(World):
    def counts(self) -> tuple[int, int]:
        return self.store.find(Session).count(), Activity.objects.count()

    def test_what_changes_nothing_leaves_no_line(self) -> None:
        session = self.scheduled("Engines", 10)
        before = self.counts()
        values = {name: getattr(session, name) for name in ("title", "track", "description", "minutes", "seats")}
        actions.edit(session, self.ada, **values)
        actions.schedule(session, self.ada, self.aula, self.at(10))
        actions.leave(session, self.ada)
        actions.remove_slides(session, self.ada)
        waiting = self.session("Looms")
        actions.unschedule(waiting, self.ada)
        self.assertEqual(self.counts(), (before[0] + 1, before[1] + 1))  # that Looms was proposed

    def test_each_action_leaves_a_line_in_the_log(self) -> None:
        session = self.scheduled("Engines", 10)
        actions.attend(session, self.dmitri)
        actions.leave(session, self.dmitri)
        actions.unschedule(session, self.ada)
        lines = [str(activity) for activity in session.activities.order_by("id")]
        self.assertEqual(
            lines,
            [
                "bruno proposed Engines",
                "ada scheduled Engines in Aula, on 1 June at 10:00",
                "dmitri will attend Engines",
                "dmitri will not attend Engines",
                "ada unscheduled Engines",
            ],
        )

    def test_a_failure_leaves_neither_the_session_nor_the_line(self) -> None:
        before = self.counts()
        with self.assertRaises(ZeroDivisionError), atomic():
            self.session()
            self.assertEqual(self.counts(), (before[0] + 1, before[1] + 1))
            raise ZeroDivisionError
        self.assertEqual(self.counts(), before)

    def test_a_withdrawn_session_leaves_its_log_and_takes_its_attendance(self) -> None:
        session = self.session()
        actions.attend(session, self.dmitri)
        actions.withdraw(session, self.bruno)
        self.store.flush()
        self.assertEqual(self.store.find(Attendance).count(), 0)
        self.assertEqual([*Activity.objects.values_list("session", "title")], [(None, "Engines")] * 3)

    def test_who_proposed_a_session_cannot_be_deleted_and_who_attends_can(self) -> None:
        session = self.session()
        actions.attend(session, self.dmitri)
        with self.assertRaises(ProtectedError):
            self.bruno.delete()
        User.objects.filter(username="dmitri").delete()
        self.assertEqual([*session.people()], [])

    def test_both_orms_see_the_same_moment(self) -> None:
        session = self.scheduled("Engines", 10)
        row = SessionRow.objects.get(starts=session.starts, ends__lte=self.at(11))
        self.assertEqual((row.pk, row.starts), (session.id, self.at(9) + (self.at(10) - self.at(9))))
        SessionRow.objects.update(starts=self.at(12))
        self.assertEqual(session.starts, self.at(12))
        self.assertEqual(self.store.find(Session, Session.starts == self.at(12)).one(), session)
