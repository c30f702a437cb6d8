"""The nonce of a page, whoever gives it: Django, django-csp, or nobody. A browser is asked in the tests of the apps."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from djintegrate.common.csp import nonce


@pytest.mark.parametrize("name", ["csp_nonce", "_csp_nonce"])
def test_asking_makes_the_nonce_once(name: str) -> None:
    made: list[str] = []

    def make() -> str:
        made.append("abc")
        return made[-1]

    request: Any = RequestFactory().get("/")
    setattr(request, name, SimpleLazyObject(make))
    assert made == []
    assert (nonce(request), nonce(request)) == ("abc", "abc")
    assert made == ["abc"]


def test_where_nobody_gives_one_it_is_empty() -> None:
    assert nonce(RequestFactory().get("/")) == ""
