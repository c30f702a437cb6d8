"""The forms. Each field becomes the dijit that fits it; where another one fits better, dojo_field() says so.

Without JavaScript they are the plain forms that Django writes.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import PurePath
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.forms.utils import from_current_timezone
from django.utils.html import linebreaks

from djintegrate.dojo import models as dojo
from djintegrate.dojo.richtext import RichTextarea, RichTextField
from djintegrate.storm_backend.references.forms import StormModelChoiceField

from .conflicts import CLOSES, OPENS, STEP
from .plain import in_order
from .storm_models import TRACKS, Room, Session, Sprint
from .templatetags.people import name

MINUTES = {30: "Half an hour", 60: "One hour", 90: "One and a half hours", 120: "Two hours"}

MOST_SEATS = 500
SEATS = f"From 1 to {MOST_SEATS}."

SLIDES = ["pdf", "odp", "pptx", "md", "txt"]
MOST_BYTES = 20 * 1024 * 1024

LAST = (datetime.combine(date.min, CLOSES) - STEP).time()
"""When the last session may begin."""


class Picker(forms.Select):
    """Becomes a box that finds what is typed anywhere in a choice. Typing replaces what is there."""

    # No delay, for the lists are short: whoever types fast and leaves is understood too.
    dojo = dojo.Dijit(
        "dijit/form/FilteringSelect", attrs={"selectOnClick": True, "queryExpr": "*${0}*", "searchDelay": 0}
    )


class PersonField(forms.ModelChoiceField):
    """A choice of people, by their names."""

    def label_from_instance(self, obj: Any) -> str:
        return name(obj)


def people(*others: Any) -> Any:
    """Whoever is active, and those with these keys. A superuser without a name is an account, and no person."""
    is_person = Q(is_active=True) & ~Q(is_superuser=True, first_name="", last_name="")
    found = get_user_model().objects.filter(is_person | Q(pk__in=others))
    return found.order_by("first_name", "last_name", "username")


class ProposalForm(forms.Form):
    title = forms.CharField(
        max_length=120, validators=[in_order], widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    track = forms.ChoiceField(choices=TRACKS.items(), widget=Picker)
    proposer = PersonField(
        queryset=None, empty_label=None, widget=Picker, help_text="You may propose a session for somebody else."
    )
    description = RichTextField(
        widget=RichTextarea(attrs={"rows": 8}), help_text="What is it about, and what should people bring?"
    )
    minutes = forms.TypedChoiceField(label="How long", choices=MINUTES.items(), coerce=int, initial=60, widget=Picker)
    seats = forms.IntegerField(
        label="Number of seats",
        min_value=1,
        max_value=MOST_SEATS,
        initial=20,
        help_text="How many people can take part?",
        error_messages=dict.fromkeys(("min_value", "max_value"), SEATS),
    )

    dojo.dojo_field(seats, "dijit.form.NumberSpinner", dojo_attrs={"rangeMessage": SEATS})

    def __init__(
        self, data: Any = None, *, session: Session | None = None, initial: Any = None, may_choose_proposer: bool
    ) -> None:
        if session is not None:
            names = ("title", "track", "proposer", "description", "minutes", "seats")
            initial = {name: getattr(session, name) for name in names}
        super().__init__(data, initial=initial, label_suffix="")
        if may_choose_proposer:
            self.fields["proposer"].queryset = people(getattr(initial["proposer"], "pk", None))
        else:
            del self.fields["proposer"]

    def clean_description(self) -> str:
        text: str = self.cleaned_data["description"]
        # Written where there was no editor.
        return text if "<" in text else linebreaks(text)


def is_slides(upload: Any) -> None:
    extension = PurePath(upload.name).suffix
    if extension[1:].lower() not in SLIDES:
        found = f"The file ends with “{extension}”" if extension else "The file has no extension"
        raise forms.ValidationError(f"{found}; it may be {', '.join(SLIDES[:-1])} or {SLIDES[-1]}.")


class SlidesForm(forms.Form):
    slides = forms.FileField(
        label="The file",
        max_length=100,
        validators=[is_slides],
        widget=forms.FileInput(attrs={"accept": ",".join(f".{kind}" for kind in SLIDES)}),
        help_text=f"{', '.join(SLIDES[:-1])} or {SLIDES[-1]}, of 20 megabytes at most.",
    )

    def clean_slides(self) -> Any:
        upload = self.cleaned_data["slides"]
        if upload.size > MOST_BYTES:
            raise forms.ValidationError("The file is larger than 20 megabytes.")
        return upload


DAYS = ["%d %B %Y", "%d %b %Y", "%d/%m/%Y", "%Y-%m-%d"]
"""How a day may be written. The first is how a dijit writes it, and close to how the pages do."""


class DayInput(forms.DateInput):
    """The browser's own calendar, where there is no dijit. It wants dates as ISO 8601 has them."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format=DAYS[0])

    def format_value(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value


class TimeInput(forms.TimeInput):
    """The hours of a sprint's day, in half hours: the browser's own clock, or a list of those times."""

    # As Dojo writes times and lengths of time.
    steps = {"clickableIncrement": f"T0{STEP}", "visibleIncrement": f"T0{STEP}"}
    dojo = dojo.Dijit("dijit/form/TimeTextBox", attrs={"constraints": {"min": f"T{OPENS}", "max": f"T{LAST}", **steps}})

    def __init__(self) -> None:
        hours = {"min": f"{OPENS:%H:%M}", "max": f"{LAST:%H:%M}"}
        attrs = {"type": "time", "step": STEP.seconds, **hours, "placeholder": "Choose a time"}
        super().__init__(attrs=attrs, format="%H:%M")


class ScheduleForm(forms.Form):
    """A room and a time of the sprint, in its time zone, which has to be the current one."""

    room = StormModelChoiceField(Room, widget=Picker)
    day = forms.DateField(widget=DayInput, input_formats=DAYS)
    time = forms.TimeField(widget=TimeInput())

    def __init__(self, data: Any = None, *, sprint: Sprint, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        self.fields["room"] = StormModelChoiceField(
            Room, find=lambda store: sprint.rooms.order_by(Room.name), empty_label="Choose a room", widget=Picker
        )
        rooms = ", ".join(room.name for room in sprint.rooms.order_by(Room.name))
        days = f"a day from {sprint.first_day:%-d %B} to {sprint.last_day:%-d %B %Y}"
        self.fields["day"].widget.attrs |= {"min": f"{sprint.first_day}", "max": f"{sprint.last_day}"}
        for field, remedy in (
            ("room", f"Choose one of the rooms: {rooms}."),
            ("day", f"Choose {days}."),
            ("time", f"Choose a time between {OPENS:%H:%M} and {LAST:%H:%M}, such as 10:30."),
        ):
            self.fields[field].error_messages |= dict.fromkeys(("required", "invalid", "invalid_choice"), remedy)

    def clean(self) -> None:
        day: date | None = self.cleaned_data.get("day")
        time = self.cleaned_data.get("time")
        if day is not None and time is not None:
            # Refuses the hour that the clocks leave out in spring, and the one they have twice in autumn.
            self.cleaned_data["starts"] = from_current_timezone(datetime.combine(day, time))
