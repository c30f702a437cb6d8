"""Every block of code in the documentation is run, or is checked in the way of its language; this counts them all.

Python blocks: tests/docs/test_docs.py runs pages that are marked, tests/docs/test_docs_settings.py settings,
tests/docs/test_docs_snippets.py the rest, but for the pages in FOLLOWED. Other languages are checked here.
"""

from __future__ import annotations

import configparser
import importlib.util
import re
import shlex
import shutil
import sqlite3
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands, load_command_class
from django.template import engines

import djintegrate.openid_auth
from djintegrate.acl import Acl
from djintegrate.storm_backend.two_phase.decision_log import create_statement
from tests.docs.test_docs_snippets import RUN
from tests.support.doc_pages import PAGES, ROOT, RUNNABLE, Block, blocks, every_block, is_settings, name

FOLLOWED = {
    "docs/how-to/dojo-form-function.md": "tests/dojo/test_docs.py",
    "docs/how-to/openid-connect.md": "tests/openid_auth/test_connect_docs.py",
    "docs/how-to/jsonrpc-callers.md": "tests/jsonrpc/test_docs.py",
    "docs/how-to/jsonrpc-clients.md": "tests/jsonrpc/test_docs.py",
    "docs/reference/which-settings.md": "tests/docs/test_which_settings.py",
    "docs/tutorial/a-django-form-as-dijits.md": "tests/dojo/test_docs.py",
    "docs/tutorial/a-service-by-json-rpc.md": "tests/jsonrpc/test_docs.py",
    "docs/how-to/roles.md": "tests/acl/test_docs.py",
    "docs/tutorial/roles-from-a-file.md": "tests/acl/test_docs.py",
    "docs/tutorial/files-in-the-transaction.md": "tests/files/test_tutorial.py",
    "docs/how-to/jobs.md": "tests/jobs/test_docs.py",
    "docs/reference/jobs.md": "tests/jobs/test_docs.py",
    "docs/tutorial/a-job-with-a-progress-bar.md": "tests/jobs/test_tutorial.py",
    "docs/tutorial/log-in-with-launchpad.md": "tests/openid_auth/test_tutorial.py",
    "docs/tutorial/storm-in-ten-minutes.md": "tests/docs/test_storm_tutorial.py",
}
"""Pages that have a test of their own, which does what they say from beginning to end."""
QUOTED = {"docs/explanation/sample-site.md": "testproject/sprints/actions.py"}
"""Pages whose python blocks are quoted from a file, which has tests of its own."""
CHECKED_HERE = {"console", "css", "html", "html+django", "ini", "javascript", "js", "sql", "xml"}
LEFT_OUT = {
    ("docs/index.md", "{toctree}"): "Sphinx reads it, and `make docs` fails where it leads nowhere.",
    (
        "docs/reference/docstrings.md",
        "{eval-rst}",
    ): "So does it where a name is not there; tests/docs/test_docstrings.py.",
}
"""Blocks that nothing here looks at, with the reason."""
TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
EXTRAS = re.findall(
    r"^([a-z-]+) = \[", (ROOT / "pyproject.toml").read_text().partition("optional-dep")[2], re.MULTILINE
)
SYSTEM = {"cd", "curl", "python3", "sudo", "."}


def test_every_block_is_run_or_checked() -> None:
    left = {(block.page, block.language) for block in every_block() if not is_seen_to(block)}
    assert left == set(LEFT_OUT)


def is_seen_to(block: Block) -> bool:
    if block.language in CHECKED_HERE:
        return True
    if block.language == "python":
        return block.page in {*map(name, RUNNABLE), *RUN, *FOLLOWED, *QUOTED} or is_settings(block)
    return block.language == "text" and (block.follows or block.page in {*RUN, *FOLLOWED})


@pytest.mark.parametrize("page", FOLLOWED)
def test_what_follows_a_page_reads_it(page: str) -> None:
    assert Path(page).name in (ROOT / FOLLOWED[page]).read_text()


@pytest.mark.parametrize("page", QUOTED)
def test_a_quotation_is_what_the_file_says(page: str) -> None:
    source = (ROOT / QUOTED[page]).read_text()
    assert [block.text for block in blocks(page, "python") if block.text not in source] == []


@pytest.mark.parametrize("block", every_block("console"), ids=str)
def test_commands_exist(block: Block) -> None:
    commands = re.findall(r"^\$ (.*)$", block.text, re.MULTILINE)
    assert commands
    for command in commands:
        look_up(command)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_in_the_text_exist(page: Path) -> None:
    text = page.read_text()
    named = re.findall(r"`((?:python )?manage\.py [^`\n]+|make [a-z][^`\n]*)`", text)
    shown = re.findall(r"^    (?:\$ )?((?:python manage\.py|make) .+?)(?: +#.*)?$", text, re.MULTILINE)
    for command in [*named, *shown]:
        look_up(command)


