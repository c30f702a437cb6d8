"""`make screenshots`: the tutorial's form, and one in each of Dojo's themes, as Chromium shows them, for the docs."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django import forms
from django.conf import settings
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from djintegrate.dojo import models as dojo
from djintegrate.dojo.forms import DijitRenderer
from djintegrate.dojo.page.names import THEMES
from proofs.benchmarks.dojo.__main__ import chromium
from proofs.benchmarks.dojo.site import CACHE, serving

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

IMAGES = Path(__file__).parent.parent / "docs" / "images"
LARGEST = 60_000
"""Bytes of an image: they are in the repository."""
SIZE = {"width": 400, "height": 900, "deviceScaleFactor": 1, "mobile": False}
WIDE = {"width": 760, "height": 480, "deviceScaleFactor": 1, "mobile": False}
SECONDS = 60
TUTORIAL = "form-of-dijits"
ROOMS = [("a", "Attic"), ("c", "Cellar"), ("g", "Garden")]
DATA = {"title": "Dijits without markup", "day": "2026-05-14", "seats": "0", "room": "c", "public": "on"}
TEMPLATE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A talk</title><link rel="icon" href="data:,">
{% load dojo %}{% dojo request.dojo %}
<style>body { margin: 0; padding: 20px; background: var(--dj-paper); }</style></head>
<body><form method="post">{{ form }}<button>Propose</button></form></body></html>"""
# As somebody who left the number of seats at 0, and is choosing a day.
SHOW = """
const done = arguments[0];
require(["dijit/registry"], registry => {
    document.querySelector("button").click();
    registry.byId("id_day").loadAndOpenDropDown().then(() => setTimeout(done, 500));
});
"""


class Tutorial(forms.Form):
    default_renderer = DijitRenderer

    title = forms.CharField(max_length=60, help_text="What will it be about?")
    day = forms.DateField()
    seats = forms.IntegerField(min_value=1, max_value=200, required=False)

    dojo.dojo_field(seats, "dijit.form.NumberSpinner", dojo_attrs={"smallDelta": 5})


class Talk(forms.Form):
    default_renderer = DijitRenderer

    title = dojo.dojo_field(forms.CharField(max_length=60), "dijit.form.ValidationTextBox")
    seats = dojo.dojo_field(forms.IntegerField(min_value=1), "dijit.form.NumberSpinner")
    room = dojo.dojo_field(forms.ChoiceField(choices=ROOMS), "dijit.form.FilteringSelect")
    public = dojo.dojo_field(forms.BooleanField(), "dijit.form.CheckBox")
    day = dojo.dojo_field(forms.DateField(), "dijit.form.DateTextBox")


def page(request: HttpRequest, theme: str) -> HttpResponse:
    form = Tutorial() if theme == TUTORIAL else Talk(initial=DATA)
    request.dojo.theme = "claro" if theme == TUTORIAL else theme
    request.dojo.dojo_form(form, auto=True)
    return HttpResponse(engines["django"].from_string(TEMPLATE).render({"form": form}, request))


urlpatterns = [path("<theme>/", page)]


def main() -> int:
    configure()
    call_command("dojo_install")
    IMAGES.mkdir(exist_ok=True)
    with serving() as address, chromium() as browser:
        for theme in (TUTORIAL, *THEMES):
            size, name = (WIDE, f"{theme}.png") if theme == TUTORIAL else (SIZE, f"dojo-{theme}.png")
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            image = shot(browser, f"{address}/{theme}/")
            if len(image) > LARGEST:
                sys.exit(f"The image {name} has {len(image):,} bytes, which is more than {LARGEST:,}.")
            (IMAGES / name).write_bytes(image)
            print(f"docs/images/{name}: {len(image):,} bytes")
    return 0


def configure() -> None:
    settings.configure(
        SECRET_KEY="screenshots",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="tools.screenshots",
        INSTALLED_APPS=["djintegrate.dojo", "django.contrib.staticfiles"],
        MIDDLEWARE=["djintegrate.dojo.middleware.DojoMiddleware"],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        STATIC_URL="/static/",
        STATICFILES_DIRS=[("dojo", CACHE / "dojo")],
        DOJO_ROOT=CACHE / "dojo",
        DOJO_URL="/static/dojo/dojo",
    )
    django.setup()


def shot(browser: Chrome, address: str) -> bytes:
    browser.get(address)
    deadline = time.monotonic() + SECONDS
    while (state := browser.execute_script("return document.documentElement.dataset.djintegrate")) != "ready":
        if state == "failed" or time.monotonic() > deadline:
            sys.exit(f"The dijits of {address} were not made: the page says {state!r}. The browser's console says why.")
        time.sleep(0.05)
    browser.execute_async_script(SHOW)
    return browser.get_screenshot_as_png()


if __name__ == "__main__":
    sys.exit(main())
