"""What is known of each way in: signals, lines, mails; and who may change one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.dispatch import Signal
from django.test import Client

from djintegrate.openid_auth import signals
from djintegrate.openid_auth.models import UserOpenID
from djintegrate.openid_auth.people import fresh
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, host_of, set_up

pytestmark = pytest.mark.django_db(transaction=True)
OPENID = "djintegrate.openid_auth.auth.OpenIDBackend"
URL = "https://op.example/ada"


@pytest.fixture(autouse=True)
def site(settings: Any, provider: Provider) -> None:
    set_up(settings, host_of(provider.url))
    settings.OPENID_NOTIFY = True


@pytest.fixture
def heard() -> Iterator[list[tuple[str, str]]]:
    """The signals about identities: which, and whose."""
    found: list[tuple[str, str]] = []
    receivers: list[tuple[Signal, Any]] = []
    for name in ("added", "removed", "adopted"):

        def hear(sender: Any, identity: UserOpenID, name: str = name, **kwargs: Any) -> None:
            found.append((name, identity.claimed_id))

        signal = getattr(signals, f"openid_identity_{name}")
        signal.connect(hear)
        receivers.append((signal, hear))
    yield found
    for signal, receiver in receivers:
        signal.disconnect(receiver)


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@people.example", "secret")


def as_user(user: User, age: int = 0) -> Client:
    client = Client()
    client.force_login(user, OPENID)
    session = client.session
    session[fresh.KEY] -= age
    session.save()
    return client


class TestSignalsAndLines:
    def test_a_newcomers_identity_is_announced_and_no_mail_sent(
        self, provider: Provider, heard: list[Any], caplog: Any
    ) -> None:
        caplog.set_level("INFO")
        Visitor().sign_in(provider)
        assert heard == [("added", provider.identity("ada"))]
        assert f"The identity {provider.identity('ada')!r} was added to user" in caplog.text
        assert "Signed in: ada" in caplog.text
        assert mail.outbox == []

    def test_one_that_is_added_and_removed_is_told_of_in_every_way(
        self, ada: User, heard: list[Any], caplog: Any
    ) -> None:
        caplog.set_level("INFO")
        identity = UserOpenID.objects.create(user=ada, claimed_id=URL, display_id=URL)
        as_user(ada).post(f"/openid/identities/{identity.pk}/remove/")
        assert heard == [("added", URL), ("removed", URL)]
        lines = [record.getMessage() for record in caplog.records if URL in record.getMessage()]
        assert [line.split(" was ")[1].split()[0] for line in lines] == ["added", "removed"]
        assert [message.to for message in mail.outbox] == [["ada@people.example"]] * 2
        assert all(URL in message.body and "ada" in message.body for message in mail.outbox)

    def test_the_admin_and_scripts_are_heard_too(self, ada: User, heard: list[Any]) -> None:
        UserOpenID.objects.create(user=ada, claimed_id=URL, display_id=URL)
        UserOpenID.objects.filter(user=ada).delete()
        assert heard == [("added", URL), ("removed", URL)]
        assert len(mail.outbox) == 2

    def test_who_is_deleted_gets_no_mail(self, ada: User, heard: list[Any]) -> None:
        UserOpenID.objects.create(user=ada, claimed_id=URL, display_id=URL)
        mail.outbox.clear()
        ada.delete()
        assert heard[-1] == ("removed", URL)
        assert mail.outbox == []

    def test_what_is_undone_is_not_mailed(self, ada: User) -> None:
        from django.db import transaction

        with transaction.atomic():
            UserOpenID.objects.create(user=ada, claimed_id=URL, display_id=URL)
            transaction.set_rollback(True)
        assert mail.outbox == []

    @pytest.mark.parametrize(("notify", "backend", "mails"), [
        (True, None, 1), (False, None, 0), (None, "django.core.mail.backends.locmem.EmailBackend", 1),
    ])  # fmt: skip
    def test_the_setting_decides_about_mails(
        self, settings: Any, ada: User, notify: Any, backend: Any, mails: int
    ) -> None:
        settings.OPENID_NOTIFY = notify
        if backend:
            settings.EMAIL_BACKEND = backend
        UserOpenID.objects.create(user=ada, claimed_id=URL, display_id=URL)
        assert len(mail.outbox) == mails

    def test_a_mail_server_that_fails_stops_nothing(self, settings: Any, ada: User, caplog: Any) -> None:
        settings.OPENID_NOTIFY = True
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        UserOpenID.objects.create(user=ada, claimed_id=URL, display_id=URL)
        assert "was not sent" in caplog.text
        assert UserOpenID.objects.exists()


class TestSigningInAgain:
    @pytest.mark.parametrize("prefix", ["/openid", "/aopenid"])
    @pytest.mark.parametrize("path", ["add/", "{pk}/remove/"])
    def test_a_way_in_changes_only_for_who_has_just_signed_in(
        self, settings: Any, ada: User, path: str, prefix: str
    ) -> None:
        identity = UserOpenID.objects.create(user=ada, claimed_id=URL, display_id=URL)
        address = f"{prefix}/identities/{path.format(pk=identity.pk)}"
        form = {"openid_identifier": "http://127.0.0.1:9/"}
        old = as_user(ada, age=601).post(address, form)
        assert (old.status_code, old["Location"].startswith("/accounts/login/?next=/openid/identities/")) == (302, True)
        assert UserOpenID.objects.exists()
        assert as_user(ada, age=590).post(address, form).status_code in (302, 400)
        settings.OPENID_CONFIRM_SECONDS = None
        UserOpenID.objects.get_or_create(user=ada, claimed_id=URL, display_id=URL)
        assert as_user(ada, age=10**6).post(address, form).status_code in (302, 400, 404)

    def test_a_session_that_does_not_say_when_it_began_is_an_old_one(self, ada: User) -> None:
        client = as_user(ada)
        session = client.session
        del session[fresh.KEY]
        session.save()
        page = client.get("/openid/identities/").content.decode()
        assert "sign in again first" in page
        assert "openid_identifier" not in page

    def test_signing_in_again_is_enough(self, ada: User, provider: Provider, settings: Any) -> None:
        settings.LOGIN_URL = "openid-login"
        visitor = Visitor()
        visitor.sign_in(provider)
        session = visitor.client.session
        session[fresh.KEY] -= 1000
        session.save()
        assert "sign in again first" in visitor.client.get("/openid/identities/").content.decode()
        visitor.sign_in(provider)
        assert "openid_identifier" in visitor.client.get("/openid/identities/").content.decode()
