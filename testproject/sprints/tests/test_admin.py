"""The Django admin: sessions through their references, people and groups."""

from __future__ import annotations

import re

from testproject.sprints import actions
from testproject.sprints.models import Activity
from testproject.sprints.storm_models import Session
from testproject.sprints.tests.world import World


class AdminTests(World):
    def setUp(self) -> None:
        super().setUp()
        self.chiara = self.person("chiara", "Chiara Neri", "organisers")
        self.chiara.is_staff = True
        self.chiara.save()
        self.client.force_login(self.chiara, backend="django.contrib.auth.backends.ModelBackend")

    def test_the_organisers_see_what_they_look_after(self) -> None:
        page = self.client.get("/admin/").content.decode()
        for what in ("Users", "Groups", "OpenID identities", "Sessions", "Sprints", "Activities"):
            self.assertIn(f">{what}<", page)

    def test_the_log_names_storms_sessions(self) -> None:
        session = self.session("Engines")
        page = self.client.get("/admin/sprints/activity/", {"session": session.id}).content.decode()
        self.assertIn('<td class="field-session">Engines</td>', page)

    def test_what_the_timetable_depends_on_is_not_changed_there(self) -> None:
        session = self.scheduled("Engines", 10)
        form = {"title": "Looms", "track": "pages", "description": "<p>x<script>y</script></p>", "minutes": 300}
        response = self.client.post(f"/admin/sprints/sessionrow/{session.id}/change/", form)
        self.assertEqual(response.status_code, 302)
        self.assertEqual((session.title, session.minutes, session.description), ("Looms", 60, "<p>x</p>"))

    def test_a_session_is_as_long_there_as_elsewhere(self) -> None:
        page = self.client.get("/admin/sprints/sessionrow/add/").content.decode()
        minutes = page[page.index('id="id_minutes"') :]
        found = re.findall(r'<option value="(\d+)"', minutes[: minutes.index("</select>")])
        self.assertEqual(found, ["30", "60", "90", "120"])

    def test_a_deleted_session_is_withdrawn(self) -> None:
        one, other = self.scheduled("One", 10), self.session("Other")
        actions.attend(one, self.dmitri)
        self.client.post(f"/admin/sprints/sessionrow/{one.id}/delete/", {"post": "yes"})
        chosen = {"action": "delete_selected", "_selected_action": [other.id], "post": "yes"}
        self.client.post("/admin/sprints/sessionrow/", chosen)
        self.assertEqual(self.store.find(Session).count(), 0)
        told = Activity.objects.filter(what="withdrew", person=self.chiara).values_list("title", flat=True)
        self.assertEqual(sorted(told), ["One", "Other"])

    def test_sessions_are_taken_off_the_schedule(self) -> None:
        session = self.scheduled("Engines", 10)
        self.client.post("/admin/sprints/sessionrow/", {"action": "unschedule", "_selected_action": [session.id]})
        self.assertFalse(session.is_scheduled)

    def test_a_sprint_with_its_rooms_is_made(self) -> None:
        rooms = {"rooms-TOTAL_FORMS": 1, "rooms-INITIAL_FORMS": 0, "rooms-0-name": "Hall", "rooms-0-seats": 30}
        sprint = {"slug": "oslo", "name": "Oslo", "place": "Oslo", "time_zone": "Europe/Oslo"}
        days = {"first_day": "2099-09-01", "last_day": "2099-09-02"}
        wrong = self.client.post("/admin/sprints/sprintrow/add/", {**sprint, **days, **rooms, "time_zone": "Oslo"})
        self.assertContains(wrong, "There is no time zone")
        self.client.post("/admin/sprints/sprintrow/add/", {**sprint, **days, **rooms})
        self.assertEqual(self.client.get("/at/oslo/grid/").context["grid"].rooms[0].name, "Hall")
