"""Mail is sent if the transaction commits, by a real mail server, which refuses, is slow, and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage as Received
from email.mime.image import MIMEImage
from socket import create_server
from typing import Any

import django
import pytest
import transaction
from aiosmtpd.controller import Controller
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from djintegrate.jobs import catalogue, wording
from tests.jobs.helpers import JOBS, only_row, work
from tests.support.helpers import Oops

pytest_plugins = ["tests.support.fixtures"]
pytestmark = JOBS
SMTP = "django.core.mail.backends.smtp.EmailBackend"


class Server:
    """What the mail server answers to the next messages, and what it took."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.taken: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answers:
            return self.answers.pop(0)
        self.taken.append(envelope)
        return "250 Taken"

    def messages(self) -> list[Received]:
        return [message_from_bytes(each.content, policy=policy.default) for each in self.taken]


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    handler = Server()
    with closing(create_server(("127.0.0.1", 0))) as free:
        settings.EMAIL_HOST, settings.EMAIL_PORT = free.getsockname()
    controller = Controller(handler, hostname=settings.EMAIL_HOST, port=settings.EMAIL_PORT)
    controller.start()
    settings.EMAIL_BACKEND = "djintegrate.jobs.mail.EmailBackend"
    yield handler
    controller.stop()


def send(subject: str = "Moved") -> None:
    mail.send_mail(subject, "To room 2.", "sprint@example.com", ["ada@example.com"])


