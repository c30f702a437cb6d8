"""The admin over models with a StormForeignKey, and over models that Storm objects point at, with the real client."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import transaction
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from djintegrate.storm_backend import get_store
from tests.apps.sprints.helpers import DATABASES, clean, forget, session, statements, user  # noqa: F401
from tests.apps.sprints.models import Award, Comment, Memo, Stay
from tests.apps.sprints.storm_models import Room, Session

pytestmark = [
    pytest.mark.django_db(databases=DATABASES),
    pytest.mark.usefixtures("clean"),
    pytest.mark.urls("tests.apps.sprints.urls"),
]


class Browser(Client):
    def request(self, **request: Any) -> Any:
        # Beginning a transaction would abort what the test has done so far.
        transaction.commit()
        return super().request(**request)


@pytest.fixture
def browser() -> Client:
    client = Browser()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def text(response: Any) -> str:
    assert response.status_code == 200
    return html.unescape(response.content.decode())


class TestForms:
    def test_a_select_of_the_objects_by_their_str(self, browser: Client) -> None:
        one, other = session("one"), session("other")
        comment = Comment.objects.create(session=other)
        page = text(browser.get("/admin/sprints/comment/add/"))
        assert re.findall(r'<option value="(\d*)"[^>]*>(one|other|-+)<', page)[:3] == [
            ("", "---------"),
            (str(one.id), "one"),
            (str(other.id), "other"),
        ]
        page = text(browser.get(f"/admin/sprints/comment/{comment.pk}/change/"))
        assert f'<option value="{other.id}" selected>other</option>' in page

    def test_adding_and_changing(self, browser: Client) -> None:
        one, other = session("one"), session("other")
        get_store("main").flush()
        response = browser.post("/admin/sprints/comment/add/", {"session": one.id, "text": "hello"})
        assert response.status_code == 302
        comment = Comment.objects.get()
        assert comment.session.title == "one"
        browser.post(f"/admin/sprints/comment/{comment.pk}/change/", {"session": other.id, "text": "hello"})
        comment.refresh_from_db()
        assert comment.session.title == "other"
        assert [entry.get_change_message() for entry in LogEntry.objects.order_by("id")] == [
            "Added.",
            "Changed Session.",
        ]
        assert "Changed Session." in text(browser.get(f"/admin/sprints/comment/{comment.pk}/history/"))

    @pytest.mark.parametrize("wrong", ["", "99", "x"])
    def test_what_is_no_choice_is_refused(self, browser: Client, wrong: str) -> None:
        page = text(browser.post("/admin/sprints/comment/add/", {"session": wrong, "text": "x"}))
        assert "This field is required" in page or "not one of the available choices" in page
        assert not Comment.objects.exists()

    def test_a_raw_id_with_the_objects_str(self, browser: Client) -> None:
        memo = Memo.objects.create(session=session("the <memo>'s"))
        page = browser.get(f"/admin/sprints/memo/{memo.pk}/change/").content.decode()
        assert re.search(rf'<input type="text" name="session" value="{memo.session_id}"', page)
        assert "<strong>the &lt;memo&gt;&#x27;s</strong>" in page
        page = text(browser.post(f"/admin/sprints/memo/{memo.pk}/change/", {"session": "99"}))
        assert "not one of the available choices" in page
        assert browser.post(f"/admin/sprints/memo/{memo.pk}/change/", {"session": ""}).status_code == 302
        assert Memo.objects.get().session is None

    def test_a_readonly_field(self, browser: Client) -> None:
        stay = Stay.objects.create(room=get_store("main").add(Room("1 ä")))
        assert '<div class="readonly">Room 1 ä</div>' in text(browser.get(f"/admin/sprints/stay/{stay.pk}/change/"))


class TestLists:
    def test_a_hundred_rows_cost_no_query_each(self, browser: Client) -> None:
        for number in range(100):
            Comment.objects.create(session=session(f"session {number}"))
        forget()
        with statements() as seen:
            page = text(browser.get("/admin/sprints/comment/"))
        assert "session 0" in page
        assert "SESSION 99" in page
        assert len([sql for sql in seen if "sprints_sessionrow" in sql]) == 2  # the list, and the filter's choices

    @pytest.mark.parametrize("admin", ["admin", "plain"])
    def test_a_list_shows_the_objects_str_and_can_be_sorted(self, browser: Client, admin: str) -> None:
        Comment.objects.create(session=session("one"))
        Comment.objects.create(session=session("other"))
        page = text(browser.get(f"/{admin}/sprints/comment/?o=-2"))
        assert re.findall(r'<td class="field-session[^"]*">(\w+)<', page) == ["other", "one"]

    def test_a_filter_names_the_objects(self, browser: Client) -> None:
        one, other = session("one (1)"), session("other")
        Comment.objects.create(session=one, text="first")
        Comment.objects.create(session=other, text="second")
        page = text(browser.get("/admin/sprints/comment/?_facets=True"))
        assert f'<a href="?_facets=True&session={one.id}">one (1) (1)</a>' in re.sub(r"\s+(?=<)|(?<=>)\s+", "", page)
        page = text(browser.get(f"/admin/sprints/comment/?session={other.id}"))
        assert "second" in page
        assert "first" not in page

    def test_a_filter_of_a_plain_admin_works_too(self, browser: Client) -> None:
        Comment.objects.create(session=session("one"), text="first")
        kept = Comment.objects.create(session=session("other"), text="second")
        page = text(browser.get(f"/plain/sprints/comment/?session={kept.session_id}"))
        assert "second" in page
        assert "first" not in page
        assert browser.get("/plain/sprints/comment/?session=x").status_code == 302


class TestDeleting:
    def test_the_confirmation_shows_what_goes_with_the_storm_objects(self, browser: Client) -> None:
        ann = user("ann")
        session("hers", owner=ann)
        session("reviewed", reviewer=ann)
        comment = Comment.objects.create(session=session("also hers", owner=ann), text="a comment", author=ann)
        page = text(browser.get(f"/admin/auth/user/{ann.pk}/delete/"))
        assert page.count(f'<a href="/admin/sprints/comment/{comment.pk}/change/">') == 1
        assert "Comments: 1" in page
        assert browser.post(f"/admin/auth/user/{ann.pk}/delete/", {"post": "yes"}).status_code == 302
        assert set(get_store("main").find(Session).values(Session.title)) == {"reviewed"}

    def test_who_may_not_delete_what_goes_too_may_not_delete(self) -> None:
        ann = user("ann")
        Comment.objects.create(session=session(owner=ann))
        staff = User.objects.create(username="staff", is_staff=True)
        staff.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "delete_user"]))
        browser = Browser()
        browser.force_login(staff)
        page = text(browser.get(f"/admin/auth/user/{ann.pk}/delete/"))
        assert "your account doesn't have permission to delete the following types of objects" in page
        assert "<li>comment</li>" in page

    def test_the_confirmation_shows_what_protects(self, browser: Client) -> None:
        ann = user("ann")
        session("sponsored", sponsor=ann)
        page = text(browser.get(f"/admin/auth/user/{ann.pk}/delete/"))
        assert "would require deleting the following protected related objects" in page
        assert "Session: sponsored" in page
        response = browser.post(f"/admin/auth/user/{ann.pk}/delete/", {"post": "yes"})
        assert "protected" in text(response)
        assert User.objects.filter(username="ann").exists()

    def test_the_confirmation_shows_what_protects_behind_a_cascade(self, browser: Client) -> None:
        ann = user("ann")
        award = Award.objects.create(session=session("hers", owner=ann))
        page = text(browser.get(f"/admin/auth/user/{ann.pk}/delete/"))
        assert "protected related objects" in page
        assert f"Award object ({award.pk})" in page

    def test_the_action_for_several(self, browser: Client) -> None:
        people = [user(f"user {number}") for number in range(3)]
        for person in people:
            Comment.objects.create(session=session("theirs", owner=person))
        data = {"action": "delete_selected", "_selected_action": [person.pk for person in people]}
        assert "Comments: 3" in text(browser.post("/admin/auth/user/", data))
        assert browser.post("/admin/auth/user/", {**data, "post": "yes"}).status_code == 302
        assert get_store("main").find(Session).is_empty()
