"""Shows both halves of the guest book, and writes to both in the request's one transaction."""

from __future__ import annotations

import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from storm.locals import Desc

from djintegrate.storm_backend import get_store

from .forms import EntryForm
from .models import Note
from .storm_models import Visit

SHOWN = 20


class FailedOnPurpose(Exception):
    """Raised after both rows were written, to show that neither is kept."""


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return _page(request, EntryForm(), outcome=request.GET.get("outcome", ""))


@require_POST
def sign(request: HttpRequest) -> HttpResponse:
    form = EntryForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        _write_to_both(form.cleaned_data["text"], fail="fail" in request.POST)
    except FailedOnPurpose:
        # An exception that leaves the view aborts the transaction by itself. This one is caught, so that the visitor
        # gets a page that explains it; dooming says that there is nothing to commit all the same.
        transaction.doom()
        return redirect(f"{reverse('index')}?outcome=undone")
    return redirect(f"{reverse('index')}?outcome=kept")


def _write_to_both(text: str, fail: bool) -> None:
    store = get_store("main")
    store.add(Visit(text))
    store.flush()
    Note.objects.create(text=text)
    if fail:
        raise FailedOnPurpose


def _page(request: HttpRequest, form: EntryForm, outcome: str = "", status: int = 200) -> HttpResponse:
    store = get_store("main")
    visits = store.find(Visit).order_by(Desc(Visit.id))
    context = {
        "form": form,
        "outcome": outcome,
        "halves": [
            {"orm": "Storm", "name": "Visit", "rows": list(visits[:SHOWN]), "count": visits.count()},
            {"orm": "Django", "name": "Note", "rows": list(Note.objects.all()[:SHOWN]), "count": Note.objects.count()},
        ],
    }
    return render(request, "guestbook/index.html", context, status=status)
