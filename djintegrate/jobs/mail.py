"""Mail that is sent if, and only if, the transaction commits: each message is a job, which is put off for a while.

EMAIL_BACKEND = "djintegrate.jobs.mail.EmailBackend"; the backend that really sends is JOBS_EMAIL_BACKEND. With MAILERS,
which Django has since 6.1, both are entries of that.
"""

from __future__ import annotations

import base64
import re
import smtplib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from email import policy
from email.message import Message, MIMEPart
from email.mime.base import MIMEBase
from email.parser import BytesParser
from typing import Any

from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from djintegrate.common.errors import Misconfigured
from djintegrate.common.texts import UNKEPT

from . import conf
from .errors import PutOff
from .tasks import task

PAUSES = [timedelta(seconds=10 * 2**number) for number in range(11)]
"""Between twelve attempts: the last one comes some six hours after the first."""
SECRET = re.compile(r"user|pass|secret|token|credential|auth|api|key(?!file)", re.IGNORECASE)
"""An option of this name is nothing for a row that others can read. The file of a key is named, and not shown."""
HALF = re.compile("[\ud800-\udfff]")
FIELDS = ("subject", "body", "from_email", "to", "cc", "bcc", "reply_to")


class EmailBackend(BaseEmailBackend):
    """EMAIL_BACKEND, or an entry of MAILERS: each message becomes a job, which JOBS_EMAIL_BACKEND sends."""

    def __init__(self, fail_silently: bool = False, alias: str | None = None, **options: Any) -> None:
        # Django 6.1 gives `alias` for an entry of MAILERS, and does not want to hear of `fail_silently` any more.
        known: dict[str, Any] = {"alias": alias} if alias else {"fail_silently": True} if fail_silently else {}
        super().__init__(**known)
        # send_mail() names user and password even where it was given none.
        self._options = {name: value for name, value in options.items() if value is not None}
        if secret := [name for name, value in self._options.items() if value and SECRET.search(name)]:
            raise Misconfigured(
                f"The connection for a mail was given {', '.join(secret)}, which the mail's job would keep in its row. "
                "Give it to the backend that sends: by EMAIL_HOST_USER and EMAIL_HOST_PASSWORD, or with MAILERS by the "
                f"OPTIONS of its entry. To send one mail at once, name {conf.email_backend()!r} to get_connection()."
            )

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Enqueue them. The count is of those that are to be sent: whether the mail server takes them shows later."""
        for message in email_messages:
            if message.recipients():
                _refuse_unsendable(message)
                send_message.enqueue(_as_json(message), self._options)
        return sum(1 for message in email_messages if message.recipients())


@task
def send_message(message: dict[str, Any], options: dict[str, Any], tried: int = 0) -> str:
    """Send one message by JOBS_EMAIL_BACKEND. Where the server does not answer, or refuses for now, later once more.

    `tried` is of jobs that an earlier version has put off, each time as a new one.
    """
    connection = _sender(options)
    try:
        connection.send_messages([_from_json(message)])
    except Exception as error:
        if not _may_succeed_later(error):
            raise
        refuses = isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused)
        reason = _("The mail server refuses it for now.") if refuses else _("The mail server does not answer.")
        raise PutOff(reason, PAUSES[tried:]) from error
    return "sent"


def _refuse_unsendable(message: EmailMessage) -> None:
    """Raise what the backend that sends would raise of the message itself: whoever wrote it is to hear of that."""
    _refuse_halves(message)
    mailers, named = conf.mailers(), conf.email_backend()
    kind = import_string(named if mailers is None else mailers[named]["BACKEND"])
    if issubclass(kind, SmtpBackend):
        # The recipients that no header shows as well.
        _Rehearsal()._send(EmailMessage(from_email=message.from_email, to=message.recipients()))
    message.message()


def _refuse_halves(message: EmailMessage) -> None:
    """Whoever encodes them raises as well, and says neither what of the mail is meant nor what is wrong with it."""
    for where, text in _texts(message):
        if found := HALF.search(text):
            reason = (
                f"it is half of a surrogate pair, as in names of files that are not UTF-8, and is in {where} of the "
                f'mail {str(message.subject)!r}. Replace it, for instance by text.encode(errors="replace").decode().'
            )
            raise UnicodeEncodeError("utf-8", text, *found.span(), reason)


def _texts(message: EmailMessage) -> Iterator[tuple[str, str]]:
    """The texts of a message that may be of any characters, each with its name."""
    yield from ((f"the {name}", str(getattr(message, name))) for name in ("body", "subject"))
    yield from (("an alternative", str(content)) for content, _ in getattr(message, "alternatives", ()))
    for attachment in message.attachments:
        if isinstance(attachment, tuple):
            name, content, mimetype = attachment
            # In a string that is no text, a half may stand for a byte.
            texts = (name, content) if str(mimetype).startswith("text/") else (name,)
            yield from ((f"the attachment {name!r}", text) for text in texts if isinstance(text, str))
    yield from (("an address", str(each)) for each in (message.from_email, *message.recipients(), *message.reply_to))
    yield from ((f"the header {name!r}", str(value)) for name, value in message.extra_headers.items())


class _Rehearsal(SmtpBackend):
    """Does with a message all that goes before a connection, and has none."""

    def __init__(self) -> None:
        self.connection: Any = self
        self.fail_silently = False

    def sendmail(self, *args: Any, **kwargs: Any) -> None:
        """As smtplib's, to nowhere."""


