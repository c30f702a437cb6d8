"""`python -m proofs.dojo.looks FOLDER`: one form of twenty fields in each look, as pictures for a demanding eye.

Empty, filled and refused; in the four themes, light and dark; 1280, 768 and 390 pixels wide; from left to right and
from right to left: for each state, direction and width one sheet with the eight looks side by side.
`--only filled-ltr` makes some.
"""

from __future__ import annotations

import argparse
import base64
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path
from django.utils import translation

from djintegrate.dojo.forms import DijitRenderer
from djintegrate.dojo.page.names import THEMES
from djintegrate.dojo.richtext import RichTextField
from proofs.benchmarks.dojo.__main__ import chromium
from proofs.benchmarks.dojo.site import CACHE, configure, serving

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

WIDTHS = (1280, 768, 390)
STATES = ("empty", "filled", "refused")
DIRECTIONS = {"ltr": "en", "rtl": "ar"}
ROOMS = [("", "None yet"), ("Ground floor", [("a", "Aula"), ("b", "Bar")]), ("c", "Court")]
DAYS = [("mo", "Monday"), ("tu", "Tuesday"), ("we", "Wednesday")]
SECONDS = 60
TEMPLATE = """{% load dojo %}<!DOCTYPE html>
<html lang="{{ language }}" dir="{{ dir }}"><head><meta charset="utf-8"><title>A talk</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
{% dojo request.dojo %}
<style>
body { background: var(--dj-paper); color: var(--dj-ink); font-family: var(--dj-font); margin: 0; padding: 24px; }
</style>
</head><body><main><h1>Propose a talk</h1>
<form method="post" novalidate>{{ form }}<button>Propose</button></form></main></body></html>"""


class Talk(forms.Form):
    """Twenty fields of all kinds."""

    default_renderer = DijitRenderer

    title = forms.CharField(max_length=60, help_text="As it will stand in the programme.")
    speaker = forms.EmailField(label="Your e-mail address", help_text="We never show it.")
    link = forms.URLField(label="Slides", required=False, assume_scheme="https")
    abstract = forms.CharField(widget=forms.Textarea, help_text="Two or three sentences will do.")
    story = RichTextField(label="Notes for the chair", required=False)
    seats = forms.IntegerField(min_value=1, max_value=200)
    minutes = forms.IntegerField(step_size=5, min_value=5, initial=30)
    price = forms.DecimalField(max_digits=8, decimal_places=2, required=False, localize=True, label="Fee in euros")
    level = forms.IntegerField(
        initial=4, max_value=10, widget=forms.NumberInput({"type": "range"}), label="How hard is it?"
    )
    day = forms.DateField()
    hour = forms.TimeField(required=False)
    start = forms.DateTimeField(label="Doors open")
    born = forms.DateField(widget=forms.SelectDateWidget(years=range(1990, 2030)), required=False, label="First given")
    room = forms.ChoiceField(choices=ROOMS)
    known = forms.NullBooleanField(label="Was it given before?", required=False)
    way = forms.ChoiceField(choices=DAYS, widget=forms.RadioSelect, label="The day you like best")
    days = forms.MultipleChoiceField(choices=DAYS, widget=forms.CheckboxSelectMultiple, label="Days you can come")
    topics = forms.MultipleChoiceField(choices=[("db", "Databases"), ("ui", "Interfaces"), ("ops", "Operations")])
    paper = forms.FileField(required=False, help_text="A PDF of at most 5 MB.")
    agreed = forms.BooleanField(label="I have read the code of conduct", help_text="All of it.")

    def clean(self) -> None:
        if self.data.get("title") == "x":
            raise forms.ValidationError("The call for talks is over on that day.")


