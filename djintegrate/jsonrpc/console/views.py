"""The console's page: all methods of a site, and one of them with its documentation and its form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.template import engines
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from djintegrate.common import csp

from .. import conf
from ..methods import Method
from ..parameters.converters import SECRET, Components
from .fields import default_of, every_form, form_of, kind_of, parts_of

PERMISSION = "jsonrpc.use_console"
STATIC = "djintegrate/jsonrpc"
SCRIPTS = ("show", "request", "history", "methods", "console")
# The look of dijits; a part of Dojo's app, which is there where its middleware is.
DIJITS = "djintegrate/dojo/form.css"


@method_decorator(never_cache, name="dispatch")
class Console(View):
    """Not there unless it is on: with JSONRPC_CONSOLE for those who have the permission, as DEBUG for everybody."""

    site: Any = None
    http_method_names = ["get", "head", "options"]
    # What Dojo's build asks of a view: its fields become dijits, and this is their form.
    dojo_auto = True

    def get_form_class(self) -> type[forms.Form]:
        return every_form() if conf.has_console() else forms.Form

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not conf.has_console():
            raise Http404("The JSON-RPC console is off.")
        if conf.console():
            user = getattr(request, "user", None)
            if user is None or not user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not user.has_perm(PERMISSION):
                raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, method: str = "") -> HttpResponse:
        found = self.site.methods.get(method)
        if method and found is None:
            raise Http404(f"There is no method {method!r}.")
        home = request.path.removesuffix(f"{method}/") if method else request.path
        service = home.removesuffix("browse/")
        context: dict[str, Any] = {
            "title": self.site.title,
            "home": home,
            "site": get_script_prefix(),
            "service": service,
            "url": request.build_absolute_uri(service),
            "groups": list(_groups(self.site.own_methods, home, found)),
            "count": len(self.site.own_methods),
            "has_locked": any(each.authenticated for each in self.site.own_methods),
            "nonce": csp.nonce(request),
            "user": getattr(request, "user", None),
            "scripts": [static(f"{STATIC}/{name}.js") for name in SCRIPTS],
        }
        if found is not None:
            context |= _method(found, request)
        context["config"] = _config(found, request, service, home)
        return HttpResponse(render_to_string("djintegrate/jsonrpc/console.html", context, request))


def _groups(methods: list[Method], home: str, current: Method | None) -> Iterator[dict[str, Any]]:
    """By what is before the last dot of their names."""
    for name, group in groupby(methods, lambda method: method.name.rpartition(".")[0]):
        yield {
            "name": name,
            "methods": [
                {
                    "name": method.name,
                    "short": method.name.rpartition(".")[2],
                    "summary": method.summary,
                    "url": f"{home}{quote(method.name)}/",
                    "is_current": method is current,
                    "method": method,
                }
                for method in group
            ],
        }


def _method(method: Method, request: HttpRequest) -> dict[str, Any]:
    signature = method.signature
    form = form_of(signature)
    components = Components()
    rows = [
        {
            "name": each.name,
            "type": each.converter.expected,
            "is_required": each.is_required,
            "default": kind_of(each).field.widget.attrs.get("placeholder", ""),
            "kind": kind_of(each).name,
            "parts": parts_of(each),
            "field": form[each.name],
            "has_only_place": not signature.may_be_named(each.name),
            "description": each.description,
        }
        for each in signature.parameters
    ]
    described = {each.name: each.converter.schema(components) for each in signature.parameters}
    return {
        "method": method,
        "rows": rows,
        "more": signature.more or signature.others,
        "result": signature.result.expected,
        "schema": json.dumps({"params": described, **({"types": components} if components else {})}, indent=2),
        "dojo": _dijits(form, request) if rows else "",
    }


def _dijits(form: Any, request: HttpRequest) -> str:
    """What the page's head needs to make dijits of the fields, where the site has Dojo's middleware."""
    page = getattr(request, "dojo", None)
    if page is None or not page.enabled:
        return ""
    page.append_stylesheet(static(DIJITS))
    page.dojo_form(form, auto=True)
    return str(engines["django"].from_string("{% load dojo %}{% dojo request.dojo %}").render({}, request))


def _config(method: Method | None, request: HttpRequest, service: str, home: str) -> dict[str, Any]:
    """What the scripts have to know."""
    user = getattr(request, "user", None)
    found: dict[str, Any] = {
        "service": service,
        "home": home,
        "csrf": get_token(request),
        # What is kept belongs to one person, and to one service.
        "owner": str(user.pk) if user is not None and user.is_authenticated else "",
    }
    if method is None:
        return found
    return {
        **found,
        "method": method.name,
        "safe": method.safe,
        "byPlace": method.signature.structure == "by-position",
        "params": [
            {
                "name": each.name,
                "kind": kind_of(each).name,
                "required": each.is_required,
                "secret": bool(SECRET.search(each.name)),
                # Of one that is left out by place, before others.
                "default": default_of(each),
            }
            for each in method.signature.parameters
        ],
        # Name and password may be among the parameters that are written by hand: those are not kept.
        "passwords": method.authenticated and conf.password_parameters(),
    }
