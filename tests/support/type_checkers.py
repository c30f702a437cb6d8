"""mypy with django-stubs, and pyright, in an environment of their own on top of this one, made once and kept.

Not in this one: there django-stubs would have mypy look at the project itself with other eyes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "tests/project/types"
REQUIREMENTS = PROJECT / "requirements.txt"
Found = dict[tuple[str, int], str]
"""What a checker said, by file and line."""


def environment() -> Path:
    """Its folder. Skips the test where pip cannot get the checkers, and fails it in CI."""
    below = sysconfig.get_path("purelib")
    digest = hashlib.sha256(f"{REQUIREMENTS.read_text()}{sys.version}{below}".encode()).hexdigest()[:12]
    folder = ROOT / ".cache" / "types" / digest
    if not (folder / "complete").exists():
        venv.create(folder, clear=True)
        python = folder / "bin/python"
        own = _output(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        # pip, too, finds in it what is installed here, and adds only what is missing.
        Path(own, "below.pth").write_text(f"{below}\n")
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "-r", str(REQUIREMENTS)]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode:
            stop = pytest.fail if os.environ.get("CI", "").lower() in ("1", "true") else pytest.skip
            stop(f"pip has no type checkers: {done.stderr}")
        (folder / "complete").touch()
    return folder


def mypy(folder: Path) -> Found:
    said = _check(folder, "mypy", "--no-error-summary", f"--cache-dir={folder / 'mypy'}")
    lines = re.findall(r"^(\S+?):(\d+): error: (.*)$", said, re.MULTILINE)
    assert lines or not said, said
    return {(path, int(line)): message for path, line, message in lines}


def pyright(folder: Path) -> Found:
    if shutil.which("node") is None:
        pytest.skip("There is no Node to run pyright.")
    said = json.loads(_check(folder, "pyright", "--outputjson", f"--pythonpath={folder / 'bin/python'}"))
    assert said["summary"]["filesAnalyzed"] > 5, said
    return {
        (Path(each["file"]).relative_to(PROJECT).as_posix(), each["range"]["start"]["line"] + 1): each["message"]
        for each in said["generalDiagnostics"]
    }


def _check(folder: Path, checker: str, *options: str) -> str:
    where = os.pathsep.join(map(str, (PROJECT, ROOT)))
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO", "MYPY"))}
    done = subprocess.run(
        [folder / "bin/python", "-m", checker, *options],
        cwd=PROJECT, env={**kept, "PYTHONPATH": where}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def _output(*command: str) -> str:
    return subprocess.check_output(command, text=True)
