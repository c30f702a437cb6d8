"""What is measured, one function each. They run in a worker, whose settings say on which side."""

from __future__ import annotations

import gc
import io
import itertools
from random import randrange
from typing import Any

import transaction
from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.db.transaction import atomic

from proofs.benchmarks import site
from proofs.benchmarks.models import Entry, Item, StormEntry, StormItem, StormThing, Thing

numbers = itertools.count()
# What Storm objects are held on to.
live: list[StormThing] = []
application = get_wsgi_application()


def get_by_key() -> None:
    Item.objects.get(pk=next(numbers) % 5000 + 1)


def get_200_beside_storm() -> None:
    """In one transaction, one row through Storm where there is Storm, and 200 through Django.

    So many that what Storm's own row costs more than Django's does not count: that is not the engine's.
    """
    with transaction.manager if hasattr(settings, "STORM_STORES") else atomic():
        if hasattr(settings, "STORM_STORES"):
            item = site.store().get(StormItem, next(numbers) % 5000 + 1)
        else:
            item = Item.objects.get(pk=next(numbers) % 5000 + 1)
        assert item.name
        for _ in range(200):
            get_by_key()


def filter_1000() -> None:
    assert len(Item.objects.filter(group=next(numbers) % 5)) == 1000


def create_in_atomic() -> None:
    with atomic():
        Entry.objects.create(text="created", number=next(numbers))


def atomic_with_one() -> None:
    with atomic():
        get_by_key()


def bulk_create_1000() -> None:
    Entry.objects.bulk_create(Entry(text="one of many", number=number) for number in range(1000))


def update() -> None:
    # Another price each time: SQLite does not write what is there already.
    assert Item.objects.filter(pk=next(numbers) % 5000 + 1).update(price=randrange(2**31)) == 1


def before_update_beside_storm() -> None:
    transaction.begin()
    assert site.store().get(StormItem, 1).name
    # The end of the last transaction went through all live objects: the CPU's caches are full of them.
    for _ in range(20):
        update()


def update_beside_storm() -> None:
    """In the transaction that was begun for the batch, and that Storm uses."""
    update()


def row_by_storm() -> None:
    """What Storm does for one row, in the transaction of the batch."""
    store = site.store()
    store.add(StormEntry("by Storm", next(numbers)))
    store.flush()


def request() -> None:
    _post("/read-and-write/")


def short_request() -> None:
    _post("/look/")


def request_with_file() -> None:
    _post("/save-a-file/")


def request_with_both() -> None:
    _post("/write-with-both/")


def request_with_django() -> None:
    _post("/write-with-django/")


def prepare_database() -> None:
    """Make the tables, and the rows that are read, where they are not there yet."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    items = (Item(id=number + 1, name=f"Item {number}", group=number % 5) for number in range(5000))
    Item.objects.bulk_create(items, ignore_conflicts=True)


def prepare_worker() -> None:
    """Have what a site in use has: a connection, and a Storm store where there is Storm, with objects that live."""
    get_by_key()
    if not hasattr(settings, "STORM_STORES"):
        return
    wanted = getattr(settings, "BENCHMARK_LIVE_OBJECTS", 0)
    if wanted and not Thing.objects.exists():
        _make_things()
    live[:] = site.store().find(StormThing, StormThing.id <= wanted)
    assert len(live) == wanted
    transaction.abort()
    # The garbage collector is not to look at all of them again and again.
    gc.freeze()


def settle() -> None:
    """End what a batch has left open."""
    transaction.abort()


def empty() -> None:
    """Take away what the batches wrote."""
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), [Entry._meta.db_table]))


def _make_things() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO benchmarks_thing (id, name) SELECT a.id + 5000 * (b.id - 1), a.name"
            " FROM benchmarks_item a CROSS JOIN benchmarks_item b WHERE b.id <= 20"
        )


def _post(path: str) -> None:
    # From the environment that a WSGI server hands over to the response's close(), which ends the request.
    response = application({**ENVIRONMENT, "PATH_INFO": path, "wsgi.input": io.BytesIO()}, _no_start_response)
    body = b"".join(response)
    response.close()
    if body != b"done":
        raise RuntimeError(f"POST {path} failed: {body[:200]!r}")


def _no_start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
    pass


ENVIRONMENT = {
    "REQUEST_METHOD": "POST",
    "SCRIPT_NAME": "",
    "QUERY_STRING": "",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "CONTENT_TYPE": "application/x-www-form-urlencoded",
    "CONTENT_LENGTH": "0",
    "wsgi.url_scheme": "http",
    "wsgi.version": (1, 0),
    "wsgi.errors": io.StringIO(),
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
