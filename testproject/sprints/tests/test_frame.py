"""What frames each page: the policy, and Dojo where it is needed."""

from __future__ import annotations

import re

from django.test import override_settings

from testproject.sprints.tests.world import World


class FrameTests(World):
    def setUp(self) -> None:
        super().setUp()
        session = self.url(self.scheduled("Engines", 10))
        self.client.force_login(self.ada, backend="django.contrib.auth.backends.ModelBackend")
        self.forms = [self.url(page="propose/"), self.url(page="sessions/"), f"{session}edit/", f"{session}schedule/"]
        plain = [
            "/",
            "/people/",
            "/who-may-what/",
            "/one-transaction/",
            self.url(),
            self.url(page="grid/"),
            session,
            f"{session}withdraw/",
        ]
        self.plain = [*plain, "/openid/identities/", "/nowhere/"]

    @override_settings(DOJO_ENABLED=True, DOJO_URL="/static/dojo")
    def test_dojo_comes_with_forms_and_grids_alone(self) -> None:
        for path in self.forms + self.plain:
            with self.subTest(path=path):
                page = self.client.get(path).content.decode()
                self.assertEqual([*re.findall("dojo.js|dijits.css", page)] != [], path in self.forms)

    def test_nothing_inline_runs_and_each_page_has_a_nonce_of_its_own(self) -> None:
        policies = [self.client.get(path)["Content-Security-Policy"] for path in self.forms + self.plain]
        for policy in policies:
            self.assertIn("default-src 'none'", policy)
            self.assertNotIn("unsafe", policy)
        self.assertEqual(len(set(policies)), len(policies))
