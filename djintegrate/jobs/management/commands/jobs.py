"""`manage.py jobs run|list|retry|stop`: the workers, and what is known of jobs."""

from __future__ import annotations

import logging
import os
from argparse import SUPPRESS, ArgumentTypeError
from contextlib import nullcontext
from copy import copy
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, router

from djintegrate.jobs import DatabaseBackend, OutboxBackend, catalogue, pid_file, supervisor, wording, worker
from djintegrate.jobs.models import Job, Lease
from djintegrate.jobs.outbox import unsent
from djintegrate.jobs.tasks import ALL_QUEUES, backends_of, task_backends
from djintegrate.jobs.texts import line


class Command(BaseCommand):
    help = "Runs jobs, and lists, stops and retries them."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        djangos = [_djangos_options(parser)]
        run = commands.add_parser("run", parents=djangos, help="run jobs until SIGTERM or Ctrl-C")
        run.add_argument("--workers", type=_count, default=1, help="processes that run jobs (default: %(default)s)")
        run.add_argument("--pidfile", type=Path, help="a file for the number of this process; held while it runs")
        run.add_argument("--backend", help="the entry of TASKS to work for (default: the first with workers)")
        run.add_argument("--queues", default=ALL_QUEUES, help="the queues, comma-separated (default: all)")
        run.add_argument("--interval", type=_seconds, default=1.0, help="seconds between looks at an empty queue")
        run.add_argument("--grace", type=_seconds, default=30.0, help="seconds that a job gets to finish after SIGTERM")
        run.add_argument(
            "--reload", action="store_true", default=settings.DEBUG, help="begin again when code changes (as DEBUG)"
        )
        run.add_argument("--no-reload", action="store_false", dest="reload")
        listing = commands.add_parser("list", parents=djangos, help="the latest jobs, the newest first")
        listing.add_argument("--limit", type=_count, default=20, help="how many of them (default: %(default)s)")
        for name, text in (
            ("stop", "keep a job from running, or ask it to stop"),
            ("retry", "run a job again that has failed or was stopped"),
        ):
            commands.add_parser(name, parents=djangos, help=text).add_argument("id", help="as in the list")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, options["command"])(options)

    def run(self, options: dict[str, Any]) -> None:
        backend = _backend(options["backend"])
        queues = _queues(backend, options["queues"])
        name, _, parent = os.environ.pop(supervisor.WORKER, "").partition(" ")
        self._log(options["verbosity"])
        if name:
            assert backend is not None
            with worker.only_news():
                worker.work(name, int(parent), backend, queues, options["interval"])
            return
        _refuse_without_tables()
        say = self._say if options["verbosity"] else _silent
        process = supervisor.Supervisor(backend, options["workers"], options["grace"], options["reload"], say, queues)
        try:
            with pid_file.held(options["pidfile"]) if options["pidfile"] else nullcontext():
                say(_greeting(backend, queues, options["workers"]))
                process.run()
        except pid_file.AlreadyRunning as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"--pidfile: {error}") from None
        say("Ended.")

    def list(self, options: dict[str, Any]) -> None:
        _refuse_without_tables()
        jobs = catalogue.recent(options["limit"])
        for job in jobs:
            when = f"{wording.here(job.enqueued_at):%Y-%m-%d %H:%M:%S}" if job.enqueued_at else ""
            about = f"  {line(said)}" if (said := f"{_about(job)}{_said(job)}".strip()) else ""
            self.stdout.write(f"{job.id}  {job.word:<10}  {when}  {job.name}{about}")
        if not jobs:
            self.stdout.write("There are no jobs.")
        if left := unsent():
            self.stdout.write(f"{left} not sent to their queue yet: `manage.py jobs run` sends what a crash has left.")

    def stop(self, options: dict[str, Any]) -> None:
        self._do(catalogue.stop, options["id"])

    def retry(self, options: dict[str, Any]) -> None:
        self._do(catalogue.retry, options["id"])

    def _do(self, action: Any, job_id: str) -> None:
        _refuse_without_tables()
        job = catalogue.find(job_id)
        if job is None:
            raise CommandError(f"There is no job {job_id!r}. `manage.py jobs list` shows the latest.")
        try:
            self.stdout.write(f"{job.name} {job.id}: {action(job)}")
        except catalogue.NotPossible as error:
            raise CommandError(str(error)) from None

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _log(self, verbosity: int) -> None:
        """One line for each job on this terminal, unless the site's LOGGING does something else with it."""
        ours = logging.getLogger("djintegrate.jobs")
        ours.setLevel([logging.CRITICAL, logging.INFO, logging.DEBUG][min(verbosity, 2)])
        if not ours.hasHandlers():
            handler = logging.StreamHandler(self.stdout)
            handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
            ours.addHandler(handler)
        # What the inner engine's worker says of its own beginning and end, this command says of all of them.
        logging.getLogger("django_tasks_db").setLevel(logging.ERROR)


