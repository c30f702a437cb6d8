"""The sample provider as a part of the site: whom it begins with, what it says, and the ways back."""

from __future__ import annotations

import re
import shutil
import tempfile
from typing import Any
from urllib.parse import urlencode

from django.test import Client, TestCase, override_settings

ADA, BRUNO = "a7fG3kQ", "b2Rw9xT"
OPENID = {
    "openid.ns": "http://specs.openid.net/auth/2.0",
    "openid.mode": "checkid_setup",
    "openid.claimed_id": "http://specs.openid.net/auth/2.0/identifier_select",
    "openid.identity": "http://specs.openid.net/auth/2.0/identifier_select",
    "openid.return_to": "http://testserver/openid/complete/",
    "openid.realm": "http://testserver/",
}
CONNECT = {
    "client_id": "sprints",
    "redirect_uri": "http://localhost/openid/connect/sample/complete/",
    "response_type": "code",
    "scope": "openid groups",
    "code_challenge": "x" * 43,
    "code_challenge_method": "S256",
}
QUESTIONS = [f"/provider/+openid?{urlencode(OPENID)}", f"/provider/connect/authorize?{urlencode(CONNECT)}"]


# Its addresses are there with DEBUG alone, which tests have not.
@override_settings(ROOT_URLCONF="testproject.sprints.tests.with_provider")
class ProviderTests(TestCase):
    def setUp(self) -> None:
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        settings = override_settings(SAMPLE_PROVIDER_FOLDER=folder)
        settings.enable()
        self.addCleanup(settings.disable)

    def page(self, path: str, client: Any = None) -> str:
        # Without TLS OpenID Connect is for the machine itself alone.
        response = (client or self.client).get(path, headers={"host": "127.0.0.1"})
        self.assertEqual(response.status_code, 200)
        return str(response.content.decode())

    def chosen(self, page: str) -> list[str]:
        return re.findall(r'name="person" value="(\w+)" required checked', page)

    def test_the_question_begins_with_ada_or_with_who_is_signed_in_there(self) -> None:
        bruno = Client()
        bruno.post("/provider/sign-in", {"person": BRUNO})
        for question in QUESTIONS:
            self.assertEqual(self.chosen(self.page(question)), [ADA])
            self.assertEqual(self.chosen(self.page(question, bruno)), [BRUNO])

    def test_a_site_is_named_by_its_own_address(self) -> None:
        for question, site in zip(QUESTIONS, ("http://testserver/", "http://localhost/"), strict=True):
            self.assertIn(f'<span class="site">{site}</span>', self.page(question))

    def test_a_change_is_confirmed_and_leads_on(self) -> None:
        self.client.post("/provider/sign-in", {"person": BRUNO})
        saved = self.client.post("/provider/change", {"nickname": "bruno", "team": "sprint-schedulers"})["Location"]
        page = self.page(saved)
        self.assertRegex(page, 'role="status"><b>Saved.')
        for way in ("/", "/openid/login/?next=/"):
            self.assertIn(f'href="{way}"', page)
            self.assertEqual(self.client.get(way).status_code, 200)
        self.assertNotIn("Saved.", self.page("/provider/"))
        self.assertNotIn("enter the address", page)
