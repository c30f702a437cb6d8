"""A wrong setting ends each management command with a check or one line, and never with a traceback."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import ConnectionHandler

from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[3]
ENGINE = "djintegrate.storm_backend"
RIGHT: dict[str, Any] = {
    "STORM_STORES": {"main": "sqlite:/nowhere.sqlite3"},
    "DATABASES": {"default": {"ENGINE": ENGINE, "NAME": "main"}},
    "INSTALLED_APPS": [ENGINE, "django.contrib.contenttypes", "django.contrib.auth"],
    "MIDDLEWARE": [f"{ENGINE}.middleware.ZopeTransactionMiddleware"],
    "ROOT_URLCONF": "settings",
    "urlpatterns": [],
    "SECRET_KEY": "misconfigured",
    "DEBUG": True,
}
WITHOUT_STORES = {key: value for key, value in RIGHT.items() if key != "STORM_STORES"}


def stores(value: Any) -> dict[str, Any]:
    return {**RIGHT, "STORM_STORES": value}


def database(**entry: Any) -> dict[str, Any]:
    return {**RIGHT, "DATABASES": {"default": {"ENGINE": ENGINE, "NAME": "main", **entry}}}


def first_word(text: str) -> str:
    return text.split()[0]


MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a list of stores": (stores(["sqlite:"]), "E001", "STORM_STORES is ['sqlite:'], a list. Make it a dictionary"),
    "no URI": (stores({"main": None}), "E001", "STORM_STORES['main'] is None. Make it a URI"),
    "a number for a URI": (stores({"main": 5}), "E001", "STORM_STORES['main'] is 5, a whole number."),
    "two-phase by a word": (
        stores({"main": {"URI": "sqlite:/x", "TWO_PHASE": "no"}}),
        "E001",
        "STORM_STORES['main']['TWO_PHASE'] is 'no', a string. Make it True or False.",
    ),
    "an empty URI": (stores({"main": ""}), "E002", "The Storm URI '' cannot be read"),
    "an unknown scheme": (stores({"main": "sqlite3:/x"}), "E002", "has the scheme 'sqlite3'"),
    "an option without a value": (stores({"main": "sqlite:/x?timeout"}), "E002", "cannot be read"),
    "no driver's port": (stores({"main": "mysql://u:secret@host:port/x"}), "E002", "the port is not a number"),
    "no stores": (WITHOUT_STORES, "E004", "STORM_STORES names no store"),
    "stores misspelt": ({**WITHOUT_STORES, "STORM_STORE": {"main": "sqlite:"}}, "W008", "Did you mean STORM_STORES?"),
    "a misspelt key of a store": (
        stores({"main": {"URL": "sqlite:/x"}}),
        "E001",
        "the unknown key 'URL'. Did you mean",
    ),
    "another": (
        stores({"main": {"URI": "sqlite:/x", "POOLR": "transaction"}}),
        "E001",
        "the unknown key 'POOLR'. Did you mean POOLER?",
    ),
    "a database that is no store": (database(NAME="mian"), "E004", "'mian', but STORM_STORES names no store 'mian'"),
    "a file that is no store": (
        database(NAME=Path("/srv/db.sqlite3")),
        "E004",
        "'/srv/db.sqlite3', but STORM",
    ),
    "a host": (database(HOST="db.example"), "E005", "DATABASES['default'] has HOST"),
    "seconds by a word": (
        database(CONN_MAX_AGE="60"),
        "E011",
        "DATABASES['default']['CONN_MAX_AGE'] is '60', a string",
    ),
    "atomic by a word": (database(ATOMIC_REQUESTS="no"), "E011", "['ATOMIC_REQUESTS'] is 'no', a string"),
}
SHELL = "shell -v 0 -c from+django.contrib.auth.models+import+User;User.objects.first()"
COMMANDS = [
    "check", "migrate", "makemigrations", "showmigrations", "sqlmigrate auth 0001", "flush --noinput", "inspectdb",
    "runserver --noreload 0", "dumpdata", "test", "dbshell", "storm_schema status main", "storm_indoubt", SHELL,
]  # fmt: skip
"""A plus stands for a space. Some have no system checks run."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_told_by_its_check(mistake: str, tmp_path: Path) -> None:
    settings, check, said = MISTAKES[mistake]
    output = manage(tmp_path, settings, "check")
    assert f"(storm_backend.{check}) " in output and said in output, output
    assert "Traceback" not in output and "secret" not in output, output


SHOP = {
    "models": "from django.db import models\nclass Sale(models.Model):\n    price = models.IntegerField()\n",
    "storm_models": """
from djintegrate.storm_backend.mapping import storm_class
from djintegrate.storm_backend.references import DjangoReference
from storm.locals import Int

StormSale = storm_class("shop.Sale")


class Note:
    __storm_table__ = "note"
    id = Int(primary=True)
    sale_id = Int()
    sale = DjangoReference(sale_id, "shop.Sale")
""",
}
"""An app that has a class of each kind: made by storm_class(), and written by hand."""


