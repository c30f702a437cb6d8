"""A task runs in a transaction of its own: Zope's, with both ORMs in it, and natively Django's as well.

That the job is done is written in the same transaction. So a worker that is killed leaves a job that is done with all
that it wrote, or one that runs again and has written nothing; and a worker that lost its job in the meantime commits
nothing.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

import transaction
from asgiref.sync import sync_to_async
from django.db import close_old_connections, connections, router
from django.db.transaction import Atomic
from django.utils import timezone
from django_tasks_db.utils import retry

from djintegrate.common.engine import is_engines

from . import conf, putting_off, reports, texts, values
from .errors import JobLost, PutOff, Stopped
from .tasks import USING, Status, Task, name_of, refuse_wrong_kinds

T = TypeVar("T")

logger = logging.getLogger("djintegrate.jobs")

STOPPED = f"{Stopped.__module__}.{Stopped.__qualname__}"
"""What the row of a job that has stopped has for the class of its error."""

LONGEST_PAUSE = 0.5
"""Seconds before a job runs again after a retryable error, at most."""

CONNECTION_ERRORS = {"OperationalError", "InterfaceError", "DisconnectionError"}
"""What a lost connection raises in Django, in Storm, which need not be in use here, and in the drivers."""

MYSQL_ENDS = {1053, 1927}
POSTGRESQL_ENDS = {"57P01", "57P02", "57P03"}
"""A server that ends, and a connection that it has ended."""

MYSQL_PASSING = MYSQL_ENDS | {1020, 1040, 1205, 1213}
"""Of what MariaDB's server calls so: these, conflicts, and too many connections."""

_started: ContextVar[Any] = ContextVar("started", default=None)
_run: ContextVar[Run | None] = ContextVar("run", default=None)


class TransactionalTask(Task):
    """What `@task` makes for the backends of this app. Whatever worker calls it, the call is one transaction."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return run(lambda: super(TransactionalTask, self).call(*args, **kwargs))

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(self.call)(*args, **kwargs)

    def using(self, **changes: Any) -> Any:
        # A row does this whenever it is asked for its task, which mostly is as the code has it: no need for a copy,
        # which would be validated once more.
        if all(name in USING and (each is None or each == getattr(self, name)) for name, each in changes.items()):
            return self
        refuse_wrong_kinds(self, changes)
        return super().using(**changes)

    do_not_call_in_templates = True

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            f"{self.name} is a task, and is not called like a function. {self.name}.enqueue(…) has a worker run it; "
            f"{self.name}.call(…) runs it here, in a transaction of its own, and {self.name}.func(…) is its function."
        )


def note_start(sender: Any, task_result: Any, **kwargs: Any) -> None:
    """Receiver of task_started: a worker is about to call this job's task."""
    _started.set(task_result)


def run(call: Callable[[], T]) -> T:
    """Call the function of a task in a transaction; again in a new one after an error that is worth it."""
    result = _started.get()
    _started.set(None)
    reporter = None if result is None else reports.Reporter(result.id)
    value: Any = None
    most = conf.attempts()
    for left in reversed(range(most)):
        attempt = Run(result, reporter, is_again=left + 1 < most)
        try:
            with attempt.current(), reports.reporting(reporter):
                value = call()
                attempt.finish(value)
            break
        except BaseException as error:
            again = left and attempt.may_run_again(error)
            attempt.abort()
            if attempt.has_succeeded_after_all():
                break
            if isinstance(error, PutOff) and result is not None and attempt.put_off(result, error):
                break
            if not again:
                attempt.leave_failure_to_worker()
                if result is not None and attempt.row is None:
                    texts.escape(error)
                if isinstance(error, PutOff) and error.__cause__ is not None:
                    raise error.__cause__ from error.__cause__.__cause__
                raise
            _say_again(result, error)
            _count_again(result)
            time.sleep(random.uniform(0, LONGEST_PAUSE))
    return value


@contextmanager
def step() -> Iterator[None]:
    """In a task: the block is committed when it ends, and whatever came before is committed when it begins.

    A job that has committed a step runs again by itself only if a worker was killed or a connection lost, and then from
    its beginning. Outside of a task the block does nothing.
    """
    job = _run.get()
    if job is None:
        yield
        return
    job.go_on()
    yield
    job.go_on()


