"""A select of 1,000 and one of 100,000 rows: the page and the first rows of the menu are to cost the same."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from proofs.benchmarks.dojo import site

FEW, MANY = 1_000, 100_000
RATIO_AT_MOST = 1.3
urlpatterns: list[Any] = []
# What the dijit sends when its menu is opened.
HEADERS = {"Range": "items=0-24", "X-Range": "items=0-24", "Prefer": "count=none"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.dojo.rows", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="how often each is asked for")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(folder, "rows.sqlite3"))}
        site.configure(
            DATABASES={"default": database}, ROOT_URLCONF="proofs.benchmarks.dojo.rows", DOJO_URL="/static/build/dojo"
        )
        for count in (FEW, MANY):
            urlpatterns.extend(pages(count))
        return measure(runs)


def pages(count: int) -> list[Any]:
    """A table of so many rows, their StoreView, and the page of a form with a select of them, the last one chosen."""
    from django import forms
    from django.db import connection, models

    from djintegrate.dojo.rest import StoreView
    from djintegrate.dojo.widgets import StoreSelect

    meta = type("Meta", (), {"app_label": "rows"})
    # SQLite looks for a beginning of either case in an index of this collation, and in no other.
    fields = {
        "name": models.CharField(max_length=50, db_index=True, db_collation="NOCASE"),
        "__module__": __name__,
        "Meta": meta,
    }
    model = type(f"Person{count}", (models.Model,), {**fields, "__str__": lambda person: person.name})
    with connection.schema_editor() as editor:
        editor.create_model(model)
    people = model.objects.order_by("name")  # type: ignore[attr-defined]
    people.bulk_create(model(name=f"Person {number:06}") for number in range(count))
    last = people.last().pk

    class People(StoreView):
        rows = people
        fields = ("label",)
        search = {"label": "name"}
        public = {"view"}

        def label(self, person: Any) -> str:
            return str(person)

    class Form(forms.Form):
        person = forms.ModelChoiceField(people, widget=StoreSelect(f"/{count}/people/"))

    template = engines["django"].from_string(site.TEMPLATE)

    def page(request: HttpRequest) -> HttpResponse:
        form = Form(initial={"person": last})
        request.dojo.dojo_form(form)
        return HttpResponse(template.render({"form": form}, request))

    def submit(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=200 if Form({"person": last}).is_valid() else 400)

    return [
        path(f"{count}/", page),
        path(f"{count}/submit/", submit),
        path(f"{count}/people/", People.as_view()),
    ]


def measure(runs: int) -> int:
    from django.test import Client

    client = Client()

    def ask(address: str) -> int:
        response = client.get(address, headers=HEADERS)
        assert response.status_code in (200, 206), response
        return len(response.content)

    steps = {
        "the page": "/%d/",
        "the first rows of the menu": "/%d/people/?label=*",
        "validating": "/%d/submit/",
        "a search that finds ten": "/%d/people/?label=person+00050*",
    }
    sizes = {count: ask(steps["the page"] % count) for count in (FEW, MANY)}
    times = {name: both(ask, address, runs) for name, address in steps.items()}
    page, rows = times["the page"], times["the first rows of the menu"]
    served = {count: page[count] + rows[count] for count in (FEW, MANY)}
    print(f"\n{'':<38}{FEW:>10,} rows{MANY:>10,} rows{'ratio':>8}   limit")
    kept = [line("size of the page, bytes", sizes, 1)]
    kept += [line(f"{name}, ms", found, 1000) for name, found in {**times, "page and first rows": served}.items()]
    return 0 if all(kept) else 1


def both(ask: Callable[[str], Any], address: str, runs: int) -> dict[int, float]:
    """The median of each, in seconds. In turns, so that a busy moment of the machine falls on both."""
    taken: dict[int, list[float]] = {FEW: [], MANY: []}
    for _ in range(runs):
        for count, found in taken.items():
            began = time.perf_counter()
            ask(address % count)
            found.append(time.perf_counter() - began)
    return {count: median(found) for count, found in taken.items()}


def line(what: str, found: Mapping[int, float], factor: float) -> bool:
    ratio = found[MANY] / found[FEW]
    is_kept = ratio <= RATIO_AT_MOST
    numbers = (f"{found[count] * factor:,.{0 if factor == 1 else 2}f}" for count in (FEW, MANY))
    print(
        f"{what:<38}"
        + "".join(f"{number:>15}" for number in numbers)
        + f"{ratio:>8.2f}   at most {RATIO_AT_MOST}: {'kept' if is_kept else 'BROKEN'}"
    )
    return is_kept


if __name__ == "__main__":
    # The site's URLs are looked up in the module by its name.
    from proofs.benchmarks.dojo import rows

    sys.exit(rows.main())
