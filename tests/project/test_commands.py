"""Django's management commands on the engine, in a small project of its own, as separate processes."""

from __future__ import annotations

import json
import os
import shutil
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db.utils import ConnectionHandler

from djintegrate.storm_backend.conf import uris
from tests.settings import uri
from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[2]

FILES = {
    "settings.py": """
        STORM_STORES = {{"main": {{"URI": {uri!r}, "SCHEMA": "shop.storm_schema"}}}}
        DATABASES = {{"default": {{"ENGINE": "djintegrate.storm_backend", "NAME": "main"}}}}
        INSTALLED_APPS = ["djintegrate.storm_backend", "shop"]
        MIDDLEWARE = ["djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"]
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        CACHES = {{"default": {{"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "shop_cache"}}}}
        DEFAULT_EXCEPTION_REPORTER_FILTER = "djintegrate.storm_backend.reports.StoreHidingFilter"
        SECRET_KEY = "commands"
        USE_TZ = True
    """,
    "shop/__init__.py": "",
    "shop/migrations/__init__.py": "",
    "shop/models.py": """
        from django.db import models

        class Item(models.Model):
            name = models.CharField(max_length=50, unique=True)
            price = models.IntegerField(default=1)

        class Sale(models.Model):
            item = models.ForeignKey(Item, models.CASCADE)
    """,
    "shop/storm_models.py": """
        from storm.locals import Int, Unicode

        class StormItem:
            __storm_table__ = "shop_item"
            id = Int(primary=True)
            name = Unicode()
            price = Int()

            def __init__(self, name):
                self.name, self.price = name, 1

        class StormTag:
            __storm_table__ = "shop_tag"
            item_id = Int(primary=True)

            def __init__(self, item_id):
                self.item_id = item_id
    """,
    "shop/storm_schema/__init__.py": """
        CREATES = [
            "CREATE TABLE shop_tag (item_id BIGINT NOT NULL PRIMARY KEY,"
            " FOREIGN KEY (item_id) REFERENCES shop_item (id))"
        ]
        DROPS = ["DROP TABLE shop_tag"]
        DELETES = ["DELETE FROM shop_tag"]
    """,
    "shop/storm_schema/patch_1.py": """
        def apply(store):
            raise ValueError("Not on a new database.")
    """,
    "shop/tests.py": """
        import transaction
        from django.db import connection
        from django.test import TestCase, TransactionTestCase
        from storm.uri import URI

        from djintegrate.storm_backend import get_store, get_store_uri
        from shop.models import Item
        from shop.storm_models import StormItem, StormTag

        class Both:
            def test_nothing_is_there_and_both_write(self):
                self.assertEqual(Item.objects.count(), 0)
                self.assertTrue(get_store("main").find(StormTag).is_empty())
                transaction.abort()
                with transaction.manager:
                    storm = get_store("main").add(StormItem("storm"))
                    get_store("main").flush()
                    get_store("main").add(StormTag(storm.id))
                    Item.objects.create(name="django", price=1)
                self.assertEqual(set(get_store("main").find(StormItem).values(StormItem.name)), {{"storm", "django"}})
                transaction.abort()

            test_again = test_a_third_time = test_nothing_is_there_and_both_write

            def test_storm_is_told_of_this_processs_database(self):
                name = connection.settings_dict["NAME"]
                self.assertEqual(URI(get_store_uri("main")).database, name)
                self.assertNotEqual(name, {database!r})
                self.assertIn("test" if connection.vendor != "sqlite" else "memory", name)

        class FirstTests(Both, TestCase):
            pass

        class SecondTests(Both, TestCase):
            pass

        class ThirdTests(Both, TestCase):
            pass

        class FourthTests(Both, TransactionTestCase):
            pass
    """,
}

Manage = Callable[..., str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, db_kind: str, django_db_blocker: Any) -> Iterator[str]:
    """The URI of a new, empty database."""
    if db_kind == "sqlite":
        yield f"sqlite:{tmp_path_factory.mktemp('database')}/db.sqlite3"
        return
    name = f"djintegrate_commands_{uuid4().hex[:8]}"
    server = uris.location(uri("test"))
    handler = ConnectionHandler({"default": {"ENGINE": server.backend, **server.settings}})

    def execute(*statements: str) -> None:
        with django_db_blocker.unblock(), handler["default"].cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        handler["default"].close()

    execute(f"CREATE DATABASE {name}")
    try:
        yield uri(name)
    finally:
        # The test database is what --keepdb keeps.
        execute(f"DROP DATABASE IF EXISTS test_{name}", f"DROP DATABASE {name}")


