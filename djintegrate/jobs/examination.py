"""What the doctor is told of jobs: whether somebody runs them, and whether their progress can be seen."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

from djintegrate.common.examination import Finding, first_line, ill, run
from djintegrate.common.passwords import without_password

from . import checks, conf, leases, outbox, queues
from .backends import DatabaseBackend, OutboxBackend
from .models import Lease
from .tasks import ALL_QUEUES, InvalidTaskBackend, backends_of


def examine() -> Iterator[Finding]:
    try:
        ours = [*backends_of(DatabaseBackend), *backends_of(OutboxBackend)]
    except InvalidTaskBackend as error:
        yield ill("jobs", error, f"{checks.backend_meant()} Correct TASKS.".strip())
        return
    if not ours:
        # What is to be in TASKS before anybody can run jobs, a check has said.
        return
    known = Lease.objects.filter(until__gte=timezone.now())
    alive = [lease for lease in known if not leases.is_gone(lease)]
    for lease in known:
        if lease not in alive:
            until = max(0, round((lease.until - timezone.now()).total_seconds()))
            yield ill("jobs", f"{lease}, has been killed. Its jobs are given back in {until} s, to whoever runs jobs "
                      "then.", "Start it again: python manage.py jobs run --workers 2")  # fmt: skip
    if alive:
        runners = [_named(lease, len(ours) > 1) for lease in alive]
        yield Finding("jobs", f"Run by {('; ' if any(':' in each for each in runners) else ', ').join(runners)}.")
        for backend in ours:
            yield from _unserved(backend, alive, len(ours) > 1)
    else:
        yield ill("jobs", "Nobody runs them.", "Run: python manage.py jobs run --workers 2")
    yield from _cache()
    if unsent := outbox.unsent():
        yield ill("jobs", f"{unsent} were not sent to their queue yet.", "`manage.py jobs run` sends them.")


def _named(lease: Lease, has_several: bool) -> str:
    """With the queues that it works for, if that is known."""
    if not lease.backend_name:
        return f"{lease}: what the outbox has left"
    if lease.queues is None:
        return str(lease)
    names = f"queues {', '.join(sorted(lease.queues))}" if ALL_QUEUES not in lease.queues else "all queues"
    return f"{lease}: {names}" + (f" of {lease.backend_name!r}" if has_several else "")


def _unserved(backend: Any, alive: list[Lease], has_several: bool) -> Iterator[Finding]:
    for each in queues.unserved(backend, alive):
        entry = f"TASKS[{each.backend_name!r}]"
        waits = f", in which {leases.jobs(each.waiting)} wait{'s' if each.waiting == 1 else ''}" if each.waiting else ""
        remedy = run(each.command)
        if not each.is_configured:
            everything = each.command.partition(" --queues ")[0]
            remedy = f"Add it to QUEUES in {entry}, or run all: python manage.py {everything}"
        of = f" of {entry}" if has_several else ""
        yield ill("jobs", f"Nobody runs the queue {each.name!r}{of}{waits}.", remedy)


def _cache() -> Iterator[Finding]:
    alias, key = conf.cache(), f"djintegrate.jobs:doctor:{uuid.uuid4()}"
    place = without_password(str(settings.CACHES[alias].get("LOCATION", "")))
    remedy = f"See whether its server answers, or correct CACHES[{alias!r}]['LOCATION'], which is {place!r}."
    try:
        cache = caches[alias]
        cache.set(key, key, 60)
        is_kept = cache.get(key) == key
        cache.delete(key)
    except Exception as error:
        # Whatever the cache's own library raises if its server, or its folder, is not there.
        said = f"The cache {alias!r} cannot be used: {type(error).__name__}: {first_line(error)}"
        yield ill("jobs", said, remedy)
        return
    if any(message.id == "jobs.E002" for message in checks.check_configuration()):
        # Of a kind of cache that cannot do, the check has said which can.
        return
    if is_kept:
        yield Finding("jobs", f"The cache {alias!r} keeps what it is given.")
    else:
        yield ill("jobs", f"The cache {alias!r} forgets what it is given.", remedy)
