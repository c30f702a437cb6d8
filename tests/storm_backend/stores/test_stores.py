"""get_store() and get_store_uri(): the store of this thread, and where its database is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import transaction
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.db import connection
from storm.database import create_database
from storm.store import Store
from storm.uri import URI

from djintegrate.storm_backend import get_store, get_store_uri
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import (
    TRANSACTIONS,
    Outside,
    django_add,
    extra_alias,
    in_thread,
    is_postgres,
    is_sqlite,
    names_in_both,
    storm_add,
    storm_names,
    wants_postgres_driver,
    with_keys,
)

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


class TestGetStore:
    def test_it_is_a_store_of_storms_and_always_the_same(self) -> None:
        assert isinstance(get_store("main"), Store)
        assert get_store("main") is get_store("main")
        assert get_store("main") is not get_store("second")

    def test_each_name_has_its_own_database(self, outside: Outside) -> None:
        with transaction.manager:
            storm_add("first")
            storm_add("second", "second")
        assert (outside.names(), outside.names("second")) == (["first"], ["second"])

    def test_it_uses_the_very_connection_of_django(self) -> None:
        with transaction.manager:
            store = get_store("main")
            store.execute("SELECT 1")
            assert store._connection._raw_connection._connection is connection.connection

    @pytest.mark.parametrize("ask", [get_store, get_store_uri])
    def test_an_unknown_name_is_answered_with_the_known_ones(self, ask: Any) -> None:
        with pytest.raises(ImproperlyConfigured) as error:
            ask("mian")
        message = str(error.value)
        assert "STORM_STORES" in message
        assert "'mian'" in message
        assert "'main', 'second', 'plain'" in message
        assert "Add 'mian' there" in message

    @pytest.mark.parametrize("name", ["main", "plain"])
    def test_in_a_running_event_loop_it_is_refused(self, name: str) -> None:
        async def ask() -> None:
            get_store(name)

        with pytest.raises(SynchronousOnlyOperation, match="sync_to_async"):
            asyncio.run(ask())

    def test_the_refusal_can_be_turned_off_as_djangos_can(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def ask() -> Store:
            return get_store("main")

        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        assert isinstance(asyncio.run(ask()), Store)

    def test_a_closed_store_is_replaced_and_django_goes_on(self) -> None:
        with transaction.manager:
            storm_add("ann")
        old = get_store("main")
        old.close()
        django_add("bob")
        assert get_store("main") is not old
        with transaction.manager:
            assert names_in_both() == ["ann", "bob"]

    def test_it_works_before_django_has_connected(self) -> None:
        def work() -> list[str]:
            with transaction.manager:
                return storm_names()

        django_add("ann")
        assert in_thread(work) == ["ann"]

    def test_it_begins_nothing_in_the_database_before_a_statement(self) -> None:
        def ask() -> str:
            # A thread that is new knows nothing of the server yet.
            with transaction.manager:
                get_store("main")
                return repr(connection.data_manager)

        assert "no statement yet" in in_thread(ask)

    def test_it_survives_that_django_closes_the_connection(self) -> None:
        store = get_store("main")
        with transaction.manager:
            person = store.add(StormPerson("ann"))
        connection.close()
        with transaction.manager:
            assert person.name == "ann"
            assert store.find(StormPerson).count() == 1


class TestGetStoreUri:
    @pytest.mark.parametrize("name", ["main", "second"])
    def test_under_the_test_runner_it_is_the_test_database(self, name: str, settings: Any) -> None:
        uri = URI(get_store_uri(name))
        configured = URI(with_keys(settings.STORM_STORES[name])["URI"])
        assert uri.database != configured.database
        assert uri.database.endswith(f"test_{name}.sqlite3" if is_sqlite() else f"test_djintegrate_{name}")
        assert (uri.scheme, uri.host, uri.port) == (configured.scheme, configured.host, configured.port)
        assert (uri.username, uri.password) == (configured.username, configured.password)

    def test_storm_alone_can_open_it(self) -> None:
        if is_postgres():
            pytest.importorskip("psycopg2", reason="Storm by itself has no other driver.")
        django_add("ann")
        store = Store(create_database(get_store_uri("main")))
        try:
            assert store.find(StormPerson, name="ann").one() is not None
        finally:
            store.rollback()
            store.close()

    def test_a_plain_store_has_what_was_configured(self, settings: Any) -> None:
        assert get_store_uri("plain") == settings.STORM_STORES["plain"]

    def test_in_production_it_is_what_was_configured(self, settings: Any) -> None:
        uri = with_keys(settings.STORM_STORES["main"])["URI"]
        with extra_alias(settings, uri):
            assert get_store_uri("extra") == uri
            assert get_store_uri("extra") == uri

    @wants_postgres_driver
    def test_options_and_odd_characters_survive(self, settings: Any) -> None:
        uri = "postgres://us%40er:p%2Fss%3A@host:5433/data?application_name=a%20b&isolation=serializable"
        with extra_alias(settings, uri) as extra:
            assert get_store_uri("extra") == uri
            extra.settings_dict["NAME"] = "test_data"
            changed, configured = URI(get_store_uri("extra")), URI(uri)
            assert changed.database == "test_data"
            assert (changed.username, changed.password) == ("us@er", "p/ss:")
            assert changed.options == configured.options
            assert (changed.host, changed.port) == ("host", 5433)

    def test_it_may_be_asked_for_in_an_event_loop(self) -> None:
        async def ask() -> str:
            return get_store_uri("main")

        assert asyncio.run(ask()) == get_store_uri("main")
