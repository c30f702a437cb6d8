"""The page that shows what one transaction means."""

from __future__ import annotations

import re

from django.test import TransactionTestCase

from testproject.sprints import timeline
from testproject.sprints.models import Activity
from testproject.sprints.storm_models import Session
from testproject.sprints.tests.world import Made


def short(sql: str) -> str:
    """The statement's first word, and its table."""
    return " ".join(re.findall(r"^\w+|sprints_\w+", sql)[:2])


class OneTransactionTests(Made, TransactionTestCase):
    def setUp(self) -> None:
        super().setUp()
        from testproject.sprints.roles import make_groups

        make_groups(None, using="default")
        self.bruno.groups.set([*self.bruno.groups.model.objects.filter(name="proposers")])
        self.client.force_login(self.bruno, backend="django.contrib.auth.backends.ModelBackend")

    def told(self, **form: str) -> list[tuple[str, str]]:
        """Who did what, by the first word of the SQL and its table."""
        response = self.client.post("/one-transaction/", form, follow=True)
        events = response.context["events"]
        self.assertEqual(events, sorted(events, key=lambda event: event["milliseconds"]))
        return [(event["who"], short(event["sql"])) for event in events if event["sql"]]

    def test_before_anything_ran_the_plan_is_shown(self) -> None:
        page = self.client.get("/one-transaction/").content.decode()
        self.assertIn("What will happen", page)
        self.assertEqual(page.count('<li class="storm">'), 1)
        self.assertNotIn(" ms</time>", page)

    def test_the_timeline_is_of_what_each_orm_sent(self) -> None:
        both = [("storm", "INSERT sprints_session"), ("django", "INSERT sprints_activity")]
        self.assertEqual(self.told(fail="1"), [*both, ("transaction", "ROLLBACK")])
        self.assertEqual((self.store.find(Session).count(), Activity.objects.count()), (0, 0))
        self.assertEqual(self.told(), [*both, ("transaction", "COMMIT")])
        self.assertEqual((self.store.find(Session).count(), Activity.objects.count()), (1, 1))

    def test_to_load_again_what_happened_writes_nothing(self) -> None:
        shown = self.client.post("/one-transaction/")["Location"]
        before = (self.store.find(Session).count(), Activity.objects.count())
        pages = [self.client.get(shown) for _ in range(2)]
        self.assertEqual((self.store.find(Session).count(), Activity.objects.count()), before)
        for page in pages:
            self.assertContains(page, "Committed.")
        self.assertContains(self.client.get("/one-transaction/"), "What will happen")
        self.client.logout()
        self.assertContains(self.client.get(shown), "What will happen")

    def test_what_happened_has_each_step_of_the_plan_in_the_same_words(self) -> None:
        response = self.client.post("/one-transaction/", follow=True)
        happened = [event["what"] for event in response.context["events"]]
        self.assertEqual(happened[:-1], [event.what for event in timeline.PLAN[:-1]])

    def test_the_plan_names_what_is_then_sent(self) -> None:
        sent = [event for event in self.told(fail="1") if event[0] != timeline.TRANSACTION]
        self.assertEqual([(event.who, short(event.sql)) for event in timeline.PLAN if event.sql], sent)
