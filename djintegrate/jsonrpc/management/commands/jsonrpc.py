"""`manage.py jsonrpc call URL method …`: calls a method of a JSON-RPC service, and prints its result."""

from __future__ import annotations

import getpass
import json
import os
import re
import shlex
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...protocol import digits
from ...protocol.messages import VERSIONS
from ...proxy import ServiceError, ServiceProxy

PASSWORD = "JSONRPC_PASSWORD"
NAMED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


class Command(BaseCommand):
    help = "Calls a method of a JSON-RPC service."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["call"], help="Call a method and print its result as JSON.")
        parser.add_argument(
            "url", metavar="URL", help="The address of the service, such as http://127.0.0.1:8000/json/"
        )
        parser.add_argument("method", help="The method's name, such as app.sayHello")
        parser.add_argument(
            "params", nargs="*", metavar="value",
            help='Parameters: all as "value" or all as "name=value". A value is JSON, sent as it is, or a text.',
        )  # fmt: skip
        parser.add_argument("--rpc-version", choices=VERSIONS, default="2.0", help="The version of JSON-RPC to speak.")
        parser.add_argument("--user", help=f"HTTP Basic: the password is asked for, or taken from {PASSWORD}.")
        parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE", help="A header to send.")
        parser.add_argument("--timeout", type=float, default=60, metavar="SECONDS")

    def handle(self, *args: Any, **options: Any) -> None:
        params = _params(options["params"])
        try:
            service = ServiceProxy(
                options["url"], options["method"], version=options["rpc_version"], auth=_auth(options["user"]),
                headers=dict(map(_header, options["header"])), timeout=options["timeout"],
            )  # fmt: skip
            answer = service._call(params, digits.read)
        except (ServiceError, ValueError) as error:
            raise CommandError(str(error)) from error
        if answer.get("error") is not None:
            raise CommandError(_told(answer["error"]))
        self.stdout.write(digits.show(answer.get("result")))


def _params(words: list[str]) -> str:
    """As JSON. Its numbers are sent as they were written, with all their digits."""
    named = [NAMED.fullmatch(word) for word in words]
    if not any(named):
        return f"[{', '.join(map(_value, words))}]"
    if not all(named):
        by_name = next(word for word, found in zip(words, named, strict=True) if found)
        by_place = next(word for word, found in zip(words, named, strict=True) if not found)
        raise CommandError(
            f"{by_place!r} is given by place, and {by_name!r} by name. Give all by place, or all by name. "
            f"If {by_name!r} is a text, write it as JSON: {shlex.quote(json.dumps(by_name, ensure_ascii=False))}"
        )
    found = [(each[1], each[2]) for each in named if each]
    twice = next((name for number, (name, _) in enumerate(found) if name in dict(found[:number])), None)
    if twice is not None:
        raise CommandError(f"The parameter {twice!r} is given twice. For several values, give an array: {twice}=[1,2]")
    return f"{{{', '.join(f'{json.dumps(name)}: {_value(word)}' for name, word in found)}}}"


def _value(word: str) -> str:
    return word if digits.is_json(word) else json.dumps(word)


def _auth(user: str | None) -> tuple[str, str] | None:
    if user is None:
        return None
    return user, os.environ.get(PASSWORD) or getpass.getpass(f"Password of {user}: ")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise CommandError(f"--header {text!r} has no colon. Write it as 'Name: value'.")
    return name.strip(), value.strip()


def _told(error: Any) -> str:
    if not isinstance(error, dict):
        return digits.show(error)
    data = error.get("data", error.get("error"))
    more = "" if data is None else "\n" + digits.show(data)
    return f"{error.get('message')} ({error.get('code')}){more}"