def with_shop(folder: Path, settings: dict[str, Any], init: str = "") -> dict[str, Any]:
    """The settings with the app, which is made in the folder."""
    package = folder / "shop"
    package.mkdir()
    for name, text in {"__init__": init, **SHOP}.items():
        (package / f"{name}.py").write_text(text)
    return {**settings, "INSTALLED_APPS": [*settings["INSTALLED_APPS"], "shop"]}


@pytest.mark.parametrize("mistake", ["no stores", "an unknown scheme", "a misspelt key of a store", "another"])
def test_each_mistake_is_told_the_same_where_classes_are_made_of_models(mistake: str, tmp_path: Path) -> None:
    settings, check, said = MISTAKES[mistake]
    output = manage(tmp_path, with_shop(tmp_path, settings), "check")
    assert f"(storm_backend.{check}) " in output and said in output, output
    assert "Traceback" not in output and "no Storm store on it" not in output, output


def test_a_missing_driver_is_told_where_classes_are_made_of_models(tmp_path: Path) -> None:
    settings = with_shop(
        tmp_path, stores({"main": "postgres://host/x"}), "import sys\nsys.modules.update(psycopg=None, psycopg2=None)\n"
    )
    output = manage(tmp_path, settings, "check")
    assert "(storm_backend.E003) STORM_STORES['main'] is a postgres store, but no driver" in output
    assert "Traceback" not in output, output


def test_who_uses_a_class_that_was_made_of_a_model_is_told_what_is_wrong(tmp_path: Path) -> None:
    settings, _, said = MISTAKES["a database that is no store"]
    settings = with_shop(tmp_path, settings)
    use = "shell -v 0 -c from+shop.storm_models+import+StormSale;StormSale.__django_model__.objects.first()"
    output = manage(tmp_path, settings, use)
    assert len(output.splitlines()) == 1 and said in output, output


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_one_line_for_who_connects_without_having_asked_the_checks(mistake: str, settings: Any) -> None:
    wrong, check, said = MISTAKES[mistake]
    settings.STORM_STORES = wrong.get("STORM_STORES", {})
    connection = ConnectionHandler(wrong["DATABASES"])["default"]
    with pytest.raises(ImproperlyConfigured) as caught:
        connection.cursor()
    line = str(caught.value)
    assert ("STORM_STORES names no store" if check == "W008" else said) in line
    assert "secret" not in line and "\n" not in line


@pytest.mark.parametrize("command", COMMANDS, ids=first_word)
def test_each_command_tells(command: str, tmp_path: Path) -> None:
    settings, check, said = MISTAKES["a database that is no store"]
    output = manage(tmp_path, settings, command)
    assert said in output and "Traceback" not in output, output
    assert f"(storm_backend.{check})" in output or len(output.splitlines()) == 1, output


def test_a_host_is_refused_beside_a_store_that_models_have_been_loaded_for(tmp_path: Path) -> None:
    """Loading them is what makes the engine look at the entry."""
    for key in ("HOST", "PORT", "USER", "PASSWORD"):
        output = manage(tmp_path, database(**{key: "unlikely"}), "check")
        assert f"(storm_backend.E005) DATABASES['default'] has {key}, but only the store's URI" in output
        assert "unlikely" not in output


@pytest.mark.parametrize("command", ["migrate", "runserver --noreload 0", SHELL], ids=first_word)
def test_a_folder_that_is_not_there_is_named_where_it_is_wanted(command: str, tmp_path: Path) -> None:
    settings = stores({"main": f"sqlite:{tmp_path}/no/such/folder/db.sqlite3"})
    assert "(storm_backend.W011)" in manage(tmp_path, settings, "check", fails=False)
    output = manage(tmp_path, settings, command)
    assert f"FolderMissing: The folder '{tmp_path}/no/such/folder' is not there" in output.splitlines()[-1]
    assert "Traceback" not in output


def test_a_traceback_is_there_for_who_asks(tmp_path: Path) -> None:
    settings, _, said = MISTAKES["a database that is no store"]
    output = manage(tmp_path, settings, f"{SHELL} --traceback")
    assert "Traceback" in output and said in output


def manage(folder: Path, settings: dict[str, Any], command: str, fails: bool = True) -> str:
    """What the command says in a process of its own."""
    lines = ["from pathlib import Path, PosixPath", *(f"{key} = {value!r}" for key, value in settings.items())]
    (folder / "settings.py").write_text("\n".join(lines))
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")},
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        # What is said comes in its order.
        "PYTHONUNBUFFERED": "1",
    }
    arguments = [argument.replace("+", " ") for argument in command.split()]
    done = python("-m", "django", *arguments, cwd=folder, env=environment, merged=True)
    assert (done.returncode != 0) is fails, done.stdout
    return done.stdout
