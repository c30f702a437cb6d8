"""Sample people, sprints and sessions, for `make run` and for trying things out. Dates are counted from today.

It writes only into a database without sprints. People are those of the sample provider, and some more.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from djintegrate.openid_auth.models import UserOpenID
from djintegrate.storm_backend import get_store
from testproject.provider.register import sample as provider_sample

from . import actions
from .models import Activity
from .storm_models import Room, Session, Sprint

PEOPLE = {
    "ada": "Ada Okoye", "bruno": "Bruno Keller", "chiara": "Chiara Neri", "dmitri": "Dmitri Lund", "emi": "Emi Tanaka",
    "farid": "Farid Haddad", "greta": "Greta Lindqvist", "hugo": "Hugo Marques", "ines": "Inês Duarte",
    "jamal": "Jamal Reyes", "kasia": "Kasia Nowak", "liam": "Liam Byrne", "mei": "Mei Chen", "noor": "Noor Rahman",
}  # fmt: skip
GROUPS = {"ada": ["schedulers", "proposers"], "bruno": ["proposers"], "chiara": ["schedulers", "organisers"]}
ROOMS = [("Aula", 120), ("Library", 40), ("Studio", 16), ("Terrace", 24)]

GAP = timedelta(hours=1, minutes=47)

# Title, track, proposer, minutes, seats; and, if it is on the schedule, the room, the day and the time.
SESSIONS: list[tuple[Any, ...]] = [
    ("Welcome, and what we want to finish", "people", "chiara", 60, 120, "Aula", 0, time(9)),
    ("Two ORMs on one connection", "engine", "ada", 90, 40, "Library", 0, time(10)),
    ("Dijits without attributes", "pages", "bruno", 60, 16, "Studio", 0, time(10, 30)),
    ("What a nonce is for", "sign-in", "farid", 60, 24, "Terrace", 0, time(10)),
    ("Write one page of documentation", "words", "ines", 120, 16, "Studio", 0, time(13)),
    ("Savepoints by example", "engine", "kasia", 60, 40, "Library", 0, time(13, 30)),
    ("Reading a query plan together", "engine", "hugo", 90, 24, "Terrace", 0, time(14)),
    ("Lightning talks", "people", "emi", 60, 120, "Aula", 0, time(16, 30)),
    ("Moving a site from django-openid-auth", "sign-in", "ada", 90, 40, "Library", 1, time(9, 30)),
    ("Keyboard first: testing forms by hand", "pages", "mei", 60, 16, "Studio", 1, time(9, 30)),
    ("Two-phase commit on a whiteboard", "engine", "liam", 90, 24, "Terrace", 1, time(11)),
    ("A build in four requests", "pages", "bruno", 60, 40, "Library", 1, time(13)),
    ("How to review a translation", "words", "noor", 60, 16, "Studio", 1, time(14, 30)),
    ("First contribution clinic", "people", "greta", 120, 40, "Library", 2, time(10)),
    ("Fuzzing what a provider says", "sign-in", "jamal", 60, 16, "Studio", 2, time(10)),
    ("What we finished", "people", "chiara", 60, 120, "Aula", 2, time(15)),
    ("A grid that pages through the store", "pages", "emi", 60, 24),
    ("Schema patches that you can take back", "engine", "kasia", 60, 40),
    ("Plain words for transactions", "words", "dmitri", 30, 16),
]


def make_sprints(today: date) -> bool:
    """People and three sprints, one of them next week. False if there are sprints already, and nothing was made."""
    if not get_store("main").find(Sprint).is_empty():
        return False
    _make_people()
    monday = today + timedelta(days=7 - today.weekday())
    past = _sprint("Kraków", "Pałac Potockich, Kraków", "Europe/Warsaw", monday - timedelta(weeks=26), 3)
    coming = _sprint("Lisbon", "LX Factory, Lisbon", "Europe/Lisbon", monday, 3)
    _sprint("Tallinn", "Telliskivi, Tallinn", "Europe/Tallinn", monday + timedelta(weeks=30), 4)
    _sessions(coming, SESSIONS)
    _sessions(past, [session for session in SESSIONS[:13] if len(session) > 5])
    return True


def make_identities(provider_url: str) -> None:
    """Those whom the provider at this address knows may sign in as the sample people of the same names."""
    users = {user.username: user for user in get_user_model().objects.filter(username__in=PEOPLE)}
    for person in provider_sample().people.values():
        user, url = users.get(person.nickname), f"{provider_url}+id/{person.key}"
        if user is not None and not user.has_usable_password():
            UserOpenID.objects.get_or_create(claimed_id=url, defaults={"display_id": url, "user": user})


def _sprint(name: str, place: str, zone: str, first: date, days: int) -> Sprint:
    sprint: Sprint = get_store("main").add(
        Sprint(
            slug=name.lower().replace("ó", "o"), name=name, place=place, time_zone=zone, first_day=first,
            last_day=first + timedelta(days=days - 1),
            summary="Three parts, one site, a few days: come to write code, tests and pages, and to meet those who do.",
        )
    )  # fmt: skip
    for room, seats in ROOMS:
        sprint.rooms.add(Room(name=room, seats=seats))
    get_store("main").flush()
    return sprint


def _sessions(sprint: Sprint, sessions: list[tuple[Any, ...]]) -> None:
    users = {user.username: user for user in get_user_model().objects.filter(username__in=PEOPLE)}
    rooms = {room.name: room for room in sprint.rooms}
    scheduler, everybody = users["ada"], list(users.values())
    for title, track, proposer, minutes, seats, *when in sessions:
        description = f"<p>{DESCRIPTIONS[track]}</p><p>Bring a laptop with a checkout, and <em>one question</em>.</p>"
        values = {"title": title, "track": track, "description": description, "minutes": minutes, "seats": seats}
        session = actions.propose(sprint, users[proposer], **values)
        if when:
            room, day, hour = when
            starts = datetime.combine(sprint.days[day], hour, sprint.zone)
            actions.schedule(session, scheduler, rooms[room], starts)
    for number, session in enumerate(sprint.sessions.order_by(Session.id)):
        _attend(session, everybody, number)
    _date_log(sprint)


def _attend(session: Session, people: list[Any], number: int) -> None:
    """Some of them, others for each session; who has no time then stays away."""
    for position, person in enumerate(people):
        if (position * 5 + number * 3) % 7 < 3 and person.pk != session.proposer_id:
            try:
                actions.attend(session, person)
            except actions.Refused:
                continue


def _date_log(sprint: Sprint) -> None:
    """As if all that had been done over the weeks before the sprint, one session after the other."""
    keys = list(sprint.sessions.values(Session.id))
    lines = list(Activity.objects.filter(session__in=keys).order_by("-session", "-id"))
    moment = min(timezone.now(), datetime.combine(sprint.first_day, time(9), sprint.zone))
    for line in lines:
        moment -= GAP
        line.moment = moment
    Activity.objects.bulk_update(lines, ["moment"])


def _make_people() -> None:
    users = get_user_model().objects
    for name, full_name in PEOPLE.items():
        first, last = full_name.split()
        values = {"first_name": first, "last_name": last, "email": f"{name}@people.example"}
        user, made = users.get_or_create(username=name, defaults={**values, "is_staff": name == "chiara"})
        if made:
            user.set_unusable_password()
            user.save()
            user.groups.set(Group.objects.filter(name__in=GROUPS.get(name, [])))


DESCRIPTIONS = {
    "engine": "We look at what happens between the first statement and the commit, and try to break it.",
    "sign-in": "From the button to the group: we follow one sign-in through the code, and through the wire.",
    "pages": "Forms and grids that are pleasant with a mouse, with a keyboard, and without JavaScript.",
    "words": "Somebody who has never seen this reads aloud; we write down where they stop.",
    "people": "For everybody. There will be coffee.",
}
