"""What goes wrong on a real server: each time a clear error or a retried success, no half, and the next one works."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import storm.exceptions
import transaction
from django.db import IntegrityError, connection, connections
from django.db.transaction import atomic

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson, StormVisit
from tests.support.faults import (
    OPERATIONAL,
    Site,
    backend,
    committed,
    do_not_wait_long,
    end_connection,
    needs_server,
    write_both,
)
from tests.support.helpers import (
    MIDDLEWARE,
    TRANSACTIONS,
    Outside,
    by_manager,
    django_add,
    is_mariadb,
    is_postgres,
    is_sqlite,
    storm_add,
)
from tools.servers import Server

pytest_plugins = ["tests.support.fixtures"]
pytestmark = [*TRANSACTIONS, pytest.mark.usefixtures("sister_stores")]

WRITTEN = ["django", "storm"]


def by_django() -> None:
    Person.objects.count()


def by_storm() -> None:
    get_store("main").find(StormPerson).count()


def by_the_flush_before_the_commit() -> None:
    storm_add("pending")


def by_the_commit() -> None:
    pass


def stop(server: Server) -> None:
    server.stop()


def kill(server: Server) -> None:
    # The server of the tests writes to the disk when it likes to: without this it would forget what it confirmed.
    look = Outside()
    look.rows("CHECKPOINT" if is_postgres() else "FLUSH ENGINE LOGS")
    look.close()
    server.kill()


NOTICED = [by_django, by_storm, by_the_flush_before_the_commit, by_the_commit]


@pytest.fixture(autouse=True)
def _site_settings(settings: Any) -> None:
    settings.MIDDLEWARE = MIDDLEWARE
    settings.ROOT_URLCONF = "tests.support.faults"


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def own_server(server: Server | None) -> Iterator[Server]:
    """The server, to be stopped and started: the test leaves it running."""
    if server is None:
        pytest.skip("There is no server here that a test may stop.")
    yield server
    with contextlib.suppress(RuntimeError):
        server.start()
    # Only the other connection is under test; what this one lost with the server is no matter.
    connections["second"].close()


@pytest.mark.parametrize("noticed", NOTICED)
class TestAConnectionLostInARequest:
    def test_the_request_fails_whole_and_the_next_works(self, site: Site, noticed: Callable[[], None]) -> None:
        needs_server()

        def loses_its_connection() -> None:
            write_both()
            end_connection(backend())
            noticed()

        answer = site(loses_its_connection)
        assert answer.status == 500
        assert_operational(answer.errors)
        assert "(the store 'main')" in str(answer.errors[0])
        assert committed() == []
        assert site(write_both).status == 200
        assert committed() == WRITTEN

    def test_a_view_that_swallows_the_error_keeps_no_half(self, site: Site, noticed: Callable[[], None]) -> None:
        needs_server()

        def swallows() -> None:
            write_both()
            end_connection(backend())
            for step in (noticed, write_both, by_storm, write_both):
                with contextlib.suppress(Exception):
                    step()

        assert site(swallows).status == 500
        assert committed() == []
        assert site(write_both).status == 200
        assert committed() == WRITTEN

    def test_it_is_not_tried_again_for_it_may_have_been_committed(
        self, noticed: Callable[[], None], settings: Any
    ) -> None:
        needs_server()
        settings.STORM_RETRY_ATTEMPTS = 3
        attempts = []

        def loses_its_connection() -> None:
            attempts.append(1)
            write_both()
            end_connection(backend())
            noticed()

        assert Site()(loses_its_connection).status == 500
        assert len(attempts) == 1
        assert committed() == []

    @pytest.mark.parametrize("down", [stop, kill])
    def test_a_restart_of_the_server_inside_fails_it_whole(
        self, site: Site, own_server: Server, noticed: Callable[[], None], down: Callable[[Server], None]
    ) -> None:
        def is_restarted_upon() -> None:
            write_both()
            down(own_server)
            own_server.start()
            noticed()

        answer = site(is_restarted_upon)
        assert answer.status == 500
        assert_operational(answer.errors)
        assert committed() == []
        assert site(write_both).status == 200
        assert committed() == WRITTEN

    @pytest.mark.parametrize("block", [by_manager, atomic])
    def test_without_a_request_too_the_next_transaction_works(
        self, noticed: Callable[[], None], block: Callable[[], Any]
    ) -> None:
        needs_server()
        with pytest.raises(OPERATIONAL), block():
            write_both()
            end_connection(backend())
            noticed()
        transaction.abort()
        assert committed() == []
        with block():
            write_both()
        assert committed() == WRITTEN


def with_a_block() -> None:
    with atomic():
        Person.objects.count()


def with_a_cursor_of_the_servers() -> None:
    list(Person.objects.iterator())


def with_many_rows() -> None:
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO people_person (name) VALUES (%s)", [("many",), ("more",)])


def with_storm() -> None:
    get_store("main").find(StormPerson).count()


class TestAConnectionLostBetweenRequests:
    @pytest.mark.parametrize(
        "first", [by_django, with_a_block, with_a_cursor_of_the_servers, with_many_rows, with_storm, write_both]
    )
    def test_whatever_comes_first_is_done_on_another(self, site: Site, first: Callable[[], None]) -> None:
        needs_server()
        numbers: list[int] = []
        assert site(lambda: numbers.append(backend())).status == 200
        end_connection(numbers[0])

        def view() -> None:
            first()
            django_add("last")

        assert site(view).status == 200
        assert "last" in committed()
        assert committed() == sorted(set(committed()))
        assert len(committed()) == {with_many_rows: 3, write_both: 3}.get(first, 1)

    def test_a_statement_that_was_not_the_first_is_not_repeated(self, site: Site) -> None:
        if not is_postgres():
            pytest.skip("What PostgreSQL's COPY does, no wrapper of Django's sees.")
        assert site(write_both).status == 200

        def view() -> None:
            with connection.cursor() as cursor:
                # As COPY and callproc(), past the wrappers.
                cursor.cursor.execute("INSERT INTO people_person (name) VALUES ('lost')")
                cursor.cursor.execute("SELECT pg_backend_pid()")
                end_connection(cursor.cursor.fetchone()[0])
            Person.objects.count()

        assert site(view).status == 500
        assert committed() == WRITTEN
        assert site(lambda: write_both("2")).status == 200

    def test_an_ended_connection_is_replaced(self, site: Site) -> None:
        needs_server()
        numbers: list[int] = []
        assert site(lambda: numbers.append(backend())).status == 200
        end_connection(numbers[0])
        assert site(write_both).status == 200
        assert committed() == WRITTEN

    @pytest.mark.parametrize("first", [by_django, by_storm])
    @pytest.mark.parametrize("down", [stop, kill])
    def test_a_restarted_server_is_not_noticed(
        self, site: Site, own_server: Server, down: Callable[[Server], None], first: Callable[[], None]
    ) -> None:
        assert site(write_both).status == 200
        down(own_server)
        own_server.start()
        assert site(first).status == 200
        assert site(lambda: write_both("2")).status == 200
        assert committed() == ["django", "django2", "storm", "storm2"]

    def test_while_the_server_is_down_each_request_fails_and_says_why(self, site: Site, own_server: Server) -> None:
        assert site(write_both).status == 200
        own_server.stop()
        for view in (by_django, by_storm, write_both):
            answer = site(view)
            assert answer.status == 500
            assert_operational(answer.errors)
        own_server.start()
        assert site(lambda: write_both("2")).status == 200
        assert committed() == ["django", "django2", "storm", "storm2"]

    @pytest.mark.parametrize("block", [by_manager, atomic])
    @pytest.mark.parametrize("first", [by_django, by_storm])
    def test_without_a_request_one_transaction_may_fail_and_the_next_works(
        self, block: Callable[[], Any], first: Callable[[], None]
    ) -> None:
        needs_server()
        if is_mariadb() and block is atomic:
            pytest.skip("As natively: atomic() cannot begin on a lost connection, and does not replace it.")
        with block():
            first()
            number = backend()
        end_connection(number)
        with contextlib.suppress(*OPERATIONAL), block():
            first()
        transaction.abort()
        with block():
            write_both()
        assert committed() == WRITTEN


class TestACommitThatFails:
    @pytest.mark.parametrize("block", [None, atomic])
    def test_the_visitor_sees_it_and_nothing_is_kept(self, site: Site, block: Callable[[], Any] | None) -> None:
        if is_mariadb():
            pytest.skip("MariaDB checks constraints at once; a commit on a lost connection is tested above.")

        def refers_to_nobody() -> None:
            with block() if block else contextlib.nullcontext():
                write_both()
                visit = get_store("main").add(StormVisit("of nobody"))
                visit.person_id = 987654

        answer = site(refers_to_nobody)
        assert answer.status == 500
        assert len(answer.errors) == 1
        assert isinstance(answer.errors[0], (IntegrityError, storm.exceptions.IntegrityError))
        assert committed() == []
        assert site(write_both).status == 200
        assert committed() == WRITTEN


def rewrite_by_django() -> None:
    Visit.objects.update(note="mine")


def rewrite_by_storm() -> None:
    # Not find().set(), with which Storm would go to the objects too that a failed request's traceback has.
    get_store("main").execute("UPDATE people_visit SET note = ?", ("mine",))


@pytest.mark.parametrize("rewrite", [rewrite_by_django, rewrite_by_storm])
class TestALockThatIsNotGiven:
    def test_the_request_fails_whole_and_the_next_works(
        self, site: Site, others_lock: Outside, rewrite: Callable[[], None]
    ) -> None:
        def waits_in_vain() -> None:
            do_not_wait_long()
            write_both()
            rewrite()

        answer = site(waits_in_vain)
        assert answer.status == 500
        assert_operational(answer.errors)
        assert committed() == []
        others_lock.rows("ROLLBACK")
        assert site(waits_in_vain).status == 200
        assert committed() == WRITTEN

    def test_a_second_attempt_succeeds_when_the_lock_is_free(
        self, others_lock: Outside, rewrite: Callable[[], None], settings: Any
    ) -> None:
        settings.STORM_RETRY_ATTEMPTS = 2
        attempts = []

        def waits_once() -> None:
            attempts.append(1)
            if len(attempts) == 2:
                others_lock.rows("ROLLBACK")
            do_not_wait_long()
            write_both()
            rewrite()

        answer = Site()(waits_once)
        assert (answer.status, answer.errors, len(attempts)) == (200, [], 2)
        assert committed() == WRITTEN


@pytest.fixture
def others_lock(outside: Outside) -> Iterator[Outside]:
    """Somebody else has changed the only visit, and has yet to say ROLLBACK."""
    Visit.objects.create(note="theirs")
    outside.rows("BEGIN IMMEDIATE" if is_sqlite() else "BEGIN")
    outside.rows("UPDATE people_visit SET note = 'changed'")
    yield outside
    outside.connection().close()


def assert_operational(errors: list[BaseException | None]) -> None:
    assert len(errors) == 1
    assert isinstance(errors[0], OPERATIONAL), repr(errors[0])
