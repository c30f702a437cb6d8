"""Serves the provider on the loopback interface, in a process of its own: python -m testproject.provider --port 8001

Its first line of output is its address. With --until-input-ends it ends with its input, and so with who started it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress

import django
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

HOST = "127.0.0.1"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m testproject.provider", description=__doc__)
    parser.add_argument("--port", type=int, default=8001, help="0 takes a free one")
    parser.add_argument("--folder", help="where it keeps people and associations; without, they are forgotten")
    parser.add_argument("--until-input-ends", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="djintegrate-provider-") as forgotten:
        os.environ["SAMPLE_PROVIDER_FOLDER"] = options.folder or forgotten
        os.environ["DJANGO_SETTINGS_MODULE"] = "testproject.provider.settings"
        settings.DEBUG = True  # only so that the style sheet is served
        django.setup()
        _serve(options.port, options.until_input_ends)


def _serve(port: int, until_input_ends: bool) -> None:
    from .urls import CONNECT

    server = ThreadedWSGIServer((HOST, port), _QuietHandler, ipv6=False)
    server.set_app(StaticFilesHandler(WSGIHandler()))
    print(f"http://{HOST}:{server.server_port}/", flush=True)
    if not CONNECT:
        print("It speaks OpenID 2.0 alone: for OpenID Connect install djintegrate[oidc].", file=sys.stderr)
    if until_input_ends:
        threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=0.05)
    server.server_close()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing: errors are Django's to report."""


if __name__ == "__main__":
    main()
