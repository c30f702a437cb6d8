"""Copies what other apps keep in their tables into ours.

Of django-openid-auth (django_openid_auth_…) identities, nonces, associations and verified accounts; of
python-social-auth and django-allauth identities. Only reads those tables, and needs nothing of those apps. Never
changes a row that is here already, and never brings an identity twice: who has removed it here is rid of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps.registry import Apps
from django.contrib.auth import get_user_model
from django.core.management.color import no_style
from django.db import connections, models, transaction
from openid.store.nonce import SKEW

from ..fields import digest_of
from ..models import AdoptedIdentity, Association, Nonce, UserOpenID
from ..people import verified
from ..people.trail import identities_adopted
from .references import batches, ensure_none_is_lost
from .tables import ensure_here

OLD = verified.OLD
SOCIAL, ALLAUTH = "social_auth_usersocialauth", "socialaccount_socialaccount"
OPENID_BACKENDS = ("openid", "launchpad", "ubuntu", "fedora", "opensuse", "livejournal")
"""Names of python-social-auth's backends for OpenID 2.0 whose `uid` is the claimed identifier. The `uid` of another
backend may look like one, and still be what anybody can choose."""
ASSOCIATION = ("server_url", "handle", "secret", "issued", "lifetime", "assoc_type")


@dataclass
class Count:
    """What became of the rows of one kind."""

    name: str
    copied: int = 0
    present: int = 0
    expired: int = 0
    removed: int = 0
    """Were brought before, and have been removed here."""
    conflicts: list[str] = field(default_factory=list)
    without_key: list[Any] = field(default_factory=list)
    """Identities whose key another one has here; nothing refers to it."""


def adopt(using: str, batch_size: int, dry_run: bool) -> Iterator[Count]:
    """Yields a count for each old table, and for the permission. With `dry_run` nothing is written."""
    ensure_here(using)
    old = old_models()
    tables = connections[using].introspection.table_names()
    if old.identity._meta.db_table in tables:
        ensure_none_is_lost(old.identity, using, batch_size)
    for model, copy in ((old.identity, _with_keys), (old.nonce, _nonces), (old.association, _associations)):
        if model._meta.db_table in tables:
            yield _in_batches(model, copy, using, batch_size, dry_run)
    for table, names in ((SOCIAL, OPENID_BACKENDS), (ALLAUTH, ("openid",))):
        if table in tables:
            yield _in_batches(accounts_in(table), _addressed, using, batch_size, dry_run, provider__in=names)
    yield _verified_accounts(using, dry_run)


def waiting(using: str) -> int:
    """How many identities of django-openid-auth nobody has brought yet."""
    old = old_models().identity
    if old._meta.db_table not in connections[using].introspection.table_names():
        return 0
    return _in_batches(old, _with_keys, using, 1000, dry_run=True).copied


def old_tables(using: str) -> list[str]:
    """Those of the tables that can be read here that are in the database."""
    names = connections[using].introspection.table_names()
    return sorted(name for name in names if name.startswith(f"{OLD}_") or name in (SOCIAL, ALLAUTH))


@dataclass
class OldModels:
    identity: type[models.Model]
    nonce: type[models.Model]
    association: type[models.Model]


def old_models() -> OldModels:
    """The old tables as models of a registry of their own, for the old app cannot be installed beside us."""
    apart = Apps()

    class Base(models.Model):
        id = models.BigAutoField(primary_key=True)

        class Meta:
            abstract = True
            apps = apart
            app_label = OLD
            managed = False

    class OldIdentity(Base):
        owner = _column_of_user()
        claimed_id = models.TextField()
        display_id = models.TextField()

        class Meta(Base.Meta):
            db_table = f"{OLD}_useropenid"

    class OldNonce(Base):
        server_url = models.TextField()
        timestamp = models.BigIntegerField()
        salt = models.TextField()

        class Meta(Base.Meta):
            db_table = f"{OLD}_nonce"

    class OldAssociation(Base):
        server_url = models.TextField()
        handle = models.TextField()
        secret = models.TextField()
        issued = models.BigIntegerField()
        lifetime = models.BigIntegerField()
        assoc_type = models.TextField()

        class Meta(Base.Meta):
            db_table = f"{OLD}_association"

    return OldModels(OldIdentity, OldNonce, OldAssociation)


def accounts_in(table: str) -> type[models.Model]:
    """The accounts at providers that python-social-auth or django-allauth keep: both have the same columns for them."""

    class Account(models.Model):
        id = models.BigAutoField(primary_key=True)
        owner = _column_of_user()
        provider = models.TextField()
        claimed_id = models.TextField(db_column="uid")

        class Meta:
            apps = Apps()
            app_label = OLD
            managed = False
            db_table = table

        @property
        def display_id(self) -> str:
            return str(self.claimed_id)

    return Account


def _addressed(batch: list[Any], count: Count, using: str, dry_run: bool) -> None:
    """As _identities, but for those that are not addresses, which no provider vouches for here."""
    for row in batch:
        if not row.claimed_id.startswith(("http://", "https://")):
            count.conflicts.append(f"{row.claimed_id} of user {row.owner} is not the address of an identity")
    _identities([row for row in batch if row.claimed_id.startswith(("http://", "https://"))], count, using, dry_run)


def _in_batches(model: Any, copy: Any, using: str, batch_size: int, dry_run: bool, **only: Any) -> Count:
    count = Count(model._meta.db_table)
    for batch in batches(model, using, batch_size, **only):
        # Each batch is committed by itself: what was copied before an interruption stays.
        with transaction.atomic(using=using):
            copy(batch, count, using, dry_run)
    for begin in range(0, len(count.without_key), batch_size):
        # These come last: the keys that the database gives them are nobody's in the old table.
        with transaction.atomic(using=using):
            _bring(count.without_key[begin : begin + batch_size], count, using, dry_run)
    return count


def _with_keys(batch: list[Any], count: Count, using: str, dry_run: bool) -> None:
    """As _identities, but each that can keeps its key, for the site's tables may refer to it."""
    wanted = _wanted(batch, count, using, dry_run)
    keys = [row.pk for row in wanted]
    taken = set(UserOpenID.objects.using(using).filter(pk__in=keys).values_list("pk", flat=True))
    count.without_key += [row for row in wanted if row.pk in taken]
    _bring([row for row in wanted if row.pk not in taken], count, using, dry_run, with_keys=True)


