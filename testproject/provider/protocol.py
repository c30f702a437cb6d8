"""The provider's half of OpenID 2.0, on python3-openid's: addresses, associations, messages as responses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from openid.consumer.discover import OPENID_2_0_TYPE, OPENID_IDP_2_0_TYPE
from openid.extensions import ax, sreg
from openid.server.server import EncodingError, Server
from openid.store.filestore import FileOpenIDStore

from .extensions import TEAMS
from .register import Person, Register


def folder() -> Path:
    """SAMPLE_PROVIDER_FOLDER: where the provider keeps its people and its associations."""
    return Path(settings.SAMPLE_PROVIDER_FOLDER)


def register() -> Register:
    return Register(folder())


def endpoint_url(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("provider-endpoint"))


def identity_url(request: HttpRequest, person: Person) -> str:
    return request.build_absolute_uri(reverse("provider-identity", args=[person.key]))


NO_ICON = b'<link rel="icon" href="data:,">'


def server(request: HttpRequest) -> Any:
    made = Server(FileOpenIDStore(str(folder() / "openid")), op_endpoint=endpoint_url(request))
    made.signatory.SECRET_LIFETIME = register().read().behaviour.association_lifetime
    return made


def encoded(request: HttpRequest, message: Any) -> HttpResponse:
    """An OpenID message as what goes to the browser, or to the site that asks directly."""
    try:
        web = server(request).encodeResponse(message)
    except EncodingError as error:
        return render(request, "provider/problem.html", {"problem": error.response}, status=400)
    response = HttpResponse(web.body, status=web.code)
    for name, value in web.headers.items():
        response[name] = value
    if response["Content-Type"].startswith("text/html") and not web.headers.get("content-type"):
        # A direct answer is key-value form; an answer too long for an address is a page with a form.
        page = web.body.lstrip()[:1] in ("<", b"<")
        response["Content-Type"] = "text/html; charset=utf-8" if page else "text/plain; charset=utf-8"
        # Without one, the browser asks for the icon of the site that the provider is a part of, with the session that
        # the answer ends. If Django answers that later than the form, it deletes the cookie of the new session.
        response.content = response.content.replace(b"<head>", b"<head>" + NO_ICON, 1)
    return response


def discovery(request: HttpRequest, person: Person | None = None) -> HttpResponse:
    """The XRDS document of the provider, for identifier select, or of one person's OpenID."""
    types = [OPENID_IDP_2_0_TYPE if person is None else OPENID_2_0_TYPE, sreg.ns_uri, TEAMS]
    if register().read().behaviour.offers_attribute_exchange:
        types.append(ax.AXMessage.ns_uri)
    context = {
        "types": types,
        "endpoint": endpoint_url(request),
        "identity": person and identity_url(request, person),
    }
    return render(request, "provider/xrds.xml", context, content_type="application/xrds+xml")


def asks_for_xrds(request: HttpRequest) -> bool:
    return "application/xrds+xml" in request.headers.get("Accept", "")
