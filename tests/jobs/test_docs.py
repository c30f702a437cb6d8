"""The python blocks of docs/how-to/jobs.md and docs/reference/jobs.md do what the pages say."""

from __future__ import annotations

import sys
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from tests.apps.people.models import Person
from tests.jobs.helpers import JOBS, names, only_row, work
from tests.jobs.tasks import add
from tests.support.doc_pages import ROOT, Block, blocks, is_settings

pytest_plugins = ["tests.support.fixtures"]
pytestmark = JOBS
HOW_TO, REFERENCE = "docs/how-to/jobs.md", "docs/reference/jobs.md"


def code(page: str) -> list[Block]:
    return [block for block in blocks(page, "python") if not is_settings(block)]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The names of a module with the block's code: a worker finds a task by its path."""

    def shown(block: Block) -> dict[str, Any]:
        module = ModuleType("tasks_of_the_docs")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return block.run(vars(module))

    return shown


@pytest.fixture
def welcome(shown: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    models: Any = ModuleType("shop.models")
    models.Customer = Person
    monkeypatch.setitem(sys.modules, "shop", ModuleType("shop"))
    monkeypatch.setitem(sys.modules, "shop.models", models)
    return shown(code(HOW_TO)[0])["welcome"]


def test_a_task_that_runs_twice_has_done_it_once(welcome: Any) -> None:
    for _ in range(2):
        welcome.enqueue("Ada")
    work()
    assert names() == ["Ada"]


def test_a_job_runs_later_or_before_others(welcome: Any) -> None:
    with pytest.raises(TypeError, match="It has to be a moment"):
        welcome.using(run_after=timedelta(hours=1))
    code(HOW_TO)[1].run({"welcome": welcome})
    work()
    assert names() == ["Grace"]
    later, sooner = DBTaskResult.objects.order_by("priority")
    assert (later.status, sooner.priority) == ("READY", 10)
    assert timedelta(minutes=59) < later.run_after - timezone.now() <= timedelta(hours=1)


def test_a_worker_empties_the_queue_of_a_test(shown: Any) -> None:
    add.enqueue("it")
    shown(code(HOW_TO)[2])
    assert (only_row().status, names()) == ("SUCCESSFUL", ["it by Django", "it by Storm"])


def test_every_block_of_the_two_pages_is_one_of_these() -> None:
    assert (len(code(HOW_TO)), len(code(REFERENCE))) == (3, 1)


def test_the_function_of_a_task_can_be_called_like_any_other(shown: Any) -> None:
    assert "renumber.func([1, 2])" in (ROOT / REFERENCE).read_text()
    assert shown(code(REFERENCE)[0])["renumber"].func([1, 2]) == 2


def test_a_job_reports_and_takes_steps(shown: Any) -> None:
    shown(code(REFERENCE)[0])["renumber"].enqueue([1, 2])
    work()
    row = only_row()
    assert (row.status, row.return_value) == ("SUCCESSFUL", 2)
    assert row.args_kwargs["progress"] == {"done": 2, "total": 2, "message": "session 2"}
