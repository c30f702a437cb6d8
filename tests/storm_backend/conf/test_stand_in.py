"""What stands in for a connection whose settings are wrong has all that Django's have, and says what is wrong."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from djintegrate.storm_backend import get_store, get_store_uri
from djintegrate.storm_backend.conf.stand_in import StandIn
from djintegrate.storm_backend.examination import _how_to_be_let_in, examine
from tests.support.helpers import extra_alias, is_sqlite

pytest_plugins = ["tests.support.fixtures"]

ENGINE = "djintegrate.storm_backend"
BY_ANY = {"dec_thread_sharing", "get_rollback"}
"""What any connection refuses, if nothing was done before."""


def stand_in() -> Any:
    connection = ConnectionHandler({"default": {"ENGINE": ENGINE, "NAME": "no such store"}})["default"]
    assert isinstance(connection, StandIn)
    return connection


def without_arguments() -> list[str]:
    """The public methods of Django's connections that need none."""
    functions = inspect.getmembers(BaseDatabaseWrapper, inspect.isfunction)
    required = {
        name: [
            each
            for each in list(inspect.signature(function).parameters.values())[1:]
            if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        ]
        for name, function in functions
    }
    return [name for name, parameters in required.items() if name[0] != "_" and name not in BY_ANY and not parameters]


@pytest.mark.parametrize("name", without_arguments())
def test_a_method_works_or_says_what_is_wrong(name: str) -> None:
    try:
        getattr(stand_in(), name)()
    except ImproperlyConfigured as error:
        assert "STORM_STORES names no store 'no such store'" in str(error)


def test_a_copy_says_the_same() -> None:
    copied = stand_in().copy()
    assert copied.settings_dict == stand_in().settings_dict
    with pytest.raises(ImproperlyConfigured, match="names no store 'no such store'"):
        copied.cursor()


@pytest.mark.usefixtures("unguarded")
def test_the_doctor_says_that_the_server_has_no_such_database(settings: Any) -> None:
    if is_sqlite():
        pytest.skip("SQLite's databases are files.")
    from tests.settings import uri

    with extra_alias(settings, uri("no_such_database")):
        [found] = [each for each in examine() if each.subject == "store extra"]
    assert not found.is_well
    assert found.remedy.startswith("Create the database 'no_such_database'")


@pytest.mark.usefixtures("unguarded")
def test_the_doctor_does_not_say_to_start_a_server_that_knows_no_such_user(settings: Any) -> None:
    if is_sqlite():
        pytest.skip("SQLite knows no users.")
    from tests.settings import uri

    scheme, _, place = uri("postgres").partition("://")
    with extra_alias(settings, f"{scheme}://nobody_at_all@{place.rpartition('@')[2]}"):
        [found] = [each for each in examine() if each.subject == "store extra"]
    assert not found.is_well
    assert "nobody_at_all" in found.remedy and "Start the server" not in found.remedy


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ('FATAL:  role "ada" does not exist', "Create the role 'ada'"),
        ('FATAL:  password authentication failed for user "ada"', "The server answers: have it let the user 'ada' in"),
        ("(1045, \"Access denied for user 'ada'@'localhost'\")", "The server answers: have it let the user 'ada' in"),
        ('FATAL:  database "site" does not exist', "Create the database 'site'"),
        ("connection refused", "Start the server"),
    ],
)
def test_what_the_doctor_says_to_do_fits_the_servers_answer(said: str, remedy: str) -> None:
    connection = SimpleNamespace(settings_dict={"NAME": "site", "USER": "ada"})
    assert _how_to_be_let_in(said, connection) == remedy


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("default", "no store 'default': that is an alias of DATABASES, whose store is 'main'. Use it."),
        ("mian", "no store 'mian'. It names: 'main', 'second', 'plain'. Did you mean 'main'? Add 'mian' there, or"),
    ],
)
@pytest.mark.parametrize("use", [get_store, get_store_uri])
def test_a_name_that_is_no_stores_is_said_with_the_one_that_is_meant(use: Any, name: str, said: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        use(name)
    assert said in str(caught.value)
    assert caught.value.__context__ is None
