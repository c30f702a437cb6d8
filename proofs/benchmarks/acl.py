"""`make bench-acl`: what `has_perm` costs through the list, beside ModelBackend's own check, once its cache is there.

Both are asked by turns in one process, about the same user in the same groups, with as many permissions as given; the
ratio is the median of the pairs. And the SQL of a request that asks a hundred times is counted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from django.conf import settings

CALLS, PAIRS, BOUND = 20_000, 41, 1.0
MODEL, LIST = "django.contrib.auth.backends.ModelBackend", "djintegrate.acl.backends.AclBackend"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.benchmarks.acl", description=__doc__)
    parser.add_argument("--permissions", type=int, default=100, help="that the user has (default: 100)")
    number = parser.parse_args().permissions
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "roles.xml")
        file.write_text(_file(number))
        settings.configure(
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "djintegrate.acl"],
            ACL_FILE=file,
        )
        django.setup()
        return _measure(number)


def _measure(number: int) -> int:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext, override_settings

    call_command("migrate", verbosity=0)
    _make_user(number)
    holds = True
    for title, ask in (("backend.has_perm()", _of_backend), ("user.has_perm()", _of_user)):
        for perm, answer in (("time_card.p0", "granted"), ("time_card.no", "refused")):
            asked = [(backend, ask(backend, perm)) for backend in (MODEL, LIST)]
            ratio, spent = _compare(*asked)
            holds &= ratio <= BOUND
            figures = " and ".join(f"{seconds / CALLS * 1e9:,.0f} ns" for seconds in spent)
            verdict = "" if ratio <= BOUND else "  BEYOND"
            print(f"{title:20} {answer:8} {figures}: {ratio:.3f}, at most {BOUND:.2f}{verdict}", flush=True)
    for backend, most in ((MODEL, None), (LIST, 1)):
        with override_settings(AUTHENTICATION_BACKENDS=[backend]), CaptureQueriesContext(connection) as queries:
            user = User.objects.get(username="ada")
            for _ in range(100):
                user.has_perm("time_card.p0")
        asked_for = len(queries) - 1
        holds &= most is None or asked_for <= most
        print(f"{backend.rpartition('.')[2]:20} a hundred questions in a request: {asked_for} statements")
    return 0 if holds else 1


def _of_backend(path: str, perm: str) -> Callable[[], Any]:
    from django.contrib.auth.models import User
    from django.utils.module_loading import import_string

    backend, user = import_string(path)(), User.objects.get(username="ada")
    return lambda: backend.has_perm(user, perm)


def _of_user(path: str, perm: str) -> Callable[[], Any]:
    from django.contrib.auth.models import User

    user = User.objects.get(username="ada")
    return lambda: user.has_perm(perm)


def _compare(first: tuple[str, Callable[[], Any]], second: tuple[str, Callable[[], Any]]) -> tuple[float, list[float]]:
    """The median of the second's time through the first's, and the median of each."""
    pairs = []
    for turn in range(PAIRS):
        order = (first, second) if turn % 2 else (second, first)
        spent = {path: _time(path, ask) for path, ask in order}
        pairs.append((spent[first[0]], spent[second[0]]))
    ratio = statistics.median(ours / theirs for theirs, ours in pairs)
    return ratio, [statistics.median(side) for side in zip(*pairs, strict=True)]


def _time(path: str, ask: Callable[[], Any]) -> float:
    from django.test.utils import override_settings

    with override_settings(AUTHENTICATION_BACKENDS=[path]):
        ask()  # which fills the cache
        began = time.process_time()
        for _ in range(CALLS):
            ask()
        return time.process_time() - began


def _make_user(number: int) -> None:
    """In five groups, each with a fifth of the permissions, by Django's tables and by the list."""
    from django.contrib.auth.models import Group, Permission, User
    from django.contrib.contenttypes.models import ContentType

    kind = ContentType.objects.create(app_label="time_card", model="x")
    made = [Permission.objects.create(codename=f"p{each}", name="x", content_type=kind) for each in range(number)]
    user = User.objects.create(username="ada")
    for group in range(5):
        user.groups.add(Group.objects.create(name=f"g{group}"))
        Group.objects.get(name=f"g{group}").permissions.set(made[group::5])


def _file(number: int) -> str:
    roles = "".join(f"<role><name>g{group}</name></role>" for group in range(5))
    permissions = "".join(
        "<permission><resources><resource>time_card</resource></resources>"
        f"<roles><role>g{each % 5}</role></roles><privileges><privilege>p{each}</privilege></privileges></permission>"
        for each in range(number)
    )
    return f"<config><roleSet>{roles}</roleSet><permissions>{permissions}</permissions></config>"


if __name__ == "__main__":
    sys.exit(main())
