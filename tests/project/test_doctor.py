"""`python -m djintegrate doctor`: what is well, what is not, what to do; in processes with settings of their own."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import django
import pytest

from tests.support.forks import python

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
STORM_STORES = {"main": %(uri)r}
DATABASES = {"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}}
INSTALLED_APPS = ["djintegrate.storm_backend"]
MIDDLEWARE = ["djintegrate.storm_backend.middleware.ZopeTransactionMiddleware"]
SECRET_KEY = "of no site"
USE_TZ = True
"""


def doctor(folder: Path, *arguments: str, settings: str = "") -> subprocess.CompletedProcess[str]:
    if settings:
        (folder / "site_settings.py").write_text(settings)
        (folder / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")\n')
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    environment["PYTHONPATH"] = str(ROOT)
    return python("-m", "djintegrate", "doctor", *arguments, cwd=folder, env=environment)


def said_by(folder: Path, settings: str) -> str:
    """What it says of a site that is not well, without its line breaks."""
    done = doctor(folder, settings=settings)
    assert (done.returncode, done.stderr) == (1, "")
    return " ".join(done.stdout.split())


def test_a_site_that_is_well_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "site.sqlite3").touch()
    done = doctor(tmp_path, settings=SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"})
    assert "!!" not in done.stdout
    assert "site_settings, with Django" in done.stdout
    assert "SQLite" in done.stdout and "answers" in done.stdout
    assert done.stdout.endswith("All is well.\n")
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("uri", "said", "remedy"),
    [
        ("sqlite:/no/such/folder/site.sqlite3", "'/no/such/folder' is not there", "Make it"),
        ("oracle://x", "oracle", "STORM_STORES['main']"),
        ("postgre://user@host/site", "Did you mean postgres?", "Correct the URI."),
        ("postgres://user@host:54x/site", "the port is not a number", "Correct the URI."),
    ],
)
def test_a_store_that_cannot_be_reached_is_said_with_the_remedy(
    tmp_path: Path, uri: str, said: str, remedy: str
) -> None:
    text = said_by(tmp_path, SETTINGS % {"uri": uri})
    assert "!!" in text and said in text and remedy in text
    assert "!! store main" in text and "TypeError" not in text


ENTRY = "DATABASES['default']"


@pytest.mark.parametrize(
    ("wrong", "said", "by"),
    [
        (f"{ENTRY}['HOST'] = 'localhost'", "Move it to the URI in STORM_STORES['main'].", "storm_backend.E005"),
        (f"{ENTRY}['ENGINE'] += 's'", "Did you mean djintegrate.storm_backend?", "database default"),
        ("STORM_STORES['main'] = {'URI': 'sqlite:/x', 'SHCEMA': 'x'}", "Did you mean SCHEMA?", "storm_backend.E001"),
        ("STORM_STORES['main'] = 'sqlite:/x?mode=ro'", "the unknown option 'mode'", "storm_backend.E002"),
        ("STORM_STORES['main'] = {'URI': URI, 'SCHEMA': 'no.such'}", "which cannot be imported", "storm_backend.E009"),
        (
            "STORM_STORES['main'] = 'mysql://u@host/x'; sys.modules['MySQLdb'] = None",
            'Run: python -m pip install "djintegrate[mysql]"',
            "storm_backend.E003",
        ),
    ],
)
def test_a_mistake_is_said_once_with_what_corrects_it(tmp_path: Path, wrong: str, said: str, by: str) -> None:
    (tmp_path / "site.sqlite3").touch()
    uri = f"sqlite:{tmp_path}/site.sqlite3"
    text = said_by(tmp_path, f"{SETTINGS % {'uri': uri}}import sys\nURI = {uri!r}\n{wrong}\n")
    assert text.count(said) == 1
    assert f"See `{by}` above." in text
    assert "what a check says above" not in text


@pytest.mark.parametrize(
    ("wrong", "said", "remedy"),
    [
        (
            f"{ENTRY}['ENGINE'] = 'djintegrate.storm_bakend'",
            "'djintegrate.storm_bakend' isn't an available database backend or couldn't be imported.",
            "Correct DATABASES['default']['ENGINE']. Did you mean djintegrate.storm_backend?",
        ),
        (
            "INSTALLED_APPS[0] += 's'",
            "No module named 'djintegrate.storm_backends'",
            "Correct 'djintegrate.storm_backends' in INSTALLED_APPS. Did you mean djintegrate.storm_backend?",
        ),
    ],
)
def test_a_slip_over_which_django_does_not_start_is_asked_about(
    tmp_path: Path, wrong: str, said: str, remedy: str
) -> None:
    settings = SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"}
    text = said_by(tmp_path, f"{settings}{wrong}\nINSTALLED_APPS.append('django.contrib.contenttypes')\n")
    assert f"{said} {remedy}" in text
    assert "the above exception" not in text


