"""Which modules dojo_build finds in a project's code."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.forms import BaseForm
from django.urls import clear_url_caches

from djintegrate.dojo.build import discovery
from djintegrate.dojo.build.discovery import Found

numbers = itertools.count()


def made_before() -> Iterator[type]:
    ahead: list[type] = [BaseForm]
    while ahead:
        one = ahead.pop()
        ahead += one.__subclasses__()
        if one.__module__.startswith("django.forms."):
            yield one


@pytest.fixture
def project(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Found]]:
    """A project of these files, in a package SHOP; what is found in it alone."""
    # A name of its own each time: form classes stay known to their base for a while.
    shop = f"shop{next(numbers)}"
    # So are those that other tests have made by calling `type`: their module is Django's.
    others = set(made_before())
    may_be_shown = discovery._may_be_shown
    monkeypatch.setattr(discovery, "_may_be_shown", lambda form: form not in others and may_be_shown(form))

    def project(apps: Sequence[str] = ("djintegrate.dojo",), **files: str) -> Found:
        package = tmp_path / shop
        package.mkdir(exist_ok=True)
        files = {"__init__": "", "urls": "urlpatterns = []", **files}
        for name, text in files.items():
            path = package / (name.replace("__slash__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("SHOP", shop))
        monkeypatch.syspath_prepend(tmp_path)
        settings.ROOT_URLCONF = f"{shop}.urls"
        settings.INSTALLED_APPS = list(apps)
        clear_url_caches()
        # The forms of other tests are in this process as well, and none of this project's.
        monkeypatch.setattr(discovery, "_is_searched", lambda module: module.startswith(f"{shop}."))
        return discovery.discover()

    yield project
    for name in [name for name in sys.modules if name.partition(".")[0] == shop]:
        del sys.modules[name]
    clear_url_caches()


FORM = """
from django import forms
from djintegrate.dojo import models as dojo
class Form(forms.Form):
    a = dojo.dojo_field(forms.CharField(), "dijit." + "form.NumberSpinner")
"""
ALWAYS = {"djintegrate/start", *discovery.SELDOM}


def test_what_dojo_field_said_of_the_fields_of_forms_is_found(project: Callable[..., Found]) -> None:
    found = project(urls="from SHOP import forms\nurlpatterns = []", forms=FORM)
    assert "dijit/form/NumberSpinner" in found.modules
    assert found.modules >= ALWAYS
    assert found.unread == []


def test_forms_of_an_included_urlconf_are_found(project: Callable[..., Found]) -> None:
    found = project(
        urls="from django.urls import include, path\nurlpatterns = [path('', include('SHOP.more'))]",
        more="import SHOP.deep\nurlpatterns = []",
        deep=FORM,
    )
    assert "dijit/form/NumberSpinner" in found.modules


def test_the_source_is_not_read(project: Callable[..., Found], settings: Any) -> None:
    """What a view does when it is asked is for DOJO_BUILD_MODULES to say."""
    settings.DOJO_AUTO = False
    found = project(views="def view(request):\n    request.dojo.append_module('dijit.Dialog')", broken="def broken(:")
    assert found.modules == ALWAYS
    assert found.unread == []


def test_settings_name_what_the_code_does_not(project: Callable[..., Found], settings: Any) -> None:
    settings.DOJO_AUTO = False
    settings.DOJO_BUILD_MODULES = ["dijit.Editor"]
    settings.DOJO_FORM_FUNCTION = ("site.forms", "make")
    assert project().modules == {*ALWAYS, "dijit/Editor", "site/forms"}


def test_what_is_no_name_in_the_settings_is_told(project: Callable[..., Found], settings: Any) -> None:
    settings.DOJO_BUILD_MODULES = ["no name"]
    [said] = project().misnamed
    assert "DOJO_BUILD_MODULES: 'no name' is not the name of a module" in said


def test_folders_of_modules_are_found_among_the_static_files(
    project: Callable[..., Found], settings: Any, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / "static" / name).mkdir(parents=True)
    (tmp_path / "three").mkdir()
    settings.STATICFILES_DIRS = [tmp_path / "static", ("prefixed", tmp_path / "three")]
    settings.DOJO_DJCONFIG = {
        "paths": {"one": "/static/one", "three": "/static/prefixed", "far": "https://example.com/far"},
        "packages": [{"name": "two", "location": "/static/two"}],
    }
    found = project()
    assert {name: path.name for name, path in found.paths.items()} == {
        "djintegrate": "dojo", "one": "one", "two": "two", "three": "three"
    }  # fmt: skip
    [said] = found.unread
    assert "DOJO_DJCONFIG" in said and "'https://example.com/far'" in said


FORMS = """
from django import forms

