"""The views of a sign-in for ASGI: what waits for a provider does so in a thread of its own, beside the database's."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from openid.consumer.discover import DiscoveryFailure

from . import views
from .forms import OpenIDLoginForm
from .protocol.state import Begun
from .site.pages import lacks_cookies, send_again


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
        return asked if isinstance(asked, HttpResponse) else views.refuse_too_many(request, render_failure) or asked

    asked = await sync_to_async(prepare)()
    if isinstance(asked, HttpResponse):
        return asked
    consumer = views.make_consumer(request)
    try:
        endpoint = await sync_to_async(consumer.discover, thread_sensitive=False)(asked)
    except DiscoveryFailure as error:
        return await sync_to_async(views.fail)(request, str(error), render_failure, status=400, exception=error)
    association = await sync_to_async(consumer.association)(endpoint)
    if association is None:
        association = await sync_to_async(consumer.negotiate, thread_sensitive=False)(endpoint)
        await sync_to_async(consumer.remember)(endpoint, association)

    def send() -> HttpResponse:
        openid_request = consumer.request(Begun(endpoint, asked), association)
        return views.send(request, openid_request, None, login_complete_view, redirect_field_name)

    return await sync_to_async(send)()


@login_not_required
@never_cache
@csrf_exempt
async def alogin_complete(
    request: HttpRequest, redirect_field_name: str = REDIRECT_FIELD_NAME, render_failure: Any = None
) -> HttpResponse:
    """As `login_complete`."""
    if lacks_cookies(request):
        return await sync_to_async(send_again)(request)
    data = views.openid_data(request)
    if refusal := await sync_to_async(views.refuse_unread)(request, data, render_failure):
        return refusal
    consumer = views.make_consumer(request)
    answer = await sync_to_async(consumer.receive)(data, request.build_absolute_uri())
    verified = await sync_to_async(consumer.verify, thread_sensitive=False)(answer)

    def conclude() -> HttpResponse:
        response = consumer.settle(*verified)
        return views.conclude(request, response, consumer.answered, redirect_field_name, render_failure)

    return await sync_to_async(conclude)()
