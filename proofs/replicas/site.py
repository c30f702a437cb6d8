"""The site, in a process of its own: `python -m proofs.replicas.site wsgi` or `asgi`. Prints its port."""

from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import django
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings

STICKY_SECONDS, MAX_LAG_SECONDS = 2.0, 1.0
TABLES = """
CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, browser integer, number integer);
CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text, expire_date timestamptz);
"""
ENGINE = "djintegrate.storm_backend"


def configure() -> None:
    settings.configure(
        SECRET_KEY="proof",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        STORM_STORES={
            "main": {
                "URI": os.environ["PRIMARY_URI"],
                "REPLICAS": [os.environ["REPLICA_URI"]],
                "STICKY_SECONDS": STICKY_SECONDS,
                "MAX_LAG_SECONDS": MAX_LAG_SECONDS,
            }
        },
        DATABASES={"default": {"ENGINE": ENGINE, "NAME": "main"}},
        INSTALLED_APPS=[ENGINE, "django.contrib.sessions"],
        MIDDLEWARE=[
            f"{ENGINE}.middleware.ZopeTransactionMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
        ],
        LOGGING_CONFIG=None,
        USE_TZ=True,
    )
    django.setup()
    from djintegrate.storm_backend.replicas import lag

    # A replica is dead more often here than anywhere.
    lag.DEAD_FOR = 1.0


def views() -> dict[str, Any]:
    from django.db import connection, models
    from django.http import HttpRequest, JsonResponse
    from storm.locals import Int, Max

    from djintegrate.storm_backend import get_store, store_policy

    class Note(models.Model):
        browser = models.IntegerField()
        number = models.IntegerField()

        class Meta:
            app_label = "replicas"
            db_table = "note"

    class StormNote:
        __storm_table__ = "note"
        id = Int(primary=True)
        browser = Int()
        number = Int()

    def write(request: HttpRequest) -> JsonResponse:
        browser, number = int(request.GET["browser"]), int(request.GET["number"])
        if request.GET["orm"] == "django":
            Note.objects.create(browser=browser, number=number)
        else:
            note = get_store("main").add(StormNote())
            note.browser, note.number = browser, number
        return JsonResponse(seen())

    def seen() -> dict[str, Any]:
        """The highest number of each browser, as each ORM sees it, and the server that was asked."""
        by_django = dict(Note.objects.values_list("browser").annotate(models.Max("number")))
        found = get_store("main").using(StormNote).find((StormNote.browser, Max(StormNote.number)))
        by_storm = dict(found.group_by(StormNote.browser))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            (is_replica,) = cursor.fetchone()
        return {"django": by_django, "storm": by_storm, "is_replica": is_replica}

    def read(request: HttpRequest) -> JsonResponse:
        return JsonResponse(seen())

    async def read_async(request: HttpRequest) -> JsonResponse:
        return JsonResponse(await sync_to_async(seen)())

    @store_policy("replica")
    def feed(request: HttpRequest) -> JsonResponse:
        return JsonResponse(seen())

    def count(request: HttpRequest) -> JsonResponse:
        """Changes the session, whatever the method is."""
        request.session["count"] = request.session.get("count", 0) + 1
        return JsonResponse({"count": request.session["count"], **seen()})

    return {"write": write, "read": read, "read_async": read_async, "feed": feed, "count": count}


class Handler(BaseHTTPRequestHandler):
    """Has each request served by Django's handler for WSGI. A thread lives as long as its browser's connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        response = self.answer(self.command.lower(), self.headers.get("Cookie", ""))
        self.send_response(response.status_code)
        for cookie in response.cookies.values():
            self.send_header("Set-Cookie", cookie.OutputString())
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        self.wfile.write(response.content)

    do_POST = do_GET

    def answer(self, method: str, cookies: str) -> Any:
        from django.test import Client

        client = Client(raise_request_exception=False)
        client.cookies.load(cookies)
        return getattr(client, method)(self.path)

    def log_message(self, *args: Any) -> None:
        """Nothing: the browsers say what they got."""


class AsyncHandler(Handler):
    """The same by Django's handler for ASGI, with an event loop for each request."""

    def answer(self, method: str, cookies: str) -> Any:
        from django.test import AsyncClient

        client = AsyncClient(raise_request_exception=False)
        client.cookies.load(cookies)
        return async_to_sync(getattr(client, method))(self.path)


def serve(kind: str) -> None:
    configure()
    from django.urls import path

    globals()["urlpatterns"] = [path(f"{name}/", view) for name, view in views().items()]
    sys.modules["proofs.replicas.site"] = sys.modules[__name__]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler if kind == "wsgi" else AsyncHandler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1])
