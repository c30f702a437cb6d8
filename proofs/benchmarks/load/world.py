"""What the load needs in the database: people who are signed in, and a session to attend. And what must be there after.

Both sides use these tables, so they are made once, by the sample site.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import transaction
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.utils import timezone
from django.utils.crypto import get_random_string

from djintegrate.storm_backend import get_store
from testproject.sprints import actions, sample
from testproject.sprints.models import Activity
from testproject.sprints.storm_models import Attendance, Session, Sprint

BUSY, WRITTEN, ATTENDED = "lisbon", "tallinn", "krakow"
"""The sprints whose pages are read, where sessions are proposed, and where one is attended."""


@dataclass
class Paths:
    day: str
    session: str
    propose: str
    act: str


@dataclass
class Findings:
    """What is in the database, held against what the clients were told."""

    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def hold(self) -> bool:
        return not (self.lost or self.doubled or self.halves or self.errors)


def prepare(clients: int, folder: Path) -> Paths:
    """Tables, the sample's rows, the clients' cookies in a file; and what they are to ask for."""
    call_command("migrate", verbosity=0)
    call_command("storm_schema", "apply", "main", verbosity=0)
    with transaction.manager:
        sample.make_sprints(timezone.localdate())
        users = [_client(number) for number in range(1, clients + 1)]
        (folder / "cookies").write_text("".join(f"{_cookie(user)}\n" for user in users))
        busy, written, attended = (
            get_store("main").find(Sprint, slug=slug).one() for slug in (BUSY, WRITTEN, ATTENDED)
        )
        attended.last_day = timezone.localdate() + timedelta(days=7)  # a sprint that is over lets nobody attend
        values = {"track": "people", "description": "<p>All of them.</p>", "minutes": 60, "seats": 10 * clients}
        session = actions.propose(attended, users[0], title="Where everybody is", **values)
        get_store("main").flush()
        read = busy.sessions.find(Session.starts != None).order_by(Session.id).first()  # noqa: E711
        return Paths(
            f"{busy.get_absolute_url()}?day={busy.first_day}",
            read.get_absolute_url(),
            f"{written.get_absolute_url()}propose/",
            session.get_absolute_url(),
        )


def empty() -> None:
    """Take away what one side wrote before the other begins."""
    with transaction.manager:
        store = get_store("main")
        Activity.objects.filter(title__startswith="Load ").delete()
        Activity.objects.filter(title="Where everybody is").delete()
        store.find(Session, Session.title.startswith("Load ")).remove()
        everybody = store.find(Session, title="Where everybody is").one()
        store.find(Attendance, session_id=everybody.id).remove()


def compare(folder: Path) -> Findings:
    """The clients' logs with the tables, Storm's and Django's."""
    found = Findings()
    with transaction.manager:
        store = get_store("main")
        sessions = Counter(store.find(Session, Session.title.startswith("Load ")).values(Session.title))
        log = Activity.objects.filter(what="proposed", title__startswith="Load ").values_list("title", flat=True)
        activities = Counter(log)
        everybody = store.find(Session, title="Where everybody is").one()
        attending = set(everybody.attendances.values(Attendance.person_id))
        moves = Counter(Activity.objects.filter(session=everybody).values_list("person__username", "what"))
        keys = dict(get_user_model().objects.values_list("username", "pk"))
    found.doubled += [title for title, times in (sessions | activities).items() if times > 1]
    found.halves += sorted(set(sessions) ^ set(activities))
    for path in sorted(folder.glob("client-*.log")):
        name = f"load-{path.stem.removeprefix('client-')}"
        lines = [line.split("\t") for line in path.read_text().splitlines()]
        found.errors += [f"{name}: {' '.join(line[1:])}" for line in lines if line[0] == "!"]
        proposed = [line[2] for line in lines if line[:2] == ["+", "propose"]]
        found.lost += [title for title in proposed if title not in sessions]
        moved = [line[1] for line in lines if line[0] == "+" and line[1] != "propose"]
        found.acknowledged += len(proposed) + len(moved)
        unanswered = lines and lines[-1][0] == "?" and lines[-1][1] != "propose"
        # It may have been written, or not; but Storm's row and Django's line must tell the same.
        by_log = moves[name, "joined"] > moves[name, "left"]
        expected = by_log if unanswered else bool(moved) and moved[-1] == "attend"
        if (keys[name] in attending) != expected:
            (found.halves if unanswered else found.lost).append(f"{name}'s attendance")
        for what, said in (("attend", "joined"), ("leave", "left")):
            more = moves[name, said] - moved.count(what)
            if more < 0 or more > (1 if unanswered else 0):
                found.doubled.append(f"{name} {said}: {more} more than acknowledged")
    return found


def _client(number: int) -> User:
    user, _ = User.objects.get_or_create(username=f"load-{number}")
    user.groups.add(Group.objects.get(name="proposers"))
    return user


def _cookie(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}; {settings.CSRF_COOKIE_NAME}={get_random_string(32)}"
