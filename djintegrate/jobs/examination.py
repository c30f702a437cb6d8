"""What the doctor is told of jobs: whether somebody runs them, and whether their progress can be seen."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.core.cache import caches
from django.utils import timezone

from djintegrate.common.examination import Finding, ill

from . import conf, leases, outbox
from .models import Lease


def examine() -> Iterator[Finding]:
    known = Lease.objects.filter(until__gte=timezone.now())
    alive = [lease for lease in known if not leases.is_gone(lease)]
    for lease in known:
        if lease not in alive:
            until = max(0, round((lease.until - timezone.now()).total_seconds()))
            yield ill("jobs", f"{lease}, has been killed. Its jobs are given back in {until} s, to whoever runs jobs "
                      "then.", "Start it again: python manage.py jobs run --workers 2")  # fmt: skip
    if alive:
        yield Finding("jobs", f"Run by {', '.join(map(str, alive))}.")
    else:
        yield ill("jobs", "Nobody runs them.", "Run: python manage.py jobs run --workers 2")
    cache, key = caches[conf.cache()], f"djintegrate.jobs:doctor:{uuid.uuid4()}"
    cache.set(key, key, 60)
    if cache.get(key) == key:
        cache.delete(key)
        yield Finding("jobs", f"The cache {conf.cache()!r} keeps what it is given.")
    else:
        yield ill("jobs", f"The cache {conf.cache()!r} forgets what it is given.", "See whether its server answers.")
    if unsent := outbox.unsent():
        yield ill("jobs", f"{unsent} were not sent to their queue yet.", "`manage.py jobs run` sends them.")
