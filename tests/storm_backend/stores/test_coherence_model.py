"""Random sequences of what both ORMs can do, beside a model in plain dictionaries: there is never a difference.

COHERENCE_SEQUENCES says how many; `make coherence` plays 2,000 on each database.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofs.coherence.world import OPERATIONS, World
from tests.apps.people.models import Person, Visit
from tests.support.helpers import TRANSACTIONS, Outside, forget_objects, start_afresh

pytest_plugins = ["tests.support.fixtures"]
pytestmark = TRANSACTIONS

SEQUENCES = int(os.environ.get("COHERENCE_SEQUENCES", "150"))
STEPS = st.lists(
    st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 11), st.integers(0, 11)), min_size=10, max_size=40
)


@settings(
    max_examples=SEQUENCES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    database=None,
    print_blob=True,
)
@given(steps=STEPS)
def test_there_is_never_a_difference(steps: list[tuple[str, int, int]], outside: Outside) -> None:
    try:
        forget_objects()
        Visit.objects.all().delete()
        Person.objects.all().delete()
        world = World(outside)
        for name, a, b in steps:
            getattr(world, name)(a, b)
        world.finish()
    except BaseException:
        # Blocks are open, and the next sequence is to begin on a clean thread.
        start_afresh()
        raise
