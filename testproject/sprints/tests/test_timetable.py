"""The day and the grid: which session is where and when."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.models import AnonymousUser

from testproject.sprints import timetable
from testproject.sprints.tests.world import World

DAY = date(2099, 6, 1)


class TimetableTests(World):
    def grid(self) -> timetable.Grid:
        sessions = timetable.shown(timetable.of_day(self.sprint, DAY), AnonymousUser())
        return timetable.grid(self.sprint, DAY, sessions)

    def test_a_session_covers_its_half_hours_in_its_room(self) -> None:
        self.scheduled("Engines", 10, self.studio, minutes=90)
        grid = self.grid()
        self.assertEqual([room.name for room in grid.rooms], ["Aula", "Studio"])
        ten = next(row for row in grid.rows if row.starts == self.at(10))
        self.assertEqual(
            [(cell.rows, cell.shown and cell.shown.session.title) for cell in ten.cells], [(1, None), (3, "Engines")]
        )
        rows = {row.starts: len(row.cells) for row in grid.rows}
        self.assertEqual([rows[self.at(hour)] for hour in (9.5, 10.5, 11, 11.5)], [2, 1, 1, 2])

    def test_each_row_fills_each_room_once(self) -> None:
        self.scheduled("A", 9, self.studio)
        self.scheduled("B", 10, self.studio, minutes=30)
        self.scheduled("C", 10.5, self.studio, minutes=120)
        self.scheduled("D", 9.5, self.aula, by=self.dmitri)
        rows = self.grid().rows
        self.assertEqual(sum(cell.rows for row in rows for cell in row.cells), 2 * len(rows))

    def test_the_day_is_as_long_as_its_sessions(self) -> None:
        self.assertEqual([self.grid().rows[0].starts, self.grid().rows[-1].starts], [self.at(9), self.at(17.5)])
        self.scheduled("Early", 8, self.studio)
        self.scheduled("Late", 19, self.studio)
        self.assertEqual([self.grid().rows[0].starts, self.grid().rows[-1].starts], [self.at(8), self.at(19.5)])

    def test_a_day_is_that_of_the_place(self) -> None:
        self.sprint.time_zone = "Pacific/Auckland"  # where the day is half over when it begins in UTC
        self.scheduled("Late", 19, self.studio)
        self.scheduled("Early", 8, self.aula, by=self.dmitri)
        titles = [session.title for session in timetable.of_day(self.sprint, DAY)]
        self.assertEqual(titles, ["Early", "Late"])
        self.assertEqual(timetable.of_day(self.sprint, date(2099, 5, 31)).count(), 0)