def _djangos_options(parser: CommandParser) -> CommandParser:
    """The options that each command of Django's has: they may stand after the subcommand as well as before it."""
    options = CommandParser(add_help=False)
    for action in parser._actions:
        if action.option_strings and action.dest not in ("help", "version"):
            again = copy(action)
            # Where it is not given, what stood before the subcommand counts.
            again.default = SUPPRESS
            options._add_action(again)
    return options


def _refuse_without_tables() -> None:
    models: list[Any] = [Lease, Job]
    if backends_of(DatabaseBackend):
        models.append(apps.get_model("django_tasks_database", "DBTaskResult"))
    there = {alias: connections[alias].introspection.table_names() for alias in map(router.db_for_write, models)}
    names = [each._meta.db_table for each in models if each._meta.db_table not in there[router.db_for_write(each)]]
    if names:
        raise CommandError(f"The database has no table {', '.join(names)}. Run manage.py migrate.")
    if columns := [f"{each._meta.db_table}.{name}" for each in models for name in _columns_missing(each)]:
        raise CommandError(f"The database has no column {', '.join(columns)}. Run manage.py migrate.")


def _columns_missing(model: Any) -> list[str]:
    """Those of a later version than the table is."""
    connection = connections[router.db_for_write(model)]
    with connection.cursor() as cursor:
        there = {each.name for each in connection.introspection.get_table_description(cursor, model._meta.db_table)}
    return [field.column for field in model._meta.concrete_fields if field.column not in there]


def _backend(wanted: str | None) -> str | None:
    """The backend whose workers `jobs run` knows; None where the queue is outside of the database."""
    ours = {backend.alias: backend for backend in [*backends_of(DatabaseBackend), *backends_of(OutboxBackend)]}
    if wanted is not None and wanted not in ours:
        known = ", ".join(map(repr, ours)) or "none"
        raise CommandError(
            f"--backend is {wanted!r}. Make it an entry of TASKS with a backend of djintegrate.jobs: {known}."
        )
    if not ours:
        raise CommandError(
            'No entry of TASKS is a backend of djintegrate.jobs: set {"BACKEND": "djintegrate.jobs.DatabaseBackend"}.'
        )
    candidates = [ours[wanted]] if wanted is not None else list(ours.values())
    return next((each.alias for each in candidates if isinstance(each, DatabaseBackend)), None)


def _greeting(backend: str | None, queues: list[str], workers: int) -> str:
    if backend is None:
        return "Sending what the outbox has left; the queue's own workers run the jobs (with RQ: manage.py rqworker)."
    # An entry of TASKS and a queue may both be called "default".
    names = "all" if ALL_QUEUES in queues else ", ".join(queues)
    with_workers = f"{workers} worker{'s' if workers > 1 else ''}"
    return f"Running the jobs of {backend!r} with {with_workers}. Queues: {names}. Ctrl-C ends."


def _about(job: catalogue.Known) -> str:
    return f"  “{job.subject}” to {job.recipients}" if job.recipients else ""


def _said(job: catalogue.Known) -> str:
    if job.put_off and not job.is_finished:
        return f"  {wording.label(job)}: {wording.error(job)}"
    if said := wording.error(job) or (job.was_stopped and job.words):
        return f"  {said}"
    progress = job.progress
    if progress is None:
        return ""
    return (
        f"  {progress.done:g}"
        + (f" of {progress.total:g}" if progress.total else "")
        + f"  {progress.message}".rstrip()
    )


def _queues(backend: str | None, text: str) -> list[str]:
    """The queues that are named, each of which the backend has."""
    queues = [each.strip() for each in text.split(",")]
    known = task_backends[backend].queues if backend is not None else ()
    unknown = [each for each in queues if known and each != ALL_QUEUES and each not in known]
    if unknown or "" in queues:
        raise CommandError(
            f"--queues is {text!r}. Make it some of the queues of TASKS[{backend!r}], separated by commas, "
            f"or * for all: {', '.join(sorted(known)) or 'any name'}."
        )
    return queues


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 on.")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number of seconds.")
    return seconds


def _silent(text: str) -> None:
    """For --verbosity 0."""
