"""Who the provider knows: people, teams, and how it behaves, all in one JSON file that several processes may change."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Person:
    """`key` is what a person's OpenID ends with, and never changes; the nickname may."""

    key: str
    nickname: str
    fullname: str
    email: str
    teams: list[str] = field(default_factory=list)
    language: str = "en"
    timezone: str = "UTC"
    country: str = "GB"
    verified: bool = True
    has_security_key: bool = False
    allowed_sites: list[str] = field(default_factory=list)


@dataclass
class Behaviour:
    """What a test may change about the provider."""

    associates: bool = True
    association_lifetime: int = 14 * 24 * 60 * 60
    offers_attribute_exchange: bool = True


@dataclass
class Contents:
    people: dict[str, Person]
    teams: dict[str, str]
    behaviour: Behaviour

    def called(self, nickname: str) -> Person:
        return next(person for person in self.people.values() if person.nickname == nickname)


class Register:
    """The file in `folder`; made with the sample people when it is not there."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "people.json"
        self._lock = folder / "people.lock"
        folder.mkdir(parents=True, exist_ok=True)

    def read(self) -> Contents:
        try:
            data = json.loads(self._file.read_text())
        except FileNotFoundError:
            return sample()
        people = [Person(**person) for person in data["people"]]
        return Contents({person.key: person for person in people}, data["teams"], Behaviour(**data["behaviour"]))

    @contextmanager
    def change(self) -> Iterator[Contents]:
        """What is changed inside is written at the end, if there was no exception."""
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            contents = self.read()
            yield contents
            self._write(contents)

    def _write(self, contents: Contents) -> None:
        data = {
            "people": [asdict(person) for person in contents.people.values()],
            "teams": contents.teams,
            "behaviour": asdict(contents.behaviour),
        }
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        os.replace(new, self._file)


def sample() -> Contents:
    people = [
        Person(
            "a7fG3kQ", "ada", "Ada Okoye", "ada@people.example", ["sprint-schedulers", "sprint-proposers"],
            timezone="Africa/Lagos", country="NG",
        ),
        Person(
            "b2Rw9xT", "bruno", "Bruno Keller", "bruno@people.example", ["sprint-proposers"],
            language="de", timezone="Europe/Berlin", country="DE",
        ),
        Person(
            "c5Lm1vP", "chiara", "Chiara Neri", "chiara@people.example", ["site-admins", "sprint-schedulers"],
            language="it", timezone="Europe/Rome", country="IT", has_security_key=True,
        ),
        Person("d8Zq4nH", "dmitri", "Dmitri Lund", "dmitri@people.example", country="NO", verified=False),
    ]  # fmt: skip
    teams = {
        "site-admins": "Look after the site",
        "sprint-schedulers": "Put sessions on the schedule",
        "sprint-proposers": "Propose sessions",
    }
    return Contents({person.key: person for person in people}, teams, Behaviour())
