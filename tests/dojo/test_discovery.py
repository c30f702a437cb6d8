"""Which modules dojo_build finds in a project's code."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.urls import clear_url_caches

from djintegrate.dojo.build import discovery
from djintegrate.dojo.build.discovery import Found

numbers = itertools.count()


@pytest.fixture
def project(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Found]]:
    """A project of these files, in a package SHOP; what is found in it alone."""
    # A name of its own each time: form classes stay known to their base for a while.
    shop = f"shop{next(numbers)}"

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


def test_names_that_are_written_out_in_the_source_are_found(project: Callable[..., Found]) -> None:
    found = project(
        views="""
def view(request):
    dojo.dojo_field(form["a"], "dijit.form.TextBox")
    models.dojo_field(form["b"], dijit="dijit/form/Textarea")
    request.dojo.append_module("dijit.Dialog")
    request.dojo.form_function = ("site.forms", "make")
    request.dojo.append_aol("function() { require(['dijit/Menu', \\"dijit/MenuItem\\", 'dojo/text!x'], f); }")
"""
    )
    assert found.modules == {
        "djintegrate/start", "dijit/form/TextBox", "dijit/form/Textarea", "dijit/Dialog", "site/forms", "dijit/Menu",
        "dijit/MenuItem",
    }  # fmt: skip
    assert found.unread == []


def test_names_that_are_put_together_are_found_on_the_forms_of_the_urlconf(project: Callable[..., Found]) -> None:
    found = project(
        urls="from django.urls import include, path\nurlpatterns = [path('', include('SHOP.more'))]",
        more="import SHOP.deep\nurlpatterns = []",
        deep="""
from django import forms
from djintegrate.dojo import models as dojo
class Form(forms.Form):
    a = dojo.dojo_field(forms.CharField(), "dijit." + "form.NumberSpinner")
""",
    )
    assert "dijit/form/NumberSpinner" in found.modules


def test_tests_and_migrations_are_not_looked_at(project: Callable[..., Found]) -> None:
    text = "request.dojo.append_module('dijit.Dialog')"
    found = project(tests__slash__views=text, migrations__slash__a=text, test_views=text)
    assert found.modules == {"djintegrate/start"}


def test_settings_name_what_the_code_does_not(project: Callable[..., Found], settings: Any) -> None:
    settings.DOJO_BUILD_MODULES = ["dijit.Editor"]
    settings.DOJO_FORM_FUNCTION = ("site.forms", "make")
    assert project().modules == {"djintegrate/start", "dijit/Editor", "site/forms"}


def test_folders_of_modules_are_found_among_the_static_files(
    project: Callable[..., Found], settings: Any, tmp_path: Path
) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / "static" / name).mkdir(parents=True)
    settings.STATICFILES_DIRS = [tmp_path / "static"]
    settings.DOJO_DJCONFIG = {"paths": {"three": "/static/three"}}
    found = project(
        views="""
request.dojo.set_module_path("one", "/static/one")
request.dojo.set_module_path("two", static("two"))
request.dojo.set_module_path("far", "https://example.com/far")
"""
    )
    assert {name: path.name for name, path in found.paths.items()} == {
        "djintegrate": "dojo", "one": "one", "two": "two", "three": "three"
    }  # fmt: skip
    [said] = found.unread
    assert "views.py:4" in said and "'https://example.com/far'" in said


def test_what_cannot_be_read_is_told_with_its_place(project: Callable[..., Found]) -> None:
    found = project(
        views="request.dojo.append_module(name)\nrequest.dojo.append_module('no name')", broken="def broken(:"
    )
    assert len(found.unread) == 3
    assert any("views.py:1: append_module() with a name that is made elsewhere" in said for said in found.unread)
    assert any("views.py:2: 'no name' is not the name of a module" in said for said in found.unread)
    assert any("broken.py" in said for said in found.unread)


FORMS = """
from django import forms

class Talk(forms.Form):
    day = forms.DateField()
    paper = forms.FileField()
"""
FITTING = {"djintegrate/start", "dijit/form/DateTextBox", "djintegrate/Native", "dijit/form/CheckBox"}


def test_fitting_dijits_are_found_where_they_are_asked_for(project: Callable[..., Found], settings: Any) -> None:
    assert project(urls="from SHOP import forms\nurlpatterns = []", forms=FORMS).modules == {"djintegrate/start"}
    settings.DOJO_AUTO = True
    # Those of contrib.auth are there too, for a view may show them.
    assert discovery.discover().modules >= FITTING


@pytest.mark.parametrize(
    ("call", "modules"), [("auto=True", FITTING), ("True", FITTING), ("auto=False", {"djintegrate/start"})]
)
def test_a_call_that_asks_for_fitting_dijits_is_seen(
    project: Callable[..., Found], call: str, modules: set[str]
) -> None:
    views = f"def view(request, form):\n    request.dojo.dojo_form(form, {call})"
    found = project(urls="from SHOP import forms\nurlpatterns = []", forms=FORMS, views=views)
    assert found.modules >= modules
    assert (found.modules >= FITTING) == (modules == FITTING)


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
