"""Storm URIs: what Django is told of them, what is refused, and what the server then says to both ORMs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import transaction
from django.core.exceptions import ImproperlyConfigured
from django.db.transaction import atomic
from hypothesis import given
from hypothesis import strategies as st

from djintegrate.common.passwords import without_password
from djintegrate.storm_backend import get_store
from djintegrate.storm_backend.conf import uris
from tests.settings import uri
from tests.support.helpers import beside_pooler, extra_alias, is_mariadb, is_postgres, is_sqlite, wants_postgres_driver

pytest_plugins = ["tests.support.fixtures"]


class TestLocation:
    @pytest.mark.parametrize(
        ("uri", "name"),
        [
            ("sqlite:", ":memory:"),
            ("sqlite::memory:", ":memory:"),
            ("sqlite:/srv/site/db.sqlite3", "/srv/site/db.sqlite3"),
            ("sqlite:db.sqlite3", "db.sqlite3"),
            ("sqlite:/srv/a%20site/db.sqlite3", "/srv/a site/db.sqlite3"),
        ],
    )
    def test_a_sqlite_file(self, uri: str, name: str) -> None:
        location = uris.location(uri)
        assert location.backend == "django.db.backends.sqlite3"
        assert location.settings["NAME"] == name

    @pytest.mark.parametrize(("scheme", "backend"), [("postgres", "postgresql"), ("mysql", "mysql")])
    def test_a_server(self, scheme: str, backend: str) -> None:
        location = uris.location(f"{scheme}://us%40er:p%2Fw%3A@host.example:1234/data")
        assert location.backend == f"django.db.backends.{backend}"
        assert location.settings == {
            "NAME": "data",
            "USER": "us@er",
            "PASSWORD": "p/w:",
            "HOST": "host.example",
            "PORT": "1234",
            "OPTIONS": {},
        }

    def test_what_is_not_said_is_left_to_the_driver(self) -> None:
        settings = uris.location("postgres:data").settings
        assert (settings["USER"], settings["PASSWORD"], settings["HOST"], settings["PORT"]) == ("", "", "", "")

    @pytest.mark.parametrize(
        ("uri", "text"),
        [
            ("oracle://user:secret@host/db", "'oracle'. Storm knows: sqlite, postgres, mysql"),
            ("sqlite3:/srv/site/db.sqlite3", "'sqlite3'. Storm knows: sqlite, postgres, mysql. Did you mean sqlite?"),
            ("postgresql+psycopg2://user:secret@host/db", "Did you mean postgres?"),
            ("nothing", "cannot be read"),
            ("", "cannot be read"),
            ("postgres://user:secret@host:port/db", "cannot be read: the port is not a number"),
            ("postgres://user:sec/secret@host/db", "with %2F for a slash in the password"),
            (
                "postgres://user:secret@host/db?sslmode",
                "cannot be read: the port is not a number, an option has no value",
            ),
            ("postgres://user:secret@host/100%", "a % is not followed by two hexadecimal digits"),
            ("sqlite:/x?timeout=nan", "timeout='nan'. Make it a number of seconds"),
            ("sqlite:/x?timeout=-1", "timeout='-1'. Make it a number of seconds"),
            ("sqlite:/x?transaction_mode=later", "Make it one of DEFERRED, IMMEDIATE, EXCLUSIVE"),
            pytest.param(
                "postgres://user:secret@host/db?isolation=autocommit",
                "isolation='autocommit'. Make it one of read-uncommitted",
                marks=wants_postgres_driver,
            ),
            pytest.param(
                "postgres://user:secret@host/db?isolaton=serializable",
                "the unknown option 'isolaton'. Did you mean isolation?",
                marks=wants_postgres_driver,
            ),
            pytest.param(
                "postgres://user:secret@host/db?charset=utf8",
                "the unknown option 'charset'.",
                marks=wants_postgres_driver,
            ),
            ("mysql://user:secret@host/db?isolaton=serializable", "'isolaton'. Did you mean isolation?"),
            (
                "postgres://user:secret@host:5432/",
                "no database. Write it after the host: postgres://user@host/database.",
            ),
            ("mysql://user:secret@host", "no database. Write it after the host: mysql://user@host/database."),
            ("postgres://user:sec@ret@host/db", "more than one @: write %40"),
            ("mysql://us@er:secret@host/db", "more than one @: write %40"),
            ("postgres:user:secret@host/db", "'postgres:***@host/db' has no //: write postgres://user@host/database."),
            ("mysql://user:secret@host/db?isolation=READ COMMITTED", "Make it one of read-uncommitted, read-committed"),
            ("sqlite:/x?timeout=soon", "timeout='soon'. Make it a number of seconds"),
            ("sqlite:/x?journal_mode=WAL; DROP TABLE x", "Make it a single word or number"),
            ("sqlite:/x?charset=utf8", "unknown option 'charset'. Known for sqlite: journal_mode"),
        ],
    )
    def test_a_mistake_is_named_with_its_remedy_and_without_the_password(self, uri: str, text: str) -> None:
        with pytest.raises(ImproperlyConfigured) as error:
            uris.location(uri)
        assert text in str(error.value)
        assert "secret" not in str(error.value) and "ret@" not in str(error.value)

    @pytest.mark.parametrize(
        "uri",
        [
            pytest.param("postgres:///?service=site", marks=wants_postgres_driver),
            "postgres:///my@db",
            pytest.param("postgres://user@host/db?application_name=me@home", marks=wants_postgres_driver),
            pytest.param("postgres:///db?assume_role=site&sslmode=require", marks=wants_postgres_driver),
            "mysql://?read_default_file=/etc/site.cnf",
            "sqlite:/srv/me@home@site/db.sqlite3",
        ],
    )
    def test_what_is_only_unusual_is_taken(self, uri: str) -> None:
        assert uris.location(uri)

    @pytest.mark.parametrize(
        ("uri", "holds"),
        [
            ("postgres://user:secret@host/db", True),
            ("postgres:///db?password=secret", True),
            ("mysql:///db?passwd=secret", True),
            ("postgres://host:5432/db?application_name=me@home", False),
            ("postgres://user@host/db", False),
            ("sqlite:/a:b@c", False),
            ("nothing", False),
        ],
    )
    def test_a_password_is_seen(self, uri: str, holds: bool) -> None:
        assert uris.holds_password(uri) is holds

    def test_postgresql_is_another_word_for_postgres(self) -> None:
        assert uris.location("postgresql://user@host:1/db") == uris.location("postgres://user@host:1/db")
        assert uris.canonical("postgresql:///db") == "postgres:///db"

    @given(st.sampled_from(["", "sqlite:", "postgres:", "postgresql://", "mysql://u:"]), st.text(max_size=30))
    def test_any_text_is_read_or_refused_in_one_line(self, start: str, rest: str) -> None:
        try:
            uris.location(start + rest)
        except ImproperlyConfigured as error:
            assert str(error).startswith("The Storm URI ")

    @pytest.mark.parametrize(
        ("uri", "shown"),
        [
            ("postgres://user:se/cret@host/db", "postgres://user:***@host/db"),
            ("postgres:///db?user=me&password=secret&x=1", "postgres:///db?user=me&password=***&x=1"),
            ("mysql://user@host/db?passwd=secret", "mysql://user@host/db?passwd=***"),
            ("postgres:///db?sslpassword=secret", "postgres:///db?sslpassword=***"),
            ("postgres://user:secret@host/db", "postgres://user:***@host/db"),
            ("postgres://user:se@cret@host/db", "postgres://user:***@host/db"),
            ("postgres://user@host/db", "postgres://user@host/db"),
            ("sqlite:/a:b@c", "sqlite:/a:b@c"),
        ],
    )
    def test_a_password_is_not_shown(self, uri: str, shown: str) -> None:
        assert without_password(uri) == shown


@pytest.mark.usefixtures("unguarded")
class TestOptionsReachBothSides:
    """What the server, or SQLite, says on the connection that both share: asked by Django, then by Storm."""

    @pytest.mark.parametrize(
        ("option", "question", "answer"),
        [
            ("journal_mode=WAL", "PRAGMA journal_mode", "wal"),
            ("journal_mode=TRUNCATE", "PRAGMA journal_mode", "truncate"),
            ("synchronous=OFF", "PRAGMA synchronous", 0),
            ("synchronous=3", "PRAGMA synchronous", 3),
            ("foreign_keys=off", "PRAGMA foreign_keys", 0),
            ("foreign_keys=on", "PRAGMA foreign_keys", 1),
            ("timeout=1.5", "PRAGMA busy_timeout", 1500),
        ],
    )
    def test_sqlite(self, option: str, question: str, answer: Any, settings: Any, tmp_path: Path) -> None:
        if not is_sqlite():
            pytest.skip("An option of SQLite.")
        with extra_alias(settings, f"sqlite:{tmp_path}/db.sqlite3?{option}") as connection:
            assert said_to_both(connection, question) == (answer, answer)

    @pytest.mark.parametrize(
        ("option", "question", "answer"),
        [
            ("", "SHOW transaction_isolation", "read committed"),
            ("isolation=read-committed", "SHOW transaction_isolation", "read committed"),
            ("isolation=repeatable-read", "SHOW transaction_isolation", "repeatable read"),
            ("isolation=serializable", "SHOW transaction_isolation", "serializable"),
            ("application_name=my%20site", "SHOW application_name", "my site"),
            pytest.param(
                "options=-c%20statement_timeout%3D1234",
                "SHOW statement_timeout",
                "1234ms",
                marks=beside_pooler("there are no options, as a check says"),
            ),
            ("client_encoding=UTF8&application_name=x", "SHOW client_encoding", "UTF8"),
        ],
    )
    def test_postgresql(self, option: str, question: str, answer: str, settings: Any) -> None:
        if not is_postgres():
            pytest.skip("An option of PostgreSQL.")
        with extra_alias(settings, f"{uri('test')}?{option}".rstrip("?")) as connection:
            assert said_to_both(connection, question) == (answer, answer)

    @pytest.mark.parametrize(
        ("option", "question", "answer"),
        [
            ("", "SELECT @@session.tx_isolation", "READ-COMMITTED"),
            ("isolation=read-uncommitted", "SELECT @@session.tx_isolation", "READ-UNCOMMITTED"),
            ("isolation=read-committed", "SELECT @@session.tx_isolation", "READ-COMMITTED"),
            ("isolation=repeatable-read", "SELECT @@session.tx_isolation", "REPEATABLE-READ"),
            ("isolation=serializable", "SELECT @@session.tx_isolation", "SERIALIZABLE"),
            ("", "SELECT @@session.character_set_client", "utf8mb4"),
            ("charset=latin1", "SELECT @@session.character_set_client", "latin1"),
            ("init_command=SET%20SESSION%20sort_buffer_size%3D65536", "SELECT @@session.sort_buffer_size", 65536),
            ("connect_timeout=7", "SELECT 7", 7),
        ],
    )
    def test_mariadb(self, option: str, question: str, answer: Any, settings: Any) -> None:
        if not is_mariadb():
            pytest.skip("An option of MariaDB.")
        with extra_alias(settings, f"{uri('test')}?{option}".rstrip("?")) as connection:
            assert said_to_both(connection, question) == (answer, answer)

    def test_a_begun_transaction_has_the_isolation_too(self, settings: Any) -> None:
        if is_sqlite():
            pytest.skip("SQLite has no isolation levels.")
        question = "SHOW transaction_isolation" if is_postgres() else "SELECT @@session.tx_isolation"
        with extra_alias(settings, f"{uri('test')}?isolation=serializable") as connection, transaction.manager:
            assert {str(answer).lower() for answer in said_to_both(connection, question)} == {"serializable"}

    def test_options_of_the_alias_go_before_those_of_the_uri(self, settings: Any, tmp_path: Path) -> None:
        if not is_sqlite():
            pytest.skip("One database is enough.")
        path = f"{tmp_path}/db.sqlite3"
        with extra_alias(settings, f"sqlite:{path}?timeout=1&synchronous=OFF", OPTIONS={"timeout": 2}) as connection:
            assert said_to_both(connection, "PRAGMA busy_timeout") == (2000, 2000)
            assert said_to_both(connection, "PRAGMA synchronous") == (0, 0)

    def test_text_that_is_not_ascii_goes_both_ways(self, settings: Any) -> None:
        with extra_alias(settings, uri("test")) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT %s", ["Zoë 👋 日本"])
            assert cursor.fetchone() == ("Zoë 👋 日本",)
            assert get_store("extra").execute("SELECT ?", ("Zoë 👋 日本",)).get_one() == ("Zoë 👋 日本",)


def said_to_both(connection: Any, question: str) -> tuple[Any, Any]:
    # In a block: psycopg2 says which isolation it wants only where it begins a transaction.
    with atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(question)
        to_django = cursor.fetchone()[0]
    return to_django, get_store("extra").execute(question).get_one()[0]
