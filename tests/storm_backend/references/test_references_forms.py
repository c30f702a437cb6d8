"""The form field of a StormForeignKey, in model forms and in forms of one's own."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.forms import modelform_factory, modelformset_factory

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.references.forms import StormModelChoiceField, StormRawIdWidget
from tests.apps.sprints.helpers import DATABASES, clean, session, statements  # noqa: F401
from tests.apps.sprints.models import Comment, Memo, Stay
from tests.apps.sprints.storm_models import Room, Session

pytestmark = [pytest.mark.django_db(databases=DATABASES), pytest.mark.usefixtures("clean")]

CommentForm = modelform_factory(Comment, fields=["session", "text"])
MemoForm = modelform_factory(Memo, fields=["session"])


class TestModelForms:
    def test_a_choice_is_saved(self) -> None:
        talk = session()
        get_store("main").flush()
        form = CommentForm({"session": str(talk.id), "text": "x"})
        assert form.is_valid()
        assert form.cleaned_data["session"] is talk
        assert form.save().session is talk

    def test_choices_are_those_that_there_are_when_it_is_shown(self) -> None:
        form = CommentForm()
        assert list(form.fields["session"].choices) == [("", "---------")]
        talk = session("later")
        assert list(form.fields["session"].choices)[1:] == [(talk.id, "later")]
        assert f'<option value="{talk.id}">later</option>' in str(CommentForm()["session"])

    def test_the_instances_object_is_selected(self) -> None:
        comment = Comment(session=session("its own"))
        assert f'<option value="{comment.session_id}" selected>its own' in str(CommentForm(instance=comment)["session"])

    @pytest.mark.parametrize("wrong", ["99", "x", "\0", "1.5", "9" * 30, "9" * 5000])
    def test_what_is_no_choice_is_refused(self, wrong: str) -> None:
        form = CommentForm({"session": wrong, "text": "x"})
        assert form.errors["session"] == ["Select a valid choice. That choice is not one of the available choices."]

    def test_required_or_not(self) -> None:
        assert CommentForm({"text": "x"}).errors["session"] == ["This field is required."]
        form = MemoForm({"session": ""})
        assert form.is_valid()
        assert form.save().session is None

    def test_what_has_changed(self) -> None:
        one, other = session("one"), session("other")
        comment = Comment.objects.create(session=one, text="x")
        assert not CommentForm({"session": one.id, "text": "x"}, instance=comment).has_changed()
        assert CommentForm({"session": other.id, "text": "x"}, instance=comment).changed_data == ["session"]
        assert CommentForm({"session": "", "text": "x"}, instance=comment).changed_data == ["session"]

    def test_unique_is_validated(self) -> None:
        talk = session()
        Memo.objects.create(session=talk)
        assert MemoForm({"session": talk.id}).errors["session"] == ["Memo with this Session already exists."]

    def test_formsets(self) -> None:
        talk = session()
        Comment.objects.create(session=talk, text="x")
        FormSet = modelformset_factory(Comment, fields=["session", "text"], extra=1)
        data = {
            "form-TOTAL_FORMS": "2",
            "form-INITIAL_FORMS": "1",
            "form-0-id": str(Comment.objects.get().pk),
            "form-0-session": str(talk.id),
            "form-0-text": "changed",
            "form-1-session": str(talk.id),
            "form-1-text": "new",
        }
        formset = FormSet(data)
        assert formset.is_valid(), formset.errors
        formset.save()
        assert [comment.text for comment in talk.comments] == ["changed", "new"]

    def test_keys_that_are_no_whole_numbers(self) -> None:
        room = get_store("main").add(Room("1 ä"))
        get_store("main").flush()
        form = modelform_factory(Stay, fields=["room"])({"room": "1 ä"})
        assert form.is_valid() is False or form.cleaned_data["room"] is room

    @pytest.mark.parametrize("wrong", ["a\0", "\ud800", "x" * 10000])
    def test_keys_that_no_database_has_are_refused_and_the_transaction_goes_on(self, wrong: str) -> None:
        form = modelform_factory(Stay, fields=["room", "badge", "number"])(
            {"room": wrong, "badge": wrong, "number": wrong}
        )
        assert set(form.errors) == {"room", "badge", "number"}
        assert not Stay.objects.exists()

    def test_limit_choices_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        field = Comment._meta.get_field("session")
        wanted, unwanted = session("wanted"), session("unwanted")
        get_store("main").flush()
        for limit in (Session.title == "wanted", lambda: Session.title == "wanted"):
            monkeypatch.setattr(field, "limit_choices_to", limit)
            form = CommentForm({"session": unwanted.id, "text": "x"})
            assert [label for _key, label in form.fields["session"].choices] == ["---------", "wanted"]
            assert "session" in form.errors
            assert CommentForm({"session": wanted.id, "text": "x"}).is_valid()
            with pytest.raises(forms.ValidationError):
                Comment(session=unwanted, text="x").full_clean()


class TestFormsOfOnesOwn:
    def test_a_class_and_how_to_find(self) -> None:
        class Ask(forms.Form):
            session = StormModelChoiceField(
                "tests.apps.sprints.storm_models.Session",
                find=lambda store: store.find(Session, Session.title != "hidden").order_by(Session.title),
                empty_label=None,
            )

        for title in ("b", "a", "hidden"):
            session(title)
        assert [label for _key, label in Ask().fields["session"].choices] == ["a", "b"]

    def test_another_database(self) -> None:
        field = StormModelChoiceField(Session, using="second")
        there = session("there", store="second")
        get_store("second").flush()
        assert field.clean(there.id) is there

    def test_radio_buttons(self) -> None:
        talk = session("talk")
        field = StormModelChoiceField(Session, widget=forms.RadioSelect)
        assert list(field.choices) == [(talk.id, "talk")]

    def test_a_label_of_ones_own(self) -> None:
        class Loud(StormModelChoiceField):
            def label_from_instance(self, obj: Any) -> str:
                return str(obj).upper()

        talk = session("talk")
        assert list(Loud(Session).choices) == [("", "---------"), (talk.id, "TALK")]

    def test_a_disabled_field_keeps_its_value(self) -> None:
        class Ask(forms.Form):
            session = StormModelChoiceField(Session, disabled=True)

        talk = session()
        get_store("main").flush()
        form = Ask({"session": "99"}, initial={"session": talk})
        assert form.is_valid(), form.errors
        assert form.cleaned_data["session"] is talk
        assert not form.has_changed()


class TestRawId:
    def test_it_shows_the_label_and_lists_nothing(self) -> None:
        class Ask(forms.Form):
            session = StormModelChoiceField(Session, widget=StormRawIdWidget)

        talk = session("the label")
        get_store("main").flush()
        with statements() as seen:
            shown = str(Ask(initial={"session": talk})["session"])
        assert f'value="{talk.id}"' in shown
        assert "the label" in shown
        assert len(seen) <= 1
        assert "<strong>" not in str(Ask({"session": "99"})["session"])
        assert "<strong>" not in str(Ask()["session"])
