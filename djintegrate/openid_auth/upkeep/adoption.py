"""Copies what other apps keep in their tables into ours.

Of django-openid-auth (django_openid_auth_…) identities, nonces, associations and permissions; of python-social-auth
and django-allauth identities. Only reads those tables, and needs nothing of those apps. Never changes a row that is
here already, and never brings an identity twice: who has removed it here is rid of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.apps.registry import Apps
from django.contrib.auth import get_user_model
from django.core.management.color import no_style
from django.db import connections, models, transaction
from openid.store.nonce import SKEW

from ..fields import digest_of
from ..models import AdoptedIdentity, Association, Nonce, UserOpenID
from ..people import handover, verified, verified_address
from ..people.trail import identities_adopted
from .references import batches, ensure_none_is_lost
from .tables import are_here, ensure_here, names_of_tables

OLD = handover.OLD
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
    """Were brought before, and have been removed here, or given to somebody else."""
    conflicts: list[str] = field(default_factory=list)
    of_others: int = 0
    """Conflicts over an identity that belongs to another user here."""
    of_nobody: int = 0
    """Conflicts over an identity whose user does not exist."""
    without_key: list[Any] = field(default_factory=list)
    """Identities whose key another one has here; nothing refers to it."""


@dataclass(frozen=True)
class Run:
    """On which database, with which tables, and whether anything is to be written."""

    using: str
    tables: frozenset[str]
    dry_run: bool

    def ours(self, model: Any) -> Any:
        """This app's rows: none where `migrate` has not made the table, which a dry run need not wait for."""
        rows = model._default_manager.using(self.using)
        return rows if model._meta.db_table in self.tables else rows.none()


def adopt(using: str, batch_size: int, dry_run: bool) -> Iterator[Count]:
    """Yields a count for each old table, and for the permissions. With `dry_run` nothing is written."""
    if not dry_run:
        ensure_here(using)
    run = Run(using, names_of_tables(using), dry_run)
    old = old_models()
    if old.identity._meta.db_table in run.tables:
        ensure_none_is_lost(old.identity, run.ours(UserOpenID), batch_size)
    for model, copy in ((old.identity, _with_keys), (old.nonce, _nonces), (old.association, _associations)):
        if model._meta.db_table in run.tables:
            yield _in_batches(model, copy, run, batch_size)
    for table, names in ((SOCIAL, OPENID_BACKENDS), (ALLAUTH, ("openid",))):
        if table in run.tables:
            yield _in_batches(accounts_in(table), _addressed, run, batch_size, provider__in=names)
    yield from _permissions(run)


def waiting(using: str) -> Count:
    """What openid_adopt would make of django-openid-auth's identities now."""
    old = old_models().identity
    run = Run(using, names_of_tables(using), dry_run=True)
    if old._meta.db_table not in run.tables:
        return Count(old._meta.db_table)
    return _in_batches(old, _with_keys, run, 1000)


def old_tables(using: str) -> list[str]:
    """Those of the tables that can be read here that are in the database."""
    return sorted(name for name in names_of_tables(using) if name.startswith(f"{OLD}_") or name in (SOCIAL, ALLAUTH))


def is_anything_there(using: str) -> bool:
    """Of what can be adopted. Permissions stay where the tables have been dropped."""
    return bool(old_tables(using)) or (are_here(using) and handover.permissions(OLD, using).exists())


def without_owner(using: str) -> str:
    """The condition, in SQL, of the old app's identities whose user does not exist."""
    quoted = connections[using].ops.quote_name
    users = get_user_model()._meta
    return f"user_id NOT IN (SELECT {quoted(users.pk.column)} FROM {quoted(users.db_table)})"


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


def _addressed(batch: list[Any], count: Count, run: Run) -> None:
    """As _identities, but for those that are not addresses, which no provider vouches for here."""
    for row in batch:
        if not row.claimed_id.startswith(("http://", "https://")):
            count.conflicts.append(f"{row.claimed_id} of user {row.owner} is not the address of an identity")
    _identities([row for row in batch if row.claimed_id.startswith(("http://", "https://"))], count, run)


def _in_batches(model: Any, copy: Any, run: Run, batch_size: int, **only: Any) -> Count:
    count = Count(model._meta.db_table)
    for batch in batches(model, run.using, batch_size, **only):
        # Each batch is committed by itself: what was copied before an interruption stays.
        with transaction.atomic(using=run.using):
            copy(batch, count, run)
    for begin in range(0, len(count.without_key), batch_size):
        # These come last: the keys that the database gives them are nobody's in the old table.
        with transaction.atomic(using=run.using):
            _bring(count.without_key[begin : begin + batch_size], count, run)
    return count


