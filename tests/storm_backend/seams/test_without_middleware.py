"""A site that runs the engine without ZopeTransactionMiddleware is told so, and so is what a request left open."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks

from djintegrate.storm_backend import get_store
from tests.support import faults
from tests.support.helpers import MIDDLEWARE, TRANSACTIONS, Outside, django_add, storm_insert

pytest_plugins = ["tests.support.fixtures"]
NAME = "ZopeTransactionMiddleware"


def found() -> list[checks.CheckMessage]:
    """What the system checks say about a middleware that is missing."""
    return [
        message
        for message in checks.run_checks()
        if str(message.id).startswith("storm_backend.") and NAME in f"{message.msg} {message.hint}"
    ]


# Django 6.1 has the checks ask the databases, if nobody says which.
@pytest.mark.django_db(databases="__all__")
class TestTheCheck:
    def test_warns_of_an_engine_without_the_middleware(self, settings: Any) -> None:
        settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
        (message,) = found()
        assert message.level == checks.WARNING
        assert message.hint
        assert "MIDDLEWARE" in f"{message.msg} {message.hint}"
        assert not message.is_silenced()

    def test_can_be_silenced(self, settings: Any) -> None:
        settings.MIDDLEWARE = []
        (message,) = found()
        settings.SILENCED_SYSTEM_CHECKS = [message.id]
        assert message.is_silenced()

    def test_says_nothing_where_it_is_there(self, settings: Any) -> None:
        settings.MIDDLEWARE = [*MIDDLEWARE, "django.middleware.common.CommonMiddleware"]
        assert found() == []

    def test_has_an_id_of_its_own(self, settings: Any) -> None:
        settings.MIDDLEWARE = []
        (missing,) = found()
        settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware", *MIDDLEWARE]
        (misplaced,) = found()
        assert missing.id != misplaced.id


class TestTheLogLine:
    pytestmark = TRANSACTIONS

    @pytest.fixture(autouse=True)
    def site(self, settings: Any) -> None:
        settings.MIDDLEWARE = []
        settings.ROOT_URLCONF = "tests.support.faults"

    def test_says_what_to_do(self, outside: Outside, caplog: pytest.LogCaptureFixture) -> None:
        answer = faults.Site()(lambda: storm_insert("left open"))
        assert answer.status == 200
        assert outside.names() == []
        (record,) = [record for record in caplog.records if record.name.startswith("djintegrate")]
        said = record.getMessage()
        assert record.levelname == "ERROR"
        assert "'main'" in said
        assert NAME in said
        assert "transaction.commit()" in said

    def test_is_not_written_where_nothing_was_left_open(
        self, outside: Outside, caplog: pytest.LogCaptureFixture
    ) -> None:
        def view() -> None:
            storm_insert("committed by hand")
            get_store("main").commit()
            django_add("in autocommit")

        assert faults.Site()(view).status == 200
        assert outside.names() == ["committed by hand", "in autocommit"]
        assert [record for record in caplog.records if record.name.startswith("djintegrate")] == []
