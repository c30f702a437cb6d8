"""Two stores in files, with a table of words, for the adapters. Each word is written and read by the ORMs by turns."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.conf import settings

TABLE = "CREATE TABLE isolation_word (name VARCHAR(100) PRIMARY KEY, value TEXT NOT NULL)"
STORES = ("main", "second")


@contextmanager
def stores(**more: Any) -> Iterator[None]:
    """Django set up with both stores."""
    with tempfile.TemporaryDirectory() as folder:
        settings.configure(
            STORM_STORES={name: f"sqlite:{folder}/{name}.sqlite3" for name in STORES},
            DATABASES={
                alias: {"ENGINE": "djintegrate.storm_backend", "NAME": name}
                for alias, name in zip(("default", "second"), STORES, strict=True)
            },
            INSTALLED_APPS=["djintegrate.storm_backend", "proofs.isolation"],
            LOGGING_CONFIG=None,
            **more,
        )
        django.setup()
        for name in STORES:
            execute(name, TABLE)
        yield


def empty() -> None:
    """Before a test."""
    for name in STORES:
        execute(name, "DELETE FROM isolation_word")


def execute(store: str, statement: str) -> None:
    import transaction

    from djintegrate.storm_backend import get_store

    transaction.abort()
    get_store(store).execute(statement, noresult=True)
    transaction.commit()


class Words:
    """Named values of one store, as a mapping."""

    def __init__(self, store: str) -> None:
        self.store, self.alias = store, "default" if store == "main" else store
        self._turns = itertools.cycle([True, False])

    def __getitem__(self, name: str) -> Any:
        value = self._get(name)
        if value is None:
            raise KeyError(name)
        return json.loads(value)

    def __setitem__(self, name: str, value: Any) -> None:
        from ..models import StormWord, Word

        said, store = json.dumps(value), self._join()
        if next(self._turns):
            Word.objects.using(self.alias).update_or_create(name=name, defaults={"value": said})
        elif (word := store.get(StormWord, name)) is not None:
            word.value = said
        else:
            store.add(StormWord(name, said))

    def __contains__(self, name: str) -> bool:
        return self._get(name) is not None

    def _get(self, name: str) -> str | None:
        from ..models import StormWord, Word

        store = self._join()
        if next(self._turns):
            found: str | None = Word.objects.using(self.alias).filter(name=name).values_list("value", flat=True).first()
            return found
        word = store.get(StormWord, name)
        return None if word is None else str(word.value)

    def _join(self) -> Any:
        """Where nothing is begun, Storm's first statement joins the transaction; Django's are in it from then on."""
        from djintegrate.storm_backend import get_store

        store = get_store(self.store)
        store.execute("SELECT 1").close()
        return store
