"""Three ORMs in one transaction: Django, Storm, and sessions of SQLAlchemy's that zope.sqlalchemy has registered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import transaction
from django.db import IntegrityError, connection
from django.db.transaction import TransactionManagementError, atomic
from sqlalchemy import exc, select, update
from sqlalchemy.orm.exc import ObjectDeletedError

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import TRANSACTIONS, Oops, Outside, django_add, django_names, names_in_both, storm_add

from .people import AlchemyPerson, alchemy_add, alchemy_names, session

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

ADDERS: dict[str, Callable[[str], object]] = {"django": django_add, "storm": storm_add, "alchemy": alchemy_add}


def in_all(expected: list[str]) -> None:
    """What each of the three sees in this transaction."""
    assert alchemy_names() == expected
    assert names_in_both() == expected
    assert alchemy_names() == expected


# ##### One transaction #####


def test_all_three_commit_together(outside: Outside) -> None:
    with transaction.manager:
        for name, add in ADDERS.items():
            add(name)
        in_all(["alchemy", "django", "storm"])
        assert outside.names() == []
    assert outside.names() == ["alchemy", "django", "storm"]


@pytest.mark.parametrize("last", ADDERS)
def test_all_three_abort_together(outside: Outside, last: str) -> None:
    with pytest.raises(Oops), transaction.manager:
        for name in sorted(ADDERS, key=lambda name: name == last):
            ADDERS[name](name)
        raise Oops
    assert outside.names() == []


def test_what_is_pending_at_the_commit_is_flushed(outside: Outside) -> None:
    with transaction.manager:
        alchemy_add("alchemy")
        storm_add("storm")
    assert outside.names() == ["alchemy", "storm"]


def test_an_error_at_the_flush_of_the_commit_takes_all_along(outside: Outside) -> None:
    django_add("taken")
    with pytest.raises(exc.IntegrityError), transaction.manager:
        django_add("django")
        storm_add("storm")
        alchemy_add("taken")
    assert outside.names() == ["taken"]


def test_where_nothing_is_begun_a_session_joins_the_implicit_transaction_as_storm_does(outside: Outside) -> None:
    alchemy_add("alchemy")
    django_add("django")
    assert outside.names() == []
    transaction.commit()
    assert outside.names() == ["alchemy", "django"]


def test_an_outermost_atomic_block_has_all_three(outside: Outside) -> None:
    with atomic():
        for name, add in ADDERS.items():
            add(name)
        assert outside.names() == []
    assert outside.names() == ["alchemy", "django", "storm"]


def test_core_statements_need_no_mark_changed(outside: Outside) -> None:
    with transaction.manager:
        django_add("before")
        session().execute(update(AlchemyPerson.__table__).values(name="after"))
    assert outside.names() == ["after"]


def test_our_vote_comes_after_that_of_a_session_whose_late_flush_is_in_it(outside: Outside) -> None:
    class Late:
        """Changes an object of the session when others have flushed."""

        transaction_manager = transaction.manager

        def sortKey(self) -> str:
            # Between ours, if that began with one "~", and the session's.
            return "~e"

        def nothing(self, txn: object) -> None:
            pass

        tpc_begin = commit = tpc_finish = tpc_abort = abort = nothing

        def tpc_vote(self, txn: object) -> None:
            person.name = "late"

    with transaction.manager:
        person = alchemy_add("early")
        session.flush()
        transaction.get().join(Late())
    assert outside.names() == ["late"]


# ##### Each sees what the others do #####


def test_a_pending_object_is_flushed_before_django_reads() -> None:
    with transaction.manager:
        alchemy_add("alchemy")
        assert django_names() == ["alchemy"]


def test_a_pending_object_is_flushed_before_storm_reads() -> None:
    with transaction.manager:
        alchemy_add("alchemy")
        assert get_store("main").find(StormPerson).one().name == "alchemy"


def test_storm_is_flushed_before_a_session_reads() -> None:
    with transaction.manager:
        storm_add("storm")
        assert alchemy_names() == ["storm"]


def test_a_session_that_does_not_flush_by_itself_is_flushed_at_the_commit(outside: Outside) -> None:
    with transaction.manager, session().no_autoflush:
        alchemy_add("alchemy")
        assert django_names() == []
    assert outside.names() == ["alchemy"]


@pytest.mark.parametrize("by", ["django", "storm", "core", "cursor"])
def test_no_object_of_a_session_is_stale(by: str) -> None:
    with transaction.manager:
        person = alchemy_add("before")
        session.flush()
        if by == "django":
            Person.objects.update(name="after")
        elif by == "storm":
            get_store("main").find(StormPerson).set(name="after")
        elif by == "core":
            with session().get_bind().begin() as core:
                core.execute(update(AlchemyPerson.__table__).values(name="after"))
        else:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE people_person SET name = 'after'")
        assert person.name == "after"


def test_no_object_of_storm_is_stale_after_a_session_has_written() -> None:
    with transaction.manager:
        person = storm_add("before")
        found = session.scalars(select(AlchemyPerson)).one()
        found.name = "after"
        session.flush()
        assert person.name == "after"


def test_what_a_session_has_pending_on_an_object_stays_when_others_write_its_table() -> None:
    with transaction.manager, session().no_autoflush:
        first, second = alchemy_add("first"), alchemy_add("second")
        session.flush()
        first.name = "pending"
        Person.objects.filter(name="second").update(name="changed")
        assert (first.name, second.name) == ("pending", "changed")
        session.flush()
        assert django_names() == ["changed", "pending"]


def test_two_sessions_on_one_connection_are_true_to_each_other() -> None:
    from sqlalchemy.orm import Session

    with transaction.manager, Session(session.get_bind()) as other:
        person = alchemy_add("before")
        other.scalars(select(AlchemyPerson)).one().name = "after"
        other.commit()
        assert person.name == "after"


def test_a_deleted_row_is_gone_for_a_session() -> None:
    with transaction.manager:
        person = alchemy_add("gone")
        session.flush()
        Person.objects.all().delete()
        with pytest.raises(ObjectDeletedError):
            person.name  # noqa: B018


# ##### Order, and failures #####


def test_rows_are_sent_in_the_order_in_which_the_program_made_them() -> None:
    sent = []

    def note(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        if sql.startswith("INSERT"):
            sent.append(next(value for value in (params.values() if isinstance(params, dict) else params) if value))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note), transaction.manager:
        for number, add in enumerate([alchemy_add, storm_add, alchemy_add, storm_add, django_add, storm_add]):
            add(str(number))
        alchemy_add("6")
    assert sent == [str(number) for number in range(7)]


@pytest.mark.parametrize("reader", [django_names, lambda: get_store("main").find(StormPerson).count()])
def test_a_flush_that_fails_before_anothers_statement_breaks_the_transaction(
    outside: Outside, reader: Callable[[], object]
) -> None:
    django_add("taken")
    with pytest.raises(TransactionManagementError), transaction.manager:
        storm_add("storm")
        alchemy_add("taken")
        with pytest.raises(exc.IntegrityError):
            reader()
    assert outside.names() == ["taken"]


def test_a_flush_that_fails_within_an_atomic_block_is_undone_with_it(outside: Outside) -> None:
    django_add("taken")
    with transaction.manager:
        with pytest.raises((exc.IntegrityError, IntegrityError)), atomic():
            storm_add("storm")
            alchemy_add("taken")
            django_names()
        session.rollback()
        in_all(["taken"])
        storm_add("after")
    assert outside.names() == ["after", "taken"]


def test_a_commit_that_fails_at_the_very_end_leaves_no_half(outside: Outside, caplog: pytest.LogCaptureFixture) -> None:
    if connection.vendor == "mysql":
        pytest.skip("It has no deferred constraints.")
    with pytest.raises(IntegrityError), transaction.manager:
        alchemy_add("alchemy")
        storm_add("storm")
        Visit.objects.create(note="of nobody", person_id=12345)
    transaction.abort()
    # zope.sqlalchemy does not expect to be told of an abort after its vote.
    assert [record.exc_info[0] for record in caplog.records if record.exc_info][-1:] == [AssertionError]
    assert outside.names() == []
    with transaction.manager:
        alchemy_add("next")
    assert outside.names() == ["next"]
