"""Which rows of the site's own tables refer to django-openid-auth's identities, and would lose theirs by openid_adopt.

An identity keeps its key wherever that is free. Where it cannot, a reference to it would lead to somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.db import connections

from ..fields import digest_of

SHOWN = 5


def ensure_none_is_lost(old: Any, ours: Any, batch_size: int) -> None:
    """CommandError, before anything is written, if a row refers to an identity that cannot be had under its key."""
    using = ours.db
    places = list(_places(old._meta.db_table, using))
    if not places:
        return
    for batch in batches(old, using, batch_size):
        lost = dict(_without_their_key(batch, ours))
        for table, column in places:
            if found := sorted(_values(table, column, list(lost), using)):
                reasons = "\n".join(f"  {key}: {lost[key]}" for key in found[:SHOWN])
                more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
                raise CommandError(
                    f"{table}.{column} refers to identities that cannot keep their keys:\n{reasons}{more}\n"
                    "Nothing was written. Remove what is in the way here, in the admin under OpenID identities; give "
                    f"an identity of nobody to somebody, by an UPDATE of user_id in {old._meta.db_table}, or remove "
                    "what refers to it. Then run this again."
                )


def batches(model: Any, using: str, batch_size: int, **only: Any) -> Iterator[list[Any]]:
    """The rows in the order of their keys."""
    rows, last = model.objects.using(using).filter(**only).order_by("pk"), 0
    while batch := list(rows.filter(pk__gt=last)[:batch_size]):
        yield batch
        last = batch[-1].pk


def _places(old_table: str, using: str) -> Iterator[tuple[str, str]]:
    """The columns with a foreign key to the old identities, whatever the site's models say by now."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            for constraint in connection.introspection.get_constraints(cursor, table).values():
                target = constraint["foreign_key"]
                if target and target[0] == old_table and len(constraint["columns"]) == 1:
                    yield table, constraint["columns"][0]


def _without_their_key(batch: list[Any], ours: Any) -> Iterator[tuple[int, str]]:
    digests = {row.pk: digest_of(row.claimed_id) for row in batch}
    at = dict(ours.filter(pk__in=digests).values_list("pk", "digest"))
    of = dict(ours.filter(digest__in=digests.values()).values_list("digest", "pk"))
    users = get_user_model()._default_manager.using(ours.db)
    known = set(users.filter(pk__in={row.owner for row in batch}).values_list("pk", flat=True))
    for row in batch:
        digest = digests[row.pk]
        if of.get(digest, row.pk) != row.pk:
            yield row.pk, f"{row.claimed_id} is here already, with the key {of[digest]}"
        elif at.get(row.pk, digest) != digest:
            yield row.pk, f"another identity has the key of {row.claimed_id} here"
        elif row.owner not in known:
            yield row.pk, f"{row.claimed_id} belongs to user {row.owner}, who does not exist"


def _values(table: str, column: str, among: list[int], using: str) -> set[int]:
    connection = connections[using]
    found: set[int] = set()
    quoted = connection.ops.quote_name
    with connection.cursor() as cursor:
        for begin in range(0, len(among), 500):
            some = among[begin : begin + 500]
            marks = ", ".join(["%s"] * len(some))
            name = quoted(column)
            cursor.execute(f"SELECT DISTINCT {name} FROM {quoted(table)} WHERE {name} IN ({marks})", some)
            found.update(value for (value,) in cursor.fetchall())
    return found
