"""Fields and widgets that are not as Django's are: the page that plain HTML shows is shown, and asks for no more."""

from __future__ import annotations

import itertools
import json
import logging
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import RequestFactory
from django.urls import path
from hypothesis import given, settings
from hypothesis import strategies as st

from djintegrate.dojo.build import discovery
from djintegrate.dojo.fields import auto, numbers
from djintegrate.dojo.page.page import Dojo
from djintegrate.dojo.page.writing import script
from djintegrate.dojo.richtext import RichTextarea, RichTextField
from tests.dojo.test_admin import UserAdmin
from tests.dojo.test_auto import entries, entry_of, form_of


def raising(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("a widget of somebody's")


def odd_parts(*args: Any, **kwargs: Any) -> Any:
    return {"widget": {"subwidgets": [{}], "value": object(), "attrs": None}}


HOW: list[Any] = [
    raising,
    lambda *args, **kwargs: None,
    lambda *args, **kwargs: {"widget": {}},
    odd_parts,
    None,
    "text",
    [],
]
WHAT = [
    *("get_context", "attrs", "value_from_datadict", "decompress", "format", "format_key", "format_value", "is_hidden"),
    *("widget", "widgets", "input_type", "choices", "is_initial", "clear_checkbox_name", "template_name", "render"),
]
BASES: list[tuple[Any, Callable[[], forms.Widget]]] = [
    (forms.CharField, forms.TextInput), (forms.IntegerField, forms.NumberInput), (forms.DateField, forms.DateInput),
    (forms.BooleanField, forms.CheckboxInput), (forms.ChoiceField, forms.Select), (RichTextField, RichTextarea),
    (forms.DateField, forms.SelectDateWidget), (forms.FileField, forms.ClearableFileInput),
    (forms.SplitDateTimeField, forms.SplitDateTimeWidget),
    (forms.IntegerField, lambda: forms.NumberInput({"type": "range"})),
]  # fmt: skip


def odd(base: forms.Widget, what: str, how: Any) -> forms.Widget:
    """The widget, with one attribute or method that is odd."""
    cls = type("Odd", (type(base),), {what: how})
    made: forms.Widget = cls.__new__(cls)
    made.__dict__.update({name: value for name, value in base.__dict__.items() if name != what})
    return made


def shows(form: forms.Form) -> bool:
    """Whether a template that shows another field of the form, and the errors, is rendered as plain HTML."""
    try:
        return bool(form["other"].as_widget()) and form.errors is not None
    except Exception:
        return False


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize(("field", "widget"), BASES)
def test_an_odd_widget_leaves_the_page_and_the_other_fields_as_they_are(
    field: Any, widget: Any, what: str, caplog: pytest.LogCaptureFixture, rf: RequestFactory
) -> None:
    caplog.set_level(logging.CRITICAL)
    form_class = form_of(f=field(required=False), other=forms.CharField(required=False))

    def form(how: Any, data: Any) -> forms.Form:
        form_class.base_fields["f"].widget = widget()
        made = form_class(data, empty_permitted=True, use_required_attribute=False)
        made.fields["f"].widget = odd(widget(), what, how)
        return made

    for how, data in itertools.product(HOW, (None, {"f": "x", "other": "y"})):
        if shows(form(how, data)):
            page = Dojo(rf.get("/"))
            page.dojo_form(form(how, data), auto=True)
            said = page.specification()
            assert "id_other" in [entry["id"] for entry in said["steps"][0]["fields"]]
            assert script(page, said, "dojo")
        form_class.base_fields["f"].widget = odd(widget(), what, how)
        found = discovery.Found(set())
        found.add_form(form_class, automatic=True)
        assert auto.TEXT in found.modules


def test_the_log_says_which_field_stays_as_it_is_in_html(caplog: pytest.LogCaptureFixture) -> None:
    form = form_of(f=forms.SplitDateTimeField(), other=forms.CharField())()
    form.fields["f"].widget = odd(form.fields["f"].widget, "get_context", raising)
    assert list(entries(form)) == ["id_other"]
    assert "The field 'f' of Form stays as it is in HTML: no dijit can be made of its SplitDateTimeField" in caplog.text


def test_what_the_cleaning_of_a_form_raises_is_raised() -> None:
    form_class = form_of(f=forms.CharField())
    form_class.clean = raising  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        entries(form_class({"f": "a"}))


@pytest.mark.django_db
def test_an_error_in_the_admin_is_shown_where_an_inline_has_a_registered_foreign_key(settings: Any) -> None:
    user = User.objects.create_superuser("ada", "ada@example.org", "x")
    group = Group.objects.create(name="Schedulers")
    site = admin.AdminSite()
    site.register(User, UserAdmin)
    site.register(Group)
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [path("admin/", admin.site.urls)]})
    prefix = "User_groups"
    data = {"username": "", f"{prefix}-TOTAL_FORMS": "2", f"{prefix}-INITIAL_FORMS": "0", f"{prefix}-0-group": group.pk}
    request = RequestFactory().post("/", data)
    request.user = user
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    request.dojo = Dojo(request)  # type: ignore[attr-defined]
    response = UserAdmin(User, site).changeform_view(request)
    assert response.context_data["errors"]
    first = {entry["id"]: entry for step in request.dojo.specification()["steps"] for entry in step["fields"]}  # type: ignore[attr-defined]
    assert first["id_User_groups-0-group"]["initial"] == []
    assert first["id_User_groups-0-group"]["dijit"] == "dijit/form/FilteringSelect"