def _sender(options: dict[str, Any]) -> Any:
    if conf.mailers() is not None:
        return import_string("django.core.mail.mailers")[conf.email_backend()]
    return get_connection(conf.email_backend(), **options)


def _may_succeed_later(error: Exception) -> bool:
    """Whether the mail server was not there, or has said with a code in the four hundreds to come back."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(_is_temporary(code) for code, said in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return _is_temporary(error.smtp_code)
    return (isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException)) or isinstance(
        error, smtplib.SMTPServerDisconnected
    )


def _is_temporary(code: int) -> bool:
    # -1 is smtplib's for an answer that makes no sense.
    return code == -1 or 400 <= code < 500


def _as_json(message: EmailMessage) -> dict[str, Any]:
    kept: dict[str, Any] = {name: getattr(message, name) for name in FIELDS}
    kept["headers"] = {name: str(value) for name, value in message.extra_headers.items()}
    kept["subtype"] = message.content_subtype
    kept["attachments"] = [_attachment(each) for each in message.attachments]
    if message.encoding is not None:
        kept["encoding"] = str(message.encoding)
    if isinstance(message, EmailMultiAlternatives):
        kept["alternatives"] = [[_text(content), mimetype] for content, mimetype in message.alternatives]
    kept["subject"], kept["body"] = str(kept["subject"]), _text(str(kept["body"]))
    return kept


def _text(text: Any) -> Any:
    """As a row can keep it: a mail may have a NUL in it, and a row may not."""
    if not (isinstance(text, str) and UNKEPT.search(text)):
        return text
    return {"utf-8": base64.b64encode(text.encode(errors="surrogatepass")).decode()}


def _text_of(kept: Any) -> Any:
    return base64.b64decode(kept["utf-8"]).decode(errors="surrogatepass") if isinstance(kept, dict) else kept


def _attachment(attachment: Any) -> dict[str, Any]:
    if isinstance(attachment, Message):
        kind = "part" if isinstance(attachment, MIMEPart) else "message"
        return {kind: base64.b64encode(attachment.as_bytes()).decode()}
    name, content, mimetype = attachment
    if isinstance(content, EmailMessage):
        content = content.message()
    if isinstance(content, Message):
        content = content.as_bytes()
    kept = {"name": name, "type": mimetype}
    if isinstance(content, str):
        return {**kept, "text": _text(content)}
    return {**kept, "bytes": base64.b64encode(content).decode()}


def _from_json(kept: dict[str, Any]) -> EmailMessage:
    kind = EmailMultiAlternatives if "alternatives" in kept else EmailMessage
    message = kind(headers=kept["headers"], **{**{name: kept[name] for name in FIELDS}, "body": _text_of(kept["body"])})
    message.content_subtype = kept["subtype"]
    message.encoding = kept.get("encoding")
    for content, mimetype in kept.get("alternatives", ()):
        message.attach_alternative(_text_of(content), mimetype)
    for attachment in kept["attachments"]:
        message.attach(*_attached(attachment))
    return message


def _attached(kept: dict[str, Any]) -> tuple[Any, ...]:
    """What the message's attach() is called with."""
    if "part" in kept:
        return (BytesParser(policy=policy.default).parsebytes(base64.b64decode(kept["part"])),)
    if "message" in kept:
        return (BytesParser(_class=_Attachment).parsebytes(base64.b64decode(kept["message"])),)
    content = _text_of(kept["text"]) if "text" in kept else base64.b64decode(kept["bytes"])
    return (kept["name"], content, kept["type"])


class _Attachment(MIMEBase):
    """An attachment as Django wants it, which a parser can make."""

    def __init__(self, **options: Any) -> None:
        Message.__init__(self, **options)