def _identities(batch: list[Any], count: Count, using: str, dry_run: bool) -> None:
    _bring(_wanted(batch, count, using, dry_run), count, using, dry_run)


def _wanted(batch: list[Any], count: Count, using: str, dry_run: bool) -> list[Any]:
    """Those of the rows that are to be copied."""
    digests = {digest_of(row.claimed_id): row for row in batch}
    present = dict(UserOpenID.objects.using(using).filter(digest__in=digests).values_list("digest", "user_id"))
    brought = AdoptedIdentity.objects.using(using).filter(digest__in=digests).values_list("digest", flat=True)
    removed = set(brought) - set(present)
    users = get_user_model()._default_manager.using(using)
    known = set(users.filter(pk__in={row.owner for row in batch}).values_list("pk", flat=True))
    wanted, same = [], []
    for digest, row in digests.items():
        if present.get(digest) == row.owner:
            same.append(digest)
        elif digest in present:
            owner = present[digest]
            count.conflicts.append(f"{row.claimed_id} belongs to user {row.owner} there, and to user {owner} here")
        elif digest in removed:
            count.removed += 1
        elif row.owner not in known:
            count.conflicts.append(f"{row.claimed_id} belongs to user {row.owner}, who does not exist")
        else:
            wanted.append(row)
    count.present += len(same)
    if not dry_run:
        _remember(same, using)
    return wanted


def _bring(rows: list[Any], count: Count, using: str, dry_run: bool, with_keys: bool = False) -> None:
    new = [
        UserOpenID(
            pk=row.pk if with_keys else None, user_id=row.owner, claimed_id=row.claimed_id, display_id=row.display_id
        )
        for row in rows
    ]
    _create(UserOpenID, new, count, using, dry_run)
    if dry_run or not new:
        return
    if with_keys:
        # PostgreSQL does not notice keys that it has not given itself.
        with connections[using].cursor() as cursor:
            for statement in connections[using].ops.sequence_reset_sql(no_style(), [UserOpenID]):
                cursor.execute(statement)
    _remember([digest_of(row.claimed_id) for row in rows], using)
    identities_adopted(new)


def _remember(digests: list[str], using: str) -> None:
    AdoptedIdentity.objects.using(using).bulk_create(
        [AdoptedIdentity(digest=digest) for digest in digests], ignore_conflicts=True
    )


def _nonces(batch: list[Any], count: Count, using: str, dry_run: bool) -> None:
    oldest = time.time() - SKEW
    # The old table may have a nonce twice, which ours never has.
    rows = {digest_of(row.server_url, row.timestamp, row.salt): row for row in batch if row.timestamp >= oldest}
    count.expired += sum(row.timestamp < oldest for row in batch)
    present = set(Nonce.objects.using(using).filter(digest__in=rows).values_list("digest", flat=True))
    count.present += sum(row.timestamp >= oldest for row in batch) - len(rows) + len(present)
    new = [
        Nonce(server_url=row.server_url, timestamp=row.timestamp, salt=row.salt)
        for digest, row in rows.items()
        if digest not in present
    ]
    _create(Nonce, new, count, using, dry_run)


def _associations(batch: list[Any], count: Count, using: str, dry_run: bool) -> None:
    now = time.time()
    live = [row for row in batch if row.issued + row.lifetime >= now]
    count.expired += len(batch) - len(live)
    present = {
        (kept.server_url, kept.handle): kept.secret
        for kept in Association.objects.using(using).filter(handle__in={row.handle for row in live})
    }
    new = []
    for row in live:
        key = (row.server_url, row.handle)
        if key not in present:
            present[key] = row.secret
            new.append(Association(**{name: getattr(row, name) for name in ASSOCIATION}))
        elif present[key] == row.secret:
            count.present += 1
        else:
            count.conflicts.append(f"{row.server_url} has the handle {row.handle} here with another secret")
    _create(Association, new, count, using, dry_run)


def _verified_accounts(using: str, dry_run: bool) -> Count:
    """Who holds the old app's permission account_verified holds ours, users and groups."""
    count = Count(verified.CODENAME)
    old = verified.find(verified.OLD, using)
    if old is not None:
        count.copied = verified.holders(old, using)
        if not dry_run:
            verified.take_over(using)
    return count


def _create(model: Any, new: list[Any], count: Count, using: str, dry_run: bool) -> None:
    if not dry_run:
        model._default_manager.using(using).bulk_create(new)
    count.copied += len(new)


def _column_of_user() -> Any:
    """The old table's reference to a user: of whatever type the user model's primary key has."""
    key = get_user_model()._meta.pk
    while key.remote_field:
        key = key.target_field
    if isinstance(key, models.AutoField):
        return models.BigIntegerField(db_column="user_id")
    _, _, args, kwargs = key.deconstruct()
    kwargs.pop("primary_key", None)
    return type(key)(*args, **{**kwargs, "db_column": "user_id"})
