"""Which dijit each field becomes by itself, and what the browser is told of its rules and its value."""

from __future__ import annotations

import inspect
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core import validators
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from django.utils.formats import get_format

from djintegrate.dojo import models as dojo
from djintegrate.dojo.fields import auto, rules, values
from djintegrate.dojo.page.page import Dojo, specification
from djintegrate.dojo.richtext import RichTextField
from djintegrate.dojo.widgets import StoreSelect
from tests.dojo.forms import CHOICES, Every


def form_of(**fields: forms.Field) -> type[forms.Form]:
    return type("Form", (forms.Form,), fields)


def entries(form: forms.BaseForm) -> dict[str, dict[str, Any]]:
    return {entry["id"]: entry for _, entry in specification.entries(form, True)}


def entry_of(field: forms.Field, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return entries(form_of(f=field)(*args, **kwargs))["id_f"]


def rules_of(field: forms.Field) -> list[Any]:
    return [rule[:2] for rule in entry_of(field)["rules"]["list"] if rule[0] != "without_null"]


class Pair(forms.MultiWidget):
    def decompress(self, value: Any) -> list[Any]:
        return []


MINIMAL: dict[type, dict[str, Any]] = {
    forms.ComboField: {"fields": [forms.CharField()]},
    forms.RegexField: {"regex": "a"},
    forms.FilePathField: {"path": "/"},
    forms.MultiValueField: {"fields": [forms.CharField()], "widget": Pair([forms.TextInput])},
    forms.ModelChoiceField: {"queryset": User.objects.none()},
    forms.ModelMultipleChoiceField: {"queryset": User.objects.none()},
    forms.TypedChoiceField: {"coerce": int},
    forms.URLField: {"assume_scheme": "https"},
}


def fields_of_django() -> list[type[forms.Field]]:
    classes = [cls for _, cls in inspect.getmembers(forms, inspect.isclass) if issubclass(cls, forms.Field)]
    return [cls for cls in classes if cls is not forms.Field]


def minimal(field: type[forms.Field]) -> forms.Field:
    return field(**MINIMAL.get(field, {}))


@pytest.mark.parametrize("field", fields_of_django())
def test_every_field_of_django_becomes_a_dijit(field: type[forms.Field]) -> None:
    made = entries(form_of(f=minimal(field))())
    assert made, field
    assert all(entry["dijit"].startswith(("dijit/", "djintegrate/")) for entry in made.values())


@pytest.mark.parametrize("widget", [forms.HiddenInput, forms.MultipleHiddenInput, forms.SplitHiddenDateTimeWidget])
def test_what_cannot_be_seen_becomes_none(widget: type[forms.Widget]) -> None:
    assert entries(form_of(f=forms.Field(widget=widget))()) == {}


@pytest.mark.parametrize(
    ("field", "dijit"),
    [
        (forms.CharField(), "dijit/form/ValidationTextBox"),
        (forms.CharField(widget=forms.PasswordInput), "dijit/form/ValidationTextBox"),
        (forms.CharField(widget=forms.Textarea), "dijit/form/SimpleTextarea"),
        (RichTextField(), "djintegrate/Editor"),
        (forms.IntegerField(), "dijit/form/NumberTextBox"),
        (forms.IntegerField(step_size=2), "dijit/form/NumberSpinner"),
        (forms.DecimalField(localize=True), "dijit/form/NumberTextBox"),
        (forms.IntegerField(widget=forms.NumberInput({"type": "range"})), "dijit/form/HorizontalSlider"),
        (forms.DateField(), "dijit/form/DateTextBox"),
        (forms.DateField(input_formats=["%d. %B %Y"]), "dijit/form/DateTextBox"),
        (forms.DateField(input_formats=["%j %Y"]), "dijit/form/ValidationTextBox"),
        (forms.TimeField(), "dijit/form/TimeTextBox"),
        (forms.DateTimeField(), "djintegrate/DateTimeBox"),
        (forms.DateField(widget=forms.Textarea), "dijit/form/SimpleTextarea"),
        (forms.ChoiceField(), "dijit/form/Select"),
        (forms.ChoiceField(widget=forms.RadioSelect), "dijit/form/RadioButton"),
        (forms.NullBooleanField(), "dijit/form/Select"),
        (forms.MultipleChoiceField(), "dijit/form/MultiSelect"),
        (forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple), "dijit/form/CheckBox"),
        (forms.ModelChoiceField(User.objects.none()), "dijit/form/FilteringSelect"),
        (forms.ModelChoiceField(User.objects.none(), widget=forms.RadioSelect), "dijit/form/RadioButton"),
        (forms.FileField(), "djintegrate/Native"),
        (forms.CharField(widget=forms.TextInput({"type": "color"})), "djintegrate/Native"),
        (forms.CharField(widget=forms.TextInput({"type": "week"})), "djintegrate/Native"),
        (forms.CharField(widget=forms.TextInput({"type": "date"})), "dijit/form/DateTextBox"),
        (forms.DateTimeField(widget=forms.TextInput({"type": "datetime-local"})), "djintegrate/DateTimeBox"),
    ],
)  # fmt: skip
def test_the_control_and_the_field_decide(field: forms.Field, dijit: str) -> None:
    assert entry_of(field)["dijit"] == dijit


