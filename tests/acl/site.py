"""A site with the list: a file of roles, views that are guarded, and a model that a resource stands for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import rules
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template import engines
from django.test import override_settings
from django.urls import path
from django.views import View
from django.views.generic import DetailView
from django.views.generic.detail import SingleObjectMixin

from djintegrate.acl import AccessRequiredMixin, access_required
from djintegrate.dojo.rest import StoreView
from tests.apps.people.models import Person

BACKENDS = ["django.contrib.auth.backends.ModelBackend", "djintegrate.acl.backends.AclBackend"]
FILE = """<config>
<roleSet>
<role><name>visitor</name></role>
<role><name>clerk</name><inheritFrom>visitor</inheritFrom></role>
<role><name>chief</name><inheritFrom>clerk</inheritFrom></role>
</roleSet>
<permissions>
<permission>
<resources><resource>poster</resource></resources>
<roles><role>visitor</role></roles>
<privileges><privilege>read</privilege></privileges>
</permission>
<permission>
<resources><resource>time_card</resource></resources>
<roles><role>clerk</role></roles>
<privileges>
<privilege>read</privilege>
<privilege if="own">write</privilege>
</privileges>
</permission>
<permission>
<resources><resource>time_card</resource></resources>
<roles><role>chief</role></roles>
<privileges><privilege>write</privilege><privilege>approve</privilege></privileges>
</permission>
<permission>
<resources><resource>human</resource></resources>
<roles><role>clerk</role></roles>
<privileges><privilege>view</privilege><privilege if="own">change</privilege></privileges>
</permission>
<permission>
<resources><resource>human.email</resource></resources>
<roles><role>chief</role></roles>
<privileges><privilege>read</privilege></privileges>
</permission>
</permissions>
</config>
"""


def is_own(user: Any, obj: Any) -> bool:
    return getattr(obj, "name", obj) == user.get_username()


@contextmanager
def site(file: Any, **settings: Any) -> Iterator[None]:
    """`file` is written, and is ACL_FILE within the block."""
    file.write_text(FILE)
    rules.set_rule("own", is_own)
    given = {"ACL_FILE": file, "AUTHENTICATION_BACKENDS": BACKENDS, "ROOT_URLCONF": __name__, "LOGIN_URL": "/login/"}
    try:
        with override_settings(**{**given, **settings}):
            yield
    finally:
        rules.remove_rule("own")


@access_required("time_card", "read")
def cards(request: HttpRequest) -> HttpResponse:
    return HttpResponse("cards")


@access_required("time_card", "write", get_object=lambda request, name: name)
def card(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(name)


@access_required("time_card", "approve", raise_exception=True)
def approval(request: HttpRequest) -> HttpResponse:
    return HttpResponse("approved")


@access_required("time_card", "write", get_object=lambda request, name: name)
async def async_card(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(name)


def existing(request: HttpRequest, pk: int) -> Person:
    return get_object_or_404(Person, pk=pk)


@access_required("time_card", "write", get_object=existing)
def model_card(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(pk)


@access_required("time_card", "write", get_object=existing)
async def async_model_card(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(pk)


class Card(AccessRequiredMixin, DetailView):
    resource, privilege = "human", "change"
    model = Person

    def render_to_response(self, context: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponse(context["object"].name)


class AsyncCard(AccessRequiredMixin, SingleObjectMixin, View):
    resource, privilege = "human", "change"
    model = Person

    async def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return HttpResponse(pk)


class AsyncCards(AccessRequiredMixin, View):
    resource, privilege = "time_card", "read"

    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("cards")


class DjangosMixin(PermissionRequiredMixin, View):
    permission_required = ["time_card.read", "poster.read"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("cards")


class Unfinished(AccessRequiredMixin, View):
    resource = "time_card"

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("never")


class People(StoreView):
    rows = Person.objects.order_by("name")
    fields = ("name",)


panel = AdminSite(name="admin")
panel.register(Person, ModelAdmin)


def template(request: HttpRequest, text: str = "") -> HttpResponse:
    source = "{% load acl %}" + request.GET["text"]
    return HttpResponse(engines["django"].from_string(source).render({"card": request.GET.get("card")}, request))


urlpatterns = [
    path("cards/", cards),
    path("cards/<str:name>/", card),
    path("approval/", approval),
    path("async/<str:name>/", async_card),
    path("model/<int:pk>/", model_card),
    path("async-model/<int:pk>/", async_model_card),
    path("class/<int:pk>/", Card.as_view()),
    path("async-class/<int:pk>/", AsyncCard.as_view()),
    path("async-class/", AsyncCards.as_view()),
    path("mixin/", DjangosMixin.as_view()),
    path("decorator/", permission_required("time_card.read", raise_exception=True)(DjangosMixin.as_view())),
    path("unfinished/", Unfinished.as_view()),
    path("template/", template),
    path("rows/", People.as_view()),
    path("admin/", panel.urls),
]
