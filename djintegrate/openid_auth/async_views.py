"""The views of a sign-in for ASGI: what waits for a provider does so in a thread of its own, beside the database's."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from openid.association import Association
from openid.consumer.discover import DiscoveryFailure, OpenIDServiceEndpoint

from . import connect, views
from .forms import OpenIDLoginForm
from .people import arrival, identities, recheck
from .protocol.consumer import OpenIDConsumer
from .protocol.state import Begun
from .site.failures import fail, refuse_too_many
from .site.issuers import Issuer
from .site.pages import lacks_cookies, send_again

LIST = "openid-identities"


@login_not_required
@never_cache
async def alogin_begin(
    request: HttpRequest,
    template_name: str = "openid/login.html",
    login_complete_view: str = "openid-complete",
    form_class: type[forms.Form] = OpenIDLoginForm,
    render_failure: Any = None,
    redirect_field_name: str = REDIRECT_FIELD_NAME,
) -> HttpResponse:
    """As `login_begin`."""

    def prepare() -> HttpResponse | str:
        asked = views.ask_for_identifier(request, template_name, form_class, redirect_field_name)
        return asked if isinstance(asked, HttpResponse) else refuse_too_many(request, render_failure) or asked

    asked = await sync_to_async(prepare)()
    if isinstance(asked, HttpResponse):
        return asked
    return await _begin(request, asked, None, "login", login_complete_view, render_failure, redirect_field_name)


@login_not_required
@never_cache
@csrf_exempt
@require_http_methods(["GET", "POST"])
async def alogin_complete(
    request: HttpRequest, redirect_field_name: str = REDIRECT_FIELD_NAME, render_failure: Any = None
) -> HttpResponse:
    """As `login_complete`."""
    if lacks_cookies(request):
        return await sync_to_async(send_again)(request)
    data = views.openid_data(request)
    if refusal := await sync_to_async(views.refuse_unread)(request, data, render_failure, redirect_field_name):
        return refusal
    consumer = views.make_consumer(request)
    answer = await sync_to_async(consumer.receive)(data, request.build_absolute_uri())
    verified = await sync_to_async(consumer.verify, thread_sensitive=False)(answer)

    def conclude() -> HttpResponse:
        response = consumer.settle(*verified)
        following = views.following(request, redirect_field_name)
        return arrival.conclude(request, response, consumer.answered, following, render_failure)

    return await sync_to_async(conclude)()


async def aidentities(request: HttpRequest) -> HttpResponse:
    """As `identities`."""
    return await sync_to_async(identities.identities)(request)


async def aidentity_add(request: HttpRequest) -> HttpResponse:
    """As `identity_add`."""
    asked = await sync_to_async(identities.ask_for_one_more)(request)
    return asked if isinstance(asked, HttpResponse) else await _begin(request, asked, reverse(LIST), "add")


async def aidentity_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """As `identity_remove`."""
    return await sync_to_async(identities.identity_remove)(request, pk)


async def asession_end(request: HttpRequest, pk: int) -> HttpResponse:
    """As `session_end`."""
    return await sync_to_async(identities.session_end)(request, pk)


async def asession_end_others(request: HttpRequest) -> HttpResponse:
    """As `session_end_others`."""
    return await sync_to_async(identities.session_end_others)(request)


async def aask_again(request: HttpRequest) -> HttpResponse | None:
    """As `ask_again`."""
    if await sync_to_async(arrival.is_held_back)(request):
        return None
    if refusal := await sync_to_async(refuse_too_many)(request, None, "recheck"):
        return refusal
    consumer = views.make_consumer(request)
    asked = await sync_to_async(views.vouching)(request)
    if isinstance(asked, Issuer):
        if refusal := await sync_to_async(views.refuse_forgotten)(request, asked):
            return refusal
        response = await connect.abegin(request, asked, "recheck", request.get_full_path())
        return await sync_to_async(views.connected)(request, response, asked)
    try:
        endpoint, association = await _agree(consumer, asked)
    except DiscoveryFailure as error:
        await sync_to_async(recheck.postpone)(request, error)
        return None

    def send() -> HttpResponse:
        begun = Begun(endpoint, asked, "recheck", arrival.user_key(request))
        return views.send_to_be_checked(request, consumer.request(begun, association))

    return await sync_to_async(send)()


async def _begin(
    request: HttpRequest,
    asked: str,
    redirect_to: str | None,
    purpose: str,
    login_complete_view: str = "openid-complete",
    render_failure: Any = None,
    redirect_field_name: str = REDIRECT_FIELD_NAME,
) -> HttpResponse:
    """As `views.begin_request`, once it is known that the client may begin one."""
    if isinstance(asked, Issuer):
        after = await sync_to_async(views.asked_next)(request, redirect_to, redirect_field_name)
        return views.found(await connect.abegin(request, asked, purpose, after, render_failure))
    consumer = views.make_consumer(request)
    try:
        endpoint, association = await _agree(consumer, asked)
    except DiscoveryFailure as error:
        return await sync_to_async(fail)(request, str(error), render_failure, status=400, exception=error)

    def send() -> HttpResponse:
        user = arrival.user_key(request) if purpose == "add" else ""
        openid_request = consumer.request(Begun(endpoint, asked, purpose, user), association)
        return views.send(request, openid_request, redirect_to, login_complete_view, redirect_field_name)

    return await sync_to_async(send)()


async def _agree(consumer: OpenIDConsumer, asked: str) -> tuple[OpenIDServiceEndpoint, Association | None]:
    """The endpoint, and an association with it; each step in the thread where it belongs."""
    endpoint = await sync_to_async(consumer.discover, thread_sensitive=False)(asked)
    association = await sync_to_async(consumer.association)(endpoint)
    if association is None:
        association = await sync_to_async(consumer.negotiate, thread_sensitive=False)(endpoint)
        await sync_to_async(consumer.remember)(endpoint, association)
    return endpoint, association
