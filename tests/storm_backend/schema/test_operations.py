"""`ApplySchema`: the migration of a StormForeignKey makes Storm's table first, on a site and in its tests."""

from __future__ import annotations

import sqlite3
import textwrap
from contextlib import closing
from pathlib import Path

import pytest
from django.db.migrations.writer import OperationWriter

from djintegrate.storm_backend.schema.operations import ApplySchema

from . import written_sites

FILES = {
    "manage.py": """
        import os, sys
        from django.core.management import execute_from_command_line
        os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
        execute_from_command_line(sys.argv)
    """,
    "settings.py": """
        STORM_STORES = {
            "main": {"URI": "sqlite:%(folder)s/main.sqlite3", "SCHEMA": "catalog.schema"},
            "second": "sqlite:%(folder)s/second.sqlite3",
            "plain": "sqlite:%(folder)s/plain.sqlite3",
        }
        DATABASES = {
            "default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"},
            "second": {"ENGINE": "djintegrate.storm_backend", "NAME": "second"},
        }
        DATABASE_ROUTERS = ["catalog.models.Router"]
        INSTALLED_APPS = ["djintegrate.storm_backend", "catalog"]
        MIDDLEWARE = ["djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"]
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        SECRET_KEY = "of no site"
        USE_TZ = True
    """,
    "catalog/__init__.py": "",
    "catalog/schema/__init__.py": """
        CREATES = ["CREATE TABLE publisher (id INTEGER PRIMARY KEY, name TEXT)"]
        DROPS = ["DROP TABLE publisher"]
        DELETES = ["DELETE FROM publisher"]
    """,
    "catalog/storm_models.py": """
        from storm.locals import Int, Unicode

        class Publisher:
            __storm_table__ = "publisher"
            id = Int(primary=True)
            name = Unicode()
    """,
    "catalog/models.py": """
        from django.db import models
        from djintegrate.storm_backend.references import StormForeignKey

        class Contract(models.Model):
            publisher = StormForeignKey("catalog.storm_models.Publisher", on_delete=models.CASCADE)

        class Router:
            def allow_migrate(self, db, app_label, **hints):
                return db == "default" or hints.get("model_name") != "contract"
    """,
    "catalog/migrations/__init__.py": "",
    "catalog/migrations/0001_initial.py": """
        from django.db import migrations, models
        from djintegrate.storm_backend.references import StormForeignKey
        from djintegrate.storm_backend.schema.operations import ApplySchema

        class Migration(migrations.Migration):
            atomic = False
            operations = [
                ApplySchema("main"),
                migrations.CreateModel("Contract", [
                    ("id", models.BigAutoField(auto_created=True, primary_key=True,
                        serialize=False, verbose_name="ID")),
                    ("publisher", StormForeignKey("catalog.storm_models.Publisher", on_delete=models.CASCADE)),
                ]),
            ]
    """,
    "catalog/tests.py": """
        import transaction
        from django.test import TestCase, TransactionTestCase
        from djintegrate.storm_backend import get_store
        from .models import Contract
        from .storm_models import Publisher

        class Both:
            databases = ["default", "second"]

            def test_a_contract_has_its_publisher(self):
                publisher = Publisher()
                publisher.name = "Ada"
                with transaction.manager:
                    Contract.objects.create(publisher=get_store("main").add(publisher))
                self.assertEqual(Contract.objects.get().publisher.name, "Ada")
                transaction.abort()

            test_again = test_a_contract_has_its_publisher

        class UndoneTests(Both, TestCase):
            pass

        class EmptiedTests(Both, TransactionTestCase):
            pass
    """,
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return written_sites.write(tmp_path, FILES)


def manage(site: Path, *arguments: str, fails: bool = False) -> str:
    return written_sites.run(site, "manage.py", *arguments, fails=fails)


def rewrite(site: Path, name: str, old: str, new: str) -> None:
    text = (site / name).read_text()
    assert old in text
    (site / name).write_text(text.replace(old, new))


MIGRATION = "catalog/migrations/0001_initial.py"


def tables(site: Path, store: str = "main") -> set[str]:
    with closing(sqlite3.connect(site / f"{store}.sqlite3")) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_the_tests_of_a_site_have_both_sides_tables(site: Path) -> None:
    assert "Ran 4 tests" in (said := manage(site, "test"))
    assert said.rstrip().endswith("Destroying test database for alias 'second'...")


def test_migrate_makes_storms_table_in_an_empty_database_and_leaves_it_when_it_goes_back(site: Path) -> None:
    assert "Apply the schema of the store 'main'" in manage(site, "migrate", "--plan")
    said = manage(site, "migrate")
    assert "Applying catalog.0001_initial... OK" in said and "not up to date" not in said
    assert {"publisher", "patch", "catalog_contract"} <= tables(site)
    manage(site, "migrate", "catalog", "zero")
    assert "catalog_contract" not in tables(site) and "publisher" in tables(site)
    manage(site, "migrate")
    assert "THIS OPERATION CANNOT BE WRITTEN AS SQL" in manage(site, "sqlmigrate", "catalog", "0001")
    assert "No changes detected" in manage(site, "makemigrations", "--check")


def test_it_can_be_written_into_a_migration() -> None:
    text, imports = OperationWriter(ApplySchema("main"), indentation=0).serialize()
    assert "ApplySchema(" in text and "store='main'" in text
    assert imports == {"import djintegrate.storm_backend.schema.operations"}


def test_it_applies_what_is_pending(site: Path) -> None:
    (site / "catalog/schema/__init__.py").write_text(
        textwrap.dedent(FILES["catalog/schema/__init__.py"]).replace("publisher", "older")
    )
    manage(site, "storm_schema", "apply", "main")
    (site / "catalog/schema/patch_1.py").write_text(
        'def apply(store):\n    store.execute("CREATE TABLE publisher (id INTEGER PRIMARY KEY, name TEXT)")\n'
    )
    manage(site, "migrate")
    assert {"older", "publisher", "catalog_contract"} <= tables(site)


def test_in_another_database_it_does_nothing(site: Path) -> None:
    manage(site, "migrate", "--database", "second")
    assert tables(site, "second") <= {"django_migrations", "sqlite_sequence"}


@pytest.mark.at_length
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("atomic = False", "", "Write `atomic = False` in the class Migration."),
        ('ApplySchema("main")', 'ApplySchema("mian")', "names no store 'mian'"),
        ('ApplySchema("main")', 'ApplySchema("plain")', "Remove it, and run: manage.py storm_schema apply plain"),
        ('ApplySchema("main")', 'ApplySchema("second")', "schema.operations.ApplySchema('main') before this operation"),
    ],
    ids=["atomic", "misspelt", "plain", "none"],
)
def test_what_cannot_be_ends_with_a_line(site: Path, old: str, new: str, said: str) -> None:
    rewrite(site, MIGRATION, old, new)
    error = manage(site, "migrate", fails=True)
    assert said in error and "Traceback" not in error


def test_a_schema_that_cannot_be_imported_ends_migrate_with_a_line(site: Path) -> None:
    rewrite(site, "settings.py", '"catalog.schema"', '"catalog.shcema"')
    error = manage(site, "migrate", fails=True)
    assert "'catalog.shcema', which cannot be imported" in error and "Traceback" not in error
