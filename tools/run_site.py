"""What `make run` does once `.venv` is ready: makes tables and sample data, builds Dojo, serves testproject, runs jobs.

It says each step. A second run finds all of it done, and changes no data. Makes a sample administrator, but only in
DEBUG and in a database on this machine that has none.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import django
import transaction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone
from storm.uri import URI

from tools import site_database, site_dojo

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
SAMPLE = "admin"


def main() -> None:
    os.chdir(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testproject.settings")
    port = _free_port(os.environ.get("PORT") or "8000")
    try:
        django.setup()
        uri = site_database.location(settings.STORM_STORES["main"]["URI"])
    except ImproperlyConfigured as error:
        sys.exit(f"The site cannot start. {error}")
    settings.VAR.mkdir(parents=True, exist_ok=True)
    # Before Dojo, which takes minutes: who has named a wrong database is told at once.
    _make_tables(uri)
    _make_samples(f"http://{HOST}:{port}/provider/")
    site_dojo.prepare(lambda text: _say("Dojo", text))
    print(_greeting(port, uri), flush=True)
    sys.exit(_serve(["runserver", f"{HOST}:{port}"], ["jobs", "run", "--grace", "5"]))


def _serve(site: list[str], workers: list[str]) -> int:
    """The site, and beside it those who run its jobs. They end together."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: sys.exit(0))
    # Sessions of their own: Ctrl-C reaches this process alone, so each of them is asked to end once.
    processes = [
        subprocess.Popen([sys.executable, "manage.py", *command], start_new_session=True) for command in (site, workers)
    ]
    try:
        return processes[0].wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _make_tables(uri: URI) -> None:
    _say("Tables", f"{site_database.place(uri)}: Django's migrations, then Storm's patches")
    try:
        call_command("migrate", verbosity=0)
        call_command("storm_schema", "apply", "main", verbosity=0)
    except (DatabaseError, ImproperlyConfigured) as error:
        sys.exit(site_database.explained(uri, error))


def _make_samples(provider: str) -> None:
    from testproject.sprints import sample

    with transaction.manager:
        made = sample.make_sprints(timezone.localdate())
        if provider == settings.OPENID_SSO_SERVER_URL:
            sample.make_identities(provider)
    _say("Sample data", "people, sprints and sessions" if made else "there are sprints already; nothing is changed")


def _say(step: str, text: str) -> None:
    print(f"{step}: {text}", flush=True)


def _greeting(port: int, uri: URI) -> str:
    address = f"http://{HOST}:{port}/"
    return f"""
  The sprint scheduler:  {address}
  Sign in as anybody:    {address}openid/login/   (ada schedules, bruno proposes, chiara is on the staff)
  Join a team:           {address}provider/
  The admin:             {address}admin/   {_sign_in(uri)}

  Ctrl-C ends it. Elsewhere: make run PORT=8001 DATABASE_URL=postgres://user:password@host/database
"""


def _sign_in(uri: URI) -> str:
    from django.contrib.auth import get_user_model

    users = get_user_model().objects
    sample = users.filter(username=SAMPLE, is_superuser=True).first()
    if sample is not None and sample.check_password(SAMPLE):
        return f"(user {SAMPLE}, password {SAMPLE})"
    if users.filter(is_superuser=True).exists():
        return "(with the administrator you made)"
    if not (settings.DEBUG and site_database.is_local(uri)):
        return "(make yourself one: .venv/bin/python manage.py createsuperuser)"
    users.create_superuser(SAMPLE, "", SAMPLE)
    return f"(user {SAMPLE}, password {SAMPLE}, made for you)"


def _free_port(text: str) -> int:
    if not (text.isdigit() and 0 < int(text) < 65536):
        sys.exit(f"PORT is {text!r}. Make it a number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(text)))
        except OSError as error:
            other = int(text) + 1
            sys.exit(f"Port {text} on {HOST} cannot be used ({error.strerror}). Try another: make run PORT={other}")
    return int(text)


if __name__ == "__main__":
    main()