@pytest.mark.parametrize("more", ["", f"{ENTRY} = {{'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}"])
def test_a_database_in_memory_is_not_to_be_migrated(tmp_path: Path, more: str) -> None:
    settings = SETTINGS % {"uri": "sqlite::memory:"}
    text = said_by(tmp_path, f"{settings}INSTALLED_APPS.append('django.contrib.contenttypes')\n{more}\n")
    assert "!! migrations Not known for 'default': it is in memory" in text
    assert "To keep anything, name a file: " + ("DATABASES" if more else "STORM_STORES") in text
    assert "manage.py migrate" not in text


def test_an_app_that_is_not_installed_is_said_and_not_what_fails_for_it(tmp_path: Path) -> None:
    (tmp_path / "site.sqlite3").touch()
    (tmp_path / "site_urls.py").write_text("from djintegrate.jobs.models import Job\nurlpatterns = []\n")
    settings = (
        SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"}
        + """
MIDDLEWARE.append("djintegrate.jobs.middleware.JobsMiddleware")
ROOT_URLCONF = "site_urls"
"""
    )
    text = said_by(tmp_path, settings)
    assert "Add 'djintegrate.jobs' to INSTALLED_APPS." in text
    assert text.count("!!") == 2 and "app_label" not in text


@pytest.mark.parametrize("atomic", [False, True])
def test_a_database_that_is_outside_of_a_requests_transaction_is_named(tmp_path: Path, atomic: bool) -> None:
    for name in ("site", "other"):
        (tmp_path / f"{name}.sqlite3").touch()
    other = {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{tmp_path}/other.sqlite3", "ATOMIC_REQUESTS": atomic}
    settings = SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"} + f"DATABASES['other'] = {other}\n"
    done = doctor(tmp_path, settings=settings)
    assert done.returncode == 0
    assert ("ok database other It is not on" in " ".join(done.stdout.split())) == (not atomic)


def test_migrations_that_wait_in_another_database_are_said(tmp_path: Path) -> None:
    for name in ("site", "second"):
        (tmp_path / f"{name}.sqlite3").touch()
    (tmp_path / "routers.py").write_text("""
class Router:
    def allow_migrate(self, db, app_label, **hints):
        return db == "default"
""")
    settings = (
        SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"}
        + f"""
STORM_STORES["second"] = "sqlite:{tmp_path}/second.sqlite3"
DATABASES["second"] = {{"ENGINE": "djintegrate.storm_backend", "NAME": "second"}}
INSTALLED_APPS.append("django.contrib.contenttypes")
"""
    )
    text = said_by(tmp_path, settings)
    assert "not applied yet in 'default', of contenttypes. Run: python manage.py migrate" in text
    assert "not applied yet in 'second', of contenttypes. Run: python manage.py migrate --database second; or" in text
    text = said_by(tmp_path, settings + "DATABASE_ROUTERS = ['routers.Router']\n")
    assert "ok migrations None concerns 'second': the routers keep the models out of it." in text


def test_the_schema_comes_before_the_column_that_points_into_it(tmp_path: Path) -> None:
    files = {
        "__init__": "CREATES = ['CREATE TABLE publisher (id INTEGER PRIMARY KEY)']\nDROPS = DELETES = []\n",
        "patch_1": "def apply(store): pass\n",
        "storm_models": "from storm.locals import Int\nclass Publisher:\n"
        "    __storm_table__ = 'publisher'\n    id = Int(primary=True)\n",
        "models": "from django.db import models\nfrom djintegrate.storm_backend.references import StormForeignKey\n"
        "class Contract(models.Model):\n"
        "    publisher = StormForeignKey('catalog.storm_models.Publisher', models.CASCADE)\n",
    }
    (tmp_path / "catalog").mkdir()
    for name, content in files.items():
        (tmp_path / "catalog" / f"{name}.py").write_text(content)
    settings = (
        SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"}
        + """
STORM_STORES["main"] = {"URI": STORM_STORES["main"], "SCHEMA": "catalog"}
INSTALLED_APPS += ["django.contrib.contenttypes", "catalog"]
"""
    )
    order = "Run: python manage.py storm_schema apply main, then migrate"
    assert order in said_by(tmp_path, settings)
    (tmp_path / "site.sqlite3").touch()
    text = said_by(tmp_path, settings)
    assert f"Its schema is not there. {order}" in text
    assert "Run, in this order: python manage.py storm_schema apply main; python manage.py migrate" in text
    with closing(sqlite3.connect(tmp_path / "site.sqlite3")) as connection:
        connection.execute("CREATE TABLE patch (version INTEGER PRIMARY KEY)")
    assert f"Patches wait: 1. {order}" in said_by(tmp_path, settings)
    with closing(sqlite3.connect(tmp_path / "site.sqlite3")) as connection, connection:
        connection.executemany("INSERT INTO patch VALUES (?)", [(1,), (7,)])
    text = said_by(tmp_path, settings)
    assert "Patches are applied that the code does not have: 7." in text
    assert "of contenttypes. Run: python manage.py migrate" in text


def test_it_makes_no_file_and_says_that_there_is_none(tmp_path: Path) -> None:
    native = '"other": {"ENGINE": "django.db.backends.sqlite3", "NAME": "%s/other.sqlite3"}' % tmp_path  # noqa: UP031
    settings = SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"}
    settings += f"STORM_STORES['archive'] = 'sqlite:{tmp_path}/archive.sqlite3'\nDATABASES |= {{{native}}}\n"
    text = said_by(tmp_path, settings)
    for name in ("site", "archive", "other"):
        assert f"The file '{tmp_path}/{name}.sqlite3' is not there yet." in text
    assert "store archive" in text and "Run: python manage.py migrate" in text
    assert list(tmp_path.glob("*.sqlite3*")) == []


def test_it_changes_nothing_of_a_file_that_is_there(tmp_path: Path) -> None:
    file = tmp_path / "site.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE thing (id INTEGER)")
    before = file.read_bytes()
    doctor(tmp_path, settings=SETTINGS % {"uri": f"sqlite:{file}?journal_mode=wal"})
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.glob("*.sqlite3*")] == ["site.sqlite3"]


