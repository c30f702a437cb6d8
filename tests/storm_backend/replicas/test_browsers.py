"""A few seconds of `make replicas`: browsers on two processes, while the replica lags and dies."""

from __future__ import annotations

import random

import pytest
from django.db import connection

from proofs.replicas.world import play


def test_no_browser_sees_the_past_of_its_own_writes(db_kind: str) -> None:
    if db_kind != "postgres" or connection.Database.__name__ != "psycopg":
        pytest.skip("Replicas are PostgreSQL's, and the processes find psycopg 3.")
    seed = random.randrange(10**6)
    world = play(seconds=6, browsers=6, seed=seed)
    assert world.wrong == [], f"Seed {seed}"
    assert world.tally["read from the primary"] and world.tally["read from the replica"]
    assert world.tally["written by POST"] + world.tally["written by GET"]
