"""A SQLite file in a folder that is not there: both ORMs hear which, and get the error that they know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django.db
import pytest
import storm.exceptions
import transaction
from django.core.management.base import CommandError

from djintegrate.storm_backend import get_store, get_store_uri
from tests.support.helpers import extra_alias

pytest_plugins = ["tests.support.fixtures"]
pytestmark = pytest.mark.usefixtures("unguarded")


def test_django_and_a_management_command_hear_of_it(settings: Any, tmp_path: Path) -> None:
    with extra_alias(settings, f"sqlite:{tmp_path}/none/x.sqlite3") as connection:
        with pytest.raises(django.db.OperationalError, match=f"The folder '{tmp_path}/none' is not there") as caught:
            connection.cursor()
        assert isinstance(caught.value, CommandError)
        (tmp_path / "none").mkdir()
        with connection.cursor() as cursor:
            assert cursor.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("shared", [True, False])
def test_storm_hears_of_it(shared: bool, settings: Any, tmp_path: Path) -> None:
    uri, said = f"sqlite:{tmp_path}/none/x.sqlite3", f"The folder '{tmp_path}/none' is not there"
    if shared:
        with extra_alias(settings, uri), pytest.raises(storm.exceptions.OperationalError, match=said):
            get_store("extra").execute("SELECT 1")
    else:
        settings.STORM_STORES = {**settings.STORM_STORES, "gone": uri}
        with pytest.raises(storm.exceptions.OperationalError, match=said):
            get_store("gone").execute("SELECT 1")
    transaction.abort()


def test_what_else_sqlite_refuses_is_said_as_it_says_it(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "folder.sqlite3").mkdir()
    with extra_alias(settings, f"sqlite:{tmp_path}/folder.sqlite3") as connection:
        with pytest.raises(django.db.OperationalError, match="unable to open database file") as caught:
            connection.cursor()
        assert not isinstance(caught.value, CommandError)


def test_storm_is_told_the_scheme_that_it_knows(settings: Any) -> None:
    settings.STORM_STORES = {"ledger": "postgresql://user@host/ledger"}
    assert get_store_uri("ledger") == "postgres://user@host/ledger"
