"""What a visitor sees when something does not work: the reason and a way on. And what a sign-in leads back to."""

from __future__ import annotations

import re
from html import unescape
from unittest import mock
from urllib.parse import unquote

from django.conf import settings
from django.test import override_settings
from django.urls import get_resolver

from testproject.sprints.storm_models import Session
from testproject.sprints.tests.test_exports import MEMORY, work
from testproject.sprints.tests.world import CommittingClient, World


class ErrorPageTests(World):
    def setUp(self) -> None:
        super().setUp()
        self.here = self.url(self.scheduled("Engines", 10))

    def check(self, response: object, status: int, *texts: str) -> str:
        page: str = response.content.decode()  # type: ignore[attr-defined]
        self.assertEqual(response.status_code, status)  # type: ignore[attr-defined]
        for text in texts:
            self.assertIn(text, page)
        ways = [unescape(way) for way in re.findall(r'class="button" href="([^"]+)"', page)]
        for way in ways:
            self.assertLess(self.client.get(way).status_code, 400, way)
        self.assertTrue(ways)
        return page

    def as_(self, person: object) -> None:
        self.client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")

    def test_a_404_says_what_is_not_there(self) -> None:
        for debug in (False, True):
            with self.subTest(debug=debug), override_settings(DEBUG=debug):
                self.check(self.client.get("/nowhere/"), 404, "Nothing has this address")
                self.check(self.client.get("/at/nowhere/"), 404, "There is no sprint called “nowhere”.")
                self.check(self.client.get("/at/lisbon/999/"), 404, "June 2099, has no session 999. It may have")

    def test_what_is_gone_from_a_sprint_leads_back_to_the_sprint(self) -> None:
        self.as_(self.bruno)
        for _ in range(2):
            response = self.client.post(f"{self.here}withdraw/")
        for answer in (response, self.client.get(self.url(page="export/pdf/"))):
            self.assertIn('href="/at/lisbon/">Go to the sprint', self.check(answer, 404))

    def test_a_sprint_is_found_by_its_name_in_capitals_too(self) -> None:
        self.assertRedirects(self.client.get("/at/Lisbon/grid/?day=2099-06-02"), "/at/lisbon/grid/?day=2099-06-02")
        self.check(self.client.get("/at/NOWHERE/"), 404, "There is no sprint called “NOWHERE”.")

    def test_a_form_that_is_too_large_or_cannot_be_read_is_explained(self) -> None:
        self.as_(self.bruno)
        broken = {"data": b"x", "content_type": "multipart/form-data"}
        for debug in (False, True):
            with self.subTest(debug=debug), override_settings(DEBUG=debug):
                large = self.client.post(self.url(page="propose/"), {"title": "x", "description": "x" * 3_000_000})
                self.check(large, 413, "larger than the 2.5\xa0MB", "Nothing was changed")
                many = self.client.post(self.url(page="propose/"), {f"f{number}": "" for number in range(1001)})
                for answer in (many, self.client.post(self.url(page="propose/"), **broken)):
                    self.check(answer, 400, "cannot read that request")

    def test_a_number_that_no_database_has_is_a_404_too(self) -> None:
        self.as_(self.ada)
        for number in (2**63 - 1, 2**63, 10**30):
            for page in ("", "edit/", "schedule/", "slides/", "slides/file/", "withdraw/"):
                with self.subTest(number=number, page=page):
                    self.check(self.client.get(f"/at/lisbon/{number}/{page}"), 404, f"has no session {number}.")
            self.check(self.client.post(f"/at/lisbon/{number}/attend/"), 404, f"has no session {number}.")
            slot = f"schedule/?room={number}"
            self.assertEqual(self.client.get(f"{self.here}{slot}").status_code, 200)
            form = {"room": number, "day": "2099-06-01", "time": "10:30"}
            self.assertContains(
                self.client.post(f"{self.here}schedule/", form),
                "Choose one of the rooms: Aula, Studio.",
                status_code=400,
            )
            form = {"title": "x", "track": "engine", "proposer": number, "description": "x", "minutes": 60, "seats": 8}
            self.assertEqual(self.client.post("/at/lisbon/propose/", form).status_code, 400)

    def test_an_address_without_its_slash_is_still_completed(self) -> None:
        self.assertEqual(self.client.get("/people")["Location"], "/people/")

    def test_a_403_says_who_may(self) -> None:
        self.as_(self.dmitri)
        self.check(
            self.client.get(f"{self.here}edit/"), 403, "Only the proposer and the schedulers", "signed in as dmitri"
        )

    def test_each_refusal_names_the_team_and_leads_to_the_provider(self) -> None:
        self.as_(self.dmitri)
        for path, ask, team in (
            (self.url(page="propose/"), self.client.get, "sprint-proposers"),
            ("/one-transaction/", self.client.post, "sprint-proposers"),
            (f"{self.here}schedule/", self.client.get, "sprint-schedulers"),
            (f"{self.here}unschedule/", self.client.post, "sprint-schedulers"),
            (f"{self.here}edit/", self.client.get, "sprint-schedulers"),
            (f"{self.here}slides/", self.client.get, "sprint-schedulers"),
            (f"{self.here}withdraw/", self.client.post, "sprint-schedulers"),
        ):
            page = self.check(ask(path), 403, "You need to be on a team for that", f"<code>{team}</code>")
            self.assertIn(f'href="{settings.OPENID_SSO_SERVER_URL}"', page)

    def test_who_may_not_propose_is_told_so_rather_than_asked_to_sign_in_again(self) -> None:
        self.as_(self.dmitri)
        self.check(self.client.post("/one-transaction/"), 403, "Only proposers and schedulers", "sprint-proposers")

    def test_a_405_names_the_method_and_leads_to_the_page_with_the_button(self) -> None:
        response = self.client.get(f"{self.here}attend/")
        self.assertIn(f'href="{self.here}"', self.check(response, 405, "(GET)"))
        self.assertEqual(response["Allow"], "POST")
        self.check(self.client.get("/sign-out/"), 405, "Go to the front page")

    def test_the_way_back_from_signing_in_is_for_nobody_who_comes_by_hand(self) -> None:
        for person in (None, self.dmitri):
            if person:
                self.as_(person)
            page = self.client.get("/openid/complete/").content.decode()
            self.assertIn("This address is only for the way back from signing in.", page)
            self.assertEqual("If you want to sign in" in page, person is None)
            offered = re.findall(r'class="openid-button[^"]*" href="[^"]+">([^<]+)<', page)
            self.assertEqual(offered, ["Go to the front page"] if person else ["Sign in", "Go to the front page"])

    def test_a_form_without_its_token_is_explained(self) -> None:
        client = CommittingClient(enforce_csrf_checks=True)
        client.force_login(self.ada, backend="django.contrib.auth.backends.ModelBackend")
        for path, way in ((f"{self.here}attend/", self.here), ("/one-transaction/", "/")):
            page = self.check(client.post(path), 403, "CSRF", "reload the page")
            self.assertIn(f'class="button" href="{way}"', page)

    def test_a_500_says_that_nothing_was_kept_and_keeps_nothing(self) -> None:
        self.as_(self.bruno)
        self.client.raise_request_exception = False
        before = self.store.find(Session).count()
        form = {"title": "Lost", "track": "engine", "description": "x", "minutes": "60", "seats": "8"}
        broken = mock.patch("testproject.sprints.views.messages.success", side_effect=ZeroDivisionError)
        with broken, self.assertLogs("django.request", "ERROR"):
            response = self.client.post("/at/lisbon/propose/", form)
        self.check(response, 500, "Nothing of your request was kept")
        self.assertEqual(self.store.find(Session).count(), before)

    def test_a_400_leads_on(self) -> None:
        with override_settings(ALLOWED_HOSTS=["elsewhere"]):
            response = self.client.get("/")
        self.check(response, 400, "cannot read that request")

    @override_settings(CACHES=MEMORY, JOBS_CACHE="default", EXPORT_PAUSE_SECONDS=0)
    def test_a_sign_in_leads_to_no_address_that_wants_a_post(self) -> None:
        """From each page and each refusal of the site, by its link, and by what sends people to sign in."""
        # Where identities/ and sessions/ send people is the sign-in app's own; login/ asks a provider.
        others = ("admin/", "provider/", "openid/identities/", "openid/sessions/", "openid/login/")
        signed_in = CommittingClient()
        signed_in.force_login(self.ada, backend="django.contrib.auth.backends.ModelBackend")
        job = signed_in.post("/at/lisbon/export/csv/")["Location"].split("/")[-2]
        work()
        parts = {
            "slug": "lisbon", "key": self.here.split("/")[-2], "what": "attend", "kind": "csv", "method": "people.me",
            "job": job, "job_id": job,
        }  # fmt: skip
        places = {f"/{path}" % parts for path in addresses() if not path.startswith(others)}
        self.assertTrue({f"{self.here}attend/", "/openid/complete/", f"/jobs/{job}/stop/"} <= places)
        ways = set()
        for place in sorted(places):
            for response in (self.client.get(place), self.client.post(place)):
                text = response.get("Location", "") + response.content.decode()
                ways |= {unquote(unescape(way)) for way in re.findall(r"/openid/login/\?next=([^&\"]*)", text)}
        self.assertGreater(len(ways), 8)
        self.assertEqual(dict.fromkeys(ways, 200), {way: signed_in.get(way).status_code for way in ways})


def addresses() -> list[str]:
    """Every address of the site, with marks for what varies."""

    def walk(resolver: object, prefix: str) -> list[str]:
        found = []
        for pattern in resolver.url_patterns:  # type: ignore[attr-defined]
            here = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"%(\1)s", str(pattern.pattern))
            found += walk(pattern, here) if hasattr(pattern, "url_patterns") else [here]
        return found

    return walk(get_resolver(), "")