def test_a_field_of_ones_own_is_what_its_base_is() -> None:
    class Money(forms.DecimalField):
        pass

    assert entry_of(Money())["dijit"] == "dijit/form/NumberTextBox"


def test_parts_become_dijits_each() -> None:
    made = entries(form_of(at=forms.SplitDateTimeField(), born=forms.DateField(widget=forms.SelectDateWidget))())
    assert {name: entry["dijit"] for name, entry in made.items()} == {
        "id_at_0": "dijit/form/DateTextBox",
        "id_at_1": "dijit/form/TimeTextBox",
        "id_born_month": "dijit/form/Select",
        "id_born_day": "dijit/form/Select",
        "id_born_year": "dijit/form/Select",
    }


def test_dojo_field_goes_over_what_is_automatic() -> None:
    field = dojo.dojo_field(forms.IntegerField(min_value=1), "dijit.form.TextBox")
    made = entry_of(field)
    assert made["dijit"] == "dijit/form/TextBox"
    assert "rules" not in made


def test_only_where_it_is_asked_for(rf: Any, settings: Any) -> None:
    def made(auto: bool | None = None) -> int:
        page = Dojo(rf.get("/"))
        page.dojo_form(form_of(f=forms.CharField())(), auto=auto)
        return len(page.specification()["steps"][0]["fields"])

    assert (made(), made(True)) == (0, 1)
    settings.DOJO_AUTO = True
    assert (made(), made(False)) == (1, 0)


def test_the_fields_attributes_go_to_the_dijit() -> None:
    made = entry_of(
        forms.DecimalField(min_value=Decimal("1.5"), max_value=lambda: 9, help_text="how & <b>why</b>", disabled=True)
    )["attrs"]
    assert made["constraints"] == {"min": 1.5, "max": 9}
    assert (made["promptMessage"], made["disabled"], made["required"]) == ("how &amp; why", True, True)
    days = forms.DateField(validators=[validators.MinValueValidator(date(2026, 1, 2))])
    assert entry_of(days)["attrs"]["constraints"] == {"min": "2026-01-02"}
    hours = forms.TimeField(validators=[validators.MaxValueValidator(time(18))])
    assert entry_of(hours)["attrs"]["constraints"] == {"max": "T18:00:00"}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (forms.CharField(min_length=2, max_length=5), [["min_length", 2], ["max_length", 5]]),
        (forms.IntegerField(min_value=1), [["integer", None], ["min_value", ["1", False]]]),
        (forms.FloatField(max_value=2.5), [["float", None], ["max_value", ["2.5", True]]]),
        (
            forms.IntegerField(step_size=3, min_value=1),
            [["integer", None], ["min_value", ["1", False]], ["step", [3.0, 1.0]]],
        ),
        (
            forms.DecimalField(max_digits=5, decimal_places=2),
            [["number", None], ["max_digits", 5], ["max_decimal_places", 2], ["max_whole_digits", 3]],
        ),
        (forms.DateTimeField(validators=[validators.MinValueValidator(datetime(2026, 1, 2, 3, tzinfo=timezone.utc))]),
         [["min_value", ["2026-01-01T21:00:00", False]]]),
        (forms.GenericIPAddressField(protocol="ipv4"), [["colons", None], ["address", "ipv4"], ["max_length", 39]]),
        (forms.FileField(max_length=9), [["filename", 9], ["content", None]]),
        (forms.FileField(allow_empty_file=True, validators=[validators.FileExtensionValidator(["pdf"])]),
         [["extension", ["pdf"]]]),
        (forms.JSONField(required=False), [["json", None]]),
        (forms.JSONField(decoder=object), []),
        (forms.ComboField(fields=[forms.CharField(max_length=3)]), [["max_length", 3]]),
    ],
)  # fmt: skip
def test_the_browser_is_told_the_rules(field: forms.Field, expected: list[Any], settings: Any) -> None:
    settings.TIME_ZONE = "America/Chicago"
    assert rules_of(field) == expected