def look_up(command: str) -> None:
    """Fails if the command is not there, or knows not the options it is given."""
    words = shlex.split(command.replace("…", "").partition(" < ")[0])
    while re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    if words[0] == "make":
        assert [word for word in words[1:] if "=" not in word and word not in TARGETS] == [], command
    elif "manage.py" in words:
        look_up_django(words[words.index("manage.py") + 1], words[words.index("manage.py") + 2 :])
    elif words[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(words[2]), command
    elif words[0] == "pip":
        wanted = re.findall(r"djintegrate\[([\w,-]+)\]", command)
        assert {extra for each in wanted for extra in each.split(",")} <= set(EXTRAS), command
    elif words[0] == "django-admin":
        look_up_django(words[1], words[2:])
    else:
        assert words[0] in SYSTEM, command


def look_up_django(command: str, arguments: list[str]) -> None:
    app = get_commands()[command]
    parser = load_command_class(app if isinstance(app, str) else app.__module__, command).create_parser("", command)
    if not arguments:
        return
    if "|" in "".join(arguments) or any(each.isupper() or each.startswith("[") for each in arguments):
        # A pattern, as in `storm_schema status|apply STORE`: its options have to be there.
        known = {option for action in parser._actions for option in action.option_strings}
        assert set(re.findall(r"--[a-z-]+", " ".join(arguments))) <= known, command
        return
    try:
        parser.parse_args(arguments)
    except (CommandError, SystemExit) as error:
        raise AssertionError(f"{command} {' '.join(arguments)}: {error}") from None


@pytest.mark.parametrize("block", every_block("sql"), ids=str)
def test_sql_runs(block: Block) -> None:
    with sqlite3.connect(":memory:") as connection:
        for table in re.findall(r"DROP TABLE (\w+)", block.text):
            connection.execute(f"CREATE TABLE {table} (id INTEGER)")
        connection.executescript(block.text)


def test_the_table_of_decisions_is_the_one_that_is_made() -> None:
    [block] = blocks("docs/how-to/two-phase-commit.md", "sql")
    assert block.text.strip() == create_statement("postgresql")


def test_the_tables_to_drop_are_those_that_are_copied() -> None:
    [sql] = blocks("docs/how-to/moving-from-django-openid-auth.md", "sql")
    source = (Path(djintegrate.openid_auth.__file__).parent / "upkeep/adoption.py").read_text()
    dropped = re.findall(r"DROP TABLE (\w+);", sql.text)
    assert len(dropped) == 3
    [console] = blocks(sql.page, "console")
    assert all(f"{table}: " in console.text for table in dropped)
    assert "django_openid_auth" in source


@pytest.mark.parametrize("block", every_block("html", "html+django"), ids=str)
def test_templates_compile(block: Block) -> None:
    engines["django"].from_string(block.text)


@pytest.mark.parametrize("block", every_block("xml"), ids=str)
def test_files_of_roles_have_no_mistakes(block: Block) -> None:
    Acl().build_acl(StringIO(block.text))


@pytest.mark.parametrize("block", every_block("css"), ids=str)
def test_the_variables_of_css_are_there(block: Block) -> None:
    style = (Path(djintegrate.openid_auth.__file__).parent / "static/openid/openid.css").read_text()
    variables = re.findall(r"(--[\w-]+):", block.text)
    assert variables
    assert [each for each in variables if f"var({each})" not in style] == []


TYPE_CHECKERS = "docs/how-to/type-checkers.md"


def test_the_settings_of_mypy_are_those_that_the_tests_use() -> None:
    [block] = blocks(TYPE_CHECKERS, "ini")
    assert block.text == (ROOT / "tests/project/types/mypy.ini").read_text()


UNITS = [block for block in every_block("ini") if block.page != TYPE_CHECKERS]


@pytest.mark.parametrize("block", UNITS, ids=str)
def test_a_unit_of_systemd_starts_a_command_that_exists(block: Block) -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(block.text)
    assert unit.sections() == ["Unit", "Service", "Install"]
    program, _, command = unit["Service"]["ExecStart"].partition(" ")
    assert program.startswith(unit["Service"]["WorkingDirectory"])
    look_up(f"python {command}")


@pytest.mark.skipif(not shutil.which("node"), reason="There is no Node to read JavaScript.")
@pytest.mark.parametrize("block", every_block("js", "javascript"), ids=str)
def test_javascript_can_be_read(block: Block) -> None:
    done = subprocess.run(["node", "--check", "-"], input=block.text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
