"""The fixtures of the JSON-RPC tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.jsonrpc.caller import Caller


@pytest.fixture
def rpc(settings: Any) -> Iterator[Caller]:
    """A client of the tests' service, to which no client has yet been."""
    # These want settings, which are not there when this file is loaded.
    from django.core.cache import cache

    from tests.jsonrpc import methods

    settings.ROOT_URLCONF = "tests.jsonrpc.urls"
    methods.heard.clear()
    cache.clear()
    yield Caller()
    cache.clear()


@pytest.fixture
def server(rpc: Caller, settings: Any) -> Iterator[str]:
    """The address of a site with the static files, whose middleware is what the settings say at the first request.

    pytest-django's live server has that of the first test that used it.
    """
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    httpd = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, ipv6=False)
    httpd.daemon_threads = True
    lock, handlers = threading.Lock(), []

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        with lock:
            if not handlers:
                handlers.append(StaticFilesHandler(WSGIHandler()))
        return handlers[0](environ, start_response)

    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    httpd.set_app(application)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()
    thread.join()
