"""What may be an argument and a result, and what is said of the rest: of which task, which argument, and what to do."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.utils import timezone
from django.utils.safestring import SafeString
from django_tasks_db.models import DBTaskResult

from djintegrate.jobs import catalogue
from djintegrate.jobs.models import Job
from tests.apps.people.models import Person
from tests.jobs import tasks
from tests.jobs.helpers import JOBS, only_row, work

pytest_plugins = ["tests.support.fixtures"]
pytestmark = JOBS

ENDLESS: list[Any] = []
ENDLESS.append({"again": ENDLESS})
BACKENDS = ["default", "outbox"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("argument", "error", "said"),
    [
        (Person(name="Ada"), TypeError, "value is a Person, an object of the database: give its id"),
        ([{"who": Person(name="Ada")}], TypeError, "value[0]['who'] is a Person"),
        (float("nan"), ValueError, "value is nan, which JSON does not know"),
        ({"far": [1.0, float("inf")]}, ValueError, "value['far'][1] is inf"),
        ({1: 2}, TypeError, "value has the key 1, which JSON would make text"),
        ([{"x": {2: 3}}], TypeError, "value[0]['x'] has the key 2"),
        (b"bytes", TypeError, "value is bytes"),
        (Decimal("1.5"), TypeError, "value is a Decimal, which JSON does not know. It may be text, "),
        ({1, 2}, TypeError, "value is a set"),
        ("a\0b", ValueError, "value has '\\x00' in it, a NUL, which a database does not keep"),
        ({"name": ["\udcff"]}, ValueError, "value['name'][0] has '\\udcff' in it, half of a surrogate pair"),
        ({"\0": 1}, ValueError, "value has '\\x00' in it"),
        (ENDLESS, ValueError, "value contains itself, or too many lists"),
    ],
    ids=ascii,
)
def test_an_argument_that_cannot_be_kept_is_refused_by_its_name(
    backend: str, argument: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as caught:
        tasks.echo.using(backend=backend).enqueue(argument)
    assert str(caught.value).startswith(f"tests.jobs.tasks.echo.enqueue(): {said}")
    assert not DBTaskResult.objects.exists() and not Job.objects.exists()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        ((), {}, "missing a required argument: 'value'"),
        ((1, 2), {}, "too many positional arguments"),
        ((), {"valu": 1}, "'value'"),
        ((1,), {"more": 1}, "'more'"),
        ((1,), {"value": 1}, "multiple values for argument 'value'"),
    ],
    ids=str,
)
def test_arguments_that_the_task_does_not_take_are_refused(
    backend: str, args: Any, kwargs: dict[str, Any], said: str
) -> None:
    with pytest.raises(TypeError) as caught:
        tasks.echo.using(backend=backend).enqueue(*args, **kwargs)
    assert str(caught.value).startswith("tests.jobs.tasks.echo.enqueue(): ") and said in str(caught.value)
    assert not DBTaskResult.objects.exists() and not Job.objects.exists()


def test_a_decorator_and_the_context_may_give_a_task_what_nobody_enqueues() -> None:
    tasks.decorated.enqueue("it")
    tasks.with_context.enqueue("it")
    with pytest.raises(TypeError, match="missing a required argument: 'value'"):
        tasks.with_context.enqueue()
    work()
    assert set(DBTaskResult.objects.values_list("status", "return_value")) == {
        ("SUCCESSFUL", "given it"), ("SUCCESSFUL", "1 it"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("argument", "kept"),
    [
        (None, None), (True, True), (7, 7), (1.5, 1.5), ("é", "é"), (SafeString("x"), "x"), ((1, (2,)), [1, [2]]),
        ({"a": [{"b": None}]}, {"a": [{"b": None}]}), (range(3), [0, 1, 2]),
    ],
    ids=str,
)  # fmt: skip
def test_what_json_can_say_arrives_and_comes_back(argument: Any, kept: Any) -> None:
    tasks.echo.enqueue(argument)
    work()
    assert (only_row().status, only_row().return_value) == ("SUCCESSFUL", kept)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("a person", "TypeError: What the task returns cannot be kept: the result['x'] is a Person, an object of the "),
        ("no number", "ValueError: What the task returns cannot be kept: the result['x'] is nan"),
        ("itself", "ValueError: What the task returns cannot be kept: the result contains itself"),
        ("a NUL", "ValueError: What the task returns cannot be kept: the result['x'] has '\\x00' in it"),
    ],
)
def test_a_result_that_cannot_be_kept_fails_the_job_and_says_where(result: str, said: str) -> None:
    job = tasks.give.enqueue(result)
    work()
    known = catalogue.find(job.id)
    assert known is not None and known.state == "FAILED"
    assert known.error.startswith(said)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_task_that_no_worker_would_find_is_refused_and_leaves_no_row(backend: str) -> None:
    with pytest.raises(SuspiciousOperation, match=r"tests\.jobs\.tasks\._hidden is not a task"):
        tasks.under_another_name.using(backend=backend).enqueue()
    assert not DBTaskResult.objects.exists() and not Job.objects.exists()


@pytest.mark.parametrize("changes", [{}, {"priority": 5}, {"run_after": timezone.now() + timedelta(days=1)}], ids=str)
def test_the_result_of_enqueue_is_what_its_row_says(changes: dict[str, Any]) -> None:
    result = tasks.echo.using(**changes).enqueue([1, {"two": None}])
    row = DBTaskResult.objects.get()
    assert result == row.task_result
    assert result.db_result == row and result.args == [[1, {"two": None}]]


def test_a_task_with_what_it_has_already_is_itself() -> None:
    assert tasks.echo.using(priority=0, queue_name="default", run_after=None, backend="default") is tasks.echo
    urgent = tasks.echo.using(priority=5)
    assert urgent.priority == 5 and urgent.using(priority=5) is urgent and urgent.using(priority=0) == tasks.echo
    with pytest.raises(Exception, match="priority must be"):
        tasks.echo.using(priority=1000)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"run_after": timedelta(days=1)}, r"run_after is datetime\.timedelta\(days=1\)\. It has to be a moment"),
        ({"run_after": date(2030, 1, 1)}, r"run_after is datetime\.date\(2030, 1, 1\).*timezone\.now\(\) \+ timedelta"),
        ({"run_after": "tomorrow"}, "run_after is 'tomorrow'"),
        ({"run_after": 60}, "run_after is 60"),
        ({"priority": "high"}, "priority is 'high'. It has to be a whole number"),
        ({"queue_name": ["default"]}, "queue_name is .* the name of a queue"),
        ({"backend": ["default"]}, "backend is .* an alias of TASKS"),
    ],
    ids=str,
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_using_says_what_it_takes_instead(backend: str, changes: dict[str, Any], words: str) -> None:
    task = tasks.echo.using(backend=backend)
    with pytest.raises(TypeError, match=rf"tests\.jobs\.tasks\.echo\.using\(\): {words}"):
        task.using(**changes)


@pytest.mark.parametrize("value", [None, timedelta(days=1)], ids=str)
def test_using_knows_only_its_own_names(value: Any) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'run_afer'"):
        tasks.echo.using(run_afer=value)


def test_who_calls_a_task_like_a_function_is_told_what_to_call() -> None:
    with pytest.raises(TypeError) as caught:
        tasks.echo(5)  # type: ignore[operator]
    for way in ("echo.enqueue(…)", "echo.call(…)", "echo.func(…)"):
        assert way in str(caught.value)


def test_a_task_can_be_shown_in_a_template() -> None:
    from django.template import Context, Template

    assert Template("{{ task.name }}").render(Context({"task": tasks.echo})) == "echo"
