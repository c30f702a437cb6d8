"""The settings and the system checks over them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import set_script_prefix

from djintegrate.dojo import conf
from djintegrate.dojo.checks import check_configuration

SETTINGS = ("DOJO_ENABLED", "DOJO_THEME", "DOJO_DJCONFIG", "DOJO_FORM_FUNCTION", "DOJO_URL", "DOJO_ROOT")


@pytest.fixture
def bare(settings: Any) -> Any:
    for name in SETTINGS:
        if hasattr(settings, name):
            delattr(settings, name)
    return settings


def test_the_defaults(bare: Any) -> None:
    assert conf.enabled() is True
    assert conf.theme() == "claro"
    assert conf.dj_config() == {"isDebug": False, "parseOnLoad": False}
    assert conf.form_function() is None


def test_the_configuration_of_one_page_is_not_anothers(bare: Any) -> None:
    bare.DOJO_DJCONFIG = {"deep": {"list": [1]}}
    conf.dj_config()["deep"]["list"].append(2)
    assert conf.dj_config() == {"deep": {"list": [1]}}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("static/dojo/dojo", "/below/static/dojo/dojo"),
        ("/static/dojo/dojo/", "/static/dojo/dojo"),
        ("https://cdn.example.com/dojo", "https://cdn.example.com/dojo"),
        ("//cdn.example.com/dojo", "//cdn.example.com/dojo"),
    ],
)
def test_the_url_follows_the_script_prefix_as_static_url_does(bare: Any, given: str, url: str) -> None:
    bare.DOJO_URL = given
    set_script_prefix("/below/")
    try:
        assert conf.url() == url
    finally:
        set_script_prefix("/")


@pytest.mark.parametrize(("value", "said"), [(None, "None"), ("", "''"), ("/", "'/'"), (5, "5, a whole number")])
def test_without_a_url_the_error_says_what_to_set(bare: Any, value: Any, said: str) -> None:
    bare.DOJO_URL = value
    with pytest.raises(ImproperlyConfigured, match=rf'DOJO_URL is {said}\. .* DOJO_URL = STATIC_URL \+ "dojo/dojo"'):
        conf.url()


def test_a_url_that_was_forgotten_is_named_as_such(bare: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"DOJO_URL is not set\. Make it the address"):
        conf.url()


def test_the_folder_of_the_commands_may_be_left_out(bare: Any) -> None:
    bare.DOJO_URL = "/static/dojo/dojo"
    assert check_configuration() == []
    with pytest.raises(ImproperlyConfigured, match=r"DOJO_ROOT is not set\. Make it the path of a folder"):
        conf.root()


@pytest.mark.parametrize(
    ("name", "value", "identifier", "said"),
    [
        ("DOJO_URL", None, "dojo.E001", "DOJO_URL is None. Make it the address"),
        ("DOJO_THEME", "blue", "dojo.E002", "DOJO_THEME is 'blue'. Make it 'tundra', 'soria', 'nihilo' or 'claro'."),
        ("DOJO_DJCONFIG", [], "dojo.E003", "DOJO_DJCONFIG is [], a list. Make it a dictionary"),
        ("DOJO_FORM_FUNCTION", "app.forms.f", "dojo.E004", "DOJO_FORM_FUNCTION is 'app.forms.f', a string. Make it a"),
        ("DOJO_FORM_FUNCTION", ("a b", "f"), "dojo.E004", "DOJO_FORM_FUNCTION is ('a b', 'f'). Make it a module"),
        ("DOJO_AUTO", "False", "dojo.E005", "DOJO_AUTO is 'False', a string. Make it True or False."),
    ],
)
def test_checks_name_the_setting_and_the_remedy(
    settings: Any, name: str, value: Any, identifier: str, said: str
) -> None:
    setattr(settings, name, value)
    [found] = check_configuration()
    assert found.id == identifier
    assert said in found.msg


@pytest.mark.parametrize(
    ("address", "looked_for"),
    [
        ("dojo", "/dojo/dojo.js"),
        ("dojo/dojo/", "/dojo/dojo/dojo.js"),
        ("statics/dojo", "/statics/dojo/dojo.js"),
    ],
)
def test_an_address_below_nothing_is_a_warning_that_says_where_browsers_look(
    settings: Any, address: str, looked_for: str
) -> None:
    settings.DOJO_URL = address
    [found] = check_configuration()
    assert found.id == "dojo.W003"
    assert f"{looked_for}, which is not below STATIC_URL ('/static/')" in found.msg
    assert 'DOJO_URL = STATIC_URL + "dojo/dojo"' in str(found.hint)


@pytest.mark.parametrize(
    "address", ["static/dojo/dojo", "/dojo", "https://cdn.example.com/dojo", "//cdn.example.com/d"]
)
def test_an_address_that_is_below_something_is_not(settings: Any, address: str) -> None:
    settings.DOJO_URL = address
    assert check_configuration() == []


def test_settings_in_order_pass_the_checks() -> None:
    assert check_configuration() == []


def test_a_site_that_switched_dojo_off_needs_no_url(settings: Any) -> None:
    settings.DOJO_ENABLED = False
    settings.DOJO_URL = None
    assert check_configuration() == []


def test_missing_middleware_is_warned_of(settings: Any) -> None:
    settings.MIDDLEWARE = []
    [found] = check_configuration()
    assert (found.id, found.hint) == (
        "dojo.W001",
        "Add 'djintegrate.dojo.middleware.DojoMiddleware', anywhere in MIDDLEWARE.",
    )


@pytest.mark.parametrize("value", [None, "", 5])
def test_a_missing_root_is_an_error_with_an_example(settings: Any, value: Any) -> None:
    settings.DOJO_ROOT = value
    with pytest.raises(ImproperlyConfigured, match=r'DOJO_ROOT = BASE_DIR / "dojo"'):
        conf.root()
