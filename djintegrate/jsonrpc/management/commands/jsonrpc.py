"""`manage.py jsonrpc call URL method …`: calls a method of a JSON-RPC service, and prints its result."""

from __future__ import annotations

import getpass
import json
import os
import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...protocol.messages import VERSIONS
from ...proxy import ServiceError, ServiceProxy

PASSWORD = "JSONRPC_PASSWORD"


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
            help='Parameters: all as "value" or all as "name=value". A value is JSON, or else a text.',
        )  # fmt: skip
        parser.add_argument("--rpc-version", choices=VERSIONS, default="2.0", help="The version of JSON-RPC to speak.")
        parser.add_argument("--user", help=f"HTTP Basic: the password is asked for, or taken from {PASSWORD}.")
        parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE", help="A header to send.")
        parser.add_argument("--timeout", type=float, default=60, metavar="SECONDS")

    def handle(self, *args: Any, **options: Any) -> None:
        positional, named = _params(options["params"])
        try:
            service = ServiceProxy(
                options["url"], options["method"], version=options["rpc_version"], auth=_auth(options["user"]),
                headers=dict(map(_header, options["header"])), timeout=options["timeout"],
            )  # fmt: skip
            answer = service(*positional, **named)
        except (ServiceError, ValueError) as error:
            raise CommandError(str(error)) from error
        if answer.get("error") is not None:
            raise CommandError(_told(answer["error"]))
        self.stdout.write(json.dumps(answer.get("result"), indent=2, ensure_ascii=False))


def _params(words: list[str]) -> tuple[list[Any], dict[str, Any]]:
    named = [re.match(r"([A-Za-z_]\w*)=(.*)", word, re.DOTALL) for word in words]
    if words and all(named):
        return [], {found[1]: _value(found[2]) for found in named if found}
    return [_value(word) for word in words], {}


def _value(word: str) -> Any:
    try:
        return json.loads(word)
    except ValueError:
        return word


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
        return json.dumps(error, ensure_ascii=False)
    data = error.get("data", error.get("error"))
    more = "" if data is None else "\n" + json.dumps(data, indent=2, ensure_ascii=False)
    return f"{error.get('message')} ({error.get('code')}){more}"