class TestWithTheTransaction:
    def test_a_committed_one_sends_it_and_an_aborted_one_does_not(self, server: Server) -> None:
        with transaction.manager:
            send("kept")
        with pytest.raises(Oops), transaction.manager:
            send("undone")
            raise Oops
        work()
        assert [message["Subject"] for message in server.messages()] == ["kept"]

    def test_the_message_arrives_as_it_was_written(self, server: Server) -> None:
        message = EmailMultiAlternatives(
            "Grüße", "plain", "a@example.com", ["b@example.com"], bcc=["c@example.com"], cc=["d@example.com"],
            reply_to=["e@example.com"], headers={"X-Sprint": "12"},
        )  # fmt: skip
        message.attach_alternative("<p>rich</p>", "text/html")
        message.attach("notes.txt", "zur Sitzung: ü", "text/plain")
        message.attach("raw.bin", b"\x00\xff", "application/octet-stream")
        message.attach(MIMEImage(b"\x89PNG\r\n\x1a\n", "png"))
        message.attach("inner.eml", EmailMessage("inner", "text", "a@example.com", ["b@example.com"]), "message/rfc822")
        message.send()
        work()
        [received], [envelope] = server.messages(), server.taken
        assert sorted(envelope.rcpt_tos) == ["b@example.com", "c@example.com", "d@example.com"]
        assert (received["Subject"], received["Reply-To"], received["X-Sprint"]) == ("Grüße", "e@example.com", "12")
        assert received["Bcc"] is None
        assert received.get_body(("html",)).get_content().strip() == "<p>rich</p>"  # type: ignore[union-attr]
        assert received.get_body(("plain",)).get_content().strip() == "plain"  # type: ignore[union-attr]
        notes, raw, image, inner = received.iter_attachments()
        assert (notes.get_filename(), notes.get_content().strip()) == ("notes.txt", "zur Sitzung: ü")
        assert raw.get_content() == b"\x00\xff"
        assert image.get_content_type() == "image/png"
        assert inner.get_content()["Subject"] == "inner"

    def test_what_no_row_keeps_arrives_as_by_smtp(self, server: Server) -> None:
        message = EmailMultiAlternatives("NUL", "body \0 body", "a@example.com", ["b@example.com"])
        message.attach_alternative("<p>rich \0</p>", "text/html")
        message.attach("nul.txt", "zur \0 Sitzung: ü", "text/plain")
        message.send()
        work()
        plainly = EmailMultiAlternatives(
            "NUL", "body \0 body", "a@example.com", ["b@example.com"], connection=mail.get_connection(SMTP)
        )
        plainly.alternatives, plainly.attachments = message.alternatives, message.attachments
        plainly.send()
        by_job, by_smtp = ([part.get_payload() for part in each.walk()] for each in server.messages())
        assert [each for each in by_job if isinstance(each, str)] == [each for each in by_smtp if isinstance(each, str)]
        assert len([each for each in by_job if isinstance(each, str)]) == 3

    @pytest.mark.parametrize(
        "wrong",
        [
            {"subject": "in\nject"},
            {"from_email": "a@example.com\nBcc: y@example.com"},
            {"to": ["x@example.com\nBcc: y@example.com"]},
            {"bcc": ["x@example.com\nBcc: y@example.com"]},
            {"to": ["<"]},
            {"to": ["a@b@example.com"]},
            {"cc": ["ada@"]},
            {"to": ["ada@example.com, grace@example.com"]},
            {"headers": {"X-Sprint": "12\nBcc: y@example.com"}},
        ],
        ids=str,
    )
    def test_what_is_wrong_with_a_message_is_raised_where_it_is_written_as_by_smtp(
        self, server: Server, wrong: dict[str, Any]
    ) -> None:
        written: dict[str, Any] = {"subject": "s", "body": "b", "from_email": "a@example.com", "to": ["b@example.com"]}
        raised = []
        for backend in (SMTP, None):
            with pytest.raises(ValueError) as caught:
                EmailMessage(**{**written, **wrong}, connection=mail.get_connection(backend)).send()
            raised.append((caught.type, str(caught.value)))
        assert raised[0] == raised[1]
        assert not DBTaskResult.objects.exists()

    @pytest.mark.parametrize(
        ("wrong", "where"),
        [
            ({"subject": "half \udcff"}, "the subject"),
            ({"body": "half \udcff"}, "the body"),
            ({"to": ["\udcff@example.com"]}, "an address"),
            ({"alternatives": [("<p>\udcff</p>", "text/html")]}, "an alternative"),
            ({"attachments": [("half.txt", "half \udcff", "text/plain")]}, "the attachment 'half.txt'"),
            ({"headers": {"X-Sprint": "half \udcff"}}, "the header 'X-Sprint'"),
        ],
        ids=str,
    )
    def test_half_of_a_surrogate_pair_is_said_to_be_one_with_its_place(
        self, server: Server, wrong: dict[str, Any], where: str
    ) -> None:
        written: dict[str, Any] = {"subject": "s", "body": "b", "from_email": "a@example.com", "to": ["b@example.com"]}
        with pytest.raises(UnicodeEncodeError) as caught:
            EmailMultiAlternatives(**{**written, **wrong}).send()
        assert "half of a surrogate pair" in str(caught.value) and f"in {where} of the mail" in str(caught.value)
        assert not DBTaskResult.objects.exists()

    def test_an_address_without_a_domain_is_for_the_server_to_judge_as_by_smtp(self, server: Server) -> None:
        mail.send_mail("local", "", "sprint@example.com", ["postmaster"])
        work()
        assert [message["To"] for message in server.messages()] == ["postmaster"]

    @pytest.mark.skipif(django.VERSION < (6, 1), reason="Django has MAILERS since 6.1.")
    def test_with_mailers_another_entry_sends_it(self, server: Server, settings: Any) -> None:
        address = {"host": settings.EMAIL_HOST, "port": settings.EMAIL_PORT}
        settings.MAILERS = {
            "default": {"BACKEND": "djintegrate.jobs.mail.EmailBackend"},
            "smtp": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": address},
        }
        settings.JOBS_EMAIL_BACKEND = "smtp"
        with transaction.manager:
            send("kept")
        work()
        assert (only_row().status, only_row().traceback) == ("SUCCESSFUL", "")
        assert [message["Subject"] for message in server.messages()] == ["kept"]

    def test_what_a_connection_needs_beside_secrets_reaches_the_backend_that_sends(
        self, server: Server, settings: Any
    ) -> None:
        address = {"host": settings.EMAIL_HOST, "port": settings.EMAIL_PORT}
        settings.EMAIL_HOST, settings.EMAIL_PORT = "192.0.2.1", 9
        EmailMessage("there", "", to=["ada@example.com"], connection=mail.get_connection(**address)).send()
        assert only_row().args_kwargs["args"][1] == address
        work()
        assert [message["Subject"] for message in server.messages()] == ["there"]

    @pytest.mark.parametrize(
        "options",
        [{"username": "ada", "password": "hidden"}, {"password": "hidden"}, {"api_key": "hidden"}, {"token": "hidden"}],
        ids=str,
    )
    def test_a_secret_is_refused_and_written_nowhere(self, server: Server, options: dict[str, str]) -> None:
        with pytest.raises(ImproperlyConfigured) as caught:
            mail.get_connection(**options)
        assert ", ".join(options) in str(caught.value) and "hidden" not in str(caught.value)
        assert "EMAIL_HOST_PASSWORD" in str(caught.value)
        assert not DBTaskResult.objects.exists()

    def test_send_mail_with_a_password_is_refused_and_without_one_is_not(self, server: Server) -> None:
        with pytest.raises(ImproperlyConfigured, match="was given username, password"):
            mail.send_mail("no", "", None, ["ada@example.com"], auth_user="ada", auth_password="hidden")
        send("yes")
        assert only_row().args_kwargs["args"][1] == {}

    def test_a_message_to_nobody_is_no_job(self, server: Server) -> None:
        assert EmailMessage("to nobody", "").send() == 0
        assert not DBTaskResult.objects.exists()