def test_patterns_go_along_where_javascript_can_say_them() -> None:
    assert rules_of(forms.RegexField("^[a-z]+$"))[0][0] == "pattern"
    assert rules_of(forms.CharField(validators=[validators.RegexValidator("a", inverse_match=True)]))[0][1][1] is True
    assert rules_of(forms.RegexField(r"(?i:a)(b)?(?(1)c|d)")) == []
    assert {rules_of(field)[0][0] for field in (forms.SlugField(), forms.EmailField())} == {"pattern", "email"}


def test_a_validator_of_ones_own_is_left_to_the_server() -> None:
    class Odd(validators.MinValueValidator):
        def compare(self, a: Any, b: Any) -> bool:
            return bool(a % 2 == 0)

    assert rules_of(forms.IntegerField(validators=[Odd(0), lambda value: None])) == [["integer", None]]


def test_a_validator_that_only_says_what_djangos_is_to_look_for_goes_along() -> None:
    assert [rule[0] for rule in rules_of(forms.CharField(validators=[UnicodeUsernameValidator()]))] == ["pattern"]


def test_lengths_of_what_is_no_text_are_left_to_the_server() -> None:
    class Words(forms.CharField):
        def to_python(self, value: Any) -> Any:
            return value.split()

    assert rules_of(Words(min_length=2)) == []


def test_messages_are_the_servers() -> None:
    field = forms.CharField(max_length=3, error_messages={"required": "Come on & say", "max_length": "No more <3>"})
    made = entry_of(field)["rules"]
    assert made["required"] == "Come on &amp; say"
    assert [message for name, _, message in made["list"] if name == "max_length"] == ["No more &lt;3&gt;"]
    [message] = [rule[2] for rule in rules.rules_of(forms.CharField(max_length=3)) if rule[0] == "max_length"]
    with pytest.raises(forms.ValidationError) as error:
        forms.CharField(max_length=3).clean("abcd")
    assert [message.replace(rules.SHOWN, "4")] == error.value.messages
    with translation.override("de"):
        assert entry_of(forms.DateField())["rules"]["required"] == "Dieses Feld ist zwingend erforderlich."


def is_pythons(text: str) -> bool:
    """Chinese has a format that strptime() refuses."""
    try:
        datetime.strptime(datetime(2026, 2, 3).strftime(text), text)
    except ValueError:
        return False
    return True


# A dot is no group's sign, unless USE_THOUSAND_SEPARATOR says so.
GERMAN = {"decimal": ",", "group": "", "grouping": 3}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (forms.IntegerField(), {"kind": "number", "wire": ".", **GERMAN}),
        (forms.DecimalField(localize=True), {"kind": "number", "wire": ",", **GERMAN}),
        (
            forms.DateField(input_formats=["%d %b %y", "%d-%m-%Y"]),
            {"kind": "date", "formats": ["%d %b %y", "%d-%m-%Y"], "shown": "%d %b %y", "rendered": "%d.%m.%Y",
             "locale": True},
        ),
        (
            forms.DateField(input_formats=["%j", "%d-%m-%Y"], widget=forms.DateInput(format="%d-%m-%Y")),
            {"kind": "date", "formats": ["%d-%m-%Y"], "shown": "%d-%m-%Y", "open": True, "locale": True},
        ),
        (forms.CharField(), None),
        (forms.DateField(input_formats=["%j %Y"]), None),
    ],
)  # fmt: skip
def test_the_browser_is_told_how_django_reads_and_writes_the_control(field: forms.Field, expected: Any) -> None:
    with translation.override("de"):
        assert values.reading(field, field.widget) == expected


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_the_formats_of_every_language_are_djangos(language: str) -> None:
    """What Django writes into the HTML, the browser writes; what Django reads, the browser reads, in Django's order."""
    with translation.override(language):
        for cls in (forms.DateField, forms.TimeField, forms.DateTimeField):
            field = cls()
            made = values.reading(field, field.widget)
            assert made is not None
            day = datetime(2026, 2, 3, 14, 5, 6)
            shown = field.widget.format_value(day)
            assert day.strftime(made["shown"]) == shown
            assert field.clean(day.strftime(made["shown"])) == field.clean(shown)
            assert [text for text in field.input_formats if text not in made["formats"] and is_pythons(text)] == []
            assert "open" not in made
        number = values.reading(forms.DecimalField(), forms.NumberInput())
        assert number is not None
        assert number["decimal"] == get_format("DECIMAL_SEPARATOR")


