"""The settings: their defaults, and what is said of a value that cannot be used."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from djintegrate.storm_backend import conf
from djintegrate.storm_backend.middleware import default_commit_veto


def test_a_store_is_a_uri_or_a_dictionary_with_one(settings: Any) -> None:
    settings.STORM_STORES = {"a": "sqlite:", "b": {"URI": "sqlite:/b", "SCHEMA": "app.schema"}}
    assert {name: store.uri for name, store in conf.stores().items()} == {"a": "sqlite:", "b": "sqlite:/b"}
    assert conf.store("b").name == "b"


def test_the_defaults(settings: Any) -> None:
    for name in ("STORM_STORES", "STORM_COMMIT_VETO", "STORM_COMMIT_SAFE_METHODS", "STORM_RETRY_ATTEMPTS"):
        if hasattr(settings, name):
            delattr(settings, name)
    assert conf.stores() == {}
    assert conf.commit_veto() is None
    assert conf.commit_safe_methods() is True
    assert conf.retry_attempts() == 1


def test_the_veto_is_imported(settings: Any) -> None:
    settings.STORM_COMMIT_VETO = "djintegrate.storm_backend.middleware.default_commit_veto"
    assert conf.commit_veto() is default_commit_veto


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("STORM_STORES", ["sqlite:"], ["STORM_STORES", "['sqlite:']", "Make it a dictionary"]),
        ("STORM_STORES", None, ["STORM_STORES", "None", "Make it a dictionary"]),
        ("STORM_STORES", {"a": None}, ["STORM_STORES['a']", "None", "Make it a URI"]),
        ("STORM_STORES", {"a": {}}, ["STORM_STORES['a']", "{}", '"URI"']),
        ("STORM_STORES", {5: "sqlite:"}, ["STORM_STORES is {5: 'sqlite:'}", "with the key 5", "a store's name"]),
        ("STORM_STORES", {"a": {"URI": 5}}, ["STORM_STORES['a']['URI'] is 5, a whole number", "Make it a URI"]),
        (
            "STORM_STORES",
            {"a": {"URI": "sqlite:", "TWO_PHASE": "no"}},
            ["STORM_STORES['a']['TWO_PHASE'] is 'no', a string. Make it True or False."],
        ),
        ("STORM_STORES", {"a": {"URI": "sqlite:", "SCHEMA": 5}}, ["STORM_STORES['a']['SCHEMA'] is 5", "dotted path"]),
        ("STORM_COMMIT_SAFE_METHODS", "False", ["STORM_COMMIT_SAFE_METHODS is 'False', a string", "True or False"]),
        ("STORM_COMMIT_SAFE_METHODS", 0, ["STORM_COMMIT_SAFE_METHODS is 0, a whole number", "True or False"]),
        (
            "STORM_STORES",
            {"a": {"URI": "sqlite:", "TWOPHASE": True}},
            [
                "STORM_STORES['a']",
                "'TWOPHASE'",
                "Did you mean TWO_PHASE?",
                f'"URI", and with {", ".join(conf.FURTHER_KEYS)} as needed',
            ],
        ),
        (
            "STORM_STORES",
            {"a": {"URI": "postgres:", "REPLICAS": "postgres://user:secret@standby/db"}},
            ["STORM_STORES['a']['REPLICAS']", "a string", "a list of URIs"],
        ),
        (
            "STORM_STORES",
            {"a": {"URI": "postgres:", "REPLICAS": ["postgres:", None]}},
            ["STORM_STORES['a']['REPLICAS'][1]", "None", "a URI"],
        ),
        (
            "STORM_STORES",
            {"a": {"URI": "postgres:", "STICKY_SECONDS": "120"}},
            ["STORM_STORES['a']['STICKY_SECONDS']", "'120'", "a number of seconds"],
        ),
        (
            "STORM_STORES",
            {"a": {"URI": "postgres:", "MAX_LAG_SECONDS": -1}},
            ["STORM_STORES['a']['MAX_LAG_SECONDS']", "-1", "a number of seconds"],
        ),
        (
            "STORM_STORES",
            {"a": {"URI": "postgres:", "REPLICA": []}},
            ["unknown key 'REPLICA'", "Did you mean REPLICAS?"],
        ),
        ("STORM_COMMIT_VETO", "nowhere", ["STORM_COMMIT_VETO", "'nowhere'", "dotted path"]),
        (
            "STORM_COMMIT_VETO",
            f"{__name__}.nowhere",
            ["STORM_COMMIT_VETO", "nowhere", "dotted path"],
        ),
        (
            "STORM_COMMIT_VETO",
            f"{__name__}.NO_FUNCTION",
            ["STORM_COMMIT_VETO", "NO_FUNCTION", "not a function"],
        ),
        ("STORM_COMMIT_VETO", lambda request, response: True, ["STORM_COMMIT_VETO", "<function", "dotted path"]),
        ("STORM_RETRY_ATTEMPTS", 0, ["STORM_RETRY_ATTEMPTS", "0", "1 or more"]),
        ("STORM_RETRY_ATTEMPTS", -1, ["STORM_RETRY_ATTEMPTS", "-1", "1 or more"]),
        ("STORM_RETRY_ATTEMPTS", "3", ["STORM_RETRY_ATTEMPTS", "'3'", "whole number"]),
        ("STORM_RETRY_ATTEMPTS", True, ["STORM_RETRY_ATTEMPTS", "True", "whole number"]),
        ("STORM_RETRY_ATTEMPTS", 2.5, ["STORM_RETRY_ATTEMPTS", "2.5", "whole number"]),
    ],
)
def test_a_mistake_names_the_setting_the_value_and_the_remedy(
    name: str, value: Any, said: list[str], settings: Any
) -> None:
    setattr(settings, name, value)
    read = {
        "STORM_STORES": conf.stores,
        "STORM_COMMIT_SAFE_METHODS": conf.commit_safe_methods,
        "STORM_COMMIT_VETO": conf.commit_veto,
        "STORM_RETRY_ATTEMPTS": conf.retry_attempts,
    }[name]
    with pytest.raises(ImproperlyConfigured) as error:
        read()
    for fragment in said:
        assert fragment in str(error.value)


def test_a_password_is_in_no_message(settings: Any) -> None:
    settings.STORM_STORES = {"a": {"URI": "postgres://user:secret@host/db", "TWOPHASE": True}}
    with pytest.raises(ImproperlyConfigured) as error:
        conf.stores()
    assert "secret" not in str(error.value)
    settings.STORM_STORES = {"a": {"URL": "postgres://user:secret@host/db"}}
    with pytest.raises(ImproperlyConfigured) as error:
        conf.stores()
    assert "secret" not in str(error.value)


NO_FUNCTION = 5
