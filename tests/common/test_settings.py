"""The settings of all apps: what is tried on each comes from its declaration, so that a new one is tried too."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from djintegrate.common.settings import MISSING, Declared, Setting
from djintegrate.common.types import Unfit

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = {
    "storm_backend": "settings.md",
    "openid_auth": "openid-settings.md",
    "dojo": "dojo.md",
    "jsonrpc": "jsonrpc.md",
    "acl": "acl.md",
    "files": "files.md",
    "jobs": "jobs.md",
}
"""Where the settings of each app are documented."""


KEYS_OF_A_CONNECTION = {"STORM_STORE", "STORM_SECRET_URI"}
"""Documented as such, and no settings."""


def conf(app: str) -> ModuleType:
    return import_module(f"djintegrate.{app}.conf")


APPS = sorted(path.parent.name for path in (ROOT / "djintegrate").glob("*/apps.py"))
DECLARED: dict[str, Declared] = {app: conf(app).DECLARED for app in APPS}
EVERY = [(app, setting) for app, declared in DECLARED.items() for setting in declared]

ODD = [5, -1, 2.5, 10**400, float("nan"), float("inf"), True, b"text", object(), print]
TEXTS = ["False", "2", "a, b", "", "no.such.module"]
SEVERAL = [[], ["a", 5], ("a", "b", "c"), {5}, [None], [[]]]
PAIRS = [{}, {"a": 5}, {5: "a"}, {"a": None}, {"a": "text"}]
VALUES: list[Any] = [None, *ODD, *TEXTS, *SEVERAL, *PAIRS]
"""Of each type that may come to somebody's mind."""

ALSO_RIGHT: dict[str, list[Any]] = {
    # Whether there is a cache or a backend of that name, other checks say.
    "JOBS_CACHE": TEXTS,
    "JOBS_EMAIL_BACKEND": TEXTS,
    "JSONRPC_CONSOLE": [True],
    "JSONRPC_MAX_BATCH": [5, 10**400],
    "JSONRPC_MAX_BYTES": [10**400],
    "JSONRPC_MAX_DEPTH": [10**400],
    "JSONRPC_THROTTLE_PROXIES": [5, 10**400],
    "OPENID_NOTIFY": [True],
    "OPENID_THROTTLE_PROXIES": [5, 10**400],
    "OPENID_CONFIRM_SECONDS": [None],
    "OPENID_RECHECK_SECONDS": [5, 10**400],
}
"""Those of VALUES that fit, though the default alone would not tell."""


def name(value: Any) -> str:
    return value.name if isinstance(value, Setting) else str(value)


every_setting = pytest.mark.parametrize(("app", "setting"), EVERY, ids=name)


def never_right(setting: Setting[Any]) -> list[Any]:
    """Those of VALUES that cannot fit a setting with this default, unless ALSO_RIGHT has it."""
    right = ALSO_RIGHT.get(setting.name, [])
    return [value for value in never_right_beside(setting.default) if value not in right]


def never_right_beside(default: Any) -> list[Any]:
    if default is None or default is MISSING:
        return [value for value in ODD if value is not print]
    if isinstance(default, bool):
        return [value for value in VALUES if not isinstance(value, bool)]
    if isinstance(default, int):
        return [None, -1, True, float("nan"), float("inf"), b"text", object(), print, *TEXTS, *SEVERAL, *PAIRS]
    if isinstance(default, str):
        return [None, *ODD, *TEXTS, *SEVERAL, *PAIRS]
    if isinstance(default, dict):
        return [None, *ODD, *TEXTS, *SEVERAL]
    assert isinstance(default, tuple)
    return [*ODD, *TEXTS, ["a", 5], *PAIRS]


def said_by_the_check(app: str) -> list[CheckMessage]:
    checks = import_module(f"djintegrate.{app}.checks")
    return list(checks.check_configuration())


def error_of(setting: Setting[Any]) -> str:
    with pytest.raises(ImproperlyConfigured) as caught:
        setting()
    return str(caught.value)


@every_setting
def test_a_wrong_type_is_an_error_that_names_the_setting_the_value_and_the_remedy(
    app: str, setting: Setting[Any]
) -> None:
    for value in never_right(setting):
        with override_settings(**{setting.name: value}):
            said = error_of(setting)
            assert said.startswith(setting.name)
            assert repr(value) in said or re.match(r"^\w+\[.+\] is ", said), said
            assert re.search(r"\. Make it .+\.$", said), said
            errors = [message for message in said_by_the_check(app) if message.msg == said]
            assert [(type(error), error.hint) for error in errors] == [(Error, f"Correct {setting.name}.")]


@pytest.mark.parametrize("setting", [each for _, each in EVERY if each.name in ALSO_RIGHT], ids=name)
def test_what_fits_beside_the_defaults_type_is_given_as_it_is(setting: Setting[Any]) -> None:
    for value in ALSO_RIGHT[setting.name]:
        with override_settings(**{setting.name: value}):
            assert setting() is value


@every_setting
def test_whatever_the_value_is_it_is_given_as_it_is_or_refused(app: str, setting: Setting[Any]) -> None:
    for value in VALUES:
        with override_settings(**{setting.name: value}):
            try:
                read = setting()
            except ImproperlyConfigured:
                continue
            assert same(read, value), (read, value)


def same(read: Any, value: Any) -> bool:
    """Whether nothing was changed but the form: a tuple for a list, a Path for a path, a store for a URI."""
    if isinstance(read, tuple):
        return list(read) == list(value)
    if isinstance(read, dict) and isinstance(value, dict):
        return read.keys() == value.keys() and all(same(read[key], value[key]) for key in read)
    as_it_is = read is value or (type(read) is type(value) and read == value)
    return as_it_is or (read, value) == (None, "") or read in (Path(str(value)), {"URI": value})


