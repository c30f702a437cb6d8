"""What `make test` makes of the pytest processes it ran."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.forks import python
from tools.run_tests import (
    BRIEFLY,
    DATABASES,
    ENGINE,
    FAR_FROM_DATABASES,
    NEAR_THE_DRIVER,
    ON_SERVERS,
    ROOT,
    THROUGH_A_POOLER,
    THROUGH_DJANGO,
    UNAVAILABLE,
    WITHOUT_VISITS,
    Outcome,
    Run,
    execute,
    runs,
    summarise,
)

GOOD = Outcome(Run("sqlite"), 0, 1.0, passed=3, skipped=1)
MISSING = Outcome(Run("mysql"), UNAVAILABLE, 0.1, unavailable="The program mariadbd is not installed.")


def test_the_last_line_has_the_totals_of_all_databases(capsys: pytest.CaptureFixture[str]) -> None:
    bad = Outcome(Run("postgres"), 1, 1.0, passed=2, failed=1, failures=("tests.test_x::test_y: too late",))
    assert summarise([GOOD, bad], required=False) == 1
    printed = capsys.readouterr().out
    assert printed.endswith("\n5 passed, 1 failed, 1 skipped\n")
    assert "FAILED on PostgreSQL: tests.test_x::test_y: too late\n" in printed


def test_a_database_that_cannot_be_had_is_skipped_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert summarise([GOOD, MISSING], required=False) == 0
    assert "skipped: MariaDB could not be had: The program mariadbd is not installed.\n" in capsys.readouterr().out


def test_a_database_that_cannot_be_had_fails_where_all_are_required(capsys: pytest.CaptureFixture[str]) -> None:
    assert summarise([GOOD, MISSING], required=True) == 1
    assert capsys.readouterr().out.endswith("\n3 passed, 1 failed, 1 skipped\n")


def test_a_run_without_any_test_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert summarise([Outcome(Run("sqlite"), 5, 1.0)], required=False) == 1


def test_outcomes_are_counted_from_a_real_run_which_has_the_variables_of_a_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COHERENCE_SEQUENCES", "12345")
    proof = "import os\ndef test_a(): assert os.environ['COHERENCE_SEQUENCES'] == '12345'\n"
    outcome = _run(tmp_path, f"{proof}import pytest\ndef test_b(): assert not 'a'\ndef test_c(): pytest.skip()\n")
    assert (outcome.passed, outcome.failed, outcome.skipped, outcome.code) == (1, 1, 1, 1)
    [failure] = outcome.failures
    assert failure.endswith("test_sample::test_b: AssertionError: assert not 'a'")


def test_a_process_that_dies_counts_as_a_failure(tmp_path: Path) -> None:
    outcome = _run(tmp_path, "import os\ndef test_a(): os._exit(3)\n")
    assert (outcome.passed, outcome.failed, outcome.code) == (0, 1, 3)


def test_a_database_that_is_named_alone_has_all_tests() -> None:
    assert runs(["psycopg2"], ["-x"]) == [Run("psycopg2", ("-x",))]
    assert runs(["postgres"], []) == [Run("postgres")]


def test_of_two_drivers_of_postgresql_the_second_one_has_what_is_near_a_driver() -> None:
    [brief] = [run for run in runs(list(DATABASES), ["-x"], briefly=True) if run.kind == "psycopg2"]
    assert brief.arguments == (*BRIEFLY, *NEAR_THE_DRIVER, "-x")
    assert all((ROOT / path).exists() for path in (*FAR_FROM_DATABASES, *NEAR_THE_DRIVER))
    named = {run.kind: run.arguments for run in runs(list(DATABASES), ["-x"])}
    assert named["psycopg2"] == named["postgres"]


def test_paths_that_are_named_run_with_both_drivers() -> None:
    path = "tests/storm_backend/stores/test_stores.py"
    brief = [run.arguments for run in runs(["postgres", "psycopg2"], [path], briefly=True)]
    assert brief == [(*BRIEFLY, path)] * 2


def test_beside_all_others_the_servers_have_no_combinations_that_only_take_long() -> None:
    for run in runs(list(DATABASES), [], briefly=True):
        assert (run.arguments[:2] == BRIEFLY) == (run.kind != "sqlite")
    assert not any(set(BRIEFLY) & set(run.arguments) for run in runs(list(DATABASES), []))


def test_the_pooler_has_all_of_the_engines_tests_unless_everything_runs() -> None:
    [named] = runs(["pgbouncer"], ["-x"])
    assert named.arguments == (*ENGINE, "-x")
    [run] = [run for run in runs(list(DATABASES), [], briefly=True) if run.kind == "pgbouncer"]
    assert run.arguments == (*BRIEFLY, *THROUGH_A_POOLER)
    paths = [argument.removeprefix("--ignore=") for argument in (*ENGINE, *THROUGH_A_POOLER)]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_beside_sqlite_the_servers_have_what_a_server_makes_a_difference_for() -> None:
    mysql = next(run for run in runs(["sqlite", "mysql"], []) if run.kind == "mysql")
    assert mysql.arguments[0] == "--visits=none"
    left_out = {argument.removeprefix("--ignore=") for argument in mysql.arguments[1:]}
    every = {path.relative_to(ROOT).as_posix() for folder in THROUGH_DJANGO for path in (ROOT / folder).glob("test_*")}
    assert every > ON_SERVERS
    assert left_out == every - ON_SERVERS | {*FAR_FROM_DATABASES}


def test_each_test_on_sqlite_is_in_one_of_three_processes(tmp_path: Path) -> None:
    parts = {run.part: run for run in runs(["sqlite"], [])}
    assert [run.title for run in runs(["sqlite"], [])] == ["SQLite (sites)", "SQLite (apps)", "SQLite (engine)"]
    ignored = [set(parts[part].arguments[1:]) for part in ("apps", "engine")]
    folders = {f"--ignore=tests/{path.name}" for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert ignored[0] | ignored[1] == folders
    assert not ignored[0] & ignored[1]
    assert parts["sites"].arguments == ("--visits=only", *(f"--ignore={path}" for path in WITHOUT_VISITS))
    assert all((ROOT / path).is_dir() for path in WITHOUT_VISITS)
    (tmp_path / "test_sample.py").write_text(
        "import pytest\n@pytest.fixture\ndef browser(): pass\ndef test_a(browser): pass\ndef test_b(): pass\n"
    )
    for visits, test in (("only", "test_a"), ("none", "test_b")):
        arguments = ["--rootdir", str(tmp_path), "-c", "/dev/null", "-p", "tests.conftest", "-v", f"--visits={visits}"]
        done = python("-m", "pytest", *arguments, tmp_path, cwd=ROOT)
        assert f"::{test} PASSED" in done.stdout
        assert "1 passed, 1 deselected" in done.stdout


def test_an_unknown_database_is_named_with_the_known_ones() -> None:
    done = python("-m", "tools.run_tests", "--db", "oracle", cwd=ROOT)
    assert done.returncode == 2
    assert "DB is 'oracle'. Make it sqlite, postgres, psycopg2, pgbouncer, mysql or all." in done.stderr


def _run(folder: Path, source: str) -> Outcome:
    (folder / "test_sample.py").write_text(source)
    return execute(Run("sqlite", ("--rootdir", str(folder), "-c", "/dev/null", str(folder))))
