"""The system checks of MIDDLEWARE, and of the settings that the middleware has."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from tests.storm_backend.conf.test_checks import OTHER, VIEW_ERRORS, assert_said, found, the_one
from tests.storm_backend.conf.test_checks import clean as clean
from tests.support.helpers import MIDDLEWARE

pytest_plugins = ["tests.support.fixtures"]

COMMON = "django.middleware.common.CommonMiddleware"


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("djintegrate.storm_backend.middleware.StormTransactionMiddleware", MIDDLEWARE[0]),
        ("djintegrate.storm_backend.ZopeTransactionMiddleware", MIDDLEWARE[0]),
        ("djintegrate.storm_backend.middlewares.ViewErrorMiddleware", VIEW_ERRORS),
    ],
)
def test_e015_a_path_that_is_nearly_ours(path: str, meant: str, settings: Any) -> None:
    settings.MIDDLEWARE = [path, *([] if meant == MIDDLEWARE[0] else MIDDLEWARE)]
    found_ids = {message.id: message.msg for message in found()}
    assert_said(found_ids["storm_backend.E015"], f"{path!r}, which cannot be imported", f"Did you mean {meant!r}?")
    assert "storm_backend.W009" not in found_ids


def test_e016_the_middleware_twice(settings: Any) -> None:
    settings.MIDDLEWARE = [*MIDDLEWARE, OTHER, *MIDDLEWARE]
    assert_said(the_one("E016"), "more than once", "first place only")


def test_w012_no_database_shares_a_store(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    native = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}}
    monkeypatch.setitem(connections.__dict__, "settings", connections.configure_settings(native))
    assert_said(the_one("W012"), "what Django wrote is kept", "ENGINE of DATABASES['default']", "W012")
    settings.MIDDLEWARE = [OTHER]
    assert found() == []


def test_w003_the_middleware_is_not_the_first(settings: Any) -> None:
    settings.MIDDLEWARE = [OTHER, COMMON, *MIDDLEWARE]
    assert_said(the_one("W003"), "ZopeTransactionMiddleware", f"'{OTHER}', '{COMMON}'", "first place", "W003", "record")


def test_w007_other_middleware_may_hide_a_views_exception(settings: Any) -> None:
    friendly = "tests.storm_backend.middleware.test_middleware.FriendlyMiddleware"
    settings.MIDDLEWARE = [*MIDDLEWARE, friendly]
    assert_said(the_one("W007"), f"'{friendly}'", VIEW_ERRORS, "last in MIDDLEWARE")
    settings.MIDDLEWARE = [*MIDDLEWARE, friendly, VIEW_ERRORS]
    assert found() == []


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("STORM_COMMIT_VETO", "nowhere.veto", "dotted path of a function"),
        ("STORM_RETRY_ATTEMPTS", 0, "whole number, 1 or more"),
        ("STORM_RETRY_ATTEMPTS", "2", "whole number, 1 or more"),
        ("STORM_COMMIT_SAFE_METHODS", "False", "True or False"),
        ("STORM_SITE", "our:site", "letters, digits"),
        ("STORM_SITE", "a" * 31, "at most 30"),
    ],
)
def test_e008_a_setting_of_the_middleware(setting: str, value: Any, remedy: str, settings: Any) -> None:
    setattr(settings, setting, value)
    assert_said(the_one("E008"), f"{setting} is {value!r}", remedy)
