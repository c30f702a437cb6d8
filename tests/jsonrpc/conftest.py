"""The fixtures of the JSON-RPC tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from djintegrate.common.engine import MIDDLEWARE
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

    from tests.dojo.conftest import Site

    httpd = Site()
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


@pytest.fixture(params=["in the middleware's", "in one of its own"])
def service(request: pytest.FixtureRequest, rpc: Caller, settings: Any) -> Caller:
    settings.MIDDLEWARE = [MIDDLEWARE] if request.param == "in the middleware's" else []
    return rpc


@pytest.fixture
def alone(rpc: Caller, settings: Any) -> Caller:
    """The service on a site without the middleware."""
    settings.MIDDLEWARE = []
    return rpc


@pytest.fixture
def native(db_kind: str, unguarded: None, tmp_path: Any) -> Iterator[Any]:
    """An alias on Django's own backend, beside the engine's, with the tests' table of people."""
    from django.db import connections
    from django.db.transaction import get_connection

    from tests.apps.people.models import Person

    configured = dict(connections["default"].settings_dict)
    engine = {"sqlite": "sqlite3", "postgres": "postgresql", "mysql": "mysql"}[db_kind]
    entry = {**configured, "ENGINE": f"django.db.backends.{engine}", "NAME": configured["NAME"]}
    if db_kind == "sqlite":
        entry["NAME"] = str(tmp_path / "native.sqlite3")
    connections.settings["native"] = entry
    connection = connections["native"]
    if db_kind == "sqlite":
        with connection.schema_editor() as editor:
            editor.create_model(Person)
    yield connection
    get_connection("native").close()
    del connections["native"]
    del connections.settings["native"]
