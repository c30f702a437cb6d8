"""The check of names with capitals, which Django quotes on PostgreSQL and Storm does not; on sites of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[3]
APP = {
    "__init__.py": "",
    "models.py": """
from django.db import models

class Book(models.Model):
    title = models.TextField()

class Sale(models.Model):
    quantity = models.IntegerField(db_column="Quantity")
    class Meta:
        db_table = "sale"

class Plain(models.Model):
    class Meta:
        db_table = "plain"
""",
    "storm_models.py": """
from storm.expr import SQLRaw
from storm.locals import Int
from djintegrate.storm_backend.mapping import storm_class
from .models import Book

class ByName:
    __storm_table__ = "Catalog_book"
    id = Int(primary=True)

class InLowerCase:
    __storm_table__ = "catalog_book"
    id = Int(primary=True)

class InQuotes:
    __storm_table__ = '"Catalog_book"'
    id = Int(primary=True)

class OnAColumn:
    __storm_table__ = "sale"
    id = Int(primary=True)
    quantity = Int("Quantity")

class Quoted:
    __storm_table__ = SQLRaw('"Catalog_book"')
    id = Int(primary=True)

class WithoutTheColumn:
    __storm_table__ = "sale"
    id = Int(primary=True)

class OnAPlainTable:
    __storm_table__ = "Plain"
    id = Int(primary=True)

Made = storm_class(Book)
""",
}
SCRIPT = """
import sys
import django
from django.conf import settings
settings.configure(
    STORM_STORES={"main": sys.argv[1]},
    DATABASES={"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}},
    INSTALLED_APPS=["djintegrate.storm_backend", "Catalog"],
)
django.setup()
from django.core.checks import run_checks
for message in run_checks():
    if message.id == "storm_backend.W014":
        print(message.msg.partition(" ")[0])
"""


@pytest.mark.parametrize(
    ("uri", "warned"),
    [
        ("postgres://nobody@127.0.0.1:1/no", ["ByName", "InLowerCase", "InQuotes", "OnAColumn"]),
        ("sqlite::memory:", []),
    ],
)
def test_classes_that_postgresql_would_not_find_are_warned_of(uri: str, warned: list[str], tmp_path: Path) -> None:
    (tmp_path / "Catalog").mkdir()
    for name, text in APP.items():
        (tmp_path / "Catalog" / name).write_text(text)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    done = python("-c", SCRIPT, uri, env=environment)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == [f"Catalog.storm_models.{name}" for name in warned]