FILLED = {
    "title": "Dijits without markup", "speaker": "ada@example.org", "link": "https://example.org/slides", "seats": 40,
    "abstract": "Forms that stay HTML.\nAnd are dijits all the same.",
    "story": "<p>Ada needs <b>two</b> microphones.</p>",
    "minutes": 45, "price": "1234.50", "level": 7, "day": "2026-05-14", "hour": "14:30", "start": "2026-05-14 14:00",
    "born": "2024-12-31", "room": "b", "known": True, "way": "tu", "days": ["mo", "we"], "topics": ["ui"],
    "agreed": True,
}  # fmt: skip
REFUSED = {"title": "x", "speaker": "ada@", "link": "no address", "seats": "0", "minutes": "7", "price": "much",
           "day": "31.02.", "start_0": "", "room": "z", "way": "fr", "level": "4"}  # fmt: skip


def page(request: HttpRequest, theme: str, state: str, direction: str) -> HttpResponse:
    language = DIRECTIONS[direction]
    with translation.override(language):
        form = Talk(REFUSED) if state == "refused" else Talk(initial=FILLED if state == "filled" else {})
        request.dojo.theme = theme
        request.dojo.dojo_form(form, auto=True)
        context = {"form": form, "language": language, "dir": direction}
        return HttpResponse(engines["django"].from_string(TEMPLATE).render(context, request))


urlpatterns = [path("<theme>/<state>/<direction>/", page)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="what is in the name of a sheet: filled-ltr-390")
    parser.add_argument("--themes", nargs="*", default=list(THEMES))
    options = parser.parse_args()
    release = CACHE / "dojo-release"
    configure(
        ROOT_URLCONF="proofs.dojo.looks",
        STATICFILES_DIRS=[("dojo", release if release.exists() else CACHE / "dojo")],
        DOJO_URL="/static/dojo/dojo",
        LANGUAGES=[("en", "English"), ("ar", "Arabic")],
    )
    options.folder.mkdir(parents=True, exist_ok=True)
    with serving() as address, chromium() as browser:
        for state in STATES:
            for direction in DIRECTIONS:
                names = [f"{state}-{direction}-{width}" for width in WIDTHS]
                wanted = [name for name in names if options.only in name]
                shots = {name: looks(browser, address, state, direction, name, options.themes) for name in wanted}
                for name, images in shots.items():
                    (options.folder / f"{name}.png").write_bytes(sheet(browser, images))
                    print(options.folder / f"{name}.png")
    return 0


def looks(browser: Chrome, address: str, state: str, direction: str, name: str, themes: list[str]) -> list[bytes]:
    """The page in each theme, light and dark."""
    made = []
    width = int(name.rpartition("-")[2])
    for theme in themes:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(f"{address}/{theme}/{state}/{direction}/")
        deadline = time.monotonic() + SECONDS
        while (is_now := browser.execute_script("return document.documentElement.dataset.djintegrate")) != "ready":
            if is_now == "failed" or time.monotonic() > deadline:
                sys.exit(f"The dijits in {theme} were not made. The browser's console says why.")
            time.sleep(0.05)
        for scheme in ("light", "dark"):
            feature = {"name": "prefers-color-scheme", "value": scheme}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            browser.execute_async_script("setTimeout(arguments[0], 400)")
            made.append(whole(browser))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    return made


def whole(browser: Chrome) -> bytes:
    found: Any = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
    return base64.b64decode(found["data"])


def sheet(browser: Chrome, images: list[bytes]) -> bytes:
    """Side by side."""
    browser.get("about:blank")
    sources = [f"data:image/png;base64,{base64.b64encode(image).decode()}" for image in images]
    browser.execute_async_script(
        """const [sources, done] = arguments;
        document.body.style.cssText = "display: flex; gap: 8px; margin: 0; background: #888; align-items: start";
        Promise.all(sources.map(source => new Promise(loaded => {
            const image = new Image();
            image.onload = loaded;
            image.src = source;
            document.body.append(image);
        }))).then(() => done());""",
        sources,
    )
    size = browser.execute_script("const { scrollWidth, scrollHeight } = document.documentElement; "
                                  "return [scrollWidth, scrollHeight]")  # fmt: skip
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    return whole(browser)


if __name__ == "__main__":
    sys.exit(main())