def test_a_file_that_is_there_is_not_required_again() -> None:
    assert "required" in entry_of(forms.FileField())["rules"]
    assert "required" not in entry_of(forms.FileField(), initial={"f": SimpleUploadedFile("a.txt", b"x")})["rules"]


def test_a_file_that_is_there_can_be_cleared() -> None:
    class Stored:
        url = "/a.txt"

    made = entries(form_of(f=forms.FileField(required=False))(initial={"f": Stored()}))
    assert made["f-clear_id"]["dijit"] == "dijit/form/CheckBox"


def test_errors_of_the_server_go_along() -> None:
    made = entry_of(forms.IntegerField(error_messages={"invalid": "Not <x>!"}), {"f": "x"})
    assert made["errors"] == ["Not &lt;x&gt;!"]
    assert "errors" not in entry_of(forms.IntegerField(), {"f": "1"})


def test_forms_that_may_stay_empty_say_so() -> None:
    formset = forms.formset_factory(form_of(f=forms.CharField(initial="x")), extra=1, can_delete=True)(prefix="a")
    assert specification.circumstances(formset.forms[0], True) == {"optional": True, "delete": "id_a-0-DELETE"}
    made = entries(formset.forms[0])
    assert "initial" not in made["id_a-0-f"]  # it is what the HTML has
    assert made["id_a-0-f"]["attrs"]["required"] is False
    assert made["id_a-0-f"]["rules"]["required"] == "This field is required."


def test_dojo_build_gets_the_modules(settings: Any) -> None:
    form = form_of(
        at=forms.SplitDateTimeField(),
        f=forms.FileField(),
        born=forms.DateField(widget=forms.SelectDateWidget),
        room=forms.ChoiceField(choices=CHOICES),
        token=forms.CharField(widget=forms.HiddenInput),
    )
    assert set(auto.modules_of(form)) == {
        "dijit/form/DateTextBox", "dijit/form/TimeTextBox", "djintegrate/Native", "dijit/form/CheckBox",
        "dijit/form/Select",
    }  # fmt: skip
    assert {entry["dijit"] for entry in entries(Every()).values()} <= set(auto.modules_of(Every))


def test_a_model_forms_fields_are_fields() -> None:
    made = entries(forms.modelform_factory(User, fields=["username", "email", "is_staff", "date_joined", "groups"])())
    assert {name: entry["dijit"] for name, entry in made.items()} == {
        "id_username": "dijit/form/ValidationTextBox",
        "id_email": "dijit/form/ValidationTextBox",
        "id_is_staff": "dijit/form/CheckBox",
        "id_date_joined": "djintegrate/DateTimeBox",
        "id_groups": "dijit/form/MultiSelect",
    }
    assert {rule[0] for rule in made["id_username"]["rules"]["list"]} == {"max_length", "without_null"}


def test_a_widget_may_bring_its_own_dijit() -> None:
    field = forms.ModelChoiceField(User.objects.none(), widget=StoreSelect("/people/", search="name"))
    made = entry_of(field)
    assert made["dijit"] == "djintegrate/StoreSelect"
    assert made["attrs"]["storeUrl"] == "/people/"
    assert made["rules"]["required"] == "This field is required."
