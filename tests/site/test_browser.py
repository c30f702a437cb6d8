"""The browser that other tests use."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import path
from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.support.browser import NARROW, complaints, page_text, prefer_dark, resize, wait_for, without_javascript

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.site.test_browser")]


class Line(forms.Form):
    text = forms.CharField()


def page(request: HttpRequest) -> HttpResponse:
    form = Line(request.POST or None)
    token = f"<input type=hidden name=csrfmiddlewaretoken value={get_token(request)}>"
    text = f"<main><form method=post>{token}{form.as_div()}<button type=submit>Send</button></form></main>"
    return HttpResponse(text, status=400 if form.errors else 200)


urlpatterns = [path("", page)]


@pytest.mark.parametrize("time", [1, 2])
def test_each_test_begins_without_cookies(browser: webdriver.Chrome, live_server: Any, time: int) -> None:
    browser.get(live_server.url)
    look = "return [document.cookie.includes('kept'), localStorage.length]"
    assert browser.execute_script(look) == [False, 0]
    browser.execute_script("document.cookie = 'kept=1'; localStorage.kept = 1")
    assert browser.execute_script(look) == [True, 1]


def test_a_form_is_filled_in_and_sent(browser: webdriver.Chrome, live_server: Any) -> None:
    browser.get(live_server.url)
    # An empty line is refused by the server, once the browser is told not to do that itself: nothing is left behind.
    browser.execute_script("document.forms[0].noValidate = true")
    browser.find_element(By.NAME, "text").send_keys(" ")
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    wait_for(browser, lambda: "This field is required." in page_text(browser), "no refusal")
    assert any("400 (Bad Request)" in message for message in complaints(browser))


def test_scripts_sizes_and_colours_can_be_set(browser: webdriver.Chrome) -> None:
    page = "data:text/html,<script>document.title='ran'</script>"
    with without_javascript(browser):
        browser.get(page)
        assert browser.title == ""
    browser.get(page)
    assert browser.title == "ran"
    resize(browser, NARROW)
    prefer_dark(browser)
    ask = "return [innerWidth, innerHeight, matchMedia('(prefers-color-scheme: dark)').matches]"
    assert browser.execute_script(ask) == [*NARROW, True]


def test_the_console_tells_of_errors(browser: webdriver.Chrome) -> None:
    browser.get("data:text/html,<script>nothing.here</script>")
    assert any("nothing is not defined" in message for message in complaints(browser))
