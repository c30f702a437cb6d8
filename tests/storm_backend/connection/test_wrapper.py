"""The engine: what is Django's own stays so, how long a connection lives, and what a request leaves behind."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, IntegrityError, close_old_connections, connection, connections
from django.db.utils import load_backend

from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.base import DatabaseWrapper
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.settings import uri
from tests.support.helpers import (
    TRANSACTIONS,
    Oops,
    Outside,
    django_add,
    django_names,
    extra_alias,
    is_postgres,
    native,
    storm_add,
    storm_insert,
)

pytest_plugins = ["tests.support.fixtures"]


class TestNative:
    pytestmark = TRANSACTIONS

    def test_it_is_the_native_wrapper_with_a_layer_in_front(self) -> None:
        backend = load_backend(native(DEFAULT_DB_ALIAS)["ENGINE"])
        assert isinstance(connections["default"], backend.DatabaseWrapper)
        for part in ("features", "introspection", "creation", "client"):
            assert isinstance(getattr(connection, part), getattr(backend.DatabaseWrapper, f"{part}_class"))

    def test_its_features_are_those_of_the_native_backend(self, outside: Outside) -> None:
        mine, its = connection.features, outside.connection().features
        names = [name for name in dir(type(its)) if not name.startswith("_") and not callable(getattr(its, name))]
        differing = {name for name in names if getattr(mine, name) != getattr(its, name)} - {"connection"}
        assert differing == set()

    def test_errors_of_each_orm_are_its_own(self) -> None:
        django_add("ann")
        with pytest.raises(IntegrityError):
            django_add("ann")
        with pytest.raises(storm.exceptions.IntegrityError) as error:
            storm_insert("ann")
        assert isinstance(error.value, connection.Database.IntegrityError)
        transaction.abort()

    def test_execute_wrappers_see_djangos_statements_in_a_begun_transaction(self) -> None:
        seen: list[str] = []
        before = list(connection.execute_wrappers)

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            seen.append(sql)
            return execute(sql, params, many, context)

        with transaction.manager, connection.execute_wrapper(note):
            django_names()
        with connection.execute_wrapper(note), transaction.manager:
            django_names()
        assert len([sql for sql in seen if "people_person" in sql]) == 2
        assert connection.execute_wrappers == before

    def test_a_server_side_cursor_works_in_a_begun_transaction(self) -> None:
        with transaction.manager:
            Person.objects.bulk_create(Person(name=f"{number:04}") for number in range(500))
            storm_add("storm")
            get_store("main").flush()
            names = [person.name for person in Person.objects.order_by("name").iterator(chunk_size=100)]
            assert len(names) == 501

    def test_a_schema_editor_works_with_nothing_begun(self) -> None:
        from django.db import models

        class Gadget(models.Model):
            name = models.TextField()

            class Meta:
                app_label = "app"

        with connection.schema_editor() as editor:
            editor.create_model(Gadget)
        try:
            assert "app_gadget" in connection.introspection.table_names()
            Gadget.objects.create(name="one")
            assert get_store("main").execute("SELECT name FROM app_gadget").get_all() == [("one",)]
        finally:
            transaction.abort()
            with connection.schema_editor() as editor:
                editor.delete_model(Gadget)
        assert "app_gadget" not in connection.introspection.table_names()
        assert connection.get_autocommit()

    def test_a_copy_takes_no_part(self, outside: Outside) -> None:
        copy = connection.copy()
        try:
            with pytest.raises(Oops), transaction.manager:
                with copy.cursor() as cursor:
                    cursor.execute("INSERT INTO people_person (name) VALUES ('autocommitted')")
                assert outside.names() == ["autocommitted"]
                raise Oops
        finally:
            copy.close()
        assert outside.names() == ["autocommitted"]

    def test_queries_are_logged_and_counted_as_natively(self, django_assert_num_queries: Any, settings: Any) -> None:
        django_add("ann")
        with django_assert_num_queries(1):
            assert django_names() == ["ann"]


class TestOneRequestAfterAnother:
    pytestmark = TRANSACTIONS

    def test_a_request_that_leaves_a_transaction_open_has_it_aborted_and_logged(
        self, settings: Any, outside: Outside, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.MIDDLEWARE = []
        transaction.begin()
        django_add("left")
        storm_add("left as well")
        with caplog.at_level(logging.ERROR, "djintegrate.storm_backend"):
            request_finished.send(sender=WSGIHandler)
        assert outside.names() == []
        assert "'main'" in caplog.text
        assert "aborted" in caplog.text
        assert "ZopeTransactionMiddleware" in caplog.text
        storm_add("next")
        transaction.commit()
        assert outside.names() == ["next"]

    def test_storm_left_uncommitted_is_aborted_and_logged(
        self, outside: Outside, caplog: pytest.LogCaptureFixture
    ) -> None:
        storm_insert("left")
        with caplog.at_level(logging.ERROR, "djintegrate.storm_backend"):
            request_finished.send(sender=WSGIHandler)
        assert outside.names() == []
        assert "'main'" in caplog.text

    def test_a_request_that_ended_its_transaction_is_not_mentioned(self, caplog: pytest.LogCaptureFixture) -> None:
        with transaction.manager:
            storm_add("ann")
        close_old_connections()
        assert not caplog.records


@pytest.mark.usefixtures("unguarded")
class TestHowLongAConnectionLives:
    def request(self, alias: str = "extra") -> Any:
        """What Django does around a request that uses the database; the driver's connection it used."""
        request_started.send(sender=None)
        # Django's own receiver; a test client that was interrupted has left it disconnected.
        close_old_connections()
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
        used = connections[alias].connection
        request_finished.send(sender=None)
        return used

    def test_by_default_it_lives_as_long_as_its_thread(self, settings: Any) -> None:
        with extra_alias(settings, uri("test")):
            first = self.request()
            assert self.request() is first
            assert connections["extra"].connection is first

    def test_with_a_number_it_lives_that_many_seconds(self, settings: Any) -> None:
        with extra_alias(settings, uri("test"), CONN_MAX_AGE=600):
            assert self.request() is self.request()
        with extra_alias(settings, uri("test"), CONN_MAX_AGE=0.1):
            first = self.request()
            time.sleep(0.2)
            assert self.request() is not first

    def test_with_none_it_lives_for_ever(self, settings: Any) -> None:
        with extra_alias(settings, uri("test"), CONN_MAX_AGE=None):
            assert self.request() is self.request()

    def test_storm_gets_the_new_connection(self, settings: Any) -> None:
        with extra_alias(settings, uri("test"), CONN_MAX_AGE=0.1):
            store = get_store("extra")
            with transaction.manager:
                store.execute("SELECT 1")
            first = connections["extra"].connection
            time.sleep(0.2)
            request_finished.send(sender=None)
            with transaction.manager:
                assert store.execute("SELECT 2").get_one() == (2,)
                assert connections["extra"].connection is not first


