"""One of the processes of tests/files/test_concurrency: threads that save under colliding names and replace one file.

Arguments: a folder, this process's number, how many threads, how many rounds. Prints what it saved, as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import call_command


def main(folder: Path, process: int, threads: int, rounds: int) -> None:
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / f"{process}.sqlite3",
                "OPTIONS": {"timeout": 60},
            }
        },
        INSTALLED_APPS=["djintegrate.files"],
        FILES_JOURNAL=folder / "journal",
        FILES_LOCK_TIMEOUT=60,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    from django.db import connections

    crowd = Crowd(folder / "media")

    def run(number: int) -> None:
        try:
            crowd.play(f"{process}.{number}", rounds)
        except Exception as error:
            crowd.problems.append(repr(error))
        finally:
            connections.close_all()

    print("ready", flush=True)
    sys.stdin.readline()
    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(json.dumps({"saved": crowd.saved, "problems": crowd.problems}))


class Crowd:
    def __init__(self, media: Path) -> None:
        from djintegrate.files import TransactionalStorage

        self.media = media
        self.media.mkdir(exist_ok=True)
        inner = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(media)}}
        self.storage = TransactionalStorage(storage=inner)
        self.saved: dict[str, str] = {}
        self.problems: list[str] = []

    def play(self, who: str, rounds: int) -> None:
        from django.db.transaction import atomic

        from djintegrate import files

        for number in range(rounds):
            text = f"{who}.{number};" * 2000
            try:
                with atomic():
                    name = self.storage.save("same", ContentFile(text.encode()))
                    if number % 3 == 2:
                        raise Undone
                self.saved[name] = text
            except Undone:
                pass
            source = self.media.parent / f"source-{who}"
            source.write_text(str(number % 10) * 50_000)
            with files.transaction() as t:
                t.copy_file(source, self.media / "shared")
            self.look()

    def look(self) -> None:
        """As a reader does, in no transaction."""
        text = (self.media / "shared").read_text()
        if len(text) != 50_000 or len(set(text)) != 1:
            self.problems.append(f"half a file: {len(text)} characters, {set(text)}")
        for name, saved in list(self.saved.items())[-3:]:
            if (self.media / name).read_text() != saved:
                self.problems.append(f"{name} is not what was saved")


class Undone(Exception):
    """What fails on purpose."""


if __name__ == "__main__":
    arguments: list[Any] = sys.argv[1:]
    main(Path(arguments[0]), *map(int, arguments[1:]))
