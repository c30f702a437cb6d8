"""The tasks that the tests enqueue."""

from __future__ import annotations

import ast
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection
from django.utils.module_loading import import_string
from django_tasks_db.models import DBTaskResult
from transaction.interfaces import TransientError

from djintegrate import jobs
from djintegrate.jobs import task
from djintegrate.jobs.errors import PutOff
from djintegrate.storm_backend import get_store
from tests.apps.people.models import Person, Visit
from tests.apps.people.storm_models import StormPerson
from tests.settings import DB

failures_left = 0


@task
def add(name: str) -> str:
    """A row by each ORM."""
    Person.objects.create(name=f"{name} by Django")
    get_store("main").add(StormPerson(name=f"{name} by Storm"))
    return name


@task
def fail(name: str) -> None:
    add.func(name)
    raise ValueError(f"{name} cannot be done")


@task
def fail_a_few_times(name: str) -> None:
    global failures_left
    add.func(name)
    if failures_left:
        failures_left -= 1
        raise Retryable("once more")


@task
def fail_a_few_times_and_do_nothing(name: str) -> None:
    global failures_left
    if failures_left:
        failures_left -= 1
        raise Retryable("once more")


@task(takes_context=True)
def count_attempts(context: Any) -> int:
    fail_a_few_times_and_do_nothing.func("it")
    return int(context.attempt)


@task
def add_and_report_no_number(name: str) -> None:
    add.func(name)
    jobs.progress(float("nan"), 3)


@task
def give_what_is_no_json(name: str) -> Any:
    add.func(name)
    return object()


@task
def in_steps(names: list[str]) -> None:
    for name in names:
        with jobs.step():
            add.func(name)
            if name == "bad":
                raise ValueError("a bad name")


@task
def report(count: int) -> None:
    for done in range(count + 1):
        jobs.progress(done, count, f"row {done}")


@task
def wait_until_told(folder: str) -> str:
    """Writes, tells how far it is, and waits with its transaction open until it is asked to stop, or may go on."""
    Person.objects.create(name="waiting")
    jobs.progress(1, 2, "half of it")
    Path(folder, "begun").touch()
    while not Path(folder, "go").exists():
        if jobs.stop_requested() and not Path(folder, "deaf").exists():
            raise jobs.Stopped("as asked")
        time.sleep(0.02)
    return "went on"


@task
async def add_asynchronously(name: str) -> str:
    await Person.objects.acreate(name=name)
    return name


@task
def nothing() -> None:
    """What costs nothing itself."""


class Retryable(TransientError):
    """An error that Zope's transaction takes for worth another attempt."""


@task
def chain(names: list[str]) -> None:
    add.func(names[0])
    if names[1:]:
        chain.enqueue(names[1:])


@task
def step_and_fail_a_few_times(name: str) -> None:
    with jobs.step():
        add.func("step")
    fail_a_few_times.func(name)


@task
def step_and_lose_the_connection(name: str) -> None:
    global failures_left
    with jobs.step():
        Visit.objects.create(note="step")
    if failures_left:
        failures_left -= 1
        end = "SELECT pg_terminate_backend(pg_backend_pid())" if DB == "postgres" else "KILL CONNECTION_ID()"
        with suppress(DatabaseError):
            connection.cursor().execute(end)
    Visit.objects.create(note=name)


@task
def lose(then: str) -> None:
    """Another worker gets the job while this one runs it."""
    _in_a_thread(_give_away, then)
    add.func("it")


@task
def lose_between_steps() -> None:
    with jobs.step():
        add.func("first")
    _in_a_thread(_give_away, "taken")
    with jobs.step():
        add.func("second")


def _give_away(then: str) -> None:
    [row] = DBTaskResult.objects.all()
    if then == "gone":
        row.delete()
    elif then == "ready":
        DBTaskResult.objects.update(status="READY", started_at=None)
    else:
        row.claim("another")


def _in_a_thread(function: Any, *args: Any) -> None:
    """As another process would do it."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(function, *args).result()


@task
def say(message: str) -> None:
    jobs.progress(1, None, message)


@task
def ask_whether_to_stop() -> bool:
    return jobs.stop_requested()


@task
def report_and_fail(done: int, total: int) -> None:
    jobs.progress(done, total, "two")
    raise ValueError("no more")


@task
def echo(value: Any) -> Any:
    return value


@task
def give(what: str) -> Any:
    if what == "itself":
        value: list[Any] = []
        value.append(value)
        return value
    return {"x": {"a person": Person(name="Ada"), "no number": float("nan"), "a NUL": "a\0b"}[what]}


def _given(function: Any) -> Any:
    """A decorator that gives the function its first argument."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function("given", *args, **kwargs)

    return wrapper


@task
@_given
def decorated(first: str, value: str) -> str:
    return f"{first} {value}"


@task(takes_context=True)
def with_context(context: Any, value: str) -> str:
    return f"{context.attempt} {value}"


class Goodbye(jobs.Stopped):
    """A site's own."""


@task
def stop_with(words: str, own: bool = False) -> None:
    raise Goodbye(words) if own else jobs.Stopped(words)


@task
def put_off(times: int) -> None:
    """As often as that; what is in the way says so."""
    add.func("it")
    raise PutOff("It is too early.", [timedelta(minutes=10)] * times) from ConnectionError("the inside")


@task
def conflict_and_put_off() -> None:
    fail_a_few_times_and_do_nothing.func("it")
    raise PutOff("It is too early.", [timedelta(minutes=10)])


@task
def lose_and_put_off() -> None:
    _in_a_thread(_give_away, "taken")
    put_off.func(5)


@task
def fail_with(kind: str, escaped: str) -> None:
    raise import_string(kind)(_unescaped(escaped))


@task
def say_escaped(escaped: str, then_fail: bool) -> None:
    jobs.progress(1, None, _unescaped(escaped))
    if then_fail:
        raise ValueError("no more")


@task
def ask(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _unescaped(text: str) -> str:
    return str(ast.literal_eval(f'"{text}"'))


def _hidden() -> None:
    """No task: that has another name."""


under_another_name = task(_hidden)