@every_setting
def test_the_default_fits(app: str, setting: Setting[Any]) -> None:
    if setting.default is MISSING:
        with pytest.raises(Unfit, match=r"is not set\. Make it "):
            setting.of_type(MISSING)
    else:
        setting.of_type(setting.default)


@pytest.mark.parametrize("slip", ["a letter left out", "a letter twice", "two letters swapped", "another letter"])
@every_setting
def test_a_misspelt_name_is_a_warning_with_the_right_one(app: str, setting: Setting[Any], slip: str) -> None:
    declared = DECLARED[app]
    known = {each.name for each in declared}
    for wrong in misspelt(setting.name, slip, declared.prefix):
        if wrong not in known:
            with override_settings(**{wrong: setting.default}):
                [message] = [each for each in said_by_the_check(app) if str(each.msg).startswith(f"{wrong} ")]
            assert isinstance(message, Warning)
            assert f"Did you mean {setting.name}?" in str(message.msg)
            assert f'SILENCED_SYSTEM_CHECKS = ["{message.id}"]' in str(message.hint)
            with override_settings(SILENCED_SYSTEM_CHECKS=[message.id]):
                assert message.is_silenced()


def misspelt(name: str, slip: str, prefix: str) -> list[str]:
    """Some ways to do so, other each time the name is another."""
    start = len(prefix) if name.startswith(prefix) else 0
    places = range(start, len(name) - 1)
    chosen = Random(name + slip).sample(places, min(3, len(places)))
    return [
        {
            "a letter left out": name[:place] + name[place + 1 :],
            "a letter twice": name[:place] + name[place] + name[place:],
            "two letters swapped": name[:place] + name[place + 1] + name[place] + name[place + 2 :],
            "another letter": name[:place] + "Q" + name[place + 1 :],
        }[slip]
        for place in chosen
    ]


@pytest.mark.parametrize("app", DECLARED)
def test_a_name_that_is_like_none_of_ours_is_a_warning_without_a_guess(app: str) -> None:
    with override_settings(**{f"{DECLARED[app].prefix}XYZZY": "secret"}):
        [message] = [each for each in said_by_the_check(app) if "XYZZY" in str(each.msg)]
    assert message.msg == f"{DECLARED[app].prefix}XYZZY is not a setting of djintegrate.{app}."


@pytest.mark.parametrize("app", DECLARED)
def test_other_settings_are_nobodys_business(app: str) -> None:
    others = {other.prefix: other for other in DECLARED.values() if other.prefix != DECLARED[app].prefix}
    strangers = {f"{prefix}XYZZY": 1 for prefix in others} | {"XYZZY": 1, "OIDC_CREATE_USER": True}
    before = said_by_the_check(app)
    with override_settings(**strangers):
        assert said_by_the_check(app) == before


@pytest.mark.parametrize("app", DECLARED)
def test_each_setting_is_documented_and_each_that_is_documented_is_one(app: str) -> None:
    page = (REFERENCE / PAGES[app]).read_text()
    documented = re.findall(r"^(?:#+ |\| )`([A-Z][A-Z_]+)`(?: \||$)", page, re.MULTILINE)
    names = {setting.name for setting in DECLARED[app]}
    assert names - set(documented) == set()
    for other in REFERENCE.glob("*.md"):
        mentioned = set(re.findall(rf"\b{DECLARED[app].prefix}[A-Z_]+[A-Z]\b", other.read_text()))
        assert (other.name, mentioned - names - KEYS_OF_A_CONNECTION) == (other.name, set())


def test_settings_are_read_where_they_are_declared_and_nowhere_else() -> None:
    ours = "|".join([*(declared.prefix for declared in DECLARED.values()), "AUTH_USER_GROUP", "ALLOWED_EXTERNAL"])
    read = re.compile(rf'settings(\.|, ")({ours})')
    modules = sorted((ROOT / "djintegrate").rglob("*.py"))
    assert [(str(path), found.group()) for path in modules for found in read.finditer(path.read_text())] == []


def test_no_setting_is_left_out_here() -> None:
    """One that is declared anywhere is tried above, unless it is another app's, which tries it."""
    sources = [path.read_text() for path in sorted((ROOT / "djintegrate").rglob("*.py"))]
    named = [name for source in sources for name in re.findall(r"\bSetting\(\s*\"(\w+)\"", source)]
    assert len(named) > 50
    assert set(named) == {setting.name for _, setting in EVERY}
    assert set(PAGES) == set(APPS)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DOJO_URL", "dojo", "DOJO_URL is 'dojo': browsers look for /dojo/dojo.js, which is not below STATIC_URL"),
        ("STORM_STORES", {"main": {"URL": "sqlite:"}}, "Did you mean URI?"),
        ("STORM_STORES", {"main": {"URI": "sqlite:", "TWO_PHASES": True}}, "Did you mean TWO_PHASE?"),
        ("OPENID_PROVIDERS", [{"name": "x", "ulr": "https://x.example/"}], "Did you mean url?"),
        ("OPENID_PROVIDERS", [{"name": "x", "issuer": "i", "client_ids": "c"}], "Did you mean client_id?"),
    ],
)
def test_what_has_the_right_type_and_cannot_work_is_told_by_the_checks(name: str, value: Any, said: str) -> None:
    [app] = [app for app, setting in EVERY if setting.name == name]
    with override_settings(**{name: value}):
        assert [message for message in said_by_the_check(app) if said in str(message.msg)]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_server_has_the_scheme_that_libpq_knows_too(scheme: str) -> None:
    with override_settings(STORM_STORES={"main": f"{scheme}://user@host/db"}):
        assert [message for message in said_by_the_check("storm_backend") if scheme in str(message.msg)] == []
