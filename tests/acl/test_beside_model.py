"""Random lists beside a plain model of them. `make access` runs these tests with 10,000 cases."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofs.acl import beside, world

CASES = int(os.environ.get("ACL_CASES", 150))
LETTERS = 'abrowlditfeon.<>/=-!" \n'
ROLES = st.none() | st.sampled_from(world.ROLES)
long = settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))


@long
@given(world.worlds(), world.people, world.truths, st.booleans(), ROLES, ROLES)
def test_django_is_told_what_the_model_says(
    made: world.World, person: world.Person, true: frozenset[str], given: bool, out: str | None, within: str | None
) -> None:
    beside.the_site_says_what_the_model_says(made, person, true, given, out, within)


@long
@given(world.worlds(), st.integers(0, 10_000), st.sampled_from(LETTERS))
def test_a_slip_of_the_pen_grants_nothing(made: world.World, place: int, letter: str) -> None:
    beside.a_slip_grants_nothing(made, place, letter)


def test_the_comparison_notices_a_list_that_grants_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world.World({"cook": ()}, {("cook", "profile", "read"): ("own",)})
    person = world.Person(frozenset({"cook"}), "active")
    beside.the_site_says_what_the_model_says(made, person, frozenset(), True, None, None)
    monkeypatch.setattr("djintegrate.acl.site.holds", lambda condition, user, obj: True)
    with pytest.raises(AssertionError, match="profile"):
        beside.the_site_says_what_the_model_says(made, person, frozenset(), True, None, None)
