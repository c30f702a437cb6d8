"""Slides: the file, Storm's session and Django's log come together, or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import transaction
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from testproject.sprints import actions
from testproject.sprints.models import Activity, SessionRow
from testproject.sprints.tests.world import World


class SlidesTests(World):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.media = Path(folder.name) / "media"
        default = settings.STORAGES["default"]
        inner = {**default["OPTIONS"]["storage"], "OPTIONS": {"location": self.media}}
        storages = {**settings.STORAGES, "default": {**default, "OPTIONS": {"storage": inner}}}
        here = override_settings(STORAGES=storages, FILES_JOURNAL=Path(folder.name) / "journal")
        here.enable()
        self.addCleanup(here.disable)
        super().setUp()
        self.talk = self.session()

    def upload(self, name: str = "talk.pdf", text: bytes = b"slides", by: Any = None) -> Any:
        self.client.force_login(by or self.bruno, backend="django.contrib.auth.backends.ModelBackend")
        return self.client.post(self.url(self.talk, "slides/"), {"slides": SimpleUploadedFile(name, text)})

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.media.rglob("*") if path.is_file())

    def test_slides_are_uploaded_replaced_downloaded_and_removed(self) -> None:
        self.assertRedirects(self.upload(), self.url(self.talk))
        self.assertRedirects(self.upload("other.pdf", b"better"), self.url(self.talk))
        self.assertEqual(self.files, ["other.pdf"])
        self.assertContains(self.client.get(self.url(self.talk)), "other.pdf")
        answer = self.client.get(self.url(self.talk, "slides/file/"))
        self.assertEqual(b"".join(answer.streaming_content), b"better")
        self.assertEqual(answer["Content-Disposition"], 'attachment; filename="other.pdf"')
        self.client.post(self.url(self.talk, "slides/"), {"remove": "1"})
        self.assertEqual(self.files, [])
        self.assertEqual(self.client.get(self.url(self.talk, "slides/file/")).status_code, 404)

    def test_a_request_that_fails_leaves_no_file_and_no_line(self) -> None:
        lines = Activity.objects.count()
        self.client.raise_request_exception = False
        put = actions.put_slides

        def put_and_fail(*args: Any) -> None:
            put(*args)
            self.assertEqual(self.files, ["talk.pdf"])
            raise ZeroDivisionError

        with mock.patch.object(actions, "put_slides", put_and_fail):
            self.assertEqual(self.upload().status_code, 500)
        self.assertEqual((self.files, Activity.objects.count()), ([], lines))

    def test_a_session_that_is_withdrawn_takes_its_slides_with_it(self) -> None:
        self.upload()
        self.client.post(self.url(self.talk, "withdraw/"))
        self.assertEqual(self.files, [])

    def test_so_does_one_that_django_deletes(self) -> None:
        self.upload()
        with transaction.manager:
            Activity.objects.all().delete()
            SessionRow.objects.get(pk=self.talk.id).delete()
        self.assertEqual(self.files, [])

    def test_the_page_names_the_file_that_another_would_replace(self) -> None:
        self.upload()
        page = self.client.get(self.url(self.talk, "slides/"))
        file = self.url(self.talk, "slides/file/")
        self.assertContains(page, f'<a href="{file}">talk.pdf</a>. A new file replaces it.')

    def test_what_is_no_slides_is_refused(self) -> None:
        kinds = "it may be pdf, odp, pptx, md or txt."
        for name, found in (("evil.html", "The file ends with “.html”"), ("talk", "The file has no extension")):
            self.assertContains(self.upload(name), f"{found}; {kinds}", status_code=400)
        self.assertEqual(self.upload("TALK.PDF").status_code, 302)
        self.client.post(self.url(self.talk, "slides/"), {"remove": "1"})
        self.assertEqual(self.upload("empty.pdf", b"").status_code, 400)
        self.assertEqual(self.files, [])

    def test_only_the_proposer_and_the_schedulers_may(self) -> None:
        self.assertEqual(self.upload(by=self.dmitri).status_code, 403)
        self.assertEqual(self.upload(by=self.ada).status_code, 302)
