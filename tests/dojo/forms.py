"""Forms of the Dojo tests."""

from __future__ import annotations

from django import forms

from djintegrate.dojo import models as dojo
from djintegrate.dojo.richtext import RichTextField

CHOICES = [("a", "Aula"), ("b", "Bar"), ("c", "Court")]


class Talk(forms.Form):
    """A little of each kind."""

    title = forms.CharField(max_length=20, help_text="Say <b>what</b>", label="Title")
    seats = forms.IntegerField(min_value=1, required=False)
    public = forms.BooleanField(required=False)
    room = forms.ChoiceField(choices=CHOICES)

    dojo.dojo_field(title, "dijit.form.ValidationTextBox", dojo_attrs={"trim": True})
    dojo.dojo_field(seats, "dijit/form/NumberTextBox")
    dojo.dojo_field(public, "dijit.form.CheckBox")
    dojo.dojo_field(room, "dijit.form.Select")


class Many(forms.Form):
    """A field for each of the dijits that forms are made of."""

    title = forms.CharField(required=False)
    word = forms.CharField(required=False)
    count = forms.IntegerField(required=False)
    steps = forms.IntegerField(required=False, initial=3)
    price = forms.CharField(required=False)
    level = forms.IntegerField(required=False, initial=4)
    day = forms.CharField(required=False)
    hour = forms.CharField(required=False)
    public = forms.BooleanField(required=False)
    room = forms.ChoiceField(choices=CHOICES, required=False)
    hall = forms.ChoiceField(choices=CHOICES, required=False)
    place = forms.ChoiceField(choices=CHOICES, required=False, widget=forms.Select)
    way = forms.ChoiceField(choices=CHOICES, required=False, widget=forms.RadioSelect)
    rooms = forms.MultipleChoiceField(choices=CHOICES, required=False)
    note = forms.CharField(required=False, widget=forms.Textarea)
    story = forms.CharField(required=False, widget=forms.Textarea)

    dojo.dojo_field(title, "dijit.form.TextBox")
    dojo.dojo_field(word, "dijit.form.ValidationTextBox")
    dojo.dojo_field(count, "dijit.form.NumberTextBox")
    dojo.dojo_field(steps, "dijit.form.NumberSpinner")
    dojo.dojo_field(price, "dijit.form.CurrencyTextBox")
    dojo.dojo_field(level, "dijit.form.HorizontalSlider", dojo_attrs={"maximum": 10})
    dojo.dojo_field(day, "dijit.form.DateTextBox")
    dojo.dojo_field(hour, "dijit.form.TimeTextBox")
    dojo.dojo_field(public, "dijit.form.CheckBox")
    dojo.dojo_field(room, "dijit.form.Select")
    dojo.dojo_field(hall, "dijit.form.FilteringSelect")
    dojo.dojo_field(place, "dijit.form.ComboBox")
    dojo.dojo_field(way, "dijit.form.RadioButton")
    dojo.dojo_field(rooms, "dijit.form.MultiSelect")
    dojo.dojo_field(note, "dijit.form.Textarea")
    dojo.dojo_field(story, "dijit.form.SimpleTextarea")


class Every(forms.Form):
    """A field of each kind that becomes a dijit by itself, none of them required."""

    text = forms.CharField(required=False)
    whole = forms.IntegerField(required=False)
    ratio = forms.FloatField(required=False)
    price = forms.DecimalField(required=False, max_digits=30, decimal_places=10)
    local = forms.DecimalField(required=False, localize=True)
    steps = forms.IntegerField(required=False, step_size=5, min_value=0)
    level = forms.IntegerField(required=False, initial=4, max_value=10, widget=forms.NumberInput({"type": "range"}))
    day = forms.DateField(required=False)
    hour = forms.TimeField(required=False)
    start = forms.DateTimeField(required=False)
    split = forms.SplitDateTimeField(required=False)
    born = forms.DateField(required=False, widget=forms.SelectDateWidget(years=range(1990, 2030)))
    length = forms.DurationField(required=False)
    public = forms.BooleanField(required=False)
    known = forms.NullBooleanField(required=False)
    room = forms.ChoiceField(required=False, choices=[("", "None yet"), *CHOICES])
    way = forms.TypedChoiceField(required=False, choices=[(1, "One"), (2, "Two")], coerce=int, widget=forms.RadioSelect)
    rooms = forms.MultipleChoiceField(required=False, choices=CHOICES)
    ways = forms.MultipleChoiceField(required=False, choices=CHOICES, widget=forms.CheckboxSelectMultiple)
    mail = forms.EmailField(required=False)
    link = forms.URLField(required=False, assume_scheme="https")
    slug = forms.SlugField(required=False)
    address = forms.GenericIPAddressField(required=False)
    key = forms.UUIDField(required=False)
    data = forms.JSONField(required=False)
    note = forms.CharField(required=False, widget=forms.Textarea)
    story = RichTextField(required=False)
    paper = forms.FileField(required=False)
    colour = forms.CharField(required=False, widget=forms.TextInput({"type": "color"}), initial="#ff0000")
