"""An object of Storm's that was added, and whose transaction was aborted, keeps its values, whoever takes part."""

from __future__ import annotations

import pytest
import transaction

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import TRANSACTIONS

from .people import session

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS


@pytest.mark.parametrize("flushes", [False, True])
@pytest.mark.parametrize("has_session", [False, True])
def test_an_object_can_be_added_again_after_an_abort(has_session: bool, flushes: bool) -> None:
    store = get_store("main")
    if has_session:
        with transaction.manager:
            session().connection()
    transaction.begin()
    person = store.add(StormPerson("Ada"))
    person.name = "Ada Lovelace"
    if flushes:
        store.flush()
    transaction.abort()
    if not flushes:
        assert person.name == "Ada Lovelace"
    with transaction.manager:
        if not flushes:
            store.add(person)
        else:
            store.add(StormPerson("Ada Lovelace"))
    assert Person.objects.get().name == "Ada Lovelace"