# Numbers


def slider(field: forms.Field) -> tuple[Any, ...]:
    attrs = entry_of(field)["attrs"]
    return attrs["minimum"], attrs["maximum"], attrs.get("discreteValues")


def ranged(field: Any, attrs: dict[str, Any] | None = None, **kwargs: Any) -> forms.Field:
    made: forms.Field = field(widget=forms.NumberInput({"type": "range", **(attrs or {})}), **kwargs)
    return made


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (ranged(forms.IntegerField), (0, 100, 101)),
        (ranged(forms.FloatField), (0, 100, None)),  # Django's own step="any"
        (ranged(forms.DecimalField, max_value=Decimal("1.5")), (0, 1.5, None)),
        (ranged(forms.DecimalField, decimal_places=1, max_digits=3, max_value=2), (0, 2, 21)),
        (ranged(forms.FloatField, {"step": "0.1", "min": "0.1", "max": "0.7"}), (0.1, 0.7, 7)),
        (ranged(forms.IntegerField, {"step": 3, "max": 10}), (0, 9, 4)),
        (ranged(forms.IntegerField, {"min": "", "max": "x", "step": 0}), (0, 100, 101)),
        (ranged(forms.IntegerField, {"min": None, "max": True, "step": "-1"}), (0, 100, 101)),
        (ranged(forms.IntegerField, {"min": "5px", "step": "ANY"}), (0, 100, None)),
        (ranged(forms.IntegerField, {"min": ".5", "max": "1e1", "step": ".5"}), (0.5, 10, 20)),
        (ranged(forms.IntegerField, {"min": 200}), (200, 200, 1)),
        (ranged(forms.IntegerField, min_value=lambda: 5, max_value=lambda: 7), (5, 7, 3)),
        (ranged(forms.IntegerField, max_value=10**400), (0, 100, 101)),
        (ranged(forms.IntegerField, max_value=10**300), (0, 1e300, None)),
        (ranged(forms.FloatField, max_value=float("inf"), min_value=float("nan"), step_size=2), (0, 100, 51)),
        (ranged(forms.IntegerField, step_size=0), (0, 100, 101)),
    ],
)
def test_a_slider_has_the_bounds_that_html_has(field: forms.Field, expected: Any) -> None:
    assert slider(field) == expected


odd_numbers = st.sampled_from(
    [None, "", "any", "x", "5px", " 5", "+5", "5.", "1e400", "nan", "inf", True, False, 0, -1, 3, 0.1, 1e308, 5e-324,
     10**20, 10**400, float("nan"), float("inf"), Decimal("1.5"), Decimal("NaN"), Decimal("1E+500"), lambda: 5,
     lambda: "x", [], object()]
)  # fmt: skip


