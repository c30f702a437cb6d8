"""What is wrong here, a type checker has to find, line by line; without types it would find nothing."""

from __future__ import annotations

from datetime import date

from django import forms
from django.http import HttpRequest, HttpResponse

from djintegrate import files
from djintegrate.acl import Acl, access_required, current
from djintegrate.dojo import models as dojo
from djintegrate.dojo.http import DojoHttpRequest
from djintegrate.dojo.middleware import DojoMiddleware
from djintegrate.jobs import progress
from djintegrate.jsonrpc import ServiceProxy, jsonrpc_method
from djintegrate.storm_backend import get_store, get_store_uri
from djintegrate.storm_backend.middleware import ZopeTransactionMiddleware, default_commit_veto

from .requests import answer
from .tasks import export


@access_required("booking", "write")
def guarded(request: HttpRequest, key: int) -> HttpResponse:
    return HttpResponse()


@jsonrpc_method("shop.wrong")
def called(request: HttpRequest, day: date) -> bool:
    return True


def wrong(request: HttpRequest, dijitized: DojoHttpRequest, storage: files.TransactionalStorage) -> None:
    get_store(5)  # wrong
    get_store_uri("main").nothing()  # wrong
    dijitized.dojo.dojo_field()  # wrong
    dijitized.dojo.theme = 5  # wrong
    dijitized.dojo.theme = "clara"  # wrong
    dijitized.dojo.them = "soria"  # wrong
    dijitized.dojo.dojo_form("form")  # wrong
    dojo.dojo_field("day", "dijit/form/DateTextBox")  # wrong
    dojo.dojo_field(forms.DateField(), 5)  # wrong
    dojo.dojo_field(forms.DateField(), "dijit/form/DateTextBox").nothing()  # wrong
    guarded(request, "key")  # wrong
    called(request, "2030-01-01")  # wrong
    jsonrpc_method("shop.misspelt", save=True)  # wrong
    ServiceProxy("https://example.com/json/", tiemout=5)  # wrong
    default_commit_veto(request)  # wrong
    ZopeTransactionMiddleware("answer")  # wrong
    DojoMiddleware(answer)("request")  # wrong
    export.enqueue("one")  # wrong
    export.call(1).nothing()  # wrong
    progress("half")  # wrong
    current().nothing()  # wrong
    Acl().check_access("clerk", "booking", 5)  # wrong
    with files.transaction() as transaction:
        transaction.add_file(5)  # wrong
        transaction.rename_file("a", "b")  # wrong
    storage.save("scan.png", None).nothing()  # wrong
    storage.get_modified_time("scan.png").nothing()  # wrong
