"""The site of the Dojo benchmark: settings, and one page with a form of ten different dijits."""

from __future__ import annotations

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

CACHE = Path(__file__).parent.parent.parent.parent / ".cache"
CHOICES = [(str(number), f"Room {number}") for number in range(10)]
TEMPLATE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Ten dijits</title><link rel="icon" href="data:,">
{% load dojo %}{% dojo request.dojo %}</head>
<body><form method="post">{{ form.as_div }}<button>Send</button></form></body></html>"""


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


class Twenty(forms.Form):
    """Two of each."""

    for name, form_field in list(Ten.base_fields.items()):
        locals()[f"first_{name}"] = locals()[f"second_{name}"] = form_field
    del name, form_field


def page(request: HttpRequest) -> HttpResponse:
    form = Ten()
    request.dojo.dojo_form(form)
    return HttpResponse(engines["django"].from_string(TEMPLATE).render({"form": form}, request))


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
        "DOJO_CACHE": CACHE / "npm",
        "DOJO_BUILD_ROOT": CACHE / "dojo-bench",
        "STATICFILES_DIRS": [("source", CACHE / "dojo"), ("build", CACHE / "dojo-bench")],
        "LANGUAGES": [("en", "English")],
    }
    settings.configure(**{**given, **more})
    django.setup()


@contextmanager
def serving() -> Iterator[str]:
    """The site's address, for as long as the block runs."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, ipv6=False)
    server.daemon_threads = True
    server.set_app(StaticFilesHandler(WSGIHandler()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


urlpatterns = [path("", page)]