def _with_keys(batch: list[Any], count: Count, run: Run) -> None:
    """As _identities, but each that can keeps its key, for the site's tables may refer to it."""
    wanted = _wanted(batch, count, run, is_of_old_app=True)
    keys = [row.pk for row in wanted]
    taken = set(run.ours(UserOpenID).filter(pk__in=keys).values_list("pk", flat=True))
    count.without_key += [row for row in wanted if row.pk in taken]
    _bring([row for row in wanted if row.pk not in taken], count, run, with_keys=True)


def _identities(batch: list[Any], count: Count, run: Run) -> None:
    _bring(_wanted(batch, count, run), count, run)


def _wanted(batch: list[Any], count: Count, run: Run, is_of_old_app: bool = False) -> list[Any]:
    """Those of the rows that are to be copied."""
    digests = {digest_of(row.claimed_id): row for row in batch}
    present = dict(run.ours(UserOpenID).filter(digest__in=digests).values_list("digest", "user_id"))
    brought = set(run.ours(AdoptedIdentity).filter(digest__in=digests).values_list("digest", flat=True))
    users = get_user_model()._default_manager.using(run.using)
    known = set(users.filter(pk__in={row.owner for row in batch}).values_list("pk", flat=True))
    wanted, same = [], []
    for digest, row in digests.items():
        if present.get(digest) == row.owner:
            same.append(digest)
        elif digest in brought and (is_of_old_app or digest not in present):
            # Another app's table may give to another user what this one has brought, which is a conflict.
            count.removed += 1
        elif digest in present:
            owner = present[digest]
            count.conflicts.append(f"{row.claimed_id} belongs to user {row.owner} there, and to user {owner} here")
            count.of_others += 1
        elif row.owner not in known:
            count.conflicts.append(f"{row.claimed_id} belongs to user {row.owner}, who does not exist")
            count.of_nobody += 1
        else:
            wanted.append(row)
    count.present += len(same)
    if not run.dry_run:
        _remember(same, run.using)
    return wanted


def _bring(rows: list[Any], count: Count, run: Run, with_keys: bool = False) -> None:
    new = [
        UserOpenID(
            pk=row.pk if with_keys else None, user_id=row.owner, claimed_id=row.claimed_id, display_id=row.display_id
        )
        for row in rows
    ]
    _create(UserOpenID, new, count, run)
    if run.dry_run or not new:
        return
    if with_keys:
        # PostgreSQL does not notice keys that it has not given itself.
        with connections[run.using].cursor() as cursor:
            for statement in connections[run.using].ops.sequence_reset_sql(no_style(), [UserOpenID]):
                cursor.execute(statement)
    _remember([digest_of(row.claimed_id) for row in rows], run.using)
    identities_adopted(new)


def _remember(digests: list[str], using: str) -> None:
    AdoptedIdentity.objects.using(using).bulk_create(
        [AdoptedIdentity(digest=digest) for digest in digests], ignore_conflicts=True
    )


def _nonces(batch: list[Any], count: Count, run: Run) -> None:
    oldest = time.time() - SKEW
    # The old table may have a nonce twice, which ours never has.
    rows = {digest_of(row.server_url, row.timestamp, row.salt): row for row in batch if row.timestamp >= oldest}
    count.expired += sum(row.timestamp < oldest for row in batch)
    present = set(run.ours(Nonce).filter(digest__in=rows).values_list("digest", flat=True))
    count.present += sum(row.timestamp >= oldest for row in batch) - len(rows) + len(present)
    new = [
        Nonce(server_url=row.server_url, timestamp=row.timestamp, salt=row.salt)
        for digest, row in rows.items()
        if digest not in present
    ]
    _create(Nonce, new, count, run)


def _associations(batch: list[Any], count: Count, run: Run) -> None:
    now = time.time()
    live = [row for row in batch if row.issued + row.lifetime >= now]
    count.expired += len(batch) - len(live)
    present = {
        (kept.server_url, kept.handle): kept.secret
        for kept in run.ours(Association).filter(handle__in={row.handle for row in live})
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
    _create(Association, new, count, run)


def _permissions(run: Run) -> Iterator[Count]:
    """Who holds a permission of the old app's holds ours, users and groups."""
    counts = {name: Count(name) for name in (verified.CODENAME, "other permissions")}
    for permission in handover.permissions(OLD, run.using):
        of = permission.codename if permission.codename in counts else "other permissions"
        counts[of].copied += handover.holders(permission, run.using)
    if not run.dry_run:
        handover.take_over(run.using)
        verified_address.remember_present(run.using, apps)
    yield from counts.values()


def _create(model: Any, new: list[Any], count: Count, run: Run) -> None:
    if not run.dry_run:
        model._default_manager.using(run.using).bulk_create(new)
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