class Run:
    """One attempt at a job, from transaction to transaction."""

    def __init__(self, result: Any, reporter: reports.Reporter | None, is_again: bool = False) -> None:
        # Those who are called without a worker, as in a test, have no result, and other queues' results have no row.
        self.row: Any = getattr(result, "db_result", None)
        self._reporter = reporter
        self._is_again = is_again
        self._block: Atomic | None = None
        self._has_committed = False

    @contextmanager
    def current(self) -> Iterator[None]:
        token = _run.set(self)
        self._begin()
        try:
            yield
        finally:
            _run.reset(token)

    def go_on(self) -> None:
        """Commit, and begin the next transaction."""
        self._claim(started_at=self.row and self.row.started_at)
        self._commit()
        self._has_committed = True
        self._begin()

    def finish(self, value: Any) -> None:
        """Commit, together with the job's success."""
        value = values.result(value)
        # Where nobody took part, there is nothing to keep in step with: the worker writes the success by itself.
        notes_success = self.row is not None and not self._is_untouched()
        if notes_success:
            self._note_success(value)
        self._commit()
        if notes_success:
            # The worker says the same once more, which would be one more commit.
            self.row.set_successful = _nothing

    def abort(self) -> None:
        if self._block is not None:
            self._leave_block(RuntimeError("The job is aborted."))
        transaction.abort()
        # One that is lost is replaced.
        close_old_connections()

    def may_run_again(self, error: BaseException) -> bool:
        if self._has_committed:
            # What its steps have done is done once more then, as after a worker was killed.
            return _is_lost(error)
        # Whether a conflict is worth another attempt, a data manager knows only before the abort.
        return bool(transaction.get().isRetryableError(error)) or _is_of_the_connection(error)

    def has_succeeded_after_all(self) -> bool:
        """Whether the connection was lost when the commit had reached the database."""
        if self.row is None or not self._as_taken().filter(status=Status.SUCCESSFUL).exists():
            return False
        self.row.set_successful = _nothing
        return True

    def put_off(self, result: Any, error: PutOff) -> bool:
        """Have the same job run again later, unless it has been put off often enough."""
        if self.row is None:
            # It brings the models, which are not loaded when this module is.
            from . import outbox

            return outbox.put_off(result.id, error)
        kept = self.row.args_kwargs
        until = putting_off.moment(error, kept)
        if until is None:
            return False
        fields = {
            "status": Status.READY,
            "started_at": None,
            "run_after": until,
            # Those that were killed count. This one was not.
            "worker_ids": [],
            "args_kwargs": putting_off.noted(error, kept, begun=len(self.row.worker_ids)),
        }
        if _is_asked_to_stop(result.id):
            fields = _stopped(error.reason)
        if retry()(self._mine().update)(**fields):
            for name, field in fields.items():
                setattr(self.row, name, field)
        self.row.set_successful = _nothing
        return True

    def _write_failed(self, error: BaseException) -> None:
        """As the worker would, in words that every database keeps; if the job has stopped, with the task's own."""
        fields = _stopped(str(error)) if isinstance(error, Stopped) else _failed(error)
        fields |= self._begun()
        for name, field in fields.items():
            setattr(self.row, name, field)
        self.row.save(update_fields=list(fields))

    def leave_failure_to_worker(self) -> None:
        """The worker writes that the job has failed, unless it is another's by now. How far it came stays as well."""
        if self.row is None:
            return
        fields = self._last_progress()
        is_mine = self._mine().update(**fields) if fields else self._mine().exists()
        self.row.set_failed = retry()(self._write_failed) if is_mine else _nothing

    def _is_untouched(self) -> bool:
        # Natively nobody knows whether a transaction of Django's has had a statement.
        return (
            self._block is None and not self._last_progress() and not self._begun() and not transaction.get()._resources
        )

    def _note_success(self, value: Any) -> None:
        fields = {
            "status": Status.SUCCESSFUL,
            "finished_at": timezone.now(),
            "return_value": value,
            "exception_class_path": "",
            "traceback": "",
            **self._last_progress(),
            **self._begun(),
        }
        self._claim(**fields)
        for name, field in fields.items():
            setattr(self.row, name, field)

    def _last_progress(self) -> dict[str, Any]:
        """As a field of the row, if anything was reported."""
        if self._reporter is None or self._reporter.last is None:
            return {}
        return {"args_kwargs": {**self.row.args_kwargs, "progress": self._reporter.last.as_json()}}

    def _begun(self) -> dict[str, Any]:
        """By whom the job was begun, as a field of the row, if this is not the first time that this worker does.

        It is written with the end. While the job runs, a row counts the workers that it may have killed.
        """
        return {"worker_ids": self.row.worker_ids} if self._is_again else {}

    def _claim(self, **fields: Any) -> None:
        """Change the job's row, if it is still as this worker took it; its lock is held until the commit."""
        if self.row is not None and not self._mine().update(**fields):
            raise JobLost(f"Job {self.row.pk} has been given to another worker; nothing of this run is kept.")

    def _mine(self) -> Any:
        return self._as_taken().filter(status=Status.RUNNING)

    def _as_taken(self) -> Any:
        """The row, unless another worker has taken it since: the moment of that tells the two apart."""
        # Not from a replica, which may not know of it yet.
        rows = type(self.row).objects.using(self._alias())
        return rows.filter(pk=self.row.pk, started_at=self.row.started_at)

    def _begin(self) -> None:
        transaction.begin()
        alias = self._alias()
        if not is_engines(connections[alias]):
            self._block = Atomic(alias, savepoint=True, durable=False)
            self._block.__enter__()

    def _commit(self) -> None:
        if self._block is not None:
            self._leave_block(None)
        transaction.commit()

    def _leave_block(self, error: BaseException | None) -> None:
        block, self._block = self._block, None
        assert block is not None
        block.__exit__(type(error) if error else None, error, None)

    def _alias(self) -> str:
        return router.db_for_write(type(self.row)) if self.row is not None else "default"


