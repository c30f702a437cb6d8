"""Inside of Django's TestCase a call is undone, or kept, as outside; the test's end undoes all."""

from __future__ import annotations

from django.test import TestCase

from tests.apps.people.models import Person
from tests.jsonrpc.caller import Caller, calls


class TestInATestCase(TestCase):
    databases = {"default"}

    def test_calls_are_undone_and_kept_as_outside(self) -> None:
        with self.settings(ROOT_URLCONF="tests.jsonrpc.urls"):
            rpc = Caller()
            rpc.result("people.add", "a")
            rpc.error("people.add", "b", "fail")
            rpc([*calls("c"), *calls("d", then="fail")])
            assert sorted(Person.objects.values_list("name", flat=True)) == ["a", "c"]
