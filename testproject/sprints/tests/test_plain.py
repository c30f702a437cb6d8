"""Descriptions where there is no HTML: in JSON and in calendars."""

from __future__ import annotations

from django.test import SimpleTestCase

from testproject.sprints import programme
from testproject.sprints.plain import plain
from testproject.sprints.tests.world import World


class PlainTests(SimpleTestCase):
    def test_paragraphs_items_and_broken_lines_are_lines(self) -> None:
        for html, text in (
            ("<p>One.</p><p>Two.</p>", "One.\nTwo."),
            ("<p>One.</p>\n\n<p>Two<br>and a half.</p>", "One.\nTwo\nand a half."),
            (
                "Bring:<ul><li>a laptop</li><li><p>a <em>question</em></p></li></ul>Come.",
                "Bring:\na laptop\na question\nCome.",
            ),
            ("<h2>Why</h2>For<BR />fun", "Why\nFor\nfun"),
            ("R&amp;D, 1 &lt; 2", "R&D, 1 < 2"),
            ("no markup", "no markup"),
        ):
            self.assertEqual(plain(html), text)


class DescriptionTests(World):
    def test_json_and_calendars_have_the_lines(self) -> None:
        session = self.scheduled(
            "Engines", 10, description="<p>We break it.</p><p>Bring a laptop &amp; a question.</p>"
        )
        [said] = self.client.get("/json/sprints.programme?sprint=lisbon").json()["result"]
        self.assertEqual(said["description"], "We break it.\nBring a laptop & a question.")
        calendar = programme.as_icalendar(self.sprint, [programme.entry(session)]).replace("\r\n ", "")
        self.assertIn("DESCRIPTION:We break it.\\nBring a laptop & a question.\r\n", calendar)