def test_a_store_that_only_storm_uses_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "site.sqlite3").touch()
    (tmp_path / "archive.sqlite3").touch()
    settings = SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"}
    done = doctor(tmp_path, settings=settings + f"STORM_STORES['archive'] = 'sqlite:{tmp_path}/archive.sqlite3'\n")
    lines = [line for line in done.stdout.splitlines() if "Storm's alone" in line]
    assert len(lines) == 1 and lines[0].startswith("ok  store archive")


def test_an_app_that_is_not_installed_is_said(tmp_path: Path) -> None:
    (tmp_path / "site.sqlite3").touch()
    settings = SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"} + "INSTALLED_APPS = []\n"
    text = said_by(tmp_path, settings)
    assert "Add 'djintegrate.storm_backend' to INSTALLED_APPS." in text
    without_engine = "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n"
    text = said_by(tmp_path, settings + without_engine)
    assert "Add 'djintegrate.storm_backend' to INSTALLED_APPS." in text
    text = said_by(tmp_path, settings + without_engine + "MIDDLEWARE = []\n")
    assert "(STORM_STORES), which is not in INSTALLED_APPS" in text


def test_a_path_that_cannot_be_imported_is_said(tmp_path: Path) -> None:
    (tmp_path / "site.sqlite3").touch()
    settings = SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"}
    text = said_by(tmp_path, settings + "MIDDLEWARE.append('no.such.Middleware')\n")
    assert "'no.such.Middleware' cannot be imported: No module named 'no'" in text


def test_a_store_that_is_told_of_below_is_named(tmp_path: Path) -> None:
    text = said_by(tmp_path, SETTINGS % {"uri": "postgres://user@127.0.0.1:1/site"})
    assert "See `store main` below." in text and "!! store main" in text


@pytest.mark.parametrize("broken", ["raise RuntimeError('odd')", "from nowhere import nothing", "1 +"])
def test_an_app_that_cannot_be_loaded_is_one_line(tmp_path: Path, broken: str) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "models.py").write_text(broken)
    settings = SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"}
    text = said_by(tmp_path, settings + "INSTALLED_APPS.append('shop')\n")
    assert text.startswith("!! settings site_settings: ") and "Correct the settings, or the app 'shop'." in text


