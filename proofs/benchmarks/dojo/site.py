"""The site of the Dojo benchmark: settings, and one page with a form of ten different dijits."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from djintegrate.dojo import models as dojo
from djintegrate.dojo.forms import DijitRenderer

CACHE = Path(__file__).parent.parent.parent.parent / ".cache"
FLOOR_BUILD = CACHE / "dojo-bench-floor"
CHOICES = [(str(number), f"Room {number}") for number in range(10)]
_BEGINNING = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Ten dijits</title><link rel="icon" href="data:,">
"""
_BODY = """</head>
<body><form method="post">{{ form }}<button>Send</button></form></body></html>"""
TEMPLATE = _BEGINNING + "{% load dojo %}{% dojo request.dojo %}" + _BODY
PLAIN = _BEGINNING + _BODY
PLAIN_WITH_LOOK = (
    _BEGINNING + '{% load static %}<link rel="stylesheet" href="{% static "djintegrate/dojo/form.css" %}">' + _BODY
)
FLOOR_MODULES = [
    "dijit/form/ValidationTextBox", "dijit/form/Textarea", "dijit/form/NumberTextBox", "dijit/form/NumberSpinner",
    "dijit/form/DateTextBox", "dijit/form/TimeTextBox", "dijit/form/CheckBox", "dijit/form/Select",
    "dijit/form/FilteringSelect", "dijit/form/RadioButton",
]  # fmt: skip
FLOOR = (
    _BEGINNING
    + """<link rel="stylesheet" href="/static/floor/dijit/themes/claro/claro.css">
<script>
var dojoConfig = { async: true, baseUrl: "/static/floor/dojo/", locale: "en", has: { "csp-restrictions": true },
    deps: MODULES.concat("dojo/domReady!"),
    callback: function (Text, Area, Number, Spinner, Date, Time, Check, Select, Filtering, Radio) {
        document.documentElement.className = "claro";
        new Text({ required: true, name: "title" }, "id_title").startup();
        new Area({ name: "text" }, "id_text").startup();
        new Number({ required: true, name: "seats" }, "id_seats").startup();
        new Spinner({ required: true, name: "level" }, "id_level").startup();
        new Date({ required: true, name: "day" }, "id_day").startup();
        new Time({ required: true, name: "hour" }, "id_hour").startup();
        new Check({ name: "public" }, "id_public").startup();
        new Select({ name: "room" }, "id_room").startup();
        new Filtering({ required: true, name: "hall" }, "id_hall").startup();
        [0, 1, 2].forEach(function (number) {
            new Radio({ name: "way", value: String(number) }, "id_way_" + number).startup();
        });
        document.documentElement.setAttribute("data-djintegrate", "ready");
    } };
</script>
<script defer src="/static/floor/dojo/dojo.js"></script>""".replace("MODULES", json.dumps(FLOOR_MODULES))
    + _BODY
)


ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""Of other pages browsers tell the time of a paint to four milliseconds only."""


class Ten(forms.Form):
    """Each field another dijit."""

    title = dojo.dojo_field(forms.CharField(), "dijit.form.ValidationTextBox")
    text = dojo.dojo_field(forms.CharField(widget=forms.Textarea), "dijit.form.Textarea")
    seats = dojo.dojo_field(forms.IntegerField(), "dijit.form.NumberTextBox")
    level = dojo.dojo_field(forms.IntegerField(), "dijit.form.NumberSpinner")
    day = dojo.dojo_field(forms.DateField(), "dijit.form.DateTextBox")
    hour = dojo.dojo_field(forms.TimeField(), "dijit.form.TimeTextBox")
    public = dojo.dojo_field(forms.BooleanField(), "dijit.form.CheckBox")
    room = dojo.dojo_field(forms.ChoiceField(choices=CHOICES), "dijit.form.Select")
    hall = dojo.dojo_field(forms.ChoiceField(choices=CHOICES), "dijit.form.FilteringSelect")
    way = dojo.dojo_field(forms.ChoiceField(choices=CHOICES[:3], widget=forms.RadioSelect), "dijit.form.RadioButton")


class TenWithLook(Ten):
    default_renderer = DijitRenderer


class Twenty(forms.Form):
    """Two of each."""

    for name, form_field in list(Ten.base_fields.items()):
        locals()[f"first_{name}"] = locals()[f"second_{name}"] = form_field
    del name, form_field


def dijits(request: HttpRequest) -> HttpResponse:
    return _page(request, Ten())


def dijits_with_look(request: HttpRequest) -> HttpResponse:
    return _page(request, TenWithLook())


def plain(request: HttpRequest) -> HttpResponse:
    """The same HTML, and nothing else."""
    return _answer(PLAIN, request, Ten())


def plain_with_look(request: HttpRequest) -> HttpResponse:
    return _answer(PLAIN_WITH_LOOK, request, TenWithLook())


def floor(request: HttpRequest) -> HttpResponse:
    """The same dijits over the same HTML, made by a few lines of Dojo from a build of the same modules."""
    return _answer(FLOOR, request, Ten())


def _page(request: HttpRequest, form: forms.Form) -> HttpResponse:
    request.dojo.dojo_form(form)
    return _answer(TEMPLATE, request, form)


def _answer(template: str, request: HttpRequest, form: forms.Form) -> HttpResponse:
    page = engines["django"].from_string(template).render({"form": form}, request)
    return HttpResponse(page, headers=ISOLATED)


def configure(**more: Any) -> None:
    """The settings of a benchmark's site; `more` goes over them."""
    given: dict[str, Any] = {
        "SECRET_KEY": "benchmark",
        "ALLOWED_HOSTS": ["127.0.0.1", "testserver"],
        "ROOT_URLCONF": "proofs.benchmarks.dojo.site",
        "INSTALLED_APPS": ["djintegrate.dojo", "django.contrib.staticfiles"],
        "MIDDLEWARE": ["djintegrate.dojo.middleware.DojoMiddleware"],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        "STATIC_URL": "/static/",
        "DOJO_ROOT": CACHE / "dojo",
        "DOJO_BUILD_ROOT": CACHE / "dojo-bench",
        "STATICFILES_DIRS": [("source", CACHE / "dojo"), ("build", CACHE / "dojo-bench"), ("floor", FLOOR_BUILD)],
        "LANGUAGES": [("en", "English")],
        "DOJO_URL": "/static/build/dojo",
    }
    settings.configure(**{**given, **more})
    django.setup()


@contextmanager
def serving() -> Iterator[str]:
    """The site's address, for as long as the block runs.

    Static files come from memory and in one piece, as a server's for that would. Django's own for development finds
    and reads each anew, and writes it in hundreds of pieces: what a page fetches would compete for this process's
    interpreter with what its first paint waits for, and not for the browser.
    """
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    known: dict[str, tuple[bytes, str]] = {}

    class Static(StaticFilesHandler):
        def serve(self, request: HttpRequest) -> HttpResponse:
            if request.path not in known:
                found = super().serve(request)
                known[request.path] = found.getvalue(), found["Content-Type"]
            content, kind = known[request.path]
            return HttpResponse(content, content_type=kind)

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, ipv6=False)
    server.daemon_threads = True
    server.set_app(Static(WSGIHandler()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


urlpatterns = [
    path("dijits/", dijits),
    path("dijits-with-look/", dijits_with_look),
    path("plain/", plain),
    path("plain-with-look/", plain_with_look),
    path("floor/", floor),
]
