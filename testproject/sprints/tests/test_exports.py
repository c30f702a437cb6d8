"""The programme as a file: enqueued by a button, made by a job, fetched by the one who asked for it."""

from __future__ import annotations

import csv
import io
from typing import Any
from unittest import mock
from uuid import uuid4

from django.core.management import call_command
from django.test import override_settings
from django_tasks_db.models import DBTaskResult

from testproject.sprints import programme, tasks
from testproject.sprints.programme import LINE_BYTES
from testproject.sprints.tests.world import World

MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
"""The worker is in this process."""


@override_settings(CACHES=MEMORY, JOBS_CACHE="default", EXPORT_PAUSE_SECONDS=0)
class ExportTests(World):
    def setUp(self) -> None:
        super().setUp()
        self.sign_in(self.dmitri)

    def sign_in(self, person: Any) -> None:
        self.client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")

    def export(self, kind: str) -> str:
        """The address of its page."""
        response = self.client.post(self.url(page=f"export/{kind}/"))
        self.assertEqual(response.status_code, 302)
        return str(response.headers["Location"])

    def file(self, kind: str) -> str:
        page = self.export(kind)
        work()
        shown = self.client.get(page)
        self.assertContains(shown, f'href="{page}file/"')
        # What the job said last is of the whole file, and not of the last session.
        self.assertContains(shown, f'data-said="message">lisbon.{kind}<')
        response = self.client.get(f"{page}file/")
        self.assertEqual(response.headers["Content-Disposition"], f'attachment; filename="lisbon.{kind}"')
        return str(response.content.decode())

    def test_a_spreadsheet_has_a_row_for_each_session_with_the_times_of_the_place(self) -> None:
        self.scheduled("Late, but not least", 16)
        self.scheduled("Early", 9, self.studio)
        self.session("Waiting")
        rows = list(csv.DictReader(io.StringIO(self.file("csv").removeprefix(programme.BYTE_ORDER_MARK))))
        self.assertEqual([row["Title"] for row in rows], ["Early", "Late, but not least"])
        self.assertEqual(
            rows[0],
            {
                "Title": "Early", "Track": "Engine", "Room": "Studio", "Starts": "2099-06-01 09:00",
                "Ends": "2099-06-01 10:00", "Proposer": "Bruno Keller", "Attending": "0", "Seats": "5",
            },
        )  # fmt: skip

    def test_no_cell_begins_a_formula(self) -> None:
        for number, sign in enumerate(programme.FORMULAS):
            self.scheduled(f"{sign}HYPERLINK(1)", 9 + number)
        rows = list(csv.reader(io.StringIO(self.file("csv"), newline="")))
        self.assertEqual([row[0][:1] for row in rows[1:]], ["'"] * len(programme.FORMULAS))

    def test_a_calendar_has_an_event_for_each_session_in_utc(self) -> None:
        self.scheduled("Semicolons; commas, and \\ more", 10, description="<p>Two<br>lines\nof it</p>")
        text = self.file("ics")
        self.assertEqual(text.count("BEGIN:VEVENT"), 1)
        lines = text.replace("\r\n ", "").split("\r\n")
        for line in (
            "DTSTART:20990601T090000Z",  # Lisbon is an hour ahead of UTC in June
            "DTEND:20990601T100000Z",
            "SUMMARY:Semicolons\\; commas\\, and \\\\ more",
            "LOCATION:Aula\\, LX Factory",
        ):
            self.assertIn(line, lines)

    def test_a_line_of_a_calendar_is_short_and_can_be_put_together_again(self) -> None:
        for title in ("x" * 120, "é" * 120, "𝄞" * 60, "a" * (LINE_BYTES - 8) + "é"):
            line = f"SUMMARY:{title}"
            folded = programme._folded(line)
            self.assertEqual(folded.replace("\r\n ", ""), line)
            self.assertLessEqual(max(len(each.encode()) for each in folded.split("\r\n")), LINE_BYTES)

    def test_a_request_that_fails_exports_nothing(self) -> None:
        failing = mock.patch("testproject.sprints.exporting.redirect", side_effect=ZeroDivisionError)
        with failing, self.assertRaises(ZeroDivisionError):
            self.client.post(self.url(page="export/csv/"))
        self.assertFalse(DBTaskResult.objects.exists())

    def test_before_it_is_made_there_is_a_bar_and_no_file(self) -> None:
        page = self.export("csv")
        response = self.client.get(page)
        self.assertContains(response, "<progress")
        self.assertContains(response, "Waiting for a worker")
        self.assertNotContains(response, "Download")
        self.assertEqual(self.client.get(f"{page}file/").status_code, 404)

    def test_one_that_failed_has_no_file_and_says_what_to_do(self) -> None:
        self.scheduled("Engines", 10)
        page = self.export("csv")
        with mock.patch.object(programme, "entry", side_effect=ZeroDivisionError):
            work()
        self.assertContains(self.client.get(page), "export it once more")
        self.assertEqual(self.client.get(f"{page}file/").status_code, 404)

    def test_it_is_nobody_elses(self) -> None:
        page = self.export("csv")
        work()
        self.sign_in(self.bruno)
        for path in (page, f"{page}file/"):
            self.assertEqual(self.client.get(path).status_code, 404)
        self.client.logout()
        for path in (page, f"{page}file/"):
            self.assertEqual(self.client.get(path).status_code, 302)
        self.assertEqual(self.client.post(self.url(page="export/csv/")).status_code, 302)
        self.assertEqual(DBTaskResult.objects.count(), 1)

    def test_an_unknown_kind_or_job_is_a_404(self) -> None:
        for ask in (self.client.post, self.client.get):
            unknown = ask(self.url(page="export/pdf/"))
            self.assertContains(unknown, "not exported as “pdf”, but as csv or ics", status_code=404)
        self.assertEqual(self.client.get(self.url(page=f"exports/{uuid4()}/")).status_code, 404)
        self.assertEqual(self.client.get(self.url(page="export/csv/")).status_code, 405)

    def test_the_pages_of_jobs_are_in_the_sites_frame(self) -> None:
        job = tasks.export_programme.get_result(self.export("csv").split("/")[-2])
        for path, named in (("/jobs/", "lisbon.csv"), (f"/jobs/{job.id}/", "Export programme")):
            response = self.client.get(path)
            self.assertContains(response, named)
            self.assertContains(response, "Sprint scheduler")

    def test_the_page_of_the_job_leads_to_the_one_with_the_file(self) -> None:
        page = self.export("ics")
        for _ in range(2):
            self.assertContains(self.client.get(f"/jobs/{page.split('/')[-2]}/"), f'href="{page}">Go to lisbon.ics</a>')
            work()

    def test_a_job_of_somebody_else_has_no_link_that_leads_nowhere(self) -> None:
        page = self.export("csv")
        overseer = self.person("chiara", "Chiara Neri", "organisers")
        overseer.is_staff = True
        overseer.save()
        self.sign_in(overseer)
        job = self.client.get(f"/jobs/{page.split('/')[-2]}/")
        self.assertContains(job, "Export programme")
        self.assertNotContains(job, page)


def work() -> None:
    call_command("db_worker", batch=True, reload=False, startup_delay=False, verbosity=0)
