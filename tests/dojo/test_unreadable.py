"""What cannot be read is sent as it was typed, for the server to say so."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms

from djintegrate.dojo import models as dojo
from tests.dojo import site
from tests.dojo.conftest import wait
from tests.dojo.test_browser import find
from tests.support.helpers import wait_until

pytestmark = pytest.mark.usefixtures("built")

SENT = "return Array.from(new FormData(document.getElementById('the-form')))"
UNCHECKED = site.TEMPLATE.replace("</form>", '<button id="raw" formnovalidate>Save</button></form>')


class Talk(forms.Form):
    price = forms.DecimalField()
    hall = dojo.dojo_field(
        forms.ChoiceField(choices=[("", "None yet"), ("1", "Aula"), ("2", "Bar")]), "dijit.form.FilteringSelect"
    )


@pytest.fixture
def page(show: Any) -> Any:
    return show(Talk, lambda page, form: page.dojo_form(form, auto=True), template=UNCHECKED)


def test_a_number_that_is_shown_again_is_sent_again(page: Any) -> None:
    find(page, "id_price").send_keys("abc")
    page.find_element("id", "raw").click()
    wait_until(lambda: site.submitted)
    wait(page)
    assert find(page, "id_price").get_attribute("value") == "abc"
    assert dict(page.execute_script(SENT))["price"] == "abc"
    assert find(page, "id_price").get_attribute("aria-invalid") == "true"
    find(page, "id_price").send_keys("\ue003" * 3 + "2.5")
    assert page.execute_script("return [id_price.type, id_price.value]") == ["number", "2.5"]


@pytest.mark.parametrize(("typed", "sent"), [("quatsch", "quatsch"), ("2", "")])
def test_a_label_that_there_is_not_is_sent_as_it_is(page: Any, typed: str, sent: str) -> None:
    """But for one that is the value of another choice: the server would take it for that."""
    face = find(page, "id_hall")
    face.send_keys(typed)
    page.find_element("id", "submit").click()
    wait_until(lambda: face.get_attribute("aria-invalid") == "true")
    assert not site.submitted
    page.find_element("id", "raw").click()
    wait_until(lambda: site.submitted)
    [[form]] = site.submitted
    assert form.data["hall"] == sent


def test_what_was_not_found_is_no_choice_afterwards(page: Any) -> None:
    face = find(page, "id_hall")
    face.send_keys("quatsch")
    page.find_element("id", "submit").click()
    wait_until(lambda: face.get_attribute("aria-invalid") == "true")
    page.execute_script("arguments[0].select()", face)
    face.send_keys("Aula\t")
    assert dict(page.execute_script(SENT))["hall"] == "1"
    assert page.execute_script("return id_hall.options.length") == 3