@settings(deadline=None)
@given(
    field=st.sampled_from([forms.IntegerField, forms.FloatField, forms.DecimalField]),
    attrs=st.dictionaries(st.sampled_from(["min", "max", "step"]), odd_numbers),
    limits=st.fixed_dictionaries({}, optional=dict.fromkeys(("min_value", "max_value", "step_size"), odd_numbers)),
    kind=st.sampled_from(["range", "number"]),
)
def test_whatever_is_given_for_a_number_the_page_has_a_dijit(field: Any, attrs: Any, limits: Any, kind: str) -> None:
    made = field(widget=forms.NumberInput({"type": kind, **attrs}))
    vars(made).update(limits)
    entry = entry_of(made)
    json.dumps(entry, allow_nan=False)
    if kind == "range":
        low, high, count = slider(made)
        assert low <= high and (count is None or count >= 1)


@settings(deadline=None)
@given(
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
)
def test_a_number_is_one_also_as_a_text(value: Any) -> None:
    found = numbers.number(value)
    assert found == numbers.number(lambda: value)
    assert (
        (None if found is None else float(found))
        == numbers.number(str(value))
        == (None if found is None else float(value))
    )
    assert numbers.number(raising) is None


# What has to be filled in


def controls_of(html: str) -> dict[str, str]:
    return {re.search(r' id="([^"]*)"', tag)[1]: tag for tag in re.findall(r"<input [^>]*>", html)}  # type: ignore[index]


BOTH = (True, False)


@pytest.mark.parametrize("whole_required", BOTH)
@pytest.mark.parametrize("all_required", BOTH)
@pytest.mark.parametrize("disabled", BOTH)
def test_a_part_is_required_and_disabled_only_where_django_or_html_wants_it(
    whole_required: bool, all_required: bool, disabled: bool
) -> None:
    for first, second, second_disabled, by_html in itertools.product(BOTH, BOTH, BOTH, BOTH):

        class Pair(forms.MultiValueField):
            def __init__(self, **kwargs: Any) -> None:
                parts = [forms.CharField(required=first), forms.CharField(required=second, disabled=second_disabled)]  # noqa: B023
                super().__init__(parts, **kwargs)

            def compress(self, values: list[str]) -> str:
                return "-".join(values)

        class Inputs(forms.MultiWidget):
            def decompress(self, value: Any) -> list[Any]:
                return value.split("-") if value else ["", ""]

        class Form(forms.Form):
            use_required_attribute = by_html
            f = Pair(
                required=whole_required,
                require_all_fields=all_required,
                disabled=disabled,
                widget=Inputs([forms.TextInput, forms.TextInput]),
            )

        for initial, data in itertools.product(
            (None, "a-b"), ({}, {"f_0": "a"}, {"f_1": "b"}, {"f_0": "a", "f_1": "b"})
        ):
            plain = controls_of(Form(initial={"f": initial})["f"].as_widget())
            found = entries(Form(initial={"f": initial}))
            accepted = Form(data, initial={"f": initial}).is_valid()
            for key, tag in plain.items():
                name = key.removeprefix("id_")
                assert bool(found[key]["attrs"]["disabled"]) == (" disabled" in tag)
                if accepted and name not in data and not disabled and " required" not in tag:
                    assert not found[key]["attrs"]["required"] and "required" not in found[key]["rules"]
                if whole_required and " required" in tag:
                    assert found[key]["attrs"]["required"]


def test_an_optional_whole_may_be_left_empty_though_a_part_is_required() -> None:
    field = forms.MultiValueField(
        [forms.CharField(), forms.CharField(required=False)],
        required=False,
        require_all_fields=False,
        widget=forms.SplitDateTimeWidget(),
    )
    assert [entry["attrs"]["required"] for entry in entries(form_of(f=field)()).values()] == [False, False]


def test_the_rows_of_an_editor_are_a_number_or_as_html_has_it() -> None:
    for rows, height in ((5, "5em"), ("12", "12em"), ("", "10em"), ("many", "10em"), (0, "10em"), (2.5, "2.5em")):
        entry = entry_of(RichTextField(widget=RichTextarea({"rows": rows})))
        assert entry["attrs"]["minHeight"] == height
