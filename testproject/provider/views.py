"""The provider's pages: who is here, a person's OpenID, the endpoint, and the question whether a site may know.

Who signed in is in a signed cookie, so that a site that shares the session with the provider is not disturbed.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from openid.kvform import dictToKV
from openid.server.server import CheckIDRequest, ProtocolError, UntrustedReturnURL

from .extensions import answer, asked_by
from .protocol import asks_for_xrds, discovery, encoded, endpoint_url, identity_url, register, server
from .register import Contents, Person

COOKIE = "sample-provider-person"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    if asks_for_xrds(request):
        return discovery(request)
    contents = register().read()
    here = signed_in(request, contents)
    people = [{"person": person, "url": identity_url(request, person)} for person in contents.people.values()]
    context = {
        "people": people,
        "here": here,
        "teams": contents.teams,
        "url": request.build_absolute_uri(reverse("provider-index")),
        "saved": "saved" in request.GET,
    }
    response = render(request, "provider/index.html", context)
    response["X-XRDS-Location"] = request.build_absolute_uri(reverse("provider-xrds"))
    return response


@require_safe
def xrds(request: HttpRequest, key: str | None = None) -> HttpResponse:
    if key is None:
        return discovery(request)
    person = register().read().people.get(key)
    return discovery(request, person) if person else _nobody(request)


@require_safe
def identity(request: HttpRequest, key: str) -> HttpResponse:
    person = register().read().people.get(key)
    if person is None:
        return _nobody(request)
    if asks_for_xrds(request):
        return discovery(request, person)
    context = {"person": person, "endpoint": endpoint_url(request), "url": identity_url(request, person)}
    response = render(request, "provider/identity.html", context)
    response["X-XRDS-Location"] = request.build_absolute_uri(reverse("provider-person-xrds", args=[key]))
    return response


@csrf_exempt
def endpoint(request: HttpRequest) -> HttpResponse:
    """What sites and browsers send by the OpenID protocol."""
    query = {**request.GET.dict(), **request.POST.dict()}
    try:
        message = server(request).decodeRequest(query)
    except ProtocolError as error:
        return _refused(request, error)
    if message is None:
        return redirect("provider-index")
    if isinstance(message, CheckIDRequest):
        return _check(request, message, query)
    if message.mode == "associate" and not register().read().behaviour.associates:
        return HttpResponseBadRequest(
            dictToKV({"error": "This provider keeps no associations."}), content_type="text/plain"
        )
    return encoded(request, server(request).handleRequest(message))


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """The person's answer to the question that `endpoint` showed."""
    query = {name: value for name, value in request.POST.dict().items() if name.startswith("openid.")}
    try:
        message = server(request).decodeRequest(query)
    except ProtocolError as error:
        return _refused(request, error)
    if not isinstance(message, CheckIDRequest):
        return redirect("provider-index")
    with register().change() as contents:
        person = contents.people.get(request.POST.get("person", ""))
        if "allow" not in request.POST or person is None or not _may_be(request, message, person):
            return encoded(request, message.answer(False))
        if message.trust_root not in person.allowed_sites:
            person.allowed_sites.append(message.trust_root)
    response = _agree(request, message, person, "security_key" in request.POST)
    remember(response, person)
    return response


@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    response = redirect("provider-index")
    person = register().read().people.get(request.POST.get("person", ""))
    if person is not None:
        remember(response, person)
    else:
        response.delete_cookie(COOKIE)
    return response


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """The person who is signed in takes another nickname, or joins and leaves teams."""
    with register().change() as contents:
        person = signed_in(request, contents)
        if person is not None:
            nickname = request.POST.get("nickname", "").strip()
            if nickname and nickname not in [other.nickname for other in contents.people.values()]:
                person.nickname = nickname
            person.teams = [team for team in contents.teams if team in request.POST.getlist("team")]
    return redirect(f"{reverse('provider-index')}?saved")


def _check(request: HttpRequest, message: Any, query: dict[str, str]) -> HttpResponse:
    contents = register().read()
    here = signed_in(request, contents)
    if message.immediate:
        if here and _may_be(request, message, here) and message.trust_root in here.allowed_sites:
            return _agree(request, message, here, used_security_key=False)
        return encoded(request, message.answer(False))
    people = [person for person in contents.people.values() if _may_be(request, message, person)]
    context = {
        "site": message.trust_root,
        "asked": asked_by(message),
        "people": people,
        "chosen": chosen(people, here),
        "fields": {name: value for name, value in query.items() if name.startswith("openid.")},
    }
    return render(request, "provider/decide.html", context)


def _agree(request: HttpRequest, message: Any, person: Person, used_security_key: bool) -> HttpResponse:
    chosen = identity_url(request, person) if message.idSelect() else None
    response = message.answer(True, identity=chosen)
    answer(asked_by(message), response, person, used_security_key and person.has_security_key)
    return encoded(request, response)


def _may_be(request: HttpRequest, message: Any, person: Person) -> bool:
    return message.idSelect() or message.identity == identity_url(request, person)


def chosen(people: list[Person], here: Person | None) -> Person | None:
    """Whom the question begins with: the one who is signed in here, else the first, who is Ada in the sample."""
    return here if here in people else next(iter(people), None)


def signed_in(request: HttpRequest, contents: Contents) -> Person | None:
    return contents.people.get(request.get_signed_cookie(COOKIE, ""))


def remember(response: HttpResponse, person: Person) -> None:
    """From now on this browser is the person's."""
    response.set_signed_cookie(COOKIE, person.key, httponly=True, samesite="Lax")


def _refused(request: HttpRequest, error: ProtocolError) -> HttpResponse:
    if isinstance(error, UntrustedReturnURL):
        context = {"problem": f"{error.trust_root} asks to be answered at {error.return_to}, which is elsewhere."}
        return render(request, "provider/problem.html", context, status=400)
    if error.hasReturnTo():
        return encoded(request, error)
    return HttpResponseBadRequest(error.encodeToKVForm(), content_type="text/plain; charset=utf-8")


def _nobody(request: HttpRequest) -> HttpResponse:
    return render(request, "provider/problem.html", {"problem": "Nobody here has this OpenID."}, status=404)
