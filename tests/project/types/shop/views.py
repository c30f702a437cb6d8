"""Views: a store, `request.dojo`, files, and the guards of roles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.files.base import File
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import FormView, TemplateView
from sqlalchemy import Engine
from typing_extensions import assert_type

from djintegrate import files
from djintegrate.acl import AccessRequiredMixin, Acl, Resource, Role, access_required, current
from djintegrate.dojo.admin import DojoAdminMixin
from djintegrate.dojo.http import DojoHttpRequest
from djintegrate.dojo.page.names import Theme
from djintegrate.dojo.page.page import Dojo
from djintegrate.dojo.rest import StoreView
from djintegrate.dojo.views import DojoFormMixin
from djintegrate.storm_backend import get_store, get_store_uri, invalidate
from djintegrate.storm_backend.sqlalchemy import engine
from djintegrate.storm_backend.stores import SharedStore

from .forms import BookingForm
from .models import Receipt
from .storm_models import Booking


@access_required("booking", "write")
def book(request: DojoHttpRequest, day: str) -> HttpResponse:
    assert_type(get_store("main"), SharedStore)
    assert_type(get_store_uri("main"), str)
    get_store("main").add(Booking())  # pyright: ignore[reportUnknownMemberType]: it is Storm's
    invalidate("main", "booking")
    assert_type(engine("main"), Engine)
    form = BookingForm(request.POST or None)
    assert_type(request.dojo, Dojo)
    assert_type(request.dojo.theme, Theme)
    assert_type(request.dojo.dj_config, dict[str, Any])
    request.dojo.dojo_form(form, auto=True)
    request.dojo.append_module("dijit/Dialog")
    if form.is_valid():
        return redirect("bookings")
    return render(request, "book.html", {"form": form})


def call_what_is_guarded(request: DojoHttpRequest) -> None:
    assert_type(book(request, "monday"), HttpResponse)


def receipt_of(request: HttpRequest, key: int) -> Receipt:
    return Receipt.objects.get(pk=key)


@access_required("booking", "read", get_object=receipt_of)
async def look(request: DojoHttpRequest, key: int) -> HttpResponse:
    return HttpResponse()


class Book(AccessRequiredMixin, DojoFormMixin, FormView[BookingForm]):
    form_class = BookingForm
    resource = "booking"
    privilege = "write"

    def form_valid(self, form: BookingForm) -> HttpResponse:
        assert_type(self.dojo, Dojo)
        return super().form_valid(form)


class Bookings(AccessRequiredMixin, TemplateView):
    resource = "booking"
    privilege = "read"


class Receipts(StoreView):
    rows = Receipt.objects.all()
    fields = ("text",)
    search = {"label": "text"}

    def has_permission(self, action: str, obj: object = None) -> bool:
        return super().has_permission(action, obj)


@admin.register(Receipt)
class ReceiptAdmin(DojoAdminMixin, admin.ModelAdmin[Receipt]):
    list_display = ("text",)


def scans(receipt: Receipt, storage: files.TransactionalStorage) -> None:
    with files.transaction() as transaction:
        assert_type(transaction, files.Transaction)
        transaction.add_file("/srv/scans/1.png")
        transaction.copy_file("/srv/scans/1.png", "/srv/scans/2.png", remove_existing=True)
        transaction.move_file("/srv/scans/2.png", "/srv/scans/3.png")
        transaction.remove_file("/srv/scans/old", directory=True)
        assert_type(transaction.path("/srv/scans/1.png"), str)
    assert_type(storage.save("scan.png", receipt.scan), str)
    assert_type(storage.exists("scan.png"), bool)
    assert_type(storage.size("scan.png"), int)
    assert_type(storage.listdir(""), tuple[list[str], list[str]])
    assert_type(storage.url("scan.png"), str)
    with storage.open("scan.png") as scan:
        assert_type(scan, File[Any])
    assert_type(storage.get_modified_time("scan.png"), datetime)
    try:
        storage.delete("scan.png")
    except files.PathLocked as locked:
        assert_type(locked, files.PathLocked)


def roles() -> None:
    acl = Acl()
    assert_type(current(), Acl)
    role = Role("clerk")
    resource = Resource("booking")
    resource.set_privilege("write", condition="own")
    role.set_resource(resource)
    acl.set_role(role)
    assert_type(acl.role("clerk"), Role)
    assert_type(acl.check_access("clerk", "booking", "write"), bool)
    assert_type(acl.privileges(), list[tuple[str, str]])
    assert_type(acl.roles, tuple[str, ...])
