"""request.dojo is there, in synchronous and in asynchronous sites."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.views.generic import FormView

from djintegrate.dojo.admin import DojoAdminMixin
from djintegrate.dojo.middleware import MIDDLEWARE, DojoMiddleware
from djintegrate.dojo.page.page import Dojo
from djintegrate.dojo.views import DojoFormMixin


def test_each_request_gets_its_own(rf: Any) -> None:
    seen = []
    middleware = DojoMiddleware(lambda request: seen.append(request.dojo) or HttpResponse("done"))  # type: ignore
    assert middleware(rf.get("/")).content == b"done"
    middleware(rf.get("/"))
    assert [type(one) for one in seen] == [Dojo, Dojo]
    assert seen[0] is not seen[1]


def test_asynchronous_sites_stay_asynchronous(rf: Any) -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.dojo.theme)

    middleware = DojoMiddleware(view)
    assert iscoroutinefunction(middleware)
    assert asyncio.run(middleware(rf.get("/"))).content == b"claro"


def test_a_request_that_uses_no_dojo_needs_no_setting(rf: Any, settings: Any) -> None:
    settings.DOJO_URL = None
    settings.DOJO_THEME = "none"
    assert DojoMiddleware(lambda request: "done")(rf.get("/")) == "done"


class Talk(forms.Form):
    title = forms.CharField()


class Propose(DojoFormMixin, FormView):
    form_class = Talk
    template_name = "propose.html"


class GroupAdmin(DojoAdminMixin, admin.ModelAdmin):
    pass


def change_form(request: HttpRequest) -> HttpResponse:
    return GroupAdmin(Group, admin.AdminSite()).render_change_form(request, {}, add=True)


@pytest.mark.parametrize("view", [Propose.as_view(), change_form])
def test_a_view_says_what_its_request_has_not_been_through(view: Any, rf: Any, settings: Any) -> None:
    settings.MIDDLEWARE = []
    with pytest.raises(ImproperlyConfigured, match=r"Add '.*DojoMiddleware' to MIDDLEWARE"):
        view(rf.get("/"))
    settings.MIDDLEWARE = [MIDDLEWARE]
    with pytest.raises(ImproperlyConfigured, match=r"RequestFactory"):
        view(rf.get("/"))


def test_a_request_of_a_factory_gets_its_dojo_from_the_middleware(rf: Any) -> None:
    response = DojoMiddleware(Propose.as_view())(rf.get("/"))
    assert [field["id"] for step in response.context_data["view"].dojo.specification()["steps"]
            for field in step["fields"]] == ["id_title"]  # fmt: skip
