"""tests.support.forks beside what it stands for: Python started anew says and does the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.forks import SERVER, python

TELLS = """\
import __main__, atexit, os, signal, sys, threading
atexit.register(print, "at the end")
thread = threading.Thread(target=lambda: (thread_begins.wait(), print("a thread")))
thread_begins = threading.Event()
thread.start()
print(__name__, __main__.__dict__ is globals(), sys.argv, sys.path, os.getcwd(), sorted(os.environ))
print(sys.warnoptions, sys.dont_write_bytecode, sys.stdin.read(), signal.getsignal(signal.SIGINT))
print([name for name in sys.modules if name.partition(".")[0] in LIBRARIES and settings_are_there()])
thread_begins.set()
"""
PROGRAM = f"""\
LIBRARIES = ("djintegrate", "psycopg", "psycopg2", "MySQLdb", "openid", "authlib", "tests")
def settings_are_there():
    from django.conf import settings
    return not settings.configured
{TELLS}"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", PROGRAM, "one", "two"],
        ["-W", "ignore", "-c", PROGRAM],
        ["program.py", "one"],
        ["-m", "program", "one"],
        ["-c", "import sys; sys.exit('no')"],
        ["-c", "import sys; sys.exit(7)"],
        ["-c", "import os; os.kill(os.getpid(), 9)"],
        ["-m", "django", "nonsense"],
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)
def test_it_is_as_python_started_anew(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "more"), "PYTHONDONTWRITEBYTECODE": "1",
        # Python itself sets it where there is no locale.
        "LC_CTYPE": "C.UTF-8",
    }  # fmt: skip
    new = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, env=environment, input="typed", capture_output=True, text=True
    )
    copy = python(*arguments, cwd=tmp_path, env=environment, typed="typed")
    assert (copy.returncode, copy.stdout, copy.stderr) == (new.returncode, new.stdout, new.stderr)


def test_errors_come_among_the_output_in_their_order() -> None:
    code = "import sys; print('one'); print('two', file=sys.stderr); print('three')"
    said = python("-c", code, env={**os.environ, "PYTHONUNBUFFERED": "1"}, merged=True)
    assert (said.stdout, said.stderr) == ("one\ntwo\nthree\n", "")


def test_a_traceback_ends_as_pythons_does(tmp_path: Path) -> None:
    done = python("-c", "1 / 0", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        python("-c", "import time; time.sleep(60)", timeout=0.5)


def test_a_variable_that_python_reads_at_its_start_is_refused() -> None:
    done = python("-c", "", env={**os.environ, "PYTHONHASHSEED": "1"})
    assert done.returncode == 1 and "use subprocess" in done.stderr and SERVER.name in done.stderr