def test_a_part_that_fails_is_a_line_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "site.sqlite3").touch()
    (tmp_path / "shop.py").write_text("""
from django.core import checks

@checks.register
def fails(**kwargs):
    raise ZeroDivisionError("odd")

@checks.register
def warns(**kwargs):
    return [checks.Warning("Closed.", hint="Open it.", id="shop.W001")]
""")
    settings = SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"}
    text = said_by(tmp_path, settings + "import sys\nsys.path.append('.')\nINSTALLED_APPS.append('shop')\n")
    assert "!! checks ZeroDivisionError: odd" in text
    assert "!! shop.W001 Closed. Open it." in text
    assert "ok store main" in text


def test_settings_that_cannot_be_imported_end_in_a_line(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--settings", "no_such.settings")
    assert "no_such" in done.stdout and "Correct the settings, or their name." in done.stdout
    assert done.returncode == 1


def test_a_package_that_this_one_takes_the_place_of_is_told_by_its_new_name(tmp_path: Path) -> None:
    (tmp_path / "old_site.py").write_text("import django_openid_auth.auth")
    said = doctor(tmp_path, "--settings", "old_site").stdout
    assert 'Write "djintegrate.openid_auth" instead' in said


def test_without_settings_it_asks_for_them(tmp_path: Path) -> None:
    done = doctor(tmp_path)
    assert "--settings mysite.settings" in " ".join(done.stdout.split())
    assert done.returncode == 1


def test_the_commands_that_it_says_name_the_settings_that_it_was_given(tmp_path: Path) -> None:
    settings = SETTINGS % {"uri": f"sqlite:{tmp_path}/site.sqlite3"}
    assert "python manage.py migrate --settings" not in said_by(tmp_path, settings)
    done = doctor(tmp_path, "--settings", "site_settings")
    assert "Run: python manage.py migrate --settings site_settings" in " ".join(done.stdout.split())


JOBS = """
SECRET_KEY = "of no site"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": %(folder)r + "/site.sqlite3"}}
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "djintegrate.jobs", "django_tasks_db"]
TASKS = {"default": {"BACKEND": %(backend)r}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": %(cache)r}}
ROOT_URLCONF = "site_urls"
"""


def jobs_site(folder: Path, **values: str) -> str:
    settings = JOBS % {
        "folder": str(folder), "backend": "djintegrate.jobs.DatabaseBackend", "cache": f"{folder}/cache", **values,
    }  # fmt: skip
    settings += values.get("more", "")
    (folder / "site_settings.py").write_text(settings)
    (folder / "site_urls.py").write_text("from djintegrate.jobs.mail import send_message\nurlpatterns = []\n")
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "site_settings", "PYTHONPATH": f"{ROOT}:{folder}"}
    if "backend" not in values:
        done = python("-m", "django", "migrate", "-v0", "--skip-checks", env=environment)
        assert done.returncode == 0, done.stderr
    return said_by(folder, settings)


def test_a_folder_of_the_cache_that_cannot_be_used_is_said_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    text = jobs_site(tmp_path, cache=f"{tmp_path}/file/cache")
    assert "!! jobs The cache 'default' cannot be used: NotADirectoryError" in text
    assert f"correct CACHES['default']['LOCATION'], which is '{tmp_path}/file/cache'" in text
    assert text.count("Not a directory") == 1 and "!! checks See `jobs` above." in text


def test_of_a_cache_that_is_unfit_for_jobs_only_that_is_said(tmp_path: Path) -> None:
    dummy = "CACHES = {'default': {'BACKEND': 'django.core.cache.backends.dummy.DummyCache'}}\n"
    text = jobs_site(tmp_path, more=dummy)
    assert "!! jobs.E002 JOBS_CACHE is 'default', a DummyCache" in text
    assert "LOCATION'" not in text and "forgets" not in text


def test_a_misspelt_backend_of_jobs_is_said_though_the_addresses_import_a_task(tmp_path: Path) -> None:
    text = jobs_site(tmp_path, backend="djintegrate.jobs.DatabaseBackendX")
    assert "!! jobs.E003" in text and text.count("Did you mean djintegrate.jobs.DatabaseBackend?") == 1


@pytest.mark.parametrize("backend", ["", "%s.backends.immediate.ImmediateBackend"])
def test_where_no_backend_runs_jobs_later_nobody_is_told_to_run_them(tmp_path: Path, backend: str) -> None:
    (tmp_path / "site.sqlite3").touch()
    tasks = "django.tasks" if django.VERSION >= (6,) else "django_tasks"
    entry = {"default": {"BACKEND": backend % tasks}} if backend else {}
    text = jobs_site(tmp_path, backend="", more=f"TASKS = {entry}\n" if entry else "del TASKS\n")
    assert "!! jobs.W002" in text
    assert "Nobody runs them" not in text and "jobs run" not in text
