"""The scheduler's methods for other programs: what they say, who may, and that an error leaves nothing."""

from __future__ import annotations

import json
from typing import Any

from djintegrate.storm_backend import get_store
from testproject.sprints.models import Activity
from testproject.sprints.storm_models import Session
from testproject.sprints.tests.world import World


class ServiceTests(World):
    def call(self, method: str, *params: Any, **named: Any) -> Any:
        message = {"jsonrpc": "2.0", "method": method, "params": named or list(params), "id": 1}
        return json.loads(self.client.post("/json/", message, content_type="application/json").content)

    def sign_in(self, person: Any) -> None:
        self.client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")

    def test_what_is_for_everybody_is_read_by_an_address(self) -> None:
        self.scheduled("Engines", 10)
        self.session("Later", track="people")
        programme = self.client.get("/json/sprints.programme?sprint=lisbon").json()["result"]
        self.assertEqual([each["title"] for each in programme], ["Engines"])
        self.assertEqual((programme[0]["room"], programme[0]["starts"]), ("Aula", "2099-06-01T09:00:00Z"))
        proposals = self.client.get("/json/sessions.proposals?sprint=lisbon").json()["result"]
        self.assertEqual([each["title"] for each in proposals], ["Later"])
        found = self.client.get("/json/sessions.find?words=LATER&track=people").json()["result"]
        self.assertEqual([each["title"] for each in found], ["Later"])
        self.assertEqual([each["slug"] for each in self.call("sprints.list", True)["result"]], ["lisbon"])
        self.assertEqual(
            self.call("sprints.programme", "nowhere")["error"]["data"], ["There is no sprint called “nowhere”."]
        )

    def test_who_may_propose_proposes_in_one_transaction_with_its_line_of_the_log(self) -> None:
        proposal = {"title": "Threads", "track": "engine", "description": "<b>x</b>", "minutes": 30}
        self.assertEqual(self.call("sessions.propose", "lisbon", proposal)["error"]["code"], -32001)
        self.sign_in(self.dmitri)
        self.assertEqual(self.call("sessions.propose", "lisbon", proposal)["error"]["code"], -32003)
        self.sign_in(self.bruno)
        said = self.call("sessions.propose", "lisbon", proposal)["result"]
        self.assertEqual((said["title"], said["proposer"], said["minutes"]), ("Threads", "Bruno Keller", 30))
        self.assertNotIn("<b>", get_store("main").get(Session, said["id"]).description)
        self.assertEqual(Activity.objects.get().title, "Threads")
        wrong = self.call("sessions.propose", "lisbon", {**proposal, "minutes": 5})
        self.assertIn("proposal.minutes is 5", wrong["error"]["message"])

    def test_a_schedule_that_is_in_the_way_is_refused_with_the_reasons(self) -> None:
        first, second = self.scheduled("Engines", 10), self.session("Other", self.ada)
        self.sign_in(self.ada)
        starts = self.at(10).isoformat()
        error = self.call("sessions.schedule", second.id, self.aula.id, starts)["error"]
        self.assertEqual((error["code"], len(error["data"])), (1, 1))
        self.assertFalse(get_store("main").get(Session, second.id).is_scheduled)
        said = self.call("sessions.schedule", session=second.id, room=self.studio.id, starts=starts)["result"]
        self.assertEqual((said["room"], first.id != said["id"]), ("Studio", True))

    def test_no_text_may_have_a_nul_in_it(self) -> None:
        self.sign_in(self.bruno)
        found = self.client.get("/json/sessions.find?words=%00").json()["error"]
        self.assertIn("words", found["message"])
        proposal = {"title": "Threads", "track": "engine"}
        for method, params in (
            ("sessions.find", ["a\0b"]),
            ("sprints.programme", ["lisbon\0"]),
            ("sessions.proposals", ["\0"]),
            ("sessions.propose", ["\0", proposal]),
            ("sessions.propose", ["lisbon", {**proposal, "title": "\0"}]),
            ("sessions.propose", ["lisbon", {**proposal, "description": "a\0"}]),
        ):
            with self.subTest(method=method, params=params):
                self.assertEqual(self.call(method, *params)["error"]["code"], -32602)

    def test_a_proposal_that_is_sent_twice_is_made_once(self) -> None:
        self.sign_in(self.bruno)
        proposal = {"title": "Threads", "track": "engine"}
        self.assertIn("result", self.call("sessions.propose", "lisbon", proposal))
        again = self.call("sessions.propose", "lisbon", proposal)["error"]
        self.assertIn("already proposed “Threads”", again["data"][0])
        self.assertEqual(get_store("main").find(Session).count(), 1)

    def test_seats_are_taken_and_given_back(self) -> None:
        session = self.session(seats=1)
        self.sign_in(self.dmitri)
        self.assertEqual(self.call("sessions.attend", session.id)["result"], 1)
        self.assertEqual(self.call("people.me")["result"]["name"], "Dmitri Lund")
        self.sign_in(self.bruno)
        self.assertEqual(self.call("sessions.attend", session.id)["error"]["data"], ["All 1 seats are taken."])
        self.assertEqual(self.call("sessions.attend", 0)["error"]["code"], -32602)
        self.sign_in(self.dmitri)
        self.assertEqual(self.call("sessions.leave", session.id)["result"], 0)

    def test_the_page_for_programs_lists_each_method(self) -> None:
        for has_console in (True, False):
            with self.settings(JSONRPC_CONSOLE=has_console):
                page = self.client.get("/programs/").content.decode()
            for name in ("sprints.list", "sessions.schedule", "people.me"):
                self.assertIn(f"<code>{name}</code>", page)
                self.assertEqual(f"/json/browse/{name}/" in page, has_console)
            self.assertIn("schedulers <small><code>session.schedule</code></small>", page)
