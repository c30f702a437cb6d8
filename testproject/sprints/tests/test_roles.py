"""Who may do what: from a team, by the sign-in's group, to a role; and the page and the command that explain it."""

from __future__ import annotations

from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import call_command

from djintegrate import acl
from djintegrate.acl.matrix import matrix
from testproject.sprints import roles
from testproject.sprints.models import SessionRow
from testproject.sprints.tests.world import World

PRIVILEGES = [roles.PROPOSE, roles.SCHEDULE, roles.EDIT, roles.WITHDRAW, "person.email.read"]


def why(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("acl", "why", *arguments, stdout=out)
    return out.getvalue().splitlines()


class RoleTests(World):
    def setUp(self) -> None:
        super().setUp()
        self.chiara = self.person("chiara", "Chiara Neri", "organisers")

    def as_(self, person: Any) -> None:
        self.client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")

    def test_each_team_of_the_settings_leads_to_a_role_of_the_file(self) -> None:
        groups = {settings.ACL_ROLES.get(role, role) for role in acl.current().roles}
        self.assertLessEqual(set(settings.OPENID_LAUNCHPAD_TEAMS_MAPPING.values()), groups)
        self.assertLessEqual(set(settings.ACL_ROLES.values()), set(roles.GROUPS))

    def test_what_each_of_them_may_of_what_is_somebody_elses(self) -> None:
        session = self.session(by=self.person("emi", "Emi Tanaka"))
        expected = {
            self.ada: [True, True, True, True, True],
            self.bruno: [True, False, False, False, False],
            self.chiara: [False, False, False, False, True],
            self.dmitri: [False, False, False, False, False],
            AnonymousUser(): [False, False, False, False, False],
        }
        for person, may in expected.items():
            about = {"person.email.read": self.dmitri if person != self.dmitri else self.ada}
            with self.subTest(person=person):
                asked = [person.has_perm(privilege, about.get(privilege, session)) for privilege in PRIVILEGES]
                self.assertEqual(asked, may)

    def test_ones_own_session_and_address_are_ones_own_whatever_the_team(self) -> None:
        session = self.session(by=self.dmitri)
        for about in (session, SessionRow.objects.get(pk=session.id)):
            self.assertTrue(self.dmitri.has_perm(roles.EDIT, about))
            self.assertFalse(self.bruno.has_perm(roles.EDIT, about))
        self.assertFalse(self.dmitri.has_perm(roles.EDIT))
        self.assertTrue(self.dmitri.has_perm("person.email.read", self.dmitri))

    def test_an_address_is_shown_to_those_alone_who_may_see_it(self) -> None:
        for person in (self.ada, self.bruno, self.dmitri):
            User.objects.filter(pk=person.pk).update(email=f"{person.username}@people.example")
        shown = {None: [], self.dmitri: ["dmitri"], self.chiara: ["ada", "bruno", "dmitri"]}
        for person, names in shown.items():
            if person:
                self.as_(person)
            page = self.client.get("/people/").content.decode()
            found = [name for name in ("ada", "bruno", "dmitri") if f"{name}@people.example" in page]
            self.assertEqual(found, names)

    def test_only_those_who_may_change_a_session_can(self) -> None:
        session = self.session(by=self.bruno)
        for person, status in ((self.dmitri, 403), (self.bruno, 200), (self.ada, 200)):
            self.as_(person)
            self.assertEqual(self.client.get(self.url(session, "edit/")).status_code, status)
            self.assertEqual(self.client.get(self.url(session, "withdraw/")).status_code, status)

    def test_the_page_tells_everybody_why(self) -> None:
        page = self.client.get("/who-may-what/").content.decode()
        self.assertIn("You are not signed in", page)
        self.as_(self.bruno)
        page = self.client.get("/who-may-what/").content.decode()
        for text in (
            "Yes: propose a session",
            "No: put a session on the schedule, or take it off",
            "It depends: change a session and its slides",
            "the team sprint-prop",
        ):
            self.assertIn(text, page)
        self.assertIn("bruno has the role &#x27;proposer&#x27; by the group &#x27;proposers&#x27;.", page)

    def test_each_privilege_of_the_file_has_words(self) -> None:
        self.assertEqual({f"{row.resource}.{row.privilege}" for row in matrix(acl.current())}, set(roles.WORDS))

    def test_the_command_explains_each(self) -> None:
        session = self.session(by=self.bruno)
        self.assertEqual(why("bruno", "session", "propose")[0], "Yes: bruno may propose session.")
        self.assertEqual(why("bruno", "session", "schedule")[0], "No: bruno may not schedule session.")
        self.assertIn("'scheduler' (group 'schedulers')", why("bruno", "session", "schedule")[-1])
        own = why("bruno", "session", "edit", "--object", f"sprints.SessionRow:{session.id}")
        self.assertEqual(own[0], "Yes: bruno may edit session.")
        self.assertIn("if 'own' is true of the object (roles.xml, line", own[-1])
        other = why("dmitri", "session", "edit", "--object", f"sprints.SessionRow:{session.id}")
        self.assertEqual(other[-1], "The condition 'own' is not true of Engines.")
        address = why("dmitri", "person.email", "read", "--object", f"auth.User:{self.ada.pk}")
        self.assertEqual(address[0], "No: dmitri may not read person.email.")
        self.assertEqual(why("chiara", "person.email", "read")[0], "Yes: chiara may read person.email.")
