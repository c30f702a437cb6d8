"""dojo_field and the attribute map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.utils.safestring import mark_safe

from djintegrate.dojo import models as dojo


class Talk(forms.Form):
    title = forms.CharField(min_length=2, max_length=20, help_text="a & b", error_messages={"required": "No <title>!"})
    seats = forms.IntegerField(required=False, min_value=1, max_value=9, disabled=True)


def attributes(field: forms.Field) -> dict[str, Any]:
    return field.dojo.attributes(field)  # type: ignore[attr-defined]


def test_a_fields_own_rules_go_to_the_dijit() -> None:
    form = Talk()
    dojo.dojo_field(form["title"], "dijit.form.ValidationTextBox")
    dojo.dojo_field(form.fields["seats"], "dijit.form.NumberTextBox")
    assert attributes(form.fields["title"]) == {
        "required": True,
        "disabled": False,
        "minLength": 2,
        "maxLength": 20,
        "promptMessage": "a &amp; b",
        "missingMessage": "No &lt;title&gt;!",
    }
    seats = attributes(form.fields["seats"])
    assert seats["constraints"] == {"min": 1, "max": 9}
    assert (seats["required"], seats["disabled"]) == (False, True)
    assert seats["invalidMessage"] == "Enter a whole number."


def test_help_that_is_marked_as_html_stays_html() -> None:
    field = dojo.dojo_field(forms.CharField(help_text=mark_safe("<b>x</b>")), "dijit.form.TextBox")
    assert attributes(field)["promptMessage"] == "<b>x</b>"


def test_help_with_elements_prompts_with_its_words() -> None:
    field = dojo.dojo_field(forms.CharField(help_text="See <a href='/x'>R&amp;D</a> if x < 3"), "dijit.form.TextBox")
    assert attributes(field)["promptMessage"] == "See R&amp;D if x &lt; 3"


def test_a_widget_names_its_dijit_in_either_way(settings: Any, dojo_root: Path) -> None:
    assert dojo.Dijit("dijit.form.NumberSpinner").module == "dijit/form/NumberSpinner"
    for name in ("dijit form", "dijit/form/NumberSpinner.js"):
        with pytest.raises(ValueError, match=r"is the name of a file|is not the name of a module"):
            dojo.Dijit(name)
    settings.DEBUG = True
    with pytest.raises(ValueError, match=r"Dojo has no module 'dijit/form/NumberSpiner'\. Did you mean"):
        dojo.Dijit("dijit.form.NumberSpiner")


def test_attr_map_goes_over_the_default_and_dojo_attrs_over_both() -> None:
    field = dojo.dojo_field(
        forms.IntegerField(min_value=1, max_value=9, label="Seats", help_text="How many?"),
        "dijit.form.NumberTextBox",
        attr_map={
            "help_text": ("placeHolder", None),
            "label": ("title", str.upper),
            "required": ("required", lambda _: None),
        },
        dojo_attrs={"constraints": {"max": 5, "places": 0}, "style": "width: 5em"},
    )
    made = attributes(field)
    assert made["placeHolder"] == "How many?"
    assert "promptMessage" not in made and "required" not in made
    assert made["title"] == "SEATS"
    assert made["constraints"] == {"min": 1, "max": 5, "places": 0}
    assert made["style"] == "width: 5em"


def test_the_default_map_can_be_changed_for_a_whole_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dojo.default_attr_map, "label", ("title", None))
    assert attributes(dojo.dojo_field(forms.CharField(label="L"), "dijit.form.TextBox"))["title"] == "L"


def test_a_form_of_one_request_leaves_the_class_alone() -> None:
    dojo.dojo_field(Talk()["title"], "dijit.form.TextBox")
    assert list(dojo.dijits(Talk())) == []


def test_attributes_of_one_form_are_not_anothers() -> None:
    given = {"constraints": {"places": 2}}
    field = dojo.dojo_field(forms.IntegerField(min_value=1), "dijit.form.NumberTextBox", dojo_attrs=given)
    attributes(field)["constraints"]["places"] = 7
    assert attributes(field)["constraints"] == {"min": 1, "places": 2}
    assert given == {"constraints": {"places": 2}}


def test_a_field_that_is_not_in_its_form_is_refused_with_those_that_are() -> None:
    form = Talk()
    bound = form["title"]
    del form.fields["title"]
    with pytest.raises(ValueError, match="The field 'title' is not in Talk, which has: 'seats'"):
        dojo.dojo_field(bound, "dijit.form.TextBox")


@pytest.mark.parametrize("value", ["title", None, Talk, Talk()])
def test_what_is_no_field_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=r'is not a field. Give it form\["name"\]'):
        dojo.dojo_field(value, "dijit.form.TextBox")


def test_a_name_that_is_no_module_is_refused() -> None:
    with pytest.raises(ValueError, match="'dijit form' is not the name of a module"):
        dojo.dojo_field(forms.CharField(), "dijit form")


@pytest.mark.parametrize("pair", ["title", ("title",), ("title", "upper"), None])
def test_an_attribute_map_of_another_shape_is_refused(pair: Any) -> None:
    with pytest.raises(ValueError, match=r"attr_map\['label'\] is .* a converter or None"):
        dojo.dojo_field(forms.CharField(), "dijit.form.TextBox", attr_map={"label": pair})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dijit.form.TextBx", "Dojo has no module 'dijit/form/TextBx'. Did you mean dijit/form/TextBox?"),
        ("TextBox", "Dojo has no module 'TextBox'. Did you mean dijit/form/TextBox?"),
        ("dojox.form.Ratng", "Did you mean dojox/form/Rating?"),
    ],
)
def test_in_development_a_misspelt_dijit_is_refused(settings: Any, dojo_root: Path, name: str, said: str) -> None:
    # Without DEBUG there need be no sources, and nobody is asked.
    dojo.dojo_field(forms.CharField(), name)
    settings.DEBUG = True
    with pytest.raises(ValueError) as error:
        dojo.dojo_field(forms.CharField(), name)
    assert said in str(error.value)


def test_in_development_dijits_that_may_be_there_are_not_refused(
    settings: Any, dojo_root: Path, tmp_path: Path
) -> None:
    settings.DEBUG = True
    for name in ("dijit.form.TextBox", "mine.Box", "Mine", "djintegrate/StoreSelect"):
        dojo.dojo_field(forms.CharField(), name)
    settings.DOJO_ROOT = tmp_path / "none"
    dojo.dojo_field(forms.CharField(), "dijit.form.TextBx")


@pytest.mark.parametrize(
    ("field", "dijit"),
    [
        (forms.DecimalField, "dijit.form.DateTextBox"),
        (forms.IntegerField, "dijit.form.TimeTextBox"),
        (forms.DateField, "dijit.form.NumberTextBox"),
        (forms.DateTimeField, "dijit.form.HorizontalSlider"),
    ],
)
def test_a_dijit_of_another_kind_than_the_field_is_refused(field: Any, dijit: str) -> None:
    with pytest.raises(ValueError, match=rf"cannot say what a field of the class {field.__name__} reads"):
        dojo.dojo_field(field(), dijit)
