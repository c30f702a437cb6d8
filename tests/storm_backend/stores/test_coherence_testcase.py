"""Both ORMs on the same tables, inside Django's TestCase."""

from __future__ import annotations

import pytest
import transaction
from django.db.transaction import atomic

from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person
from tests.apps.people.storm_models import StormPerson
from tests.support.helpers import LeavesNothing, Oops, django_add, django_names, storm_insert


class TestInsideATestCase(LeavesNothing):
    def test_both_orms_see_each_other(self) -> None:
        for begin in (transaction.begin, transaction.get):
            begin()
            person = storm_insert("ann")
            person.name = "pending"
            assert django_names() == ["pending"]
            Person.objects.update(name="by django")
            assert person.name == "by django"
            with pytest.raises(Oops), atomic():
                Person.objects.update(name="undone")
                assert person.name == "undone"
                raise Oops
            assert person.name == "by django"
            transaction.abort()
            assert django_names() == []

    def test_storm_reads_what_django_wrote_before(self) -> None:
        person = django_add("ann")
        found = get_store("main").get(StormPerson, person.pk)
        person.name = "anna"
        person.save()
        assert found.name == "anna"
