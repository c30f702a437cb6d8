"""Slips of the pen that would otherwise pass in silence: in dojo_field(), dojo_form() and Dojo's configuration."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.template import engines

from djintegrate.dojo import checks
from djintegrate.dojo import models as dojo
from djintegrate.dojo.page import names
from djintegrate.dojo.page.page import Dojo


class Talk(forms.Form):
    title = forms.CharField(max_length=20, help_text="What it is called.")


@pytest.fixture
def page(rf: Any) -> Dojo:
    return Dojo(rf.get("/"))


def write(page: Dojo) -> str:
    return str(engines["django"].from_string("{% load dojo %}{% dojo page %}").render({"page": page}))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("help_txt", "attr_map['help_txt']: a field has no attribute 'help_txt'. Did you mean help_text?"),
        ("error_messages.requird", "attr_map['error_messages.requird']: there is no 'requird'. Did you mean required?"),
        ("error_mesages.required", "Did you mean error_messages?"),
        ("widget.atrs.rows", "attr_map['widget.atrs.rows']: a TextInput has no 'atrs'. Did you mean attrs?"),
    ],
)
def test_a_misspelt_path_of_attr_map_is_refused(path: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        dojo.dojo_field(forms.CharField(), "dijit.form.TextBox", {path: ("title", None)})


@pytest.mark.parametrize(
    "path",
    ["label", "help_text", "error_messages.max_length", "error_messages.of_our_own", "widget.attrs.rows", "step_size",
     "queryset.model", "my_own"],
)  # fmt: skip
def test_a_path_that_some_field_may_have_is_not(path: str) -> None:
    class Own(forms.CharField):
        def __init__(self, my_own: str = "", **options: Any) -> None:
            super().__init__(**options)

    dojo.dojo_field(forms.CharField(), "dijit.form.TextBox", {path: ("title", None)})


@pytest.mark.parametrize("wrong", [["x"], "x", {"x"}])
@pytest.mark.parametrize("name", ["attr_map", "dojo_attrs"])
def test_what_is_no_dictionary_is_refused_with_an_example(name: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=rf"{name} is .*x.*, a .*\. Make it a dictionary, such as {{.*placeHolder"):
        dojo.dojo_field(forms.CharField(), "dijit.form.TextBox", **{name: wrong})


@pytest.mark.parametrize("auto", ["False", 1, 0, ""])
def test_auto_is_a_boolean_or_none(page: Dojo, auto: Any) -> None:
    with pytest.raises(ValueError, match=f"auto={auto!r}. Make it True or False, or None for DOJO_AUTO"):
        page.dojo_form(Talk(), auto=auto)


@pytest.mark.parametrize("name", ["dijit/Dialog.js", "site/forms.js"])
def test_the_name_of_a_file_is_refused_with_that_of_the_module(page: Dojo, name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is the name of a file. Write '{name[:-3]}'"):
        page.append_module(name)


def test_what_no_page_can_send_is_refused_with_the_field_and_its_form(page: Dojo) -> None:
    form = Talk()
    dojo.dojo_field(form["title"], "dijit.form.TextBox", dojo_attrs={"deep": [{"of": {1, 2}}]})
    page.dojo_form(form)
    with pytest.raises(TypeError, match=r"JSON has no set.* the field 'title' of Talk.* attr_map or dojo_attrs"):
        write(page)


def test_a_key_that_no_page_can_send_is_refused_with_the_field_and_its_form(page: Dojo) -> None:
    form = Talk()
    dojo.dojo_field(form["title"], "dijit.form.TextBox", dojo_attrs={"deep": {(1, 2): 3}})
    page.dojo_form(form)
    with pytest.raises(TypeError, match=r"keys must be str.* the field 'title' of Talk"):
        write(page)


def test_what_dj_config_cannot_send_is_told_of_it(page: Dojo) -> None:
    page.dojo_form(Talk(), auto=True)
    page.dj_config["x"] = {1, 2}
    with pytest.raises(TypeError, match=r"JSON has no set.* It is in dj_config"):
        write(page)


@pytest.mark.parametrize(
    ("slip", "meant"), [("isDebugg", "isDebug"), ("parseonload", "parseOnLoad"), ("baseURL", "baseUrl")]
)
def test_a_slip_in_the_configuration_is_a_warning(settings: Any, slip: str, meant: str) -> None:
    settings.DOJO_DJCONFIG = {
        slip: True,
        "ofTheSites": 1,
        **{name: {} for name in names.CONFIGURATION if name != "packages"},
    }
    [found] = [one for one in checks.check_configuration() if one.id == "dojo.W006"]
    assert f"{slip!r}" in found.msg and f"Did you mean {meant!r}?" in found.msg


def test_a_slip_in_a_pages_configuration_is_logged(page: Dojo, caplog: pytest.LogCaptureFixture) -> None:
    page.dj_config.update(isDebugg=True, ofTheSites=1)
    write(page)
    [said] = caplog.messages
    assert "dj_config has 'isDebugg'" in said and "Did you mean 'isDebug'?" in said


def test_a_slip_of_the_settings_is_not_logged_for_each_page(
    settings: Any, rf: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DOJO_DJCONFIG = {"isDebugg": True}
    write(Dojo(rf.get("/")))
    assert not caplog.messages