class Talk(forms.Form):
    day = forms.DateField()
    paper = forms.FileField()
"""
FITTING = {"dijit/form/DateTextBox", "djintegrate/Native", "dijit/form/CheckBox"}


def test_fitting_dijits_are_found_unless_the_settings_say_that_none_are_asked_for(
    project: Callable[..., Found], settings: Any
) -> None:
    # A view may call dojo_form(form, auto=True), whatever the default is.
    assert project(urls="from SHOP import forms\nurlpatterns = []", forms=FORMS).modules >= FITTING
    settings.DOJO_AUTO = True
    assert discovery.discover().modules >= FITTING
    settings.DOJO_AUTO = False
    assert discovery.discover().modules == ALWAYS


SHOWN = """
from django import forms
from djintegrate.dojo.forms import DijitRenderer
class Form(forms.Form):
    default_renderer = {}
"""


@pytest.mark.parametrize(
    ("renderer", "has_look"), [("DijitRenderer", True), ("DijitRenderer()", True), ("None", False)]
)
def test_the_look_is_found_where_a_form_has_its_renderer(
    project: Callable[..., Found], renderer: str, has_look: bool
) -> None:
    assert project(urls="import SHOP.shown\nurlpatterns = []", shown=SHOWN.format(renderer)).has_look is has_look


def test_the_look_is_found_in_the_settings(project: Callable[..., Found], settings: Any) -> None:
    settings.FORM_RENDERER = "djintegrate.dojo.forms.DijitRenderer"
    assert project().has_look


GENERIC = """
from django.contrib.auth.models import Group
from django.urls import path
from django.views.generic import CreateView, FormView
from django.contrib.auth.views import LoginView
from SHOP.made import made
urlpatterns = [path("new", CreateView.as_view(model=Group, fields=["permissions"])), path("in", LoginView.as_view())]
"""


@pytest.mark.django_db
def test_forms_that_factories_generic_views_and_contrib_auth_make_are_found(
    project: Callable[..., Found], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DOJO_AUTO = True
    made = "from django.forms import modelform_factory\nfrom django.contrib.auth.models import User\n"
    apps = ["django.contrib.contenttypes", "django.contrib.auth", "djintegrate.dojo"]
    found = project(apps, urls=GENERIC, made=made + "made = modelform_factory(User, fields=['is_staff', 'last_login'])")
    assert {"dijit/form/MultiSelect", "dijit/form/CheckBox", "djintegrate/DateTimeBox"} <= found.modules
    assert "dijit/form/ValidationTextBox" in found.modules  # of LoginView's AuthenticationForm


CONSOLE = """
from django.urls import include, path
from djintegrate.jsonrpc import JSONRPCSite
urlpatterns = [path("json/", include(JSONRPCSite().urls))]
"""


@pytest.mark.parametrize("is_on", [True, False])
def test_what_the_pages_of_the_json_rpc_console_need_is_found_where_it_is_on(
    project: Callable[..., Found], settings: Any, is_on: bool
) -> None:
    settings.JSONRPC_CONSOLE, settings.DOJO_AUTO = is_on, False
    found = project(urls=CONSOLE)
    needed = {f"dijit/form/{name}" for name in ("SimpleTextarea", "Select", "CheckBox", "NumberTextBox", "TimeTextBox")}
    assert (found.modules >= {*needed, "djintegrate/DateTimeBox"}) is is_on
    assert is_on or found.modules == ALWAYS


MIXINS = """
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import path
from django.views.generic import FormView
from djintegrate.dojo.admin import DojoAdminMixin
from djintegrate.dojo.views import DojoFormMixin

class Talk(forms.Form):
    hour = forms.TimeField()

class New(DojoFormMixin, FormView):
    form_class = Talk

class GroupAdmin(DojoAdminMixin, admin.ModelAdmin):
    fields = ["name"]

site = admin.AdminSite("SHOP")
site.register(Group, GroupAdmin)
urlpatterns = [path("new", New.as_view()), path("admin/", site.urls)]
"""


@pytest.mark.django_db
def test_views_and_admins_with_our_mixins_are_found_whatever_the_settings_say(
    project: Callable[..., Found], settings: Any
) -> None:
    settings.DOJO_AUTO = False
    apps = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.admin", "djintegrate.dojo"]
    found = project(apps, urls=MIXINS)
    assert found.modules >= {"dijit/form/TimeTextBox", "dijit/form/ValidationTextBox"}