@pytest.mark.urls("tests.jobs.urls")
class TestWhoSeesWhat:
    def test_the_owner_sees_the_subject_and_staff_the_recipients_and_nobody_the_text(
        self, server: Server, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.LOGIN_URL = "login"
        ada = User.objects.create_user("ada")
        settings.JOBS_OWNER = lambda: ada
        send("Engines has moved")
        client = Client()
        client.force_login(ada)
        for path in ("/jobs/", f"/jobs/{only_row().pk}/"):
            page = client.get(path).content.decode()
            assert "Engines has moved" in page
            assert "ada@example.com" not in page and "To room 2" not in page
        User.objects.update(is_staff=True, is_superuser=True)
        for path in ("/jobs/", f"/jobs/{only_row().pk}/"):
            page = client.get(path).content.decode()
            assert "ada@example.com" in page and "To room 2" not in page
        call_command("jobs", "list")
        assert capsys.readouterr().out.strip().endswith("send message  “Engines has moved” to ada@example.com")


class TestTryingAgain:
    def test_a_server_that_refuses_for_now_gets_it_again_after_ten_seconds(self, server: Server) -> None:
        server.answers = ["451 Come back"]
        send()
        work()
        waiting = DBTaskResult.objects.get(status="READY")
        assert timedelta(seconds=5) < waiting.run_after - timezone.now() <= timedelta(seconds=10)
        _hurry()
        work()
        assert len(server.taken) == 1

    def test_a_server_that_is_not_there_gets_it_when_it_is_back(self, server: Server, settings: Any) -> None:
        port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
        send()
        work()
        _hurry()
        settings.EMAIL_PORT = port
        work()
        assert len(server.taken) == 1

    def test_it_is_one_job_that_says_that_the_mail_was_not_sent(self, server: Server) -> None:
        server.answers = ["450 4.2.1 Greylisted"]
        send("Moved")
        work()
        row = only_row()
        known = catalogue.find(str(row.pk))
        assert known is not None and known.word == "later"
        assert wording.message(known) == "The mail server refuses it for now."
        assert "450" in wording.error(known) and "Greylisted" in wording.error(known)
        _hurry()
        work()
        assert (only_row().pk, only_row().status, only_row().return_value) == (row.pk, "SUCCESSFUL", "sent")

    def test_a_server_that_is_not_there_is_said_not_to_answer(self, server: Server, settings: Any) -> None:
        settings.EMAIL_PORT = 1
        send()
        work()
        known = catalogue.find(str(only_row().pk))
        assert known is not None and wording.message(known) == "The mail server does not answer."
        assert "refused" in wording.error(known)

    def test_after_twelve_attempts_the_job_fails_with_the_servers_answer(self, server: Server) -> None:
        server.answers = ["451 Later"] * 12
        send()
        for _ in range(12):
            assert only_row().status == "READY"
            work()
            _hurry()
        assert only_row().status == "FAILED"
        assert only_row().traceback.strip().endswith("(451, b'Later')")
        assert server.answers == [] and server.taken == []

    def test_a_job_that_an_earlier_version_put_off_goes_on_where_it_was(self, server: Server) -> None:
        server.answers = ["451 Later"]
        send()
        message, options = only_row().args_kwargs["args"]
        DBTaskResult.objects.update(args_kwargs={"args": [message, options, 11], "kwargs": {}})
        work()
        assert only_row().status == "FAILED"

    def test_the_pauses_double(self, server: Server) -> None:
        server.answers = ["451 Later"] * 3
        send()
        pauses = []
        for _ in range(3):
            work()
            pauses.append(
                round((DBTaskResult.objects.get(status="READY").run_after - timezone.now()).total_seconds(), -1)
            )
            _hurry()
        assert pauses == [10, 20, 40]

    def test_a_message_that_is_refused_for_good_fails(self, server: Server) -> None:
        server.answers = ["550 Never"]
        send()
        work()
        row = only_row()
        assert row.status == "FAILED"
        assert "550" in row.traceback


def _hurry() -> None:
    """As if the pause were over."""
    DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now() - timedelta(seconds=1))
