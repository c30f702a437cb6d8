"""What a stranger sends as text: lines of a log, halves of characters, NULs, and names that look like another's."""

# ruff: noqa: RUF001, E501
from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client
from openid.association import Association as OIDAssociation

from djintegrate.openid_auth.models import Association, UserOpenID
from djintegrate.openid_auth.site.log_lines import OneLine
from djintegrate.openid_auth.site.text import one_line
from djintegrate.openid_auth.store import DjangoOpenIDStore
from tests.openid_auth.hostile import SELECT, SIGNON, SREG, Hostile, sent_back, xrds
from tests.openid_auth.provider import Provider
from tests.openid_auth.site import Visitor, host_of, refused, set_up

pytestmark = pytest.mark.django_db
XML = "application/xrds+xml"
FORGED = "CRITICAL root: root signed in"
BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x1b[2K", "\x00"]


@pytest.fixture(autouse=True)
def site(settings: Any, provider: Provider, hostile: Hostile) -> None:
    set_up(settings, host_of(provider.url), hostile.host)


@pytest.mark.at_length
class TestLogs:
    @pytest.fixture
    def log(self) -> Iterator[io.StringIO]:
        """Everything that is logged, as a site's file would have it."""
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        yield stream
        root.removeHandler(handler)
        root.setLevel(level)

    def lines(self, log: io.StringIO) -> list[str]:
        return [line.strip("\x00") for line in log.getvalue().splitlines()]

    @pytest.mark.parametrize(
        "field",
        ["claimed_id", "identity", "assoc_handle", "op_endpoint", "response_nonce", "mode", "error", "sig", "invalidate_handle",
         "sreg.nickname", "signed", "return_to", "ns.x"],
    )  # fmt: skip
    def test_no_field_of_an_answer_begins_a_line(self, hostile: Hostile, log: io.StringIO, field: str) -> None:
        for line_break in BREAKS:
            visitor = Visitor()
            answer = hostile.sign(hostile.answer(visitor.request(hostile.select)))
            answer[f"openid.{field}"] = answer.get(f"openid.{field}", "") + line_break + FORGED
            assert refused(visitor.complete(sent_back(answer))), repr(line_break)
            forged = [line for line in self.lines(log) if line.startswith(FORGED) or "\x1b" in line]
            assert not forged, repr(line_break)

    @pytest.mark.parametrize("line_break", ["\n", "\r", "\x0b", "\x85", "\u2028"])
    def test_nor_does_what_a_provider_serves(self, hostile: Hostile, log: io.StringIO, line_break: str) -> None:
        text = line_break + FORGED
        entity = "".join(f"&#{ord(letter)};" for letter in text)
        local = xrds(hostile.endpoint, SIGNON).replace("</URI>", f"</URI><LocalID>x{entity}</LocalID>")
        kv = f"ns:http://specs.openid.net/auth/2.0\nerror:x{text}\nerror_code:x{text}\nassoc_type:{text}\n"
        endpoint = hostile.serve("error", kv.encode(), status=400)
        for document in (
            local, xrds(f"{hostile.endpoint}{entity}", SELECT), xrds(hostile.endpoint, f"{SELECT}{entity}"), xrds(endpoint, SELECT),
            f"<x>{text}",
        ):  # fmt: skip
            Visitor().begin(hostile.serve("log", document.encode(), Content_Type=XML))
        Visitor().begin(hostile.serve("status", status=404, Location=text.strip()))
        assert not [line for line in self.lines(log) if line.startswith(FORGED)]

    def test_nor_what_is_typed(self, log: io.StringIO) -> None:
        for line_break in BREAKS:
            Visitor().begin(f"http://me.example/{line_break}{FORGED}")
        assert not [line for line in self.lines(log) if line.startswith(FORGED)]

    def test_every_logger_of_the_library_is_filtered(self) -> None:
        """A new release may have new ones."""
        names = {name for name in sys.modules if name.split(".")[0] == "openid"}
        loggers = [logging.getLogger(name) for name in names if name in logging.root.manager.loggerDict]
        used = [logger for logger in loggers if vars(sys.modules[logger.name]).get("logger") is logger]
        assert len(used) > 3
        assert [logger.name for logger in used if not any(isinstance(each, OneLine) for each in logger.filters)] == []

    def test_an_escaped_text_is_one_line_and_says_what_was_there(self) -> None:
        for line_break in BREAKS:
            assert one_line(f"a{line_break}b").splitlines() == [one_line(f"a{line_break}b")]
        assert one_line("a\nb\u2028é") == "a\\nb\\u2028é"


class TestWhatWasA500:
    @pytest.mark.parametrize("local_id", ["", " ", "&#10;x"])
    def test_an_empty_local_identifier(self, hostile: Hostile, local_id: str) -> None:
        links = (
            f'<link rel="openid2.provider" href="{hostile.endpoint}"><link rel="openid2.local_id" href="{local_id}">'
        )
        document = xrds(hostile.endpoint, SIGNON).replace("</URI>", f"</URI><LocalID>{local_id}</LocalID>")
        for path in ("/openid/", "/aopenid/"):
            visitor = Visitor()
            visitor.prefix = path
            assert visitor.begin(hostile.serve("empty", links)).status_code in (302, 400)
            assert visitor.begin(hostile.serve("empty", document, Content_Type=XML)).status_code in (302, 400)

    @pytest.mark.parametrize("handle", ["a\0b", "a\nb", "\ud800", "é", "", " ", "x" * 256])
    def test_a_handle_that_is_not_one(self, hostile: Hostile, handle: str) -> None:
        store = DjangoOpenIDStore()
        association = OIDAssociation.fromExpiresIn(1000, handle, b"s" * 20, "HMAC-SHA1")
        store.storeAssociation(hostile.endpoint, association)
        assert not Association.objects.exists()
        assert store.getAssociation(hostile.endpoint, handle) is None
        assert not store.removeAssociation(hostile.endpoint, handle)
        connection.ensure_connection()

    def test_a_handle_that_a_direct_answer_takes_back(self, hostile: Hostile) -> None:
        said = "is_valid:true\nns:http://specs.openid.net/auth/2.0\ninvalidate_handle:a\0b\n"
        endpoint = hostile.serve("invalidates", said)
        url = hostile.serve("served", xrds(endpoint, SELECT), Content_Type=XML)
        identity = hostile.serve("vouched", xrds(endpoint, SIGNON), Content_Type=XML)
        visitor = Visitor()
        answer = hostile.answer(visitor.request(url), identity, op_endpoint=endpoint)
        answer["openid.assoc_handle"] = "made-up"
        assert visitor.complete(sent_back(hostile.sign(answer))).status_code in (302, 403)

    @pytest.mark.at_length
    @pytest.mark.parametrize(
        "charset",
        ["utf-7", "utf-16", "utf-32", "utf-8", "unicode_escape", "raw_unicode_escape", "cp037", "idna", "no-such"],
    )
    @pytest.mark.parametrize("field", ["openid.mode", "openid_identifier", "next", "+2AA-"])
    @pytest.mark.parametrize("path", ["login/", "complete/", "complete/?posted_again=1&openid.mode=id_res"])
    def test_half_a_character_by_an_odd_charset(self, charset: str, field: str, path: str) -> None:
        client = Client(raise_request_exception=True)
        kind = f"multipart/form-data; boundary=x; charset={charset}"
        for value in ("+2AA-", "\\ud800", "\\U0000d800"):
            body = f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n--x--\r\n'
            for prefix in ("/openid/", "/aopenid/"):
                response = client.generic("POST", prefix + path, body.encode(), content_type=kind)
                assert response.status_code in (200, 400, 403)
                query = f"{prefix}{path}{'&' if '?' in path else '?'}{field}={value}"
                kinds = {"content_type": f"text/plain; charset={charset}"}
                assert client.generic("GET", query, b"", **kinds).status_code in (200, 400, 403)


class TestNames:
    @pytest.mark.parametrize(
        "hidden",
        ["\u3164", "\ufe0f", "\u034f", "\u200b", "\u2060", "\u115f", "\u17b4", "\u180e", "\uffa0", "\u00ad", "\U000e0041"],
    )  # fmt: skip
    @pytest.mark.parametrize("field", ["nickname", "fullname"])
    def test_what_does_not_show_is_not_in_one(self, hostile: Hostile, hidden: str, field: str) -> None:
        visitor = Visitor()
        value = f"{hidden}ad{hidden}min{hidden}"
        answer = hostile.answer(visitor.request(hostile.select), ns__sreg=SREG, **{f"sreg__{field}": value})
        assert visitor.complete(sent_back(hostile.sign(answer))).status_code == 302
        user = User.objects.get()
        assert "admin" in (user.username, user.last_name)
        assert hidden not in user.username + user.first_name + user.last_name

    @pytest.mark.parametrize("look_alike", ["аdmin", "ɑdmin", "ａdmin", "𝐚𝐝𝐦𝐢𝐧", "аdmіn", "admin"])
    def test_who_looks_like_somebody_gets_a_number(self, hostile: Hostile, look_alike: str) -> None:
        User.objects.create_user("admin")
        visitor = Visitor()
        answer = hostile.answer(visitor.request(hostile.select), ns__sreg=SREG, sreg__nickname=look_alike)
        assert visitor.complete(sent_back(hostile.sign(answer))).status_code == 302
        assert visitor.who[-1].isdecimal()

    @pytest.mark.parametrize("name", ["Ада", "мария", "山田", "José", "Ægir", "m1"])
    def test_who_looks_like_nobody_keeps_the_name(self, hostile: Hostile, name: str) -> None:
        User.objects.create_user("admin")
        visitor = Visitor()
        answer = hostile.answer(visitor.request(hostile.select), ns__sreg=SREG, sreg__nickname=name)
        visitor.complete(sent_back(hostile.sign(answer)))
        assert visitor.who == name

    def test_strict_names_refuse_a_look_alike(self, settings: Any, hostile: Hostile) -> None:
        settings.OPENID_STRICT_USERNAMES = True
        User.objects.create_user("admin")
        visitor = Visitor()
        answer = hostile.answer(visitor.request(hostile.select), ns__sreg=SREG, sreg__nickname="аdmin")
        assert visitor.complete(sent_back(hostile.sign(answer))).status_code == 403
        assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("nickname", ["grace", ""])
def test_newcomers_at_the_same_moment_all_get_in(settings: Any, hostile: Hostile, nickname: str) -> None:
    settings.MIDDLEWARE = settings.MIDDLEWARE[1:]
    count = 16
    visitors = [Visitor() for _ in range(count)]
    named = {"ns__sreg": SREG, "sreg__nickname": nickname} if nickname else {}
    answers = []
    for number, visitor in enumerate(visitors):
        answer = hostile.answer(visitor.request(hostile.select), hostile.identity(f"p{number}"), **named)
        answers.append(sent_back(hostile.sign(answer)))
    barrier = threading.Barrier(count)
    outcomes: list[int] = []

    def arrive(visitor: Visitor, answer: str) -> None:
        barrier.wait()
        try:
            outcomes.append(visitor.complete(answer).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=arrive, args=pair) for pair in zip(visitors, answers, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [302] * count
    assert UserOpenID.objects.count() == User.objects.count() == count