@pytest.mark.usefixtures("unguarded")
class TestEntries:
    def test_autocommit_false_is_manual_mode_from_the_start(self, settings: Any) -> None:
        name = "djintegrate_manual"
        with extra_alias(settings, uri("test"), AUTOCOMMIT=False) as extra:
            with extra.cursor() as cursor:
                cursor.execute(f"CREATE TABLE {name} (id INTEGER)")
            extra.commit()
            try:
                get_store("extra").execute(f"INSERT INTO {name} VALUES (1)")
                with extra.cursor() as cursor:
                    cursor.execute(f"INSERT INTO {name} VALUES (2)")
                transaction.abort()
                get_store("extra").execute(f"INSERT INTO {name} VALUES (3)")
                extra.commit()
                assert get_store("extra").execute(f"SELECT id FROM {name}").get_all() == [(3,)]
            finally:
                extra.rollback()
                with extra.cursor() as cursor:
                    cursor.execute(f"DROP TABLE {name}")
                extra.commit()

    def test_the_time_zone_of_the_entry_is_djangos(self, settings: Any) -> None:
        if is_postgres():
            with extra_alias(settings, uri("test"), TIME_ZONE="Europe/Paris") as extra, extra.cursor() as cursor:
                cursor.execute("SHOW TIME ZONE")
                assert cursor.fetchone() == ("Europe/Paris",)
                assert get_store("extra").execute("SHOW TIME ZONE").get_one() == ("Europe/Paris",)
        else:
            with extra_alias(settings, uri("test"), TIME_ZONE="Europe/Paris") as extra:
                assert extra.timezone_name == "Europe/Paris"

    def test_a_name_that_is_no_store_says_so(self, settings: Any) -> None:
        entry = connections.configure_settings(
            {"default": {}, "extra": {"ENGINE": "djintegrate.storm_backend", "NAME": "mian"}}
        )["extra"]
        with pytest.raises(ImproperlyConfigured) as error:
            DatabaseWrapper(entry, "extra").cursor()
        for fragment in (
            "DATABASES['extra']['NAME']", "'mian'", "'main', 'second', 'plain'", "Did you mean 'main'?", "Make NAME",
        ):  # fmt: skip
            assert fragment in str(error.value)

    def test_a_bad_uri_says_so(self, settings: Any) -> None:
        with extra_alias(settings, "oracle:x") as extra:
            with pytest.raises(ImproperlyConfigured, match=r"'oracle'\. Storm knows"):
                extra.cursor()
            with pytest.raises(ImproperlyConfigured):
                get_store("extra")

    def test_a_server_that_is_not_there_is_an_operational_error_of_each_orm(self, settings: Any, tmp_path: Any) -> None:
        import django.db

        nowhere = {
            "sqlite": f"sqlite:{tmp_path}/no/such/folder/db.sqlite3",
            "postgresql": "postgres://nobody:x@127.0.0.1:1/nothing",
            "mysql": "mysql://nobody:x@127.0.0.1:1/nothing",
        }[connection.vendor]
        with extra_alias(settings, nowhere) as extra:
            with pytest.raises(django.db.OperationalError):
                extra.ensure_connection()
            for _ in range(2):
                with pytest.raises((storm.exceptions.Error, django.db.OperationalError)):
                    get_store("extra").execute("SELECT 1")
                transaction.abort()
            with pytest.raises((storm.exceptions.Error, django.db.OperationalError)), transaction.manager:
                get_store("extra").find(StormPerson).count()
            transaction.abort()
            assert not extra.in_atomic_block