@pytest.fixture(scope="module")
def project(place: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project, with its migrations made."""

    folder = tmp_path_factory.mktemp("project")
    database = uris.location(place).settings["NAME"]
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text.format(uri=place, database=database)))
    run(folder, "makemigrations", "shop")
    return folder


@pytest.fixture(scope="module")
def manage(project: Path) -> Manage:
    """Runs a command in the project, whose tables are there; returns what it printed."""
    run(project, "migrate")
    return lambda *arguments, **options: run(project, *arguments, **options)


# Two items, one written by each ORM, in one transaction; and how Storm lists them.
TWO_ITEMS = """
import transaction
from django.core.management import call_command
from djintegrate.storm_backend import get_store
from shop.models import Item
from shop.storm_models import StormItem

def names():
    found = sorted(get_store("main").find(StormItem).values(StormItem.name))
    transaction.abort()
    return found

call_command("flush", interactive=False)
with transaction.manager:
    get_store("main").add(StormItem("by Storm"))
    Item.objects.create(name="by Django", price=2)
"""


def test_migrate_makes_the_tables_once(manage: Manage) -> None:
    assert "No migrations to apply" in manage("migrate")


def test_migrate_goes_back_and_forth(manage: Manage) -> None:
    assert "Unapplying shop.0001_initial... OK" in manage("migrate", "shop", "zero")
    assert "Applying shop.0001_initial... OK" in manage("migrate")


def test_sqlmigrate_and_sqlflush_print_sql(manage: Manage) -> None:
    assert "CREATE TABLE" in manage("sqlmigrate", "shop", "0001")
    assert "shop_item" in manage("sqlflush")


def test_inspectdb_describes_the_tables(manage: Manage) -> None:
    models = manage("inspectdb", "shop_item", "shop_sale")
    assert "class ShopItem(models.Model):" in models
    assert "name = models." in models
    assert "item = models.ForeignKey(ShopItem" in models
    assert "db_table = 'shop_sale'" in models


def test_dumpdata_flush_and_loaddata_keep_what_both_orms_wrote(manage: Manage, tmp_path: Path) -> None:
    dump = tmp_path / "dump.json"
    script = f"""
call_command("dumpdata", "shop", output={str(dump)!r})
call_command("flush", interactive=False)
assert names() == []
call_command("loaddata", {str(dump)!r})
print(names())
"""
    output = manage("shell", "-c", TWO_ITEMS + script)
    assert "Installed 2 object(s)" in output
    assert "['by Django', 'by Storm']" in output
    assert sorted(row["fields"]["name"] for row in json.loads(dump.read_text())) == ["by Django", "by Storm"]


def test_loaddata_that_fails_leaves_nothing(manage: Manage, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    rows = [("new", 98), ("by Django", 99)]
    bad.write_text(json.dumps([{"model": "shop.item", "pk": pk, "fields": {"name": name}} for name, pk in rows]))
    script = f"""
from django.db import IntegrityError
try:
    call_command("loaddata", {str(bad)!r})
except IntegrityError:
    print("refused", names())
"""
    assert "refused ['by Django', 'by Storm']" in manage("shell", "-c", TWO_ITEMS + script)


def test_dbshell_opens_the_database_of_the_store(manage: Manage, db_kind: str) -> None:
    program = {"sqlite": "sqlite3", "postgres": "psql", "mysql": "mysql"}[db_kind]
    if shutil.which(program) is None:
        pytest.skip(f"The client {program} is not installed.")
    manage("shell", "-c", TWO_ITEMS)
    query = "SELECT name FROM shop_item ORDER BY name"
    arguments = {"sqlite": [query], "postgres": ["-At", "-c", query], "mysql": ["-N", "-e", query]}[db_kind]
    assert manage("dbshell", "--", *arguments).split("\n")[:2] == ["by Django", "by Storm"]


def test_createcachetable_makes_it(manage: Manage) -> None:
    assert "Cache table 'shop_cache' created" in manage("createcachetable", "-v", "2")


def test_migrate_tells_of_patches_that_are_pending_until_storm_schema_has_applied_them(manage: Manage) -> None:
    hint = "run: manage.py storm_schema apply main"
    assert hint in manage("migrate")
    assert hint not in manage("migrate", "-v", "0")
    assert "not up to date" in manage("storm_schema", "status", "main", "--check", fails=True)
    assert "Would create the schema" in manage("storm_schema", "apply", "main", "--dry-run")
    try:
        assert "Created the schema" in manage("storm_schema", "apply", "main")
        assert "[X] 1" in manage("storm_schema", "status", "main", "--check")
        assert hint not in manage("migrate")
    finally:
        assert "Dropped the schema" in manage("storm_schema", "drop", "main", "--noinput")


def test_test_runs_the_tests_on_a_test_database_and_leaves_the_real_one_alone(manage: Manage) -> None:
    manage("shell", "-c", TWO_ITEMS)
    assert "Ran 16 tests" in manage("test")
    assert len(json.loads(manage("dumpdata", "shop"))) == 2


def test_test_in_parallel_gives_each_process_a_database(manage: Manage) -> None:
    output = manage("test", "--parallel", "2", "-v", "2")
    assert "Ran 16 tests" in output
    assert "Cloning test database" in output


def test_test_with_keepdb_uses_the_test_database_again(manage: Manage, db_kind: str) -> None:
    assert "Ran 16 tests" in manage("test", "--keepdb")
    output = manage("test", "--keepdb", "-v", "2")
    assert "Ran 16 tests" in output
    assert "Using existing test database" in output
    if db_kind != "sqlite":
        # SQLite's is in memory, and so is new each time.
        assert "No migrations to apply" in output


def run(project: Path, *arguments: str, fails: bool = False) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")},
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": os.pathsep.join([str(project), str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = python("-m", "django", *arguments, cwd=project, env=environment, merged=True)
    assert (done.returncode != 0) is fails, done.stdout
    return done.stdout