def _is_of_the_connection(error: BaseException) -> bool:
    """Whether the connection was lost, or in use by others. On SQLite "no such column" has the same class."""
    driver = _driver_error(error)
    if isinstance(driver, sqlite3.Error):
        return any(word in str(_code(driver)) for word in ("locked", "busy"))
    return driver is not None and _is_no_other(driver, MYSQL_PASSING)


def _is_lost(error: BaseException) -> bool:
    """Whether the connection was lost, for which there is no code of the server's, or one that says so."""
    driver = _driver_error(error)
    if driver is None or isinstance(driver, sqlite3.Error):
        return False
    state = getattr(driver, "sqlstate", None) or getattr(driver, "pgcode", None)
    if state is not None:
        return state[:2] == "08" or state in POSTGRESQL_ENDS
    return _is_no_other(driver, MYSQL_ENDS)


def _driver_error(error: BaseException) -> BaseException | None:
    """What the driver has raised, if it is of a class for lost connections. Django and Storm raise theirs from it."""
    is_of_class = any(kind.__name__ in CONNECTION_ERRORS for kind in type(error).__mro__)
    return (error.__cause__ or error) if is_of_class else None


def _is_no_other(driver: BaseException, codes: set[int]) -> bool:
    """Whether it is none of MariaDB's server, or one of these. Its client has the numbers from 2000 on, and 0."""
    code = _code(driver)
    return not isinstance(code, int) or code in codes or not 1000 <= code < 2000


def _code(driver: BaseException) -> Any:
    return driver.args[0] if driver.args else None


def _failed(error: BaseException) -> dict[str, Any]:
    """The fields of a row whose job has failed."""
    return _ended(texts.path_of(error), texts.traceback_of(error))


def _stopped(words: str) -> dict[str, Any]:
    """The same of one that has stopped: it has words, and no traceback."""
    return _ended(STOPPED, f"{STOPPED}: {texts.readable(words)}")


def _ended(path: str, traceback: str) -> dict[str, Any]:
    return {
        "status": Status.FAILED,
        "finished_at": timezone.now(),
        "return_value": None,
        "exception_class_path": path,
        "traceback": traceback,
    }


def _is_asked_to_stop(job: str) -> bool:
    # A cache that does not answer keeps no job from being put off.
    with suppress(Exception):
        return reports.stop_asked_of(job)
    return False


def _say_again(result: Any, error: BaseException) -> None:
    if result is not None:
        name = name_of(result.task.module_path)
        said = texts.line(f"{type(error).__name__}: {error}")
        logger.warning("%s %s: runs again after %s", name, result.id, said)


def _count_again(result: Any) -> None:
    """A row has the workers that have begun its job, and so this one once more. A task's context counts them too."""
    row = getattr(result, "db_result", None)
    if row is not None:
        row.worker_ids = [*row.worker_ids, *row.worker_ids[-1:]]
        # It is frozen, as Django's results are, which do the same when they are refreshed.
        object.__setattr__(result, "worker_ids", row.worker_ids)


def _nothing(*args: Any) -> None:
    """In the place of a method of a worker's row, which has nothing left to write."""
