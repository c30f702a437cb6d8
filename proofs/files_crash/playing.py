"""One transaction after another, each with a few random changes of rows and of their files."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import transaction
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import OperationalError
from django.db.transaction import atomic

from djintegrate import files
from proofs.files_crash.models import Document, NativeDocument, Paper
from proofs.files_crash.site import ENGINE, NATIVE

NAMES = ["a.txt", "b.txt", "c.txt"]
"""Few, so that they collide."""
MODELS: dict[str, Any] = {ENGINE: Document, NATIVE: NativeDocument}


class Refused(Exception):
    """What fails on purpose."""


class Player:
    """`part` of `parts` processes: each has rows of its own, and all have the same names of files."""

    def __init__(self, seed: int, part: int, parts: int) -> None:
        self.random = random.Random(seed)
        self._part, self._parts = part, parts
        self.media = Path(settings.FILES_JOURNAL).parent / "media"

    def transaction(self) -> None:
        alias = self.random.choice([ENGINE, NATIVE])
        begin = self.random.choice([atomic, files.transaction])
        block = transaction.manager if alias == ENGINE and self.random.random() < 0.5 else begin(alias)
        with contextlib.suppress(Refused, OperationalError), block:
            self._changes(alias, depth=0)
            self._may_fail(0.25)
        transaction.abort()

    def _changes(self, alias: str, depth: int) -> None:
        for _ in range(self.random.randint(1, 3)):
            if depth < 2 and self.random.random() < 0.25:
                with contextlib.suppress(Refused), self.random.choice([atomic, files.transaction])(alias):
                    self._changes(alias, depth + 1)
                    self._may_fail(0.5)
            else:
                self.random.choice(CHANGES)(self, alias)

    def _may_fail(self, probability: float) -> None:
        if self.random.random() < probability:
            raise Refused

    # Files of rows

    def create(self, alias: str) -> None:
        text = self._text()
        MODELS[alias].objects.using(alias).create(text=text, file=self._content(text))

    def replace(self, alias: str) -> None:
        row = self._one(MODELS[alias], alias)
        if row is not None:
            row.text = self._text()
            row.file = self._content(row.text)
            row.save()

    def overwrite(self, alias: str) -> None:
        row = self._one(MODELS[alias], alias)
        if row is not None:
            row.text = self._text()
            storage = row.file.storage
            storage.delete(row.file.name)
            assert storage.save(row.file.name, ContentFile(row.text.encode())) == row.file.name
            row.save()

    def delete(self, alias: str) -> None:
        rows = self._mine(MODELS[alias], alias)[: self.random.randint(1, 2)]
        MODELS[alias].objects.using(alias).filter(pk__in=[row.pk for row in rows]).delete()

    # Files anywhere

    def write(self, alias: str) -> None:
        text, path = self._text(), self._new_path()
        with files.transaction(alias) as t:
            t.add_file(path)
            path.write_text(text)
            Paper.objects.using(alias).create(text=text, path=str(path), alias=alias)

    def move(self, alias: str) -> None:
        row = self._one(Paper, alias)
        if row is not None:
            path = self._new_path()
            with files.transaction(alias) as t:
                t.move_file(row.path, path)
                row.path = str(path)
                row.save()

    def copy_onto(self, alias: str) -> None:
        rows = self._mine(Paper, alias)[:2]
        if len(rows) == 2:
            one, two = rows
            with files.transaction(alias) as t:
                t.copy_file(one.path, two.path)
                two.text = one.text
                two.save()

    def gather(self, alias: str) -> None:
        """Two papers in a folder of their own, one of them changed there."""
        rows = self._mine(Paper, alias)[:2]
        if len(rows) == 2:
            folder = self._new_path()
            with files.transaction(alias) as t:
                t.add_file(folder)
                folder.mkdir()
                for number, row in enumerate(rows):
                    t.move_file(row.path, folder / f"{number}")
                    row.path = str(folder / f"{number}")
                if self.random.random() < 0.5:
                    t.copy_file(folder / "0", folder / "1")
                    rows[1].text = rows[0].text
                for row in rows:
                    row.save()

    def move_folder(self, alias: str) -> None:
        """With a paper that is replaced, and one that is removed, just before."""
        rows = self._mine(Paper, alias)
        folders = {Path(row.path).parent for row in rows} - {self.media / "papers"}
        if folders:
            folder, goal = self.random.choice(sorted(folders)), self._new_path()
            inside = [row for row in rows if Path(row.path).parent == folder]
            with files.transaction(alias) as t:
                if rows[0] not in inside:
                    t.copy_file(rows[0].path, inside[0].path)
                    inside[0].text = rows[0].text
                if len(inside) > 1 and self.random.random() < 0.5:
                    t.remove_file(inside[-1].path)
                    inside.pop().delete()
                t.move_file(folder, goal)
                for row in inside:
                    row.path = str(goal / Path(row.path).name)
                    row.save()

    def remove(self, alias: str) -> None:
        row = self._one(Paper, alias)
        if row is not None:
            with files.transaction(alias) as t:
                t.remove_file(row.path)
                row.delete()

    # Helpers

    def _mine(self, model: Any, alias: str) -> list[Any]:
        rows = model.objects.using(alias)
        rows = rows.filter(alias=alias) if model is Paper else rows
        found = [row for row in rows.order_by("pk") if row.pk % self._parts == self._part]
        self.random.shuffle(found)
        return found

    def _one(self, model: Any, alias: str) -> Any | None:
        found = self._mine(model, alias)
        return found[0] if found else None

    def _text(self) -> str:
        return f"{self.random.getrandbits(64):x}" * 20

    def _content(self, text: str) -> ContentFile:
        return ContentFile(text.encode(), self.random.choice(NAMES))

    def _new_path(self) -> Path:
        return self.media / "papers" / f"{self.random.getrandbits(64):x}"


CHANGES: list[Callable[[Player, str], None]] = [
    Player.create, Player.create, Player.replace, Player.overwrite, Player.delete,
    Player.write, Player.move, Player.copy_onto, Player.gather, Player.move_folder, Player.remove,
]  # fmt: skip
