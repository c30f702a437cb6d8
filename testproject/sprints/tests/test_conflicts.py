"""Two sessions in one room, or one person in two: what is refused, and what is said."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta, timezone

from testproject.sprints import actions, conflicts
from testproject.sprints.actions import Refused
from testproject.sprints.storm_models import Room, Session
from testproject.sprints.tests.world import World


class SchedulingTests(World):
    def refusal(self, session: object, hour: float, room: object = None, day: int = 1) -> str:
        with self.assertRaises(Refused) as caught:
            actions.schedule(session, self.ada, room or self.studio, self.at(hour, day))  # type: ignore[arg-type]
        return str(caught.exception)

    def test_a_room_holds_one_session_at_a_time(self) -> None:
        self.scheduled("First", 10, self.studio)
        told = self.refusal(self.session("Second", by=self.dmitri), 10.5)
        self.assertEqual(told, "Studio is taken by “First”, 10:00 to 11:00.")

    def test_sessions_may_follow_each_other_without_a_gap(self) -> None:
        self.scheduled("First", 10, self.studio)
        second = self.scheduled("Second", 11, self.studio)
        before = self.scheduled("Before", 9, self.studio)
        self.assertTrue(second.is_scheduled and before.is_scheduled)

    def test_a_session_within_a_longer_one_is_seen(self) -> None:
        self.scheduled("Long", 10, self.studio, minutes=120)
        self.assertIn("“Long”", self.refusal(self.session("Short", by=self.dmitri, minutes=30), 11))

    def test_a_session_does_not_stand_in_its_own_way(self) -> None:
        session = self.scheduled("First", 10, self.studio)
        actions.schedule(session, self.ada, self.studio, self.at(10.5))
        self.assertEqual(session.starts, self.at(10.5))

    def test_a_proposer_cannot_be_in_two_rooms(self) -> None:
        self.scheduled("First", 10)
        told = self.refusal(self.session("Second"), 10)
        self.assertEqual(told, "Bruno Keller proposed it, and is at “First” from 10:00 to 11:00.")

    def test_those_who_attend_cannot_be_in_two_rooms(self) -> None:
        first, second = self.scheduled("First", 10, by=self.ada), self.session("Second")
        for session in (first, second):
            actions.attend(session, self.dmitri)
        self.assertEqual(
            self.refusal(second, 10.5),
            "Dmitri Lund wants to attend this session, and is at “First” from 10:00 to 11:00.",
        )

    def test_many_of_them_are_counted_rather_than_listed(self) -> None:
        first, second = self.scheduled("First", 10, by=self.ada, seats=9), self.session("Second", seats=9)
        for letter in "abcde":
            person = self.person(f"p{letter}", f"{letter.upper()} Person")
            actions.attend(first, person)
            actions.attend(second, person)
        told = "A Person, B Person, C Person and 2 more want to attend this session, and are at “First” from 10:00 to"
        self.assertIn(told, self.refusal(second, 10))

    def test_a_room_has_to_be_large_enough(self) -> None:
        told = self.refusal(self.session(seats=11), 10)
        self.assertEqual(told, "Studio has 10 seats, and the session is for 11.")

    def test_a_day_outside_of_the_sprint_is_refused(self) -> None:
        self.assertEqual(self.refusal(self.session(), 10, day=4), "Lisbon is from 1 June to 3 June 2099.")

    def test_a_session_is_held_between_eight_and_eight_by_the_clocks_of_the_place(self) -> None:
        told = "Sessions are held between 08:00 and 20:00. This one would begin at {} and end at {}."
        for hour, begin, end in ((7.5, "07:30", "08:30"), (19.5, "19:30", "20:30"), (23.5, "23:30", "00:30")):
            self.assertEqual(self.refusal(self.session(), hour), told.format(begin, end))
        actions.schedule(self.session("Early"), self.ada, self.studio, self.at(8))
        actions.schedule(self.session("Late", by=self.dmitri), self.ada, self.studio, self.at(19))

    def test_sessions_begin_on_the_half_hour(self) -> None:
        told = self.refusal(self.session(), 10.25)
        self.assertEqual(told, "Sessions begin on the hour or at half past, not at 10:15.")

    def test_all_that_stands_against_it_is_told_at_once(self) -> None:
        self.scheduled("First", 10, self.studio)
        told = self.refusal(self.session("Second", seats=11), 10)
        self.assertIn("Studio has 10 seats", told)
        self.assertIn("Studio is taken", told)
        self.assertIn("Bruno Keller proposed it", told)

    def test_a_longer_session_is_checked_again(self) -> None:
        session = self.scheduled("First", 10, self.studio)
        self.scheduled("Second", 11, self.studio)
        with self.assertRaises(Refused):
            actions.edit(session, self.ada, minutes=90)


class AttendingTests(World):
    def test_who_is_at_another_session_then_is_told_which(self) -> None:
        first, second = self.scheduled("First", 10), self.scheduled("Second", 10.5, self.studio, by=self.ada)
        actions.attend(first, self.dmitri)
        with self.assertRaisesMessage(Refused, "You are at “First” then, 10:00 to 11:00."):
            actions.attend(second, self.dmitri)

    def test_a_full_session_takes_nobody_else(self) -> None:
        session = self.session(seats=1)
        actions.attend(session, self.ada)
        with self.assertRaisesMessage(Refused, "All 1 seats are taken."):
            actions.attend(session, self.dmitri)

    def test_to_attend_twice_is_to_attend(self) -> None:
        session = self.session()
        actions.attend(session, self.ada)
        actions.attend(session, self.ada)
        self.assertEqual([*session.people()], [self.ada])


class FreeSlotTests(World):
    def test_a_slot_is_offered_if_and_only_if_the_session_could_be_put_there(self) -> None:
        """Days that a generator fills, each beside the questions that are asked when a session is scheduled."""
        for seed in range(8):
            with self.subTest(seed=seed):
                chosen = random.Random(seed)
                for session in self.store.find(Session):
                    session.put(None, None)
                self._fill(chosen)
                session = self.session(
                    "Moved", by=chosen.choice([self.ada, self.bruno]), minutes=chosen.choice([30, 90])
                )
                session.seats = chosen.choice([5, 11])
                actions.attend(session, self.dmitri)
                day = self.sprint.days[chosen.randrange(3)]
                self.assertEqual(conflicts.free_slots(session, day), self._possible(session, day))

    def test_a_day_outside_of_the_sprint_has_none(self) -> None:
        self.assertEqual(conflicts.free_slots(self.session(), self.at(10, day=4).date()), set())

    def _fill(self, chosen: random.Random) -> None:
        for number in range(12):
            values = {"minutes": chosen.choice([30, 60, 120]), "by": chosen.choice([self.ada, self.bruno, self.dmitri])}
            session = self.session(f"S{number}", **values)
            try:
                if chosen.random() < 0.5:
                    actions.attend(session, self.dmitri)
                hour, room = chosen.randrange(16, 40) / 2, chosen.choice([self.aula, self.studio])
                actions.schedule(session, self.ada, room, self.at(hour, chosen.randrange(1, 4)))
            except Refused:
                continue

    def _possible(self, session: Session, day: object) -> set[tuple[int, datetime]]:
        midnight = datetime.combine(day, time(), self.sprint.zone).astimezone(timezone.utc)  # type: ignore[arg-type]
        return {
            (room.id, starts)
            for room in self.store.find(Room)
            for starts in (midnight + timedelta(minutes=30 * number) for number in range(48))
            if not [
                *conflicts.of_time(session, starts),
                *conflicts.of_room(session, room, starts),
                *conflicts.of_people(session, starts),
            ]
        }
