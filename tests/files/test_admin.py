"""Uploads in the admin: added, changed, cleared and deleted in bulk, in requests under the middleware."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings
from django.urls import path

from tests.apps.documents.models import Document
from tests.support.files import Site

site = AdminSite()
site.register(Document)
urlpatterns = [path("admin/", site.urls)]
ADD, LIST = "/admin/documents/document/add/", "/admin/documents/document/"


@override_settings(ROOT_URLCONF=__name__)
class AdminTests(TestCase):
    databases = {"default", "second"}

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        here = override_settings(FILES_JOURNAL=Path(folder.name) / "journal")
        here.enable()
        self.addCleanup(here.disable)
        self.site = Site("default", Path(folder.name))
        storage = storages["documents"]
        self.addCleanup(setattr, storage, "inner", storage.inner)
        storage.inner = self.site.storage.inner
        self.client.force_login(User.objects.create_superuser("ada"))

    def send(self, address: str, **fields: Any) -> None:
        answer = self.client.post(address, fields)
        self.assertEqual(answer.status_code, 302, answer.content[:2000])

    def test_files_come_and_go_with_their_rows(self) -> None:
        for name in ("one", "two"):
            self.send(ADD, title=name, file=SimpleUploadedFile(f"{name}.txt", b"new"))
        one, two = Document.objects.order_by("pk")
        self.assertEqual(list(self.site.files), ["documents/one.txt", "documents/two.txt"])
        self.send(f"{LIST}{one.pk}/change/", title="one", file=SimpleUploadedFile("three.txt", b"new"))
        self.assertEqual(list(self.site.files), ["documents/three.txt", "documents/two.txt"])
        self.send(f"{LIST}{one.pk}/change/", **{"title": "one", "file-clear": "on"})
        self.assertEqual(list(self.site.files), ["documents/two.txt"])
        self.send(LIST, action="delete_selected", _selected_action=[one.pk, two.pk], post="yes")
        self.assertEqual(self.site.files, {})
        self.site.assert_through()

    def test_a_form_with_a_mistake_leaves_no_file(self) -> None:
        answer = self.client.post(ADD, {"title": "x" * 101, "file": SimpleUploadedFile("one.txt", b"new")})
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(self.site.files, {})
