"""The pages in a browser: the ways through them, with and without JavaScript, and what axe has to say about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from djintegrate.openid_auth.models import UserOpenID
from djintegrate.openid_auth.people import fresh
from tests.openid_auth.provider import Provider
from tests.support.axe import violations
from tests.support.browser import complaints, looks, page_text, prefer_dark, resize, wait_for, without_javascript
from tests.support.combinations import few

pytestmark = pytest.mark.django_db(transaction=True)


class Person:
    """Somebody at the browser."""

    def __init__(self, browser: webdriver.Chrome, site: str, provider: Provider) -> None:
        self.browser = browser
        self.site = site
        self.provider = provider

    def visit(self, path: str) -> None:
        self.browser.get(self.site + path)

    def sees(self, text: str) -> None:
        wait_for(self.browser, lambda: text in page_text(self.browser), f"no {text!r}")

    def press(self, label: str) -> None:
        """A button or a link whose text begins so."""

        def pressed() -> bool:
            for element in self.browser.find_elements(By.CSS_SELECTOR, "button, a, input[type=submit]"):
                text = element.text or element.get_attribute("value") or ""
                if " ".join(text.split()).startswith(label):
                    element.click()
                    return True
            return False

        wait_for(self.browser, pressed, f"nothing to press says {label!r}")

    def arrive(self, path: str) -> None:
        wait_for(self.browser, lambda: self.browser.current_url == self.site + path, f"not at {path}")

    def agree(self, nickname: str = "ada") -> None:
        """At the provider."""
        key = self.provider.register.read().called(nickname).key
        self.sees("The site will learn")
        self.browser.find_element(By.CSS_SELECTOR, f"input[value={key}]").click()
        self.press("Sign in")

    def sign_in(self, nickname: str = "ada") -> None:
        self.visit("/openid/login/")
        self.press("Sign in with the sample provider")
        self.agree(nickname)
        self.arrive("/")


@pytest.fixture
def person(browser: webdriver.Chrome, relying_site: str, provider: Provider) -> Person:
    return Person(browser, relying_site, provider)


def long_teams(person: Person, settings: Any) -> None:
    """So many that neither the request nor the answer fits into an address."""
    teams = [f"a-team-with-a-rather-long-name-{number}" for number in range(80)]
    settings.OPENID_LAUNCHPAD_TEAMS_MAPPING = dict.fromkeys(teams, "speakers")
    person.provider.put_into("ada", *teams)


class TestWays:
    def test_a_provider_is_chosen_and_agreed_to(self, person: Person) -> None:
        person.visit("/private/")
        person.press("Sign in with the sample provider")
        person.sees("The site will learn")
        person.sees("Which of these teams you are in: sprint-schedulers, sprint-proposers")
        person.agree("ada")
        person.arrive("/private/")
        person.sees('"user": "ada"')
        assert complaints(person.browser) == []

    def test_any_openid_is_typed_by_keyboard_alone(self, person: Person) -> None:
        person.visit("/openid/login/")
        focus = person.browser.switch_to
        for _ in range(2):
            focus.active_element.send_keys(Keys.TAB)
        assert focus.active_element.get_attribute("name") == "openid_identifier"
        focus.active_element.send_keys(person.provider.identity("bruno"), Keys.ENTER)
        person.agree("bruno")
        person.arrive("/")
        person.sees('"user": "bruno"')

    def test_who_cancels_is_told_so_and_may_try_again(self, person: Person) -> None:
        person.visit("/openid/login/?next=/private/")
        person.press("Sign in with the sample provider")
        person.press("Cancel")
        person.sees("You are not signed in")
        person.sees("cancelled")
        person.press("Try again")
        person.press("Sign in with the sample provider")
        person.agree()
        person.arrive("/private/")

    def test_a_wrong_address_is_explained(self, person: Person) -> None:
        person.visit("/openid/login/")
        person.browser.find_element(By.ID, "id_openid_identifier").send_keys(f"{person.provider.url}nobody", Keys.ENTER)
        person.sees("No OpenID provider could be found")
        person.sees("Look whether the address is right")

    @pytest.mark.parametrize("policy", ["Lax", "Strict"])
    def test_long_requests_and_answers_go_by_themselves(self, person: Person, settings: Any, policy: str) -> None:
        settings.SESSION_COOKIE_SAMESITE = policy
        long_teams(person, settings)
        person.sign_in()
        person.sees('"groups": ["speakers"]')
        assert complaints(person.browser) == []

    def test_without_javascript_they_go_by_a_button(self, person: Person, settings: Any) -> None:
        long_teams(person, settings)
        with without_javascript(person.browser):
            person.visit("/openid/login/")
            person.press("Sign in with the sample provider")
            person.sees("If nothing happens, press the button")
            person.press("Continue")
            person.agree()
            # The provider's own page, which python3-openid makes, then this site's, which brings the cookie along.
            person.press("Continue")
            person.sees("If nothing happens, press the button")
            person.press("Continue")
            person.arrive("/")
            person.sees('"groups": ["speakers"]')

    def test_a_strict_policy_for_scripts_is_no_obstacle(self, person: Person, settings: Any) -> None:
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.openid_auth.live.strict_scripts"]
        long_teams(person, settings)
        person.sign_in()
        assert complaints(person.browser) == []


class TestIdentities:
    def test_one_is_added_and_then_signs_in(self, person: Person, settings: Any) -> None:
        person.sign_in("ada")
        person.visit("/openid/identities/")
        person.sees(person.provider.identity("ada"))
        person.sees("Your only way in")
        person.press("Add the sample provider")
        person.agree("bruno")
        person.arrive("/openid/identities/")
        person.sees(f"{person.provider.identity('bruno')} now signs you in.")
        person.browser.delete_all_cookies()
        person.sign_in("bruno")
        assert User.objects.count() == 1
        person.sees('"email": "bruno@people.example"')

    def test_it_is_removed_but_never_the_last_one(self, person: Person) -> None:
        person.sign_in("ada")
        user = User.objects.get()
        UserOpenID.objects.create(user=user, claimed_id="https://op.example/a", display_id="https://op.example/a")
        person.visit("/openid/identities/")
        person.press("Remove https://op.example/a")
        person.sees("https://op.example/a no longer signs you in.")
        person.sees("Your only way in")
        assert UserOpenID.objects.get().claimed_id == person.provider.identity("ada")

    def test_that_of_somebody_else_is_not_taken_over(self, person: Person) -> None:
        person.sign_in("bruno")
        person.browser.delete_all_cookies()
        person.sign_in("ada")
        person.visit("/openid/identities/")
        person.press("Add the sample provider")
        person.agree("bruno")
        person.sees("This did not work")
        person.sees("has already been claimed")
        assert UserOpenID.objects.get(claimed_id=person.provider.identity("bruno")).user.username == "bruno"
        person.press("Try again")
        person.arrive("/openid/identities/")


def chooser(person: Person) -> None:
    person.visit("/openid/login/")


def refused_identifier(person: Person) -> None:
    person.visit("/openid/login/")
    person.browser.find_element(By.ID, "id_openid_identifier").send_keys("=iname", Keys.ENTER)
    person.sees("i-names are not supported")


def failure(person: Person) -> None:
    person.visit("/openid/login/")
    person.press("Sign in with the sample provider")
    person.press("Cancel")
    person.sees("You are not signed in")


def continuing(person: Person) -> None:
    with without_javascript(person.browser):
        person.visit("/openid/login/")
        person.press("Sign in with the sample provider")
        # Before scripts are allowed again, or it would go on by itself.
        person.sees("Continue")


def identities(person: Person) -> None:
    person.sign_in()
    UserOpenID.objects.create(user=User.objects.get(), claimed_id="https://op.example/a", display_id="a")
    person.visit("/openid/identities/")


def only_identity(person: Person) -> None:
    person.sign_in()
    person.visit("/openid/identities/")


def unreachable(person: Person) -> None:
    person.visit("/openid/login/")
    person.browser.find_element(By.ID, "id_openid_identifier").send_keys("https://no-such-name.invalid/", Keys.ENTER)
    person.sees("No OpenID provider could be found")


def endpoint(person: Person) -> None:
    person.visit("/openid/complete/")
    person.sees("begin on the login page")


def where_signed_in(person: Person) -> None:
    person.sign_in()
    person.visit("/openid/identities/")
    person.sees("Where you are signed in")


def signed_in_long_ago(person: Person) -> None:
    person.sign_in()
    for session in Session.objects.all():
        contents = session.get_decoded() | {fresh.KEY: 0}
        session.session_data = SessionStore().encode(contents)
        session.save()
    person.visit("/openid/identities/")
    person.sees("sign in again first")


def provider_home(person: Person) -> None:
    person.browser.get(person.provider.url)
    person.press("Sign in here")
    person.sees("You are Ada Okoye")


def consent(person: Person) -> None:
    person.visit("/openid/login/")
    person.press("Sign in with the sample provider")
    person.sees("I used my security key")


PAGES = [
    chooser, refused_identifier, failure, continuing, identities, only_identity, provider_home, consent, unreachable,
    endpoint, where_signed_in, signed_in_long_ago,
]  # fmt: skip


@pytest.mark.parametrize(
    "page", few(PAGES, chooser, continuing, failure, identities), ids=lambda page: page.__name__.replace("_", " ")
)
def test_axe_finds_nothing_wrong_and_nothing_is_cut_off(
    person: Person, settings: Any, page: Callable[[Person], None]
) -> None:
    settings.OPENID_DISALLOW_INAMES = True
    settings.OPENID_PHYSICAL_MULTIFACTOR_REQUIRED = page is consent
    if page is where_signed_in:
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "djintegrate.openid_auth.middleware.OpenIDSessionMiddleware"]
    if page is continuing:
        long_teams(person, settings)
    page(person)
    for size, schemes in looks().items():
        resize(person.browser, size)
        sideways = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert person.browser.execute_script(sideways) <= 0
        for dark in schemes:
            prefer_dark(person.browser, dark)
            assert violations(person.browser) == []


def test_axe_does_find_what_is_wrong(browser: webdriver.Chrome) -> None:
    browser.get("data:text/html,<html lang=en><title>x</title><main><h1>x</h1><input><p style='color:%23ccc'>pale")
    found = " ".join(violations(browser))
    assert "label" in found
    assert "color-contrast" in found
