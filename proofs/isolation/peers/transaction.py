"""transaction's tests and documentation of savepoints: its sample data manager with savepoints is our stores."""

from __future__ import annotations

import doctest
import importlib
import itertools
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .stores import STORES, Words, empty, stores

LEFT_OUT: dict[str, str] = {}


@contextmanager
def adapted(source: Path) -> Iterator[unittest.TestSuite]:
    with stores():
        sample = importlib.import_module("transaction.tests.savepointsample")
        assert str(source) in str(sample.__file__)
        names = itertools.cycle(STORES)
        sample.SampleSavepointDataManager = lambda: Words(next(names))  # type: ignore[attr-defined]
        tests = importlib.import_module("transaction.tests.test_savepoint")
        prepare(tests.SavepointTests)
        suite = unittest.defaultTestLoader.loadTestsFromModule(tests)
        page = doctest.DocFileSuite(
            str(source / "docs/savepoint.rst"), module_relative=False, setUp=lambda test: empty(),
        )  # fmt: skip
        yield unittest.TestSuite([suite, page])


def prepare(case: Any) -> None:
    case.setUp = lambda self: empty()
