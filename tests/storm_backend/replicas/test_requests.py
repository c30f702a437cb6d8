"""What a request reads from, sync and async: who reads from the replica, who from the primary, and who runs again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from djintegrate.storm_backend.replicas import lag
from tests.storm_backend.replicas import views
from tests.storm_backend.replicas.site import LAG, REPLICAS, STICKY, Clock, Send, Servers, replica_serves
from tests.storm_backend.replicas.views import PRIMARY, REPLICA
from tests.support.helpers import MIDDLEWARE, wait_until

pytest_plugins = ["tests.support.fixtures", "tests.storm_backend.replicas.fixtures"]
pytestmark = REPLICAS

Browser = Callable[[], Send]
ON_PRIMARY, ON_REPLICA = {"django": PRIMARY, "storm": PRIMARY}, {"django": REPLICA, "storm": REPLICA}
COOKIE = "storm_primary"
WRITES = ["by_django_writes", "by_storm_writes", "async_writes"]


@pytest.fixture(autouse=True)
def clean(site: Servers) -> Iterator[None]:
    views.runs.clear()
    views.in_the_middle.clear()
    yield


class TestWhoReadsWhere:
    @pytest.mark.parametrize("path", ["/where/", "/where_async/"])
    def test_both_orms_read_from_the_replica_where_the_method_is_safe(self, path: str, new_browser: Browser) -> None:
        send = new_browser()
        assert send("get", path).json() == ON_REPLICA
        assert send("options", path).json() == ON_REPLICA
        assert send("head", path).status_code == 200
        assert COOKIE not in send("get", path).cookies

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_other_methods_read_from_the_primary(self, method: str, new_browser: Browser) -> None:
        response = new_browser()(method, "/where/")
        assert response.json() == ON_PRIMARY
        # It wrote nothing.
        assert COOKIE not in response.cookies

    @pytest.mark.parametrize("path", WRITES)
    def test_a_browser_that_wrote_reads_from_the_primary_and_others_do_not(
        self, path: str, new_browser: Browser, site: Servers, clock: Clock
    ) -> None:
        writer, reader = new_browser(), new_browser()
        site.pause()
        assert writer("post", f"/{path}/").status_code == 200
        assert writer("get", "/names/").json() == {"names": ["ann"], **ON_PRIMARY}
        assert reader("get", "/names/").json() == {"names": [], **ON_REPLICA}
        clock.passes(STICKY - 1)
        assert writer("get", "/names/").json()["names"] == ["ann"]

    def test_after_sticky_seconds_it_reads_from_the_replica_again(self, new_browser: Browser, clock: Clock) -> None:
        send = new_browser()
        send("post", "/by_django_writes/")
        clock.passes(STICKY - 0.5)
        assert send("get", "/where/").json() == ON_PRIMARY
        clock.passes(1)
        wait_until(replica_serves)
        assert send("get", "/where/").json() == ON_REPLICA

    def test_another_write_begins_the_time_anew(self, new_browser: Browser, clock: Clock) -> None:
        send = new_browser()
        send("post", "/by_django_writes/?name=ann")
        clock.passes(STICKY - 1)
        send("post", "/by_storm_writes/?name=bob")
        clock.passes(STICKY - 1)
        assert send("get", "/where/").json() == ON_PRIMARY

    def test_what_nobody_signed_pins_nobody(self, client: Any, settings: Any) -> None:
        client.post("/by_django_writes/")
        stamp, _, signature = client.cookies[COOKIE].value.rpartition(":")
        for forged in ["9999999999.000", f"9999999999.000:{signature}", f"{stamp}:x", "", ":"]:
            client.cookies[COOKIE] = forged
            assert client.get("/where/").json() == ON_REPLICA
        settings.SECRET_KEY = "another"
        client.cookies[COOKIE] = f"{stamp}:{signature}"
        assert client.get("/where/").json() == ON_REPLICA

    def test_the_cookie_goes_where_the_sessions_does(self, client: Any, settings: Any) -> None:
        settings.SESSION_COOKIE_SECURE = True
        settings.SESSION_COOKIE_DOMAIN = "example.org"
        cookie = client.post("/by_django_writes/").cookies[COOKIE]
        assert cookie["secure"] and cookie["httponly"] and cookie["domain"] == "example.org"
        assert STICKY <= cookie["max-age"] <= STICKY + 1
        assert cookie["samesite"] == "Lax"

    def test_what_is_streamed_after_the_request_reads_from_the_primary(self, client: Any) -> None:
        response = client.get("/streams_late/")
        assert b" ".join(response.streaming_content) == b"primary primary"


class TestRunsAgain:
    @pytest.mark.parametrize("path", WRITES)
    def test_a_get_that_writes_runs_once_more_on_the_primary_and_pins(
        self, path: str, new_browser: Browser, site: Servers, settings: Any
    ) -> None:
        assert getattr(settings, "STORM_RETRY_ATTEMPTS", 1) == 1
        send = new_browser()
        assert send("get", f"/{path}/").status_code == 200
        assert views.runs == {path: 2}
        assert site.there.names() == ["ann"]
        assert send("get", "/names/").json() == {"names": ["ann"], **ON_PRIMARY}

    def test_one_that_swallows_the_refusal_runs_again_as_well(self, new_browser: Browser, site: Servers) -> None:
        assert new_browser()("get", "/swallows/").content == b"written"
        assert site.there.names() == ["ann"]

    def test_one_that_locks_rows_runs_again_and_pins(self, new_browser: Browser) -> None:
        send = new_browser()
        assert send("get", "/locks/").json() == ON_PRIMARY
        assert send("get", "/locks/").json() == ON_PRIMARY
        assert views.runs == {"locks": 3}

    def test_one_that_writes_after_its_commit_runs_again(self, new_browser: Browser, site: Servers) -> None:
        send = new_browser()
        assert send("get", "/on_commit_writes/").json() == ON_PRIMARY
        assert site.there.names() == ["ann"]
        assert send("get", "/where/").json() == ON_PRIMARY

    def test_a_body_is_there_again(self, new_browser: Browser, site: Servers) -> None:
        send = new_browser()
        assert send("post", "/posted_writes/", {"name": "bob"}).content == b"primary"
        assert views.runs == {"posted_writes": 2}
        assert site.there.names() == ["bob"]

    def test_the_retries_of_the_setting_come_on_top(self, new_browser: Browser, site: Servers, settings: Any) -> None:
        settings.STORM_RETRY_ATTEMPTS = 2
        assert new_browser()("get", "/retries/").json() == ON_PRIMARY
        assert views.runs == {"retries": 3}
        assert site.there.names() == ["ann"]

    def test_an_error_of_the_view_itself_is_no_reason(self, new_browser: Browser) -> None:
        assert new_browser()("get", "/fails/").status_code == 500
        assert views.runs == {"fails": 1}

    @pytest.mark.parametrize("path", ["commits_and_goes_on", "commits_and_keeps", "commits_and_writes_after_it"])
    def test_one_that_has_committed_reads_and_writes_on_the_primary_and_never_runs_again(
        self, path: str, new_browser: Browser, site: Servers, settings: Any
    ) -> None:
        settings.MIDDLEWARE = [*MIDDLEWARE, "django.contrib.sessions.middleware.SessionMiddleware"]
        response = new_browser()("get", f"/{path}/")
        assert response.json() == {"first": ON_REPLICA, **ON_PRIMARY}
        assert views.runs == {path: 1}
        assert site.there.names() == ([] if path == "commits_and_keeps" else ["ann"])
        assert COOKIE in response.cookies

    def test_one_that_has_to_run_again_cannot_commit_before(self, new_browser: Browser, site: Servers) -> None:
        assert new_browser()("get", "/commits_after_a_refusal/").content == b"written"
        assert views.runs == {"commits_after_a_refusal": 2, "swallows": 2}
        assert site.there.names() == ["ann"]

    def test_what_the_view_wrote_and_committed_itself_pins(self, new_browser: Browser) -> None:
        send = new_browser()
        assert send("get", "/commits_and_writes/").status_code == 200
        assert send("get", "/where/").json() == ON_PRIMARY

    def test_an_on_commit_callback_that_writes_on_the_primary_pins(self, new_browser: Browser) -> None:
        send = new_browser()
        send("post", "/on_commit_writes/")
        assert send("get", "/where/").json() == ON_PRIMARY


class TestSessions:
    @pytest.fixture(autouse=True)
    def sessions(self, settings: Any, clean: None) -> None:
        settings.MIDDLEWARE = [
            *MIDDLEWARE,
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ]

    def test_one_that_is_saved_on_a_replica_is_saved_on_the_primary(
        self, new_browser: Browser, site: Servers, caplog: pytest.LogCaptureFixture
    ) -> None:
        send = new_browser()
        site.pause()
        assert send("get", "/keeps/").json() == ON_PRIMARY
        assert views.runs == {"keeps": 2}
        # Django had an error to report of the first run only.
        assert "Internal Server Error" not in caplog.text
        assert send("get", "/kept/").json() == {"kept": "yes", "user": "AnonymousUser", **ON_PRIMARY}

    def test_one_that_is_changed_on_a_replica_is_changed_on_the_primary(
        self, new_browser: Browser, site: Servers, clock: Clock
    ) -> None:
        send = new_browser()
        send("post", "/keeps/")
        site.catch_up()
        clock.passes(STICKY + 1)
        wait_until(replica_serves)
        views.runs.clear()
        # Saving it is an update, which Django answers with a 400 where the database refuses it.
        assert send("get", "/keeps/").json() == ON_PRIMARY
        assert views.runs == {"keeps": 2}

    def test_who_signs_in_is_signed_in_in_the_next_request(self, new_browser: Browser, site: Servers) -> None:
        user = User(username="ann")
        user.save(using="extra")
        site.catch_up()
        site.pause()
        send = new_browser()
        assert send("post", "/sign_in/").content == b"welcome"
        assert send("get", "/kept/").json()["user"] == "ann"


class TestLag:
    def test_a_replica_that_is_too_far_behind_does_not_serve(self, client: Any, site: Servers, clock: Clock) -> None:

        site.there.rows("INSERT INTO people_person (name) VALUES ('before')")
        site.catch_up()
        site.pause()
        site.there.rows("INSERT INTO people_person (name) VALUES ('ann')")
        clock.passes(1.1)
        assert client.get("/names/").json() == {"names": ["before"], **ON_REPLICA}
        site.there.rows("SELECT pg_sleep(%s)" % (LAG + 0.1))
        clock.passes(1.1)
        assert client.get("/names/").json() == {"names": ["ann", "before"], **ON_PRIMARY}
        site.resume()
        site.catch_up()
        clock.passes(1.1)
        assert client.get("/names/").json() == {"names": ["ann", "before"], **ON_REPLICA}

    def test_an_idle_primary_is_no_lag(self, client: Any, site: Servers) -> None:
        site.there.rows("INSERT INTO people_person (name) VALUES ('ann')")
        site.catch_up()
        for _ in range(3 * LAG):
            site.there.rows("SELECT pg_sleep(0.5)")
            assert client.get("/where/").json() == ON_REPLICA

    def test_it_is_asked_at_most_once_a_second(
        self, client: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []
        ask = lag.answer_on
        monkeypatch.setattr(lag, "answer_on", lambda raw: asked.append(raw) or ask(raw))
        clock.passes(2)

        for _ in range(10):
            assert client.get("/where/").json() == ON_REPLICA
        assert len(asked) == 1
        clock.passes(1.1)
        assert client.get("/where/").json() == ON_REPLICA
        assert len(asked) == 2

    def test_a_standby_that_receives_nothing_does_not_serve(self, client: Any, site: Servers, clock: Clock) -> None:
        (info,) = site.behind.rows("SHOW primary_conninfo")[0]
        site.behind.rows("ALTER SYSTEM SET primary_conninfo = ''")
        site.behind.rows("SELECT pg_reload_conf()")
        try:
            wait_until(lambda: not site.behind.rows("SELECT pid FROM pg_stat_wal_receiver"))
            clock.passes(1.1)
            # It has replayed all that it has received.
            assert client.get("/where/").json() == ON_PRIMARY
        finally:
            site.behind.rows("ALTER SYSTEM SET primary_conninfo = '{}'".format(info.replace("'", "''")))
            site.behind.rows("SELECT pg_reload_conf()")
            site.wait_for_receiver()


class TestDeadReplica:
    def test_the_primary_serves_and_asks_again_after_thirty_seconds(
        self, new_browser: Browser, site: Servers, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        send = new_browser()
        assert send("get", "/where/").json() == ON_REPLICA
        with site.standby_is_down():
            clock.passes(1.1)
            assert send("get", "/where/").json() == ON_PRIMARY
            assert "cannot be reached, and is asked again in 30 seconds" in caplog.text
        site.catch_up()
        clock.passes(28)
        assert send("get", "/where/").json() == ON_PRIMARY
        clock.passes(2)
        # It can be asked again, and serves once its receiver has been there for a second.
        assert send("get", "/where/").json() == ON_PRIMARY
        clock.passes(1.1)
        assert send("get", "/where/").json() == ON_REPLICA
        assert "can be reached again" in caplog.text

    @pytest.mark.parametrize("again", [False, True])
    def test_a_request_whose_replica_dies_runs_again_on_the_primary(
        self, again: bool, new_browser: Browser, site: Servers
    ) -> None:
        def die() -> None:
            # `again` dies between the first statements of two requests, the other one in the middle of one.
            site.behind.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            )

        send = new_browser()
        if again:
            assert send("get", "/where/").json() == ON_REPLICA
            die()
            assert send("get", "/where/").json() in (ON_REPLICA, ON_PRIMARY)
            return
        views.in_the_middle.append(die)
        assert send("get", "/loses/").json() == {"first": ON_PRIMARY, **ON_PRIMARY}
        assert views.runs == {"loses": 2}

    def test_a_request_that_the_standby_cancels_runs_again_on_the_primary(
        self, new_browser: Browser, site: Servers
    ) -> None:
        site.there.rows("CREATE TABLE in_the_way (x int)")
        site.behind.rows("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        site.behind.rows("SELECT pg_reload_conf()")
        site.catch_up()

        def conflict() -> None:
            with connections["extra"].cursor() as cursor:
                cursor.execute("SELECT * FROM in_the_way")
            site.there.rows("DROP TABLE in_the_way")
            site.catch_up()

        views.in_the_middle.append(conflict)
        try:
            assert new_browser()("get", "/loses/").json() == {"first": ON_PRIMARY, **ON_PRIMARY}
        finally:
            site.behind.rows("ALTER SYSTEM RESET max_standby_streaming_delay")
            site.behind.rows("SELECT pg_reload_conf()")


class TestSeveralReplicas:
    @pytest.fixture
    def entry(self, two: Servers) -> dict[str, Any]:
        """Of three replicas one is dead, and one is no standby."""
        replicas = ["postgres://nobody@127.0.0.1:9/test", two.standby.uri(), two.primary.uri()]
        return {"URI": two.primary.uri(), "REPLICAS": replicas, "STICKY_SECONDS": STICKY, "MAX_LAG_SECONDS": LAG}

    def test_one_that_can_serve_does(self, new_browser: Browser, clock: Clock) -> None:
        for _ in range(6):
            assert new_browser()("get", "/where/").json() == ON_REPLICA
        # Whichever is asked first.
        clock.passes(31)
        for _ in range(6):
            assert new_browser()("get", "/where/").json() == ON_REPLICA
