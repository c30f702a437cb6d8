"""OpenID Connect in a browser: in by a button, one account for both protocols, and out at the provider too."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from selenium import webdriver

from djintegrate.openid_auth.models import UserOpenID
from tests.openid_auth.certified import Certified
from tests.openid_auth.provider import Provider
from tests.openid_auth.test_pages import Person
from tests.support.axe import violations
from tests.support.browser import complaints

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person(
    browser: webdriver.Chrome, relying_site: str, provider: Provider, certified: Certified, settings: Any
) -> Person:
    cache.clear()
    settings.OPENID_FETCH_ALLOWED_HOSTS = [*settings.OPENID_FETCH_ALLOWED_HOSTS, certified.host]
    sample = {
        "name": "the sample by Connect", "key": "sample", "issuer": provider.url.rstrip("/"), "client_id": "site",
        "client_secret": "sample", "scope": "openid email profile groups", "trust_groups": True,
    }  # fmt: skip
    settings.OPENID_PROVIDERS = [*settings.OPENID_PROVIDERS, sample, certified.register(relying_site)]
    return Person(browser, relying_site, provider)


def test_a_certified_provider_signs_in_by_its_button(person: Person) -> None:
    person.visit("/private/")
    assert violations(person.browser) == []
    person.press("Sign in with Staff")
    person.arrive("/private/")
    person.sees('"user": "ada"')
    assert complaints(person.browser) == []
    assert UserOpenID.objects.get().claimed_id.endswith(" ada-1")


def test_one_account_for_both_protocols(person: Person) -> None:
    person.sign_in("ada")
    person.visit("/openid/identities/")
    person.press("Add the sample by Connect")
    person.agree("ada")
    person.arrive("/openid/identities/")
    person.sees("ada (the sample by Connect) now signs you in.")
    assert violations(person.browser) == []
    sign_out(person)
    person.visit("/openid/login/?next=/private/")
    person.press("Sign in with the sample by Connect")
    person.agree("ada")
    person.arrive("/private/")
    person.sees('"groups": ["drivers", "speakers"]')
    assert (User.objects.count(), UserOpenID.objects.count()) == (1, 2)


def test_who_cancels_there_is_told_so(person: Person) -> None:
    person.visit("/openid/login/")
    person.press("Sign in with the sample by Connect")
    person.press("Cancel")
    person.sees("You are not signed in")
    person.sees("cancelled")


def sign_out(person: Person) -> None:
    """By the form that a site of its own would have on each page."""
    person.browser.execute_script(
        """
        const form = document.querySelector("form").cloneNode(true);
        form.action = "/openid/connect/sign-out/";
        document.body.append(form);
        form.submit();
        """
    )
    person.arrive("/")
    person.sees('"user": null')
