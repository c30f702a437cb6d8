"""A Django model makes a table, Storm maps it, and another model of the app points at it: who comes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import written_sites

FILES = {
    "settings.py": """
        STORM_STORES = {"main": "sqlite:%(folder)s/main.sqlite3"}
        DATABASES = {"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}}
        INSTALLED_APPS = ["djintegrate.storm_backend", "shop"]
        MIDDLEWARE = ["djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"]
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        SECRET_KEY = "of no site"
        USE_TZ = True
    """,
    "shop/__init__.py": "",
    "shop/storm_models.py": """
        from storm.locals import Int

        class Sale:
            __storm_table__ = "shop_salerow"
            id = Int(primary=True)
    """,
    "shop/models.py": """
        from django.db import models
        from djintegrate.storm_backend.references import StormForeignKey

        class SaleRow(models.Model):
            pass

        class Hold(models.Model):
            sale = StormForeignKey("shop.storm_models.Sale", on_delete=models.CASCADE)
    """,
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return written_sites.write(tmp_path, FILES)


def django(site: Path, *arguments: str, fails: bool = False) -> str:
    # The file that a test has changed is as long as before, and perhaps of the same second.
    environment = {
        "PYTHONPATH": f"{written_sites.ROOT}:{site}", "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    return written_sites.run(site, "-m", "django", *arguments, fails=fails, **environment)


def test_the_error_names_the_model_that_makes_the_table_and_to_move_it_is_enough(site: Path) -> None:
    django(site, "makemigrations", "shop")
    migration = site / "shop/migrations/0001_initial.py"
    head, hold, row = migration.read_text().split("        migrations.CreateModel(")
    assert "name='Hold'" in hold and "name='SaleRow'" in row
    error = django(site, "migrate", fails=True)
    assert "The model shop.SaleRow makes that table: move CreateModel('SaleRow') before this operation" in error
    assert "Traceback" not in error
    row = row.removesuffix("    ]\n")
    migration.write_text("        migrations.CreateModel(".join([head, row, hold]) + "    ]\n")
    assert "Applying shop.0001_initial... OK" in django(site, "migrate")
    assert "No changes detected" in django(site, "makemigrations", "--check")


def test_one_migration_for_each_needs_nothing_moved(site: Path) -> None:
    models = site / "shop/models.py"
    first, second = models.read_text().split("class Hold")
    models.write_text(first)
    django(site, "makemigrations", "shop")
    models.write_text(f"{first}class Hold{second}")
    django(site, "makemigrations", "shop", "--name", "hold")
    assert "Applying shop.0002_hold... OK" in django(site, "migrate")
