"""The provider's addresses for OpenID Connect. Who signed in is known by the same cookie as for OpenID 2.0."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urljoin

from authlib.oauth2 import OAuth2Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from . import connect
from .extensions import LABELS
from .protocol import register
from .views import COOKIE, chosen, remember, signed_in

LEARNED = {"email": ["email", "verified"], "profile": ["nickname", "fullname", "language", "timezone"]}
HARDWARE = "phrh"


@require_safe
def configuration(request: HttpRequest) -> HttpResponse:
    return JsonResponse(connect.configuration(request))


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"keys": [connect.key().as_dict(private=False)]})


def authorize(request: HttpRequest) -> HttpResponse:
    """The question whether a site may know, and the person's answer to it."""
    contents = register().read()
    here = signed_in(request, contents)
    server = connect.server(request)
    answer = contents.people.get(request.POST.get("person", "")) if "allow" in request.POST else None
    try:
        grant = server.get_consent_grant(request, end_user=answer or here)
    except OAuth2Error as error:
        return _refused(request, error)
    asked = grant.request.payload.data
    if request.method == "POST":
        response = _answered(request, server, grant, answer)
        if answer is not None:
            with register().change() as changed:
                sites = changed.people[answer.key].allowed_sites
                if asked["redirect_uri"] not in sites:
                    sites.append(asked["redirect_uri"])
            remember(response, answer)
        return response
    if asked.get("prompt") == "none":
        allowed = here is not None and asked["redirect_uri"] in here.allowed_sites
        if allowed:
            return _answered(request, server, grant, here)
        return HttpResponseRedirect(_with_issuer(request, _error(asked, "consent_required")))
    return _question(request, contents, here, asked)


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = connect.server(request).create_token_response(request)
    return response


@csrf_exempt
def userinfo(request: HttpRequest) -> HttpResponse:
    found = connect.person_of(request)
    if found is None:
        return JsonResponse({"error": "invalid_token"}, status=401)
    return JsonResponse(connect.claims_of(*found))


def end(request: HttpRequest) -> HttpResponse:
    """Sign out here, and go back to the site that asked for it."""
    back = request.GET.get("post_logout_redirect_uri", "")
    response = HttpResponseRedirect(back) if connect.is_here(back) else redirect("provider-index")
    response.delete_cookie(COOKIE)
    return response


def _question(request: HttpRequest, contents: Any, here: Any, asked: dict[str, str]) -> HttpResponse:
    scope = asked.get("scope", "").split()
    people = list(contents.people.values())
    context = {
        "action": reverse("provider-connect-authorize"),
        "site": urljoin(asked["redirect_uri"], "/"),  # as OpenID 2.0 names it, and not where the answer goes
        "people": people,
        "chosen": chosen(people, here),
        "fields": asked,
        "asked": {
            "labels": [LABELS[name] for part in scope for name in LEARNED.get(part, ())],
            "teams": list(contents.teams) if "groups" in scope else [],
            "security_key": HARDWARE in asked.get("acr_values", "").split(),
        },
    }
    return render(request, "provider/decide.html", context)


def _answered(request: HttpRequest, server: Any, grant: Any, person: Any) -> HttpResponse:
    response: HttpResponse = server.create_authorization_response(request, grant_user=person, grant=grant)
    response["Location"] = _with_issuer(request, response["Location"])
    return response


def _with_issuer(request: HttpRequest, address: str) -> str:
    """RFC 9207: the answer says whose it is."""
    return f"{address}&{urlencode({'iss': connect.issuer(request)})}"


def _error(asked: dict[str, str], error: str) -> str:
    return f"{asked['redirect_uri']}?{urlencode({'error': error, 'state': asked.get('state', '')})}"


def _refused(request: HttpRequest, error: OAuth2Error) -> HttpResponse:
    if error.redirect_uri and connect.is_here(error.redirect_uri):
        asked = {"redirect_uri": error.redirect_uri, "state": error.state or ""}
        return HttpResponseRedirect(_with_issuer(request, _error(asked, error.error)))
    return render(request, "provider/problem.html", {"problem": error.description or error.error}, status=400)
