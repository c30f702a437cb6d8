"""Many requests at the same time: some block each other, some lose their connection; none is half done."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.faults import END, OPERATIONAL, Answer, Site, committed, do_not_wait_long, needs_server, write_both
from tests.support.helpers import MIDDLEWARE, TRANSACTIONS, Outside, django_add, is_sqlite

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


@pytest.fixture(autouse=True)
def _site_settings(settings: Any) -> None:
    settings.MIDDLEWARE = MIDDLEWARE
    settings.ROOT_URLCONF = "tests.support.faults"


class TestRequestsThatBlockEachOther:
    """Two threads lock in opposite order; on SQLite both read, and then both want to write."""

    def test_one_of_them_fails_whole(self) -> None:
        answers = block_each_other()
        assert sorted(answer.status for answer in answers.values()) == [200, 500]
        loser, winner = sorted(answers, key=lambda name: -answers[name].status)
        (error,) = answers[loser].errors
        assert isinstance(error, OPERATIONAL)
        assert any(word in str(error).lower() for word in ("deadlock", "locked"))
        assert committed() == [f"django {winner}", "one", "other", f"storm {winner}"]

    def test_with_more_attempts_both_succeed(self, settings: Any) -> None:
        settings.STORM_RETRY_ATTEMPTS = 3
        answers = block_each_other()
        assert [(answer.status, answer.errors) for answer in answers.values()] == [(200, []), (200, [])]
        assert committed() == ["django back", "django forth", "one", "other", "storm back", "storm forth"]


def block_each_other() -> dict[str, Answer]:
    """Two requests, "forth" and "back", at the same time in threads of their own."""
    for name in ("one", "other"):
        django_add(name)
    site, both_hold_a_lock = Site(), threading.Barrier(2)
    answers: dict[str, Answer] = {}

    def lock_by_django() -> None:
        Person.objects.filter(name="one").update(name="one")

    def lock_by_storm() -> None:
        get_store("main").execute("UPDATE people_person SET name = 'other' WHERE name = 'other'", noresult=True)

    def read_by_django() -> None:
        Person.objects.count()

    def read_by_storm() -> None:
        get_store("main").find(StormPerson).count()

    def request(name: str, first: Callable[[], None], second: Callable[[], None]) -> None:
        attempts: list[str] = []

        def view() -> None:
            attempts.append(name)
            do_not_wait_long()
            first()
            if len(attempts) == 1:
                both_hold_a_lock.wait(10)
            second()
            write_both(f" {name}")

        answers[name] = site(view)

    orders = {"forth": (lock_by_django, lock_by_storm), "back": (lock_by_storm, lock_by_django)}
    if is_sqlite():
        orders = {"forth": (read_by_django, lock_by_storm), "back": (read_by_storm, lock_by_django)}
    threads = [threading.Thread(target=request, args=(name, *order)) for name, order in orders.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return answers


class TestConnectionsEndedAtRandom:
    REQUESTS, THREADS, REQUESTS_OF_A_VICTIM = 2000, 16, 25

    def test_no_acknowledged_write_is_lost_and_no_half_is_kept(self) -> None:
        needs_server()
        # Not those of this thread: they are looked at after the test.
        connections.close_all()
        site, numbers = Site(), iter(range(self.REQUESTS))
        statuses: dict[int, int] = {}
        victims: queue.Queue[bool] = queue.Queue()
        ended: list[int] = []

        def serve() -> None:
            # next() on an iterator of a range is atomic.
            for number in numbers:
                if number % self.REQUESTS_OF_A_VICTIM == 0:
                    # However fast the requests are: this one waits, and the others go on.
                    victims.put(True)
                    victims.join()
                statuses[number] = site(lambda: write_both(f" {number}")).status  # noqa: B023

        def end_connections() -> None:
            look = Outside()
            while victims.get():
                # MariaDB minds when it has just ended by itself. Whatever it is, nobody is to wait for ever.
                try:
                    for (number,) in look.rows(ANY_BACKEND[connection.vendor]):
                        look.rows(END[connection.vendor] % number)
                        ended.append(number)
                except Exception:
                    # Behind a pooler it may have been lent the session that it ends.
                    look.close()
                victims.task_done()
            look.close()

        threads = [threading.Thread(target=serve) for _ in range(self.THREADS)]
        killer = threading.Thread(target=end_connections)
        for thread in [*threads, killer]:
            thread.start()
        for thread in threads:
            thread.join(120)
        victims.put(False)
        killer.join(10)

        names = set(committed())
        kept = [number for number in range(self.REQUESTS) if f"django {number}" in names]
        acknowledged = [number for number, status in statuses.items() if status == 200]
        assert len(statuses) == self.REQUESTS
        assert set(acknowledged) <= set(kept)
        assert names == {f"{orm} {number}" for orm in ("django", "storm") for number in kept}
        # Else this has tested nothing.
        assert len(ended) > 50
        assert 0 < len(statuses) - len(acknowledged) < self.REQUESTS / 2
        assert set(statuses.values()) == {200, 500}


ANY_BACKEND = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_type = 'client backend' ORDER BY random() LIMIT 1",
    "mysql": "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id() "
    "ORDER BY rand() LIMIT 1",
}
