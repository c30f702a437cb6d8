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

    def test_the_navigation_says_where_one_is(self) -> None:
        job = self.client.post(self.url(page="export/csv/"))["Location"].split("/")[-2]
        for path, place in (
            ("/", ("/", "page")),
            ("/people/", ("/people/", "page")),
            *((path, ("/", "true")) for path in (self.url(), self.url(page="sessions/"), self.forms[0], self.forms[3])),
            ("/jobs/", ("/jobs/", "page")),
            (f"/jobs/{job}/", ("/jobs/", "true")),
        ):
            with self.subTest(path=path):
                header = self.client.get(path).content.decode().partition("</header>")[0]
                self.assertEqual(re.findall(r'<a href="([^"]+)" aria-current="(\w+)"', header), [place])

    def test_each_page_has_a_title_of_its_own(self) -> None:
        self.client.logout()
        for path, title in (("/", "Sprints"), ("/openid/login/", "Sign in"), ("/people/", "People")):
            self.assertContains(self.client.get(path), f"<title>{title} · Sprint scheduler</title>")

    def test_the_sign_in_page_leads_where_one_was_going_by_each_of_its_links(self) -> None:
        self.client.logout()
        wanted = self.forms[3]
        page = self.client.get(self.client.get(wanted)["Location"])
        self.assertContains(page, f'href="/openid/login/?next={wanted}"')
        self.assertContains(page, f'name="next" value="{wanted}"')

    def test_a_browser_that_asks_for_an_icon_gets_one(self) -> None:
        self.assertEqual(self.client.get("/favicon.ico")["Location"], "/static/sprints/icon.svg")

    def test_nothing_inline_runs_and_each_page_has_a_nonce_of_its_own(self) -> None:
        policies = [self.client.get(path)["Content-Security-Policy"] for path in self.forms + self.plain]
        for policy in policies:
            self.assertIn("default-src 'none'", policy)
            self.assertNotIn("unsafe", policy)
        self.assertEqual(len(set(policies)), len(policies))
