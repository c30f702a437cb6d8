"""`manage.py openid_cleanup`, and what it calls."""

from __future__ import annotations

import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openid.store.nonce import SKEW

from djintegrate.openid_auth.models import Association, Nonce
from djintegrate.openid_auth.upkeep.cleanup import remove_expired_associations, remove_expired_nonces

pytestmark = pytest.mark.django_db(transaction=True)

NOW = int(time.time())


def nonces(*ages: int) -> None:
    Nonce.objects.bulk_create(
        Nonce(server_url="https://op.example/", timestamp=NOW - age, salt=str(number))
        for number, age in enumerate(ages)
    )


def associations(*remaining: int) -> None:
    Association.objects.bulk_create(
        Association(
            server_url="https://op.example/", handle=str(number), secret="c2VjcmV0", issued=NOW - 1000,
            lifetime=1000 + seconds, assoc_type="HMAC-SHA1",
        )
        for number, seconds in enumerate(remaining)
    )  # fmt: skip


def test_only_what_the_store_would_not_accept_any_more_is_removed() -> None:
    nonces(0, SKEW - 3600, SKEW + 1, SKEW * 10)
    associations(-10, 10**6, -1)
    assert remove_expired_nonces() == 2
    assert sorted(Nonce.objects.values_list("salt", flat=True)) == ["0", "1"]
    assert remove_expired_associations() == 2
    assert list(Association.objects.values_list("handle", flat=True)) == ["1"]


@pytest.mark.parametrize("batch_size", [1, 3, 4, 100])
def test_batches_leave_nothing_out(batch_size: int) -> None:
    nonces(*[SKEW + 5, 0] * 6)
    assert remove_expired_nonces(batch_size) == 6
    assert Nonce.objects.count() == 6


def test_each_batch_is_a_transaction_of_its_own() -> None:
    nonces(*[SKEW + 5] * 10)
    with CaptureQueriesContext(connection) as queries:
        remove_expired_nonces(5)
    statements = [query["sql"].split()[0] for query in queries]
    assert statements.count("DELETE") == 2
    # Rows stay locked until a commit; nothing here is held across batches.
    assert not connection.in_atomic_block
    assert all("SAVEPOINT" not in query["sql"] for query in queries)


def test_the_command_says_what_it_removed() -> None:
    nonces(SKEW + 5, 0)
    associations(-5, -5)
    assert cleanup() == "Removed 1 expired nonce and 2 expired associations.\n"
    assert cleanup() == "Removed 0 expired nonces and 0 expired associations.\n"


def test_a_senseless_batch_size_is_refused() -> None:
    with pytest.raises(CommandError, match="--batch-size is 0"):
        cleanup(batch_size=0)


def cleanup(**options: Any) -> str:
    output = StringIO()
    call_command("openid_cleanup", stdout=output, **options)
    return output.getvalue()
