"""Seeing, adding and removing one's own identities. The ways through the pages in a browser are in test_pages."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client

from djintegrate.openid_auth.models import UserOpenID
from tests.openid_auth.live import Visitor
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import set_up

OPENID = "djintegrate.openid_auth.auth.OpenIDBackend"


@pytest.fixture
def ada(db: None, settings: Any) -> User:
    set_up(settings)
    return User.objects.create_user("ada")


@pytest.fixture
def as_ada(ada: User, client: Client) -> Client:
    client.force_login(ada, OPENID)
    return client


def identity(user: User, name: str) -> UserOpenID:
    url = f"https://op.example/{name}"
    return UserOpenID.objects.create(user=user, claimed_id=url, display_id=url)


def remove(client: Client, mine: UserOpenID) -> str:
    response = client.post(f"/openid/identities/{mine.pk}/remove/", follow=True)
    assert response.redirect_chain == [("/openid/identities/", 302)]
    return response.content.decode()


def test_one_of_two_may_be_removed_the_other_not(as_ada: Client, ada: User) -> None:
    first, second = identity(ada, "a"), identity(ada, "b")
    assert "https://op.example/a no longer signs you in." in remove(as_ada, first)
    assert "This is your only way in. Add another one first." in remove(as_ada, second)
    assert UserOpenID.objects.get() == second


def test_with_a_password_the_last_one_may_be_removed(as_ada: Client, ada: User) -> None:
    ada.set_password("secret")
    ada.save()
    as_ada.force_login(ada, OPENID)
    remove(as_ada, identity(ada, "a"))
    assert not UserOpenID.objects.exists()


def test_a_password_counts_only_where_the_site_takes_passwords(as_ada: Client, ada: User, settings: Any) -> None:
    ada.set_password("secret")
    ada.save()
    as_ada.force_login(ada, OPENID)
    settings.AUTHENTICATION_BACKENDS = [OPENID]
    assert "This is your only way in." in remove(as_ada, identity(ada, "a"))
    assert UserOpenID.objects.exists()


def test_nobody_removes_what_is_another_ones(as_ada: Client, ada: User) -> None:
    identity(ada, "a")
    other = identity(User.objects.create_user("bruno"), "b")
    assert as_ada.post(f"/openid/identities/{other.pk}/remove/").status_code == 404
    assert UserOpenID.objects.count() == 2


def test_the_verified_mark_goes_with_the_identity(as_ada: Client, ada: User) -> None:
    ada.user_permissions.add(Permission.objects.get(codename="account_verified"))
    first, _ = identity(ada, "a"), identity(ada, "b")
    remove(as_ada, first)
    assert not User.objects.get().has_perm("openid_auth.account_verified")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("within", [True, False], ids=["in the request's transaction", "in one of its own"])
def test_two_removals_at_once_leave_one(settings: Any, within: bool) -> None:
    set_up(settings)
    if not within:
        settings.MIDDLEWARE = settings.MIDDLEWARE[1:]
    ada = User.objects.create_user("ada")
    outcomes: list[int] = []
    for attempt in range(3):
        pair = [identity(ada, f"{attempt}a"), identity(ada, f"{attempt}b")]
        barrier = threading.Barrier(2)

        def race(mine: UserOpenID, barrier: threading.Barrier = barrier) -> None:
            client = Client(raise_request_exception=False)
            client.force_login(ada, OPENID)
            barrier.wait()
            outcomes.append(client.post(f"/openid/identities/{mine.pk}/remove/").status_code)
            connections.close_all()

        threads = [threading.Thread(target=race, args=[mine]) for mine in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert UserOpenID.objects.count() == 1
        UserOpenID.objects.all().delete()
    assert set(outcomes) <= {302, 409}
    if not within:
        assert set(outcomes) == {302}


@pytest.mark.parametrize("path", ["", "add/", "1/remove/"])
def test_a_stranger_is_asked_to_sign_in(ada: User, client: Client, path: str) -> None:
    response = client.post(f"/openid/identities/{path}") if path else client.get("/openid/identities/")
    assert response.status_code == 302
    assert "next=/openid/identities/" in response["Location"]


@pytest.mark.parametrize("path", ["add/", "1/remove/"])
def test_a_link_changes_nothing(as_ada: Client, path: str) -> None:
    assert as_ada.get(f"/openid/identities/{path}").status_code == 405


def test_what_is_no_openid_is_refused_on_the_page(as_ada: Client, ada: User, settings: Any) -> None:
    settings.OPENID_DISALLOW_INAMES = True
    identity(ada, "a")
    page = as_ada.post("/openid/identities/add/", {"openid_identifier": "=name"}).content.decode()
    assert "i-names are not supported" in page
    assert "https://op.example/a" in page


@pytest.mark.django_db(transaction=True)
class TestAdding:
    @pytest.fixture
    def visitor(self, relying_site: str, provider: Provider) -> Visitor:
        visitor = Visitor(relying_site, provider)
        visitor.sign_in("ada")
        return visitor

    def add(self, visitor: Visitor, **form: str) -> Any:
        token = {"csrfmiddlewaretoken": visitor.cookies["csrftoken"]}
        return visitor.fetch("/openid/identities/add/", token | form)

    def test_with_a_single_provider_it_is_the_one(self, visitor: Visitor, settings: Any) -> None:
        settings.OPENID_SSO_SERVER_URL = visitor.provider.url
        page = visitor.deliver(visitor.decide(self.add(visitor), "bruno"))
        assert page.location == "/openid/identities/"
        assert UserOpenID.objects.count() == 2
        assert User.objects.count() == 1

    def test_it_is_for_who_began(self, visitor: Visitor) -> None:
        """Somebody else signs in at the same browser while the provider asks."""
        answer = visitor.decide(self.add(visitor, openid_identifier=visitor.provider.url), "bruno")
        visitor.log_out()
        visitor.sign_in("chiara")
        page = visitor.deliver(answer)
        # It is no answer to anything of theirs: who is signed in goes on.
        assert page.status == 302
        assert visitor.who()["user"] == "chiara"
        assert UserOpenID.objects.filter(user__username="chiara").count() == 1
        assert not UserOpenID.objects.filter(claimed_id=visitor.provider.identity("bruno")).exists()

    def test_it_is_not_a_way_to_sign_in(self, visitor: Visitor) -> None:
        answer = visitor.decide(self.add(visitor, openid_identifier=visitor.provider.url), "bruno")
        visitor.cookies.clear()
        assert visitor.deliver(answer).status == 403
        assert visitor.who() == {"user": None}
