"""The pages, to those who are signed in and to those who are not, and what their forms do."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import transaction
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from testproject.sprints import actions, forms
from testproject.sprints.models import Activity
from testproject.sprints.storm_models import Session
from testproject.sprints.templatetags.moments import ago
from testproject.sprints.tests.world import World

PROPOSAL = {"title": "Looms", "track": "engine", "description": "How they work", "minutes": "60", "seats": "8"}


class PageTests(World):
    def as_(self, person: Any) -> None:
        self.client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")

    def text(self, path: str, status: int = 200) -> str:
        response = self.client.get(path)
        self.assertEqual(response.status_code, status)
        return response.content.decode()

    def test_times_are_those_of_the_place(self) -> None:
        session = self.scheduled("Engines", 10)
        self.assertEqual(session.starts.hour, 9)  # Lisbon is an hour ahead of UTC in June
        self.assertIn("Monday, 1 June, 10:00", self.text(self.url(session)))
        self.assertIn(">10:00<", self.text(self.url(page="?day=2099-06-01")))

    def test_a_day_shows_its_sessions_and_no_others(self) -> None:
        self.scheduled("Engines", 10)
        self.assertIn("Engines", self.text(self.url(page="grid/?day=2099-06-01")))
        self.assertNotIn("Engines", self.text(self.url(page="grid/?day=2099-06-02")))

    def test_the_grid_has_times_of_the_place_and_is_in_their_order(self) -> None:
        self.scheduled("Late", 16)
        self.scheduled("Early", 9)
        self.session("Waiting")
        rows = self.client.get(self.url(page="sessions/rows/?sort(-starts)")).json()
        self.assertEqual([row["starts"] for row in rows if row["room"]], ["Mon 1 Jun, 16:00", "Mon 1 Jun, 09:00"])
        self.assertEqual([row["starts"] for row in rows if not row["room"]], ["Not yet"])

    def test_each_page_is_there_for_everybody(self) -> None:
        session = self.scheduled("Engines", 10)
        for path in (
            "/",
            "/people/",
            "/who-may-what/",
            "/one-transaction/",
            self.url(),
            self.url(page="sessions/"),
            self.url(session),
        ):
            self.text(path)
        self.text("/at/nowhere/", 404)
        self.text("/at/lisbon/999999/", 404)

    def test_pages_of_many_sessions_cost_no_more_queries(self) -> None:
        self.scheduled("First", 9)
        paths = [self.url(page=page) for page in ("?day=2099-06-01", "grid/?day=2099-06-01", "sessions/")]
        few = [self.queries(path) for path in paths]
        for hour in range(10, 18):
            self.scheduled(f"At {hour}", hour, by=self.person(f"p{hour}", "Some Body"))
        self.assertEqual([self.queries(path) for path in paths], few)

    def queries(self, path: str) -> int:
        transaction.commit()
        self.store.invalidate()
        with CaptureQueriesContext(connection) as captured:
            self.text(path)
        return len([query for query in captured if "SAVEPOINT" not in query["sql"]])

    def test_who_is_in_no_team_may_attend_and_not_propose(self) -> None:
        self.as_(self.dmitri)
        self.assertIn("sprint-proposers", self.text(self.url(page="propose/"), 403))
        session = self.session()
        self.assertIn("sprint-schedulers", self.text(self.url(session, "schedule/"), 403))
        self.assertIn("Only the proposer and the schedulers", self.text(self.url(session, "edit/"), 403))
        for what in ("unschedule", "withdraw"):
            self.assertEqual(self.client.post(self.url(session, f"{what}/")).status_code, 403)
        self.client.post(self.url(session, "attend/"))
        self.assertTrue(actions.is_attending(session, self.dmitri))

    def test_nobody_acts_without_signing_in_or_by_a_link(self) -> None:
        session = self.session()
        for page in ("edit/", "schedule/", "withdraw/"):
            self.assertIn("/openid/login/", self.client.get(self.url(session, page))["Location"])
        self.assertIn("/openid/login/", self.client.post(self.url(session, "attend/"))["Location"])
        self.as_(self.ada)
        self.assertEqual(self.client.get(self.url(session, "attend/")).status_code, 405)

    def test_the_front_page_says_what_one_may_do_and_leads_to_no_refusal(self) -> None:
        waiting = self.session()
        schedule, propose = self.url(waiting, "schedule/"), self.url(page="propose/")
        for person, says, ways in (
            (self.ada, "You may propose sessions and put them on the schedule.", [schedule, propose]),
            (self.bruno, "You may propose sessions.", [propose]),
            (self.dmitri, "You may attend sessions.", []),
        ):
            self.as_(person)
            page = self.text("/")
            self.assertIn(says, page)
            self.assertNotIn("Ada may", page)
            self.assertEqual([way for way in (schedule, propose) if f'href="{way}"' in page], ways)
            self.assertEqual([self.client.get(way).status_code for way in ways], [200] * len(ways))
            for team, is_named in (("schedulers", schedule not in ways), ("proposers", propose not in ways)):
                self.assertEqual(f"It takes the team <code>sprint-{team}</code>" in page, is_named)

    def test_the_front_page_promises_dijits_only_where_there_are_any(self) -> None:
        for is_built in (True, False):
            with self.settings(DOJO_ENABLED=is_built, DOJO_URL="/static/dojo"):
                self.assertEqual("the forms are dijits" in self.text("/"), is_built)

    def test_what_was_a_moment_ago_was_just_now(self) -> None:
        now = timezone.now()
        for seconds, said in ((0, "just now"), (59, "just now"), (61, "1\xa0minute ago"), (-5, "just now")):
            with mock.patch("django.utils.timezone.now", return_value=now):
                self.assertEqual(ago(now - timedelta(seconds=seconds)), said)

    def test_withdrawing_asks_first_and_says_what_goes(self) -> None:
        session = self.scheduled("Engines", 10)
        for person in (self.dmitri, self.ada):
            actions.attend(session, person)
        self.as_(self.bruno)
        asked = self.text(self.url(session, "withdraw/"))
        for text in ("Withdraw this session?", "Aula will be free on 1 June at 10:00", "2 people plan to attend"):
            self.assertIn(text, asked)
        self.assertEqual(self.store.find(Session).count(), 1)
        self.assertEqual(self.client.post(self.url(session, "withdraw/"))["Location"], self.url())
        self.assertEqual(self.store.find(Session).count(), 0)

    def test_the_search_finds_inside_of_words(self) -> None:
        self.session("Platforms")
        self.session("Engines")
        for page in ("sessions/?grid-search=ORM", "sessions/rows/?title=*orm*"):
            text = self.text(self.url(page=page))
            self.assertIn("Platforms", text)
            self.assertNotIn("Engines", text)

    def test_the_search_finds_each_word_in_whatever_order(self) -> None:
        self.session("Plain words for transactions")
        self.session("Two words")
        for typed, found in (
            ("words+plain", ["Plain words for transactions"]),
            ("++words++", ["Plain words for transactions", "Two words"]),
            ("transactions+two", []),
            ("wor*", []),
            ("%00", []),
            ("+", ["Plain words for transactions", "Two words"]),
        ):
            page = self.text(self.url(page=f"sessions/?grid-search={typed}"))
            shown = [title for title in ("Plain words for transactions", "Two words") if f">{title}<" in page]
            self.assertEqual(shown, found, typed)

    def test_seats_are_a_bar(self) -> None:
        session = self.scheduled("Engines", 10, seats=5)
        actions.attend(session, self.dmitri)
        for page in (self.url(session), self.url(page="?day=2099-06-01")):
            self.assertRegex(self.text(page), '<progress class="seats" value="1" max="5"')

    def test_the_form_offers_the_slots_that_are_free_and_takes_the_one_that_is_clicked(self) -> None:
        self.scheduled("First", 10, self.studio)
        second = self.session("Second", by=self.dmitri)
        self.as_(self.ada)
        offered = re.findall(r'href="(\?room=[^"]*)"', self.text(self.url(second, "schedule/")))
        slots = {tuple(value for _, value in parse_qsl(unescape(link)[1:])) for link in offered}
        studio = {time for room, day, time in slots if (room, day) == (f"{self.studio.id}", "2099-06-01")}
        self.assertTrue({"09:00", "11:00"} <= studio)
        self.assertFalse({"09:30", "10:00", "10:30"} & studio)
        link = f"?room={self.studio.id}&day=2099-06-01&time=11:00"
        form = self.client.get(self.url(second, f"schedule/{link}")).context["form"]
        sent = {name: form[name].value() for name in form.fields}
        self.client.post(self.url(second, "schedule/"), sent)
        self.assertEqual((second.room, second.starts), (self.studio, self.at(11)))

    def test_a_conflict_shows_the_day_that_was_asked_for(self) -> None:
        session = self.session(seats=11)
        self.as_(self.ada)
        form = {"room": self.studio.id, "day": "2099-06-02", "time": "10:30"}
        page = self.client.post(self.url(session, "schedule/"), form)
        self.assertContains(page, "What is free on Tuesday, 2 June", status_code=400)

    def test_slots_that_cannot_be_are_ignored(self) -> None:
        self.as_(self.ada)
        for query in ("room=x&day=2099-13-01&time=25:00", "room=&day=tomorrow&time=noon", "day=1999-01-01"):
            self.assertIn("What is free on Monday, 1 June", self.text(self.url(self.session(), f"schedule/?{query}")))

    def test_a_room_is_found_by_what_is_typed(self) -> None:
        """What the picker shows at first is a hint, not a part of the text: its label leaves with the first key."""
        self.as_(self.ada)
        page = self.text(self.url(self.session(), "schedule/"))
        self.assertIn('<option value="" selected>Choose a room</option>', page)
        self.assertNotIn("----", page)

    def test_a_sprint_that_is_over_is_for_reading_alone(self) -> None:
        session = self.scheduled("Engines", 10)
        self.sprint.first_day, self.sprint.last_day = date(2020, 6, 1), date(2020, 6, 3)
        self.as_(self.ada)
        before = Activity.objects.count()
        for path in (
            self.url(page="propose/"),
            *(self.url(session, page) for page in ("edit/", "schedule/", "withdraw/")),
        ):
            self.assertIn("Lisbon is over", self.text(path, 403))
        for page in ("edit/", "schedule/", "withdraw/", "attend/", "leave/", "unschedule/"):
            self.assertEqual(self.client.post(self.url(session, page), PROPOSAL).status_code, 403)
        self.assertEqual(Activity.objects.count(), before)
        self.assertEqual(len(re.findall("<form", self.text(self.url(session)))), 1)  # to sign out
        self.assertNotIn("propose/", self.text(self.url()))

    def test_a_sprint_is_open_until_its_last_day_ends_there(self) -> None:
        self.sprint.time_zone = "Pacific/Honolulu"
        midnight = datetime(2099, 6, 4, tzinfo=self.sprint.zone)
        for moment, is_over in ((midnight - timedelta(seconds=1), False), (midnight, True)):
            with mock.patch("django.utils.timezone.now", return_value=moment):
                self.assertEqual(self.sprint.is_over, is_over)

    def test_a_proposal_is_a_session_and_a_line_in_the_log(self) -> None:
        self.as_(self.bruno)
        self.client.post(self.url(page="propose/"), PROPOSAL)
        session = self.store.find(Session, title="Looms").one()
        self.assertEqual(
            (session.proposer, session.seats, session.description), (self.bruno, 8, "<p>How they work</p>")
        )
        self.assertEqual(Activity.objects.get().session, session)

    def test_a_form_that_is_sent_twice_makes_one_session_and_one_line(self) -> None:
        self.as_(self.ada)
        form = {**PROPOSAL, "proposer": self.dmitri.pk}
        self.client.post(self.url(page="propose/"), form)
        again = self.client.post(self.url(page="propose/"), form)
        said = "Dmitri Lund has already proposed “Looms” for Lisbon. Another session needs another title."
        self.assertContains(again, said, status_code=400)
        session = self.store.find(Session).one()
        slot = {"room": self.studio.id, "day": "2099-06-01", "time": "10:30"}
        for _ in range(2):
            self.assertEqual(self.client.post(self.url(session, "schedule/"), slot).status_code, 302)
        self.assertEqual(sorted(Activity.objects.values_list("what", flat=True)), ["proposed", "scheduled"])
        # Somebody else's may have the same title.
        self.client.post(self.url(page="propose/"), PROPOSAL | {"proposer": self.bruno.pk})
        self.assertEqual(self.store.find(Session).count(), 2)

    def test_what_is_missing_or_cannot_be_read_is_asked_for_by_its_choices(self) -> None:
        self.as_(self.ada)
        address = self.url(self.session(), "schedule/")
        for form in ({"room": "", "day": "", "time": ""}, {"room": "x", "day": "someday", "time": "noon"}):
            page = self.client.post(address, form)
            for remedy in (
                "Choose one of the rooms: Aula, Studio.",
                "Choose a day from 1 June to 3 June 2099.",
                "Choose a time between 08:00 and 19:30, such as 10:30.",
            ):
                self.assertContains(page, remedy, status_code=400)

    def test_a_day_is_read_as_the_pages_and_the_browser_write_it(self) -> None:
        self.as_(self.ada)
        session = self.session()
        for day in ("2099-06-02", "02 June 2099", "2 June 2099", "2 Jun 2099", "02/06/2099"):
            form = forms.ScheduleForm({"room": self.aula.id, "day": day, "time": "10:00"}, sprint=self.sprint)
            self.assertTrue(form.is_valid(), form.errors)
            self.assertEqual(form.cleaned_data["day"], date(2099, 6, 2))
        self.assertIn('value="2099-06-01"', self.text(self.url(session, "schedule/")))

    def test_seats_out_of_the_range_are_told_the_range(self) -> None:
        self.as_(self.bruno)
        for seats in ("0", "99999"):
            page = self.client.post(self.url(page="propose/"), {**PROPOSAL, "seats": seats})
            self.assertContains(page, "From 1 to 500.", status_code=400)

    def test_a_title_cannot_turn_around_what_follows_it(self) -> None:
        self.as_(self.bruno)
        form = {**PROPOSAL, "title": "Loo\u202ems"}
        page = self.client.post(self.url(page="propose/"), form)
        self.assertContains(page, "an invisible character", status_code=400)
        self.assertTrue(self.store.find(Session).is_empty())
        # Letters of a script that is read from right to left are not such characters.
        self.client.post(self.url(page="propose/"), {**form, "title": "\u05e9\u05dc\u05d5\u05dd\u200f!"})
        self.assertFalse(self.store.find(Session).is_empty())

    def test_an_account_without_a_name_is_no_person_but_may_propose(self) -> None:
        admin = User.objects.create(username="technical", is_superuser=True)
        self.assertNotIn("technical", self.text("/people/"))
        self.as_(self.ada)
        self.assertNotIn("technical", self.text(self.url(page="propose/")))
        self.as_(admin)
        self.client.post(self.url(page="propose/"), PROPOSAL | {"proposer": admin.pk})
        session = self.store.find(Session).one()
        self.as_(self.ada)
        self.client.post(self.url(session, "edit/"), PROPOSAL | {"proposer": admin.pk, "seats": "9"})
        self.assertEqual((session.proposer, session.seats), (admin, 9))

    def test_who_was_at_a_sprint_that_is_over_attended(self) -> None:
        session = self.scheduled("Engines", 10)
        actions.attend(session, self.dmitri)
        self.as_(self.dmitri)
        for year, said in ((2099, "You attend<"), (2020, "You attended<")):
            self.sprint.first_day, self.sprint.last_day = date(year, 6, 1), date(year, 6, 3)
            session.put(self.aula, datetime(year, 6, 1, 10, tzinfo=self.sprint.zone))
            for page in ("", "grid/"):
                self.assertIn(said, self.text(self.url(page=f"{page}?day={year}-06-01")))

    def test_who_schedules_may_propose_for_somebody_else_and_nobody_else_may(self) -> None:
        for person, proposer in ((self.ada, self.dmitri), (self.bruno, self.bruno)):
            self.as_(person)
            title = f"by {person}"
            form = {**PROPOSAL, "title": title, "proposer": self.dmitri.pk}
            self.client.post(self.url(page="propose/"), form)
            self.assertEqual(self.store.find(Session, title=title).one().proposer, proposer)

    def test_a_proposal_of_markup_alone_says_nothing(self) -> None:
        self.as_(self.bruno)
        form = {**PROPOSAL, "description": "<p>&nbsp;</p><script>alert(1)</script><br>"}
        page = self.client.post(self.url(page="propose/"), form)
        self.assertContains(page, "This field is required.", status_code=400)

    def test_a_session_takes_half_an_hour_to_two_hours(self) -> None:
        self.as_(self.bruno)
        for minutes in ("0", "-30", "45", "600", "x"):
            page = self.client.post(self.url(page="propose/"), {**PROPOSAL, "minutes": minutes})
            self.assertContains(page, "Select a valid choice.", status_code=400)
        for minutes in ("30", "120"):
            self.client.post(self.url(page="propose/"), {**PROPOSAL, "title": minutes, "minutes": minutes})
        self.assertEqual(sorted(self.store.find(Session).values(Session.minutes)), [30, 120])

    def test_the_form_begins_with_the_hours_of_a_day(self) -> None:
        self.as_(self.ada)
        page = self.text(self.url(self.session(), "schedule/"))
        self.assertRegex(page, '<input type="time"[^>]* step="1800" min="08:00" max="19:30"')

    def test_what_runs_is_taken_out_of_a_description(self) -> None:
        self.as_(self.bruno)
        text = '<p onclick="x()">Bring <b>one</b></p><script>alert(1)</script><a href="javascript:x">q</a>'
        self.client.post(self.url(page="propose/"), {**PROPOSAL, "description": text})
        session = self.store.find(Session, title="Looms").one()
        self.assertEqual(session.description, '<p>Bring <b>one</b></p><a rel="nofollow noopener">q</a>')

    def test_a_conflict_is_told_on_the_form_and_changes_nothing(self) -> None:
        self.scheduled("First", 10, self.studio)
        second = self.session("Second", by=self.dmitri)
        self.as_(self.ada)
        form = {"room": self.studio.id, "day": "2099-06-01", "time": "10:30"}
        page = self.client.post(self.url(second, "schedule/"), form)
        self.assertContains(page, "Studio is taken by “First”, 10:00 to 11:00.", status_code=400)
        self.assertFalse(second.is_scheduled)
        self.client.post(self.url(second, "schedule/"), {**form, "time": "11:00"})
        self.assertEqual(second.starts, self.at(11))

    def test_a_refused_edit_changes_nothing(self) -> None:
        session = self.scheduled("First", 10, self.studio)
        self.scheduled("Second", 11, self.studio)
        self.as_(self.bruno)
        page = self.client.post(self.url(session, "edit/"), {**PROPOSAL, "minutes": "120"})
        self.assertContains(page, "“Second”", status_code=400)
        self.store.flush()
        self.store.invalidate()
        self.assertEqual((session.title, session.minutes), ("First", 60))

    def test_the_hour_that_the_clocks_leave_out_is_refused(self) -> None:
        self.sprint.first_day, self.sprint.last_day = self.at(0).date().replace(month=3), self.at(0).date()
        self.as_(self.ada)
        form = {"room": self.studio.id, "day": "2099-03-29", "time": "01:30"}
        page = self.client.post(self.url(self.session(), "schedule/"), form)
        self.assertContains(page, "in time zone Europe/Lisbon", status_code=400)

    def test_why_one_cannot_attend_is_a_message(self) -> None:
        session = self.session(seats=1)
        actions.attend(session, self.ada)
        self.as_(self.dmitri)
        response = self.client.post(self.url(session, "attend/"))
        self.assertEqual([str(message) for message in get_messages(response.wsgi_request)], ["All 1 seats are taken."])
