"""A few seconds of `make replicas`: browsers on two processes, while the replica lags and dies."""

from __future__ import annotations

import random

import pytest

from tests.storm_backend.replicas.site import WHATEVER_DRIVER


@WHATEVER_DRIVER
def test_no_browser_sees_the_past_of_its_own_writes(db_kind: str) -> None:
    if db_kind != "postgres":
        pytest.skip("Replicas are PostgreSQL's.")
    # It wants the driver.
    from proofs.replicas.world import play

    seed = random.randrange(10**6)
    least = {"read from the replica": 5, "read from the primary": 5, "written by POST": 2, "written by GET": 1}
    world = play(seconds=6, browsers=6, seed=seed, least=least)
    assert world.wrong == [], f"Seed {seed}"
    assert [what for what, number in least.items() if world.tally[what] < number] == []
